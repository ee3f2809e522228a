"""Files that staff bring: kept, looked through, taken in. The rows behind the pages, and the worker's side of them."""

import datetime as dt
import json
import tempfile
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from quizapp.adapters.storage import Storage
from quizapp.audit.services import Actor, record
from quizapp.core.db import db, on_commit
from quizapp.core.errors import NotFound
from quizapp.core.ids import new_id
from quizapp.core.text import N_
from quizapp.questions import queries
from quizapp.questions.errors import ImportNotReady
from quizapp.questions.exchange.parsed import GAPS, Parsed, ParsedQuestion, Problem, question_from_json, sort_problems, to_json
from quizapp.questions.exchange.saving import FATES, Bank, Options, plan
from quizapp.questions.exchange_models import QuestionImport
from quizapp.questions.loader import BankHead
from quizapp.questions.models import QuestionBank

CLAIM = dt.timedelta(minutes=5)
"""A worker that says nothing for so long is taken for dead."""
KEEP = dt.timedelta(days=7)
MAX_CLAIMS = 5
SAMPLE = 20
"""Questions shown whole before the import."""
OPEN_STATES = ("waiting_check", "checking", "checked")
WAITING = {"waiting_check": "checking", "waiting_import": "importing"}


# ---- files beside the row


def source_key(import_id: uuid.UUID) -> str:
    return f"import-{import_id.hex}.source"


def _questions_key(import_id: uuid.UUID) -> str:
    return f"import-{import_id.hex}.questions"


def _report_key(import_id: uuid.UUID) -> str:
    return f"import-{import_id.hex}.report"


def put_bytes(storage: Storage, key: str, raw: bytes) -> None:
    with tempfile.NamedTemporaryFile() as file:
        file.write(raw)
        file.flush()
        storage.put(key, Path(file.name))


def read_source(storage: Storage, import_id: uuid.UUID) -> bytes:
    """:raises NotFound: if the file is kept no longer"""
    return _read(storage, source_key(import_id))


def _read(storage: Storage, key: str) -> bytes:
    try:
        with storage.open(key) as file:
            return file.read()
    except FileNotFoundError:
        raise NotFound(N_("这个文件已经清理掉了，请重新上传。")) from None


def forget_files(storage: Storage, import_id: uuid.UUID) -> None:
    for key in (source_key(import_id), _questions_key(import_id), _report_key(import_id)):
        storage.delete(key)


def keep_parsed(storage: Storage, import_id: uuid.UUID, parsed: Parsed) -> None:
    """What was read: the questions, and apart from them what the pages show."""
    questions = [to_json(question) for question in parsed.questions]
    report = {
        "head": asdict(parsed.head) if parsed.head else None,
        "problems": [asdict(problem) for problem in sort_problems(parsed.problems)],
        "sample": questions[:SAMPLE],
    }
    put_bytes(storage, _questions_key(import_id), json.dumps(questions, ensure_ascii=False).encode())
    put_bytes(storage, _report_key(import_id), json.dumps(report, ensure_ascii=False).encode())


def read_questions(storage: Storage, import_id: uuid.UUID) -> list[ParsedQuestion]:
    return [question_from_json(body) for body in json.loads(_read(storage, _questions_key(import_id)))]


@dataclass(frozen=True)
class Report:
    """What the check has to show."""

    head: BankHead | None
    problems: tuple[Problem, ...]
    sample: tuple[ParsedQuestion, ...]


def read_report(storage: Storage, import_id: uuid.UUID) -> Report:
    body = json.loads(_read(storage, _report_key(import_id)))
    return Report(
        BankHead(**body["head"]) if body["head"] else None,
        tuple(Problem(**problem) for problem in body["problems"]),
        tuple(question_from_json(question) for question in body["sample"]),
    )


# ---- what staff do


def request_check(
    *,
    bank_slug: str,
    file_name: str,
    size: int,
    organisation_id: uuid.UUID | None,
    staff_id: uuid.UUID,
    now: dt.datetime,
    new_bank: dict[str, str] | None = None,
) -> tuple[QuestionImport, list[uuid.UUID]]:
    """A new file. It takes the place of this member's earlier ones that were not imported.

    :param bank_slug: "" for the bank that the file names itself
    :param new_bank: the head of a bank that is to be made for it
    :returns: its row, and the ids of those it replaces, whose files can go
    """
    earlier = sa.select(QuestionImport).where(QuestionImport.requested_by == staff_id, QuestionImport.state.in_(OPEN_STATES))
    replaced = list(db.session.scalars(earlier.with_for_update()))
    for row in replaced:
        row.state = "cancelled"
    row = QuestionImport(
        bank_slug=bank_slug,
        file_name=file_name[:200],
        size=size,
        state="waiting_check",
        options={"new_bank": new_bank} if new_bank else {},
        organisation_id=organisation_id,
        requested_by=staff_id,
        created_at=now,
    )
    db.session.add(row)
    db.session.flush()
    return row, [old.id for old in replaced]


