"""Looking files through and taking them in: by the worker, or at once for a small file. Everything here may run twice."""

import datetime as dt
import logging
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress

from flask import current_app

from quizapp.accounts.models import StaffAccount
from quizapp.adapters.storage import Storage
from quizapp.audit.services import Actor
from quizapp.core.clock import utc_now
from quizapp.core.db import db, transaction
from quizapp.core.errors import AppError
from quizapp.core.text import N_
from quizapp.questions import queries
from quizapp.questions.exchange import formats, imports, saving
from quizapp.questions.exchange.imports import Claim
from quizapp.questions.exchange.parsed import ParsedQuestion
from quizapp.questions.exchange_models import QuestionImport
from quizapp.questions.loader import BankHead
from quizapp.questions.models import QuestionBank

log = logging.getLogger(__name__)

BATCH = 500
"""Questions per transaction where good ones may come in by and by: short, so that nobody's answer waits behind it."""


class _TakenOver(Exception):
    """Another worker has this file now, or it was cancelled."""


def storage() -> Storage:
    found: Storage = current_app.extensions["storage"]
    return found


def run_imports(now: dt.datetime | None = None, limit: int = 20) -> int:
    """Work on every file that waits. Returns how many were finished."""
    done = 0
    for _ in range(limit):
        if not imports.is_import_waiting(now or utc_now()):
            break
        with transaction():
            claim = imports.claim_import(now or utc_now())
        if claim is None:
            break
        done += work(claim)
    return done


def work_now(import_id: uuid.UUID) -> None:
    """Do it in this request instead of waiting for the worker, if nobody has taken it yet."""
    with transaction():
        claim = imports.claim_import(utc_now(), import_id)
    if claim is not None:
        work(claim)


def work(claim: Claim) -> bool:
    """One file, one step. A worker that dies leaves its claim to run out; the next goes on where it stood."""
    began = time.monotonic()
    try:
        if claim.state == "checking":
            _check(claim)
        else:
            _import(claim)
    except _TakenOver:
        log.warning("import %s was taken over or cancelled", claim.import_id)
        return False
    except AppError as error:
        with transaction():
            imports.update_mine(claim, state="failed", message=error.message[:300], claimed_until=None)
        log.info("import %s cannot be done: %s", claim.import_id, error.code)
        return False
    except Exception:
        log.exception("import %s failed, claim %d", claim.import_id, claim.number)
        with transaction():
            imports.update_mine(claim, claimed_until=utc_now())
        return False
    log.info("import %s %s in %.2f s", claim.import_id, claim.state, time.monotonic() - began)
    return True


def _row(claim: Claim) -> QuestionImport:
    db.session.rollback()
    row = db.session.get(QuestionImport, claim.import_id, populate_existing=True)
    if row is None or row.claim_count != claim.number or row.state != claim.state:
        raise _TakenOver
    return row


def _progress(claim: Claim, percent: int) -> None:
    with transaction():
        is_mine = imports.note_progress(claim, percent, utc_now())
    if not is_mine:
        raise _TakenOver


def _check(claim: Claim) -> None:
    """Read the file and say what would become of every question in it."""
    row = _row(claim)
    raw = imports.read_source(storage(), claim.import_id)
    name, slug, new_bank = row.file_name, row.bank_slug, row.options.get("new_bank")
    db.session.rollback()
    _progress(claim, 10)
    parsed = formats.read(raw, name)
    if new_bank:
        parsed.head = BankHead(**new_bank)
    _progress(claim, 70)
    slug = slug or (parsed.head.slug if parsed.head else "")
    bank = queries.find_bank(slug) if slug else None
    imports.note_doubles(parsed, saving.Bank(bank.id if bank else None))
    counts = imports.check_counts(parsed, bank.id if bank else None)
    names_bank = parsed.head is not None and parsed.head.slug == slug
    counts |= {"names_bank": names_bank, "is_new_bank": names_bank and bank is None}
    db.session.rollback()
    _progress(claim, 90)
    imports.keep_parsed(storage(), claim.import_id, parsed)
    values = {"state": "checked", "progress": 100, "claimed_until": None, "format": parsed.format[:16], "bank_slug": slug, "counts": counts}
    with transaction():
        if not imports.update_mine(claim, **values):
            raise _TakenOver
    with suppress(FileNotFoundError):
        storage().delete(imports.source_key(claim.import_id))


def _actor(staff_id: uuid.UUID) -> Actor:
    staff = db.session.get(StaffAccount, staff_id)
    return Actor("staff", staff_id, staff.display_name if staff else "")


def _bank(row: QuestionImport) -> QuestionBank:
    """The bank the questions go to, locked; made where it is new and the file itself describes it."""
    head = imports.read_report(storage(), row.id).head if row.counts.get("names_bank") else None
    if head is not None and not row.done_count:
        return imports.keep_bank(head, is_new=bool(row.counts.get("is_new_bank")), organisation_id=row.organisation_id, now=utc_now())
    found = queries.lock_bank(row.bank_slug)
    if found is None:
        raise AppError(N_("要导入的题库没有了，请重新选一个。"))
    return found


def _mine(claim: Claim) -> QuestionImport:
    """The row, locked, inside the transaction that writes its questions."""
    row = imports.lock_claimed(claim)
    if row is None:
        raise _TakenOver
    return row


def _import(claim: Claim) -> None:
    """Take the good questions in: in one transaction where all or nothing was chosen, else some at a time."""
    row = _row(claim)
    bank = queries.find_bank(row.bank_slug)
    held = saving.Bank(bank.id if bank else None)
    questions = imports.read_questions(storage(), row.id)
    is_done = False
    while not is_done:
        with transaction():
            is_done = _batch(claim, questions, held)


def _batch(claim: Claim, questions: Sequence[ParsedQuestion], held: saving.Bank) -> bool:
    """The next questions. What the bank holds was read before, so that nobody waits for that; if somebody has added to it
    since, an id that is taken stops the batch, and the next claim reads afresh.

    Where it goes on from is written in the same transaction, so that none comes in twice."""
    row, now = _mine(claim), utc_now()
    options = saving.Options.from_dict(row.options)
    bank = _bank(row)
    part = questions[row.done_count :] if options.takes_all else questions[row.done_count : row.done_count + BATCH]
    counts = saving.take_in(bank, held, part, options, now=now, created_by=row.requested_by)
    row.done_count += len(part)
    row.counts = {**row.counts, "result": dict(Counter(row.counts.get("result", {})) + counts)}
    row.progress = min(99, 100 * row.done_count // max(1, len(questions)))
    row.claimed_until = now + imports.CLAIM
    is_done = row.done_count >= len(questions)
    if is_done:
        imports.finish_import(row, bank, now=now, actor=_actor(row.requested_by))
    db.session.flush()
    return is_done


def expire_imports(now: dt.datetime | None = None) -> int:
    """Forget what was read in files of more than a week ago. Returns how many files were looked at."""
    with transaction():
        over = list(imports.list_over(now or utc_now()))
    for import_id in over:
        imports.forget_files(storage(), import_id)
    return len(over)
