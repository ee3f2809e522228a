"""Taking banks in and giving them out."""

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from quizapp.audit.services import Actor, record
from quizapp.core.db import db, on_commit
from quizapp.core.ids import new_id
from quizapp.questions import queries
from quizapp.questions.loader import BankFile, BankHead, load_bank
from quizapp.questions.models import QuestionBank
from quizapp.questions.services.revisions import add_question, add_revision, as_entry, release, serve


@dataclass(frozen=True)
class ImportResult:
    """What an import did, in question ids of the file.

    ``kept`` were changed by staff or moved to another bank since and left alone; ``missing`` are in the bank but not in the
    file, and stay.
    """

    slug: str
    is_new: bool
    added: tuple[str, ...] = ()
    revised: tuple[str, ...] = ()
    unchanged: int = 0
    kept: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        return len(self.added) + len(self.revised) + self.unchanged + len(self.kept)


def import_bank(folder: Path, *, now: dt.datetime, actor: Actor, publish: bool, replace: bool = False) -> ImportResult:
    """Take in a bank folder, all of it or nothing.

    :param publish: whether new questions may be drawn at once (the demo); otherwise they wait for review
    :param replace: whether the file wins over a revision that staff made since
    :raises BankFileInvalid: with every mistake of the files
    """
    return import_entries(load_bank(folder), now=now, actor=actor, publish=publish, replace=replace)


def import_entries(
    bank_file: BankFile,
    *,
    now: dt.datetime,
    actor: Actor,
    publish: bool,
    replace: bool = False,
    organisation_id: uuid.UUID | None = None,
    created_by: uuid.UUID | None = None,
) -> ImportResult:
    """Take in a checked bank. A question whose content differs gets a revision; one that says the same is left alone.

    :param organisation_id: owner of a bank that is new
    """
    bank, is_new = _keep_head(bank_file.head, now, organisation_id)
    known = {item.question.code: item for item in queries.list_latest(bank.id)}
    moved = queries.list_aliases(bank.id)
    added: list[str] = []
    revised: list[str] = []
    kept: list[str] = []
    unchanged = 0
    for entry in bank_file.entries:
        latest = known.get(entry.code)
        if latest is None and entry.code in moved:
            kept.append(entry.code)
        elif latest is None:
            add_question(bank, entry, now=now, publish=publish, created_by=created_by)
            added.append(entry.code)
        elif bytes(latest.revision.content_hash) == entry.content_hash():
            unchanged += 1
            if publish:
                release(latest.question, latest.revision.id)
        elif latest.revision.origin == "staff" and not replace:
            kept.append(entry.code)
        else:
            revision = add_revision(latest.question, entry, number=latest.revision.number + 1, now=now, created_by=created_by)
            serve(latest.question, revision.id, publish=publish)
            revised.append(entry.code)
    db.session.flush()
    missing = tuple(sorted(known.keys() - {entry.code for entry in bank_file.entries}))
    result = ImportResult(bank.slug, is_new, tuple(added), tuple(revised), unchanged, tuple(kept), missing)
    on_commit(queries.forget_pools)
    if is_new or added or revised:
        record(
            "questions.imported",
            actor=actor,
            target_type="question_bank",
            target_id=bank.id,
            target_name=bank.title,
            changes=_counts(result),
            now=now,
        )
    return result


def _counts(result: ImportResult) -> Mapping[str, int]:
    return {
        "added": len(result.added),
        "revised": len(result.revised),
        "unchanged": result.unchanged,
        "kept": len(result.kept),
        "missing": len(result.missing),
    }


def _keep_head(head: BankHead, now: dt.datetime, organisation_id: uuid.UUID | None) -> tuple[QuestionBank, bool]:
    bank = queries.lock_bank(head.slug)
    is_new = bank is None
    if bank is None:
        bank = QuestionBank(id=new_id(), slug=head.slug, organisation_id=organisation_id, created_at=now)
        db.session.add(bank)
    bank.title, bank.theme, bank.description, bank.licence = head.title, head.theme, head.description, head.licence
    db.session.flush()
    return bank, is_new


def export_bank(slug: str) -> BankFile:
    """The newest revision of every question of a bank, by id; re-importing it changes nothing.

    :raises BankNotFound: if there is none
    """
    bank = queries.get_bank(slug)
    head = BankHead(bank.slug, bank.title, bank.theme, bank.description, bank.licence)
    entries = tuple(as_entry(item.question, item.revision) for item in queries.list_latest(bank.id))
    return BankFile(head, entries)