def get_import(import_id: uuid.UUID, staff_id: uuid.UUID) -> QuestionImport:
    """Somebody's own file.

    :raises NotFound: for anybody else's, and for one that was cancelled
    """
    row = db.session.get(QuestionImport, import_id, populate_existing=True)
    if row is None or row.requested_by != staff_id or row.state == "cancelled":
        raise NotFound(N_("这次上传的文件已经处理过，或者后来又传了别的，请重新上传。"))
    return row


def list_imports(staff_id: uuid.UUID, limit: int = 10) -> list[QuestionImport]:
    """Somebody's latest files."""
    statement = sa.select(QuestionImport).where(QuestionImport.requested_by == staff_id, QuestionImport.state != "cancelled")
    return list(db.session.scalars(statement.order_by(QuestionImport.created_at.desc(), QuestionImport.id.desc()).limit(limit)))


def confirm_import(import_id: uuid.UUID, options: Options, *, staff_id: uuid.UUID) -> QuestionImport:
    """Take it in, as chosen. Said twice, it is done once.

    :raises ImportNotReady: before the check, with nothing to take, or with an error where everything must be good
    """
    row = _lock(import_id, staff_id)
    if row.state in ("waiting_import", "importing", "done"):
        return row
    if row.state != "checked" or not row.counts.get("good") or not row.bank_slug:
        raise ImportNotReady
    if options.takes_all and row.counts.get("bad"):
        raise ImportNotReady(N_("还有题没通过检查，没有导入。请改好文件重新上传，或者选“先导入好的”。"))
    row.options = options.to_dict()
    row.state, row.progress, row.claim_count = "waiting_import", 0, 0
    db.session.flush()
    return row


def cancel_import(import_id: uuid.UUID, *, staff_id: uuid.UUID) -> None:
    """Forget a file that is not being taken in."""
    row = _lock(import_id, staff_id)
    if row.state in ("waiting_import", "importing", "done"):
        raise ImportNotReady(N_("已经开始导入，不能取消了。"))
    row.state = "cancelled"
    db.session.flush()


def _lock(import_id: uuid.UUID, staff_id: uuid.UUID) -> QuestionImport:
    statement = sa.select(QuestionImport).filter_by(id=import_id).with_for_update().execution_options(populate_existing=True)
    row = db.session.scalar(statement)
    if row is None or row.requested_by != staff_id or row.state == "cancelled":
        raise NotFound
    return row


# ---- what a worker does, or the request itself for a small file


@dataclass(frozen=True)
class Claim:
    """The right to work on one file: ``number`` is the token, another claim raises it."""

    import_id: uuid.UUID
    number: int
    state: str


def _is_free(now: dt.datetime) -> sa.ColumnElement[bool]:
    is_abandoned = sa.and_(QuestionImport.state.in_(WAITING.values()), QuestionImport.claimed_until <= now)
    return sa.or_(QuestionImport.state.in_(WAITING), is_abandoned)


def is_import_waiting(now: dt.datetime) -> bool:
    """Whether there is anything to claim; a look that locks nothing."""
    return db.session.scalar(sa.select(QuestionImport.id).where(_is_free(now)).limit(1)) is not None


def claim_import(now: dt.datetime, import_id: uuid.UUID | None = None) -> Claim | None:
    """Take the oldest file that waits or whose worker died, or this very one if it is free."""
    statement = sa.select(QuestionImport).where(_is_free(now)).order_by(QuestionImport.created_at, QuestionImport.id).limit(1)
    if import_id is not None:
        statement = statement.where(QuestionImport.id == import_id)
    row = db.session.scalars(statement.with_for_update(skip_locked=True), execution_options={"populate_existing": True}).first()
    if row is None:
        return None
    if row.claim_count >= MAX_CLAIMS:
        row.state, row.message = "failed", N_("试了几次都没有处理完，请重新上传；还不行就把文件拆小。")
        db.session.flush()
        return claim_import(now, import_id)
    row.state = WAITING.get(row.state, row.state)
    row.claim_count += 1
    row.claimed_until = now + CLAIM
    db.session.flush()
    return Claim(row.id, row.claim_count, row.state)


