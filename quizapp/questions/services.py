"""Taking banks in, giving them out, letting questions into papers or out of them."""

import datetime as dt
import io
import uuid
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from quizapp.audit.services import Actor, record
from quizapp.core.db import db, on_commit
from quizapp.core.ids import new_id
from quizapp.questions import queries
from quizapp.questions.errors import OwnWork, QuestionChanged
from quizapp.questions.loader import BANK_FILE, QUESTIONS_FILE, BankFile, BankHead, Entry, load_bank, write_entries, write_head
from quizapp.questions.models import Question, QuestionBank, QuestionRevision


@dataclass(frozen=True)
class ImportResult:
    """What an import did, in question ids of the file.

    ``kept`` were changed by staff since and left alone; ``missing`` are in the bank but not in the file, and stay.
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
    added: list[str] = []
    revised: list[str] = []
    kept: list[str] = []
    unchanged = 0
    for entry in bank_file.entries:
        latest = known.get(entry.code)
        if latest is None:
            _add_question(bank, entry, now=now, publish=publish, created_by=created_by)
            added.append(entry.code)
        elif bytes(latest.revision.content_hash) == entry.content_hash():
            unchanged += 1
            if publish:
                _release(latest.question, latest.revision.id)
        elif latest.revision.origin == "staff" and not replace:
            kept.append(entry.code)
        else:
            revision = _add_revision(latest.question, entry, number=latest.revision.number + 1, now=now, created_by=created_by)
            _serve(latest.question, revision.id, publish=publish)
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


def preview_import(bank_file: BankFile) -> ImportResult:
    """What an import would do now, without doing it."""
    bank = queries.find_bank(bank_file.head.slug)
    known = {item.question.code: item.revision for item in queries.list_latest(bank.id)} if bank else {}
    added: list[str] = []
    revised: list[str] = []
    kept: list[str] = []
    for entry in bank_file.entries:
        revision = known.get(entry.code)
        if revision is None:
            added.append(entry.code)
        elif bytes(revision.content_hash) != entry.content_hash():
            (kept if revision.origin == "staff" else revised).append(entry.code)
    missing = tuple(sorted(known.keys() - {entry.code for entry in bank_file.entries}))
    unchanged = len(bank_file.entries) - len(added) - len(revised) - len(kept)
    return ImportResult(bank_file.head.slug, bank is None, tuple(added), tuple(revised), unchanged, tuple(kept), missing)


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


def _add_question(bank: QuestionBank, entry: Entry, *, now: dt.datetime, publish: bool, created_by: uuid.UUID | None) -> None:
    question = Question(id=new_id(), bank_id=bank.id, code=entry.code, status="published" if publish else "in_review", created_at=now)
    db.session.add(question)
    question.current_revision_id = _add_revision(question, entry, number=1, now=now, created_by=created_by).id


def _add_revision(
    question: Question, entry: Entry, *, number: int, now: dt.datetime, created_by: uuid.UUID | None, origin: str = "file"
) -> QuestionRevision:
    revision = QuestionRevision(
        id=new_id(),
        question_id=question.id,
        number=number,
        kind=entry.kind,
        stem=entry.stem,
        choices=list(entry.choices),
        answer=list(entry.answer),
        explanation=entry.explanation,
        citations=[dict(citation) for citation in entry.citations],
        difficulty=entry.difficulty,
        tags=list(entry.tags),
        reviewed_by=entry.reviewed_by,
        reviewed_on=dt.date.fromisoformat(entry.reviewed_on) if entry.reviewed_on else None,
        origin=origin,
        content_hash=entry.content_hash(),
        created_at=now,
        created_by=created_by,
    )
    db.session.add(revision)
    return revision


def _serve(question: Question, revision_id: uuid.UUID, *, publish: bool) -> None:
    """Decide what papers are drawn with after a new revision. One in use keeps its reviewed revision until the new one is
    reviewed, so that an import never empties the pool of a running campaign."""
    if publish:
        _release(question, revision_id)
    elif question.status != "published":
        question.current_revision_id = revision_id
        if question.status == "draft":
            question.status = "in_review"


def _release(question: Question, revision_id: uuid.UUID) -> None:
    question.current_revision_id = revision_id
    if question.status in ("draft", "in_review"):
        question.status = "published"


def approve_question(question_id: uuid.UUID, *, revision_id: uuid.UUID, now: dt.datetime, actor: Actor) -> Question:
    """Review: papers are drawn with this revision from now on.

    :param revision_id: what the reviewer has read; must be the newest
    :raises QuestionChanged: if there is a newer one
    :raises OwnWork: if the reviewer made it
    """
    question = queries.lock_question(question_id)
    revision = queries.list_revisions(question_id)[0]
    if revision.id != revision_id or question.status == "retired":
        raise QuestionChanged
    if actor.id is not None and revision.created_by == actor.id:
        raise OwnWork
    if question.status == "published" and question.current_revision_id == revision_id:
        return question
    question.current_revision_id = revision_id
    question.status = "published"
    _changed("question.approved", question, actor, now, {"revision": revision.number})
    return question


def approve_bank(bank: QuestionBank, *, now: dt.datetime, actor: Actor) -> int:
    """Review everything that waits in a bank, except what the reviewer made. Returns how many questions that was."""
    count = 0
    for question, revision in db.session.execute(queries.select_questions(bank.id, status="waiting")).all():
        if question.status != "suspended" and (actor.id is None or revision.created_by != actor.id):
            approve_question(question.id, revision_id=revision.id, now=now, actor=actor)
            count += 1
    return count


def suspend_question(question_id: uuid.UUID, *, reason: str, now: dt.datetime, actor: Actor) -> Question:
    """Take a question out of every new paper; attempts keep what they have."""
    question = queries.lock_question(question_id)
    if question.status in ("suspended", "retired"):
        return question
    question.status = "suspended"
    _changed("question.suspended", question, actor, now, {"reason": reason[:200]})
    return question


def _changed(action: str, question: Question, actor: Actor, now: dt.datetime, changes: Mapping[str, object]) -> None:
    db.session.flush()
    on_commit(queries.forget_pools)
    record(action, actor=actor, target_type="question", target_id=question.id, target_name=question.code, changes=changes, now=now)


def as_entry(question: Question, revision: QuestionRevision) -> Entry:
    """A revision in the shape of the file."""
    return Entry(
        code=question.code,
        kind=revision.kind,
        stem=revision.stem,
        choices=tuple(revision.choices),
        answer=tuple(sorted(revision.answer)),
        explanation=revision.explanation,
        citations=tuple(_ordered(citation) for citation in revision.citations),
        difficulty=revision.difficulty,
        tags=tuple(revision.tags),
        reviewed_by=revision.reviewed_by,
        reviewed_on=revision.reviewed_on.isoformat() if revision.reviewed_on else None,
    )


def _ordered(citation: Mapping[str, str]) -> dict[str, str]:
    """JSONB forgets the order of keys; files keep one."""
    names = ("law", "article", "document", "issuer", "number", "clause", "date")
    return {name: citation[name] for name in names if name in citation}


def export_bank(slug: str) -> BankFile:
    """The newest revision of every question of a bank, by id; re-importing it changes nothing.

    :raises BankNotFound: if there is none
    """
    bank = queries.get_bank(slug)
    head = BankHead(bank.slug, bank.title, bank.theme, bank.description, bank.licence)
    entries = tuple(as_entry(item.question, item.revision) for item in queries.list_latest(bank.id))
    return BankFile(head, entries)


def zip_bank(bank_file: BankFile) -> bytes:
    """A bank's two files in a folder, as a zip; the same bank always gives the same bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in ((BANK_FILE, write_head(bank_file.head)), (QUESTIONS_FILE, write_entries(bank_file.entries))):
            archive.writestr(zipfile.ZipInfo(f"{bank_file.head.slug}/{name}"), text.encode(), zipfile.ZIP_DEFLATED)
    return out.getvalue()