def update_mine(claim: Claim, **values: Any) -> bool:
    """Change the row if it is still this claim's."""
    mine = sa.update(QuestionImport).filter_by(id=claim.import_id, state=claim.state, claim_count=claim.number)
    return db.session.execute(mine.values(**values).returning(QuestionImport.id)).first() is not None


def note_progress(claim: Claim, percent: int, now: dt.datetime) -> bool:
    """Say how far it is and stay the worker. False when another has taken over, or the file was cancelled."""
    return update_mine(claim, progress=percent, claimed_until=now + CLAIM)


def check_counts(parsed: Parsed, bank_id: uuid.UUID | None) -> dict[str, Any]:
    """What the check found, in numbers of questions, and what an import with no further choice would do."""
    gaps: Counter[str] = Counter(gap for question in parsed.questions for gap in question.gaps)
    fates = plan(Bank(bank_id), parsed.questions, Options())
    return {
        "good": len(parsed.questions),
        "bad": len(parsed.bad_rows),
        "notes": sum(problem.severity == "note" for problem in parsed.problems),
        "kinds": dict(Counter(question.entry.kind for question in parsed.questions)),
        "gaps": {name: gaps[name] for name in GAPS if gaps[name]},
        "plan": {name: fates[name] for name in FATES if fates[name]},
    }


def note_doubles(parsed: Parsed, bank: Bank) -> None:
    """Name the questions that the bank already has under another id."""
    for question in parsed.questions:
        code = bank.double_of(question.entry)
        if code:
            reason = f"题库里已经有一样的题（{code}）"
            mend = "默认跳过；要再加一道，导入时勾选“重复的也导入”"
            parsed.problems.append(Problem(question.row, "题干", reason, mend, question.place, "", question.entry.stem[:60], "note"))


def lock_claimed(claim: Claim) -> QuestionImport | None:
    """The row, locked, if it is still this claim's."""
    mine = sa.select(QuestionImport).filter_by(id=claim.import_id, state=claim.state, claim_count=claim.number)
    return db.session.scalar(mine.with_for_update().execution_options(populate_existing=True))


def keep_bank(head: BankHead, *, is_new: bool, organisation_id: uuid.UUID | None, now: dt.datetime) -> QuestionBank:
    """The bank that a file describes itself, made or renamed to what the file says, and locked.

    :raises ImportNotReady: if there was none when the file was checked, and now somebody else has made it
    """
    bank = queries.lock_bank(head.slug)
    if bank is not None and is_new:
        raise ImportNotReady(N_("这个题库刚刚有人建了，请重新上传。"))
    if bank is None:
        bank = QuestionBank(id=new_id(), slug=head.slug, organisation_id=organisation_id, created_at=now)
        db.session.add(bank)
    bank.title, bank.theme, bank.description, bank.licence = head.title, head.theme, head.description, head.licence
    db.session.flush()
    return bank


def finish_import(row: QuestionImport, bank: QuestionBank, *, now: dt.datetime, actor: Actor) -> None:
    """Say what it has come to, in the trail too."""
    total: dict[str, int] = {name: row.counts["result"].get(name, 0) for name in FATES}
    row.state, row.progress, row.finished_at, row.claimed_until = "done", 100, now, None
    row.counts = {**row.counts, "result": total}
    on_commit(queries.forget_pools)
    record(
        "questions.imported",
        actor=actor,
        target_type="question_bank",
        target_id=bank.id,
        target_name=bank.title,
        changes={"file_name": row.file_name, **total},
        now=now,
    )


def list_over(now: dt.datetime) -> Sequence[uuid.UUID]:
    """Files whose time is over. The rows stay."""
    is_over = sa.and_(QuestionImport.created_at <= now - KEEP, QuestionImport.state.in_((*OPEN_STATES, "waiting_import", "importing")))
    rows = list(db.session.scalars(sa.select(QuestionImport).where(is_over).limit(500).with_for_update(skip_locked=True)))
    for row in rows:
        row.state = "cancelled"
    db.session.flush()
    finished = sa.and_(
        QuestionImport.created_at <= now - KEEP,
        QuestionImport.created_at > now - KEEP - dt.timedelta(days=30),
        QuestionImport.state.in_(("done", "failed", "cancelled")),
    )
    return db.session.scalars(sa.select(QuestionImport.id).where(finished).limit(5000)).all()
