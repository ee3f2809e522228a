"""Looking for signs in what is stored anyway, behind the hand-ins and never at a citizen's request.

A batch of graded attempts is read once, by the moment they counted. What people share (a device, a block of numbers, a set of
mistakes) is written as marks; when a mark has become somebody's sign, everybody who bears it gets the sign, also those who
came before it was one.
"""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from quizapp.accounts.models import Identity
from quizapp.attempts.models import Attempt, AttemptQuestion
from quizapp.attempts.services.starting import NO_DEVICE
from quizapp.audit import services as audit
from quizapp.core.db import db
from quizapp.core.ids import new_id
from quizapp.integrity import queries, rules
from quizapp.integrity.models import Mark, ScanCursor, Signal
from quizapp.integrity.rules import Sign
from quizapp.integrity.services.cases import open_case
from quizapp.questions import queries as question_queries
from quizapp.questions.rules import RevisionView

SETTLED = dt.timedelta(seconds=60)
"""Attempts that counted so long ago are all committed, so that the cursor never passes one."""
_NEVER = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
_MARKS, _SIGNALS = cast(sa.Table, Mark.__table__), cast(sa.Table, Signal.__table__)


@dataclass(frozen=True)
class Scanned:
    """What one batch came to."""

    attempts: int
    cases: int


@dataclass
class _Batch:
    """What a batch of attempts has brought to light; signs by citizen and subject."""

    campaign_id: uuid.UUID
    marks: set[tuple[str, bytes, uuid.UUID]] = field(default_factory=set)
    signs: dict[tuple[uuid.UUID, str], Sign] = field(default_factory=dict)
    mistakes: dict[bytes, frozenset[tuple[str, str]]] = field(default_factory=dict)


def scan_campaign(*, campaign_id: uuid.UUID, now: dt.datetime, limit: int = 300) -> Scanned:
    """Look at the next graded attempts of a campaign and open cases where the score of a person reaches its threshold.

    :returns: how many attempts were looked at; fewer than ``limit`` means that there are no more
    """
    cursor = _lock_cursor(campaign_id)
    rows = _next_attempts(cursor, now, limit)
    if not rows:
        return Scanned(0, 0)
    batch = _Batch(campaign_id)
    _look_at_papers(batch, rows)
    _mark_devices(batch, rows)
    _mark_numbers(batch, {row.citizen_id for row in rows})
    _write_marks(batch)
    touched = {citizen_id for citizen_id, _ in batch.signs}
    touched |= _write_signs(batch, _shared_signs(batch), now)
    cursor.seen_at, cursor.seen_id = rows[-1].submitted_at, rows[-1].id
    db.session.flush()
    return Scanned(len(rows), _judge(campaign_id, touched | {row.citizen_id for row in rows}, now))


def _lock_cursor(campaign_id: uuid.UUID) -> ScanCursor:
    insert = postgresql.insert if db.engine.dialect.name == "postgresql" else sqlite.insert
    first = insert(ScanCursor).values(campaign_id=campaign_id, seen_at=_NEVER, seen_id=uuid.UUID(int=0))
    db.session.execute(first.on_conflict_do_nothing())
    found = sa.select(ScanCursor).filter_by(campaign_id=campaign_id).with_for_update()
    return db.session.scalars(found.execution_options(populate_existing=True)).one()


def _next_attempts(cursor: ScanCursor, now: dt.datetime, limit: int) -> Sequence[Any]:
    columns = (Attempt.id, Attempt.citizen_id, Attempt.device_tag, Attempt.started_at, Attempt.submitted_at)
    later = sa.or_(Attempt.submitted_at > cursor.seen_at, sa.and_(Attempt.submitted_at == cursor.seen_at, Attempt.id > cursor.seen_id))
    graded = sa.select(*columns).where(Attempt.campaign_id == cursor.campaign_id, Attempt.state == "graded", later)
    ordered = graded.where(Attempt.submitted_at <= now - SETTLED).order_by(Attempt.submitted_at, Attempt.id)
    return db.session.execute(ordered.limit(limit)).all()


# ---- one paper by itself


def _look_at_papers(batch: _Batch, rows: Sequence[Any]) -> None:
    by_id = {row.id: row for row in rows}
    questions = sa.select(AttemptQuestion).where(AttemptQuestion.attempt_id.in_(list(by_id)), AttemptQuestion.chosen.is_not(None))
    answers: dict[uuid.UUID, list[AttemptQuestion]] = defaultdict(list)
    for question in db.session.scalars(questions):
        answers[question.attempt_id].append(question)
    views = question_queries.get_revisions({question.revision_id for given in answers.values() for question in given})
    for attempt_id, given in answers.items():
        row = by_id[attempt_id]
        sign = _sign_of_time(row.started_at, given, views)
        if sign is not None:
            batch.signs[(row.citizen_id, str(attempt_id))] = sign
        wrong = frozenset(pair for question in given if (pair := _mistake(question, views[question.revision_id])) is not None)
        if len(wrong) >= 2:
            tag = rules.pattern_tag(wrong)
            batch.mistakes[tag] = wrong
            batch.marks.add(("pattern", tag, row.citizen_id))


def _sign_of_time(started_at: dt.datetime, given: Sequence[AttemptQuestion], views: Mapping[uuid.UUID, RevisionView]) -> Sign | None:
    moments = [question.answered_at for question in given if question.answered_at is not None]
    if not moments:
        return None
    read = [views[question.revision_id] for question in given]
    characters = sum(len(view.stem) + sum(map(len, view.choices)) for view in read)
    return rules.sign_of_time(characters, len(given), (max(moments) - started_at).total_seconds())


def _chosen(choice_order: str, letters: str) -> str:
    """Displayed letters as indices of the bank's choices, sorted."""
    return "".join(sorted(choice_order[ord(letter) - ord("A")] for letter in letters))


def _mistake(question: AttemptQuestion, view: RevisionView) -> tuple[str, str] | None:
    chosen = _chosen(question.choice_order, question.chosen or "")
    return None if {int(index) for index in chosen} == view.answer else (str(question.revision_id), chosen)


# ---- what people share


def _mark_devices(batch: _Batch, rows: Sequence[Any]) -> None:
    batch.marks |= {("device", bytes(row.device_tag), row.citizen_id) for row in rows if bytes(row.device_tag) != NO_DEVICE}


def _mark_numbers(batch: _Batch, citizen_ids: Iterable[uuid.UUID]) -> None:
    known = sa.select(Identity.citizen_id, Identity.block_tag).where(
        Identity.citizen_id.in_(list(citizen_ids)), Identity.kind == "phone", Identity.block_tag.is_not(None)
    )
    batch.marks |= {("block", bytes(tag), citizen_id) for citizen_id, tag in db.session.execute(known) if tag is not None}


def _write_marks(batch: _Batch) -> None:
    if batch.marks:
        insert = postgresql.insert if db.engine.dialect.name == "postgresql" else sqlite.insert
        values = [
            {"campaign_id": batch.campaign_id, "kind": kind, "tag": tag, "citizen_id": citizen_id}
            for kind, tag, citizen_id in sorted(batch.marks, key=lambda mark: (mark[0], mark[1], mark[2]))
        ]
        db.session.execute(insert(_MARKS).on_conflict_do_nothing(), values)


def _shared_signs(batch: _Batch) -> dict[tuple[str, bytes], Sign]:
    """Of the marks this batch has touched those that have become a sign."""
    tags = {(kind, tag) for kind, tag, _ in batch.marks}
    counts: dict[tuple[str, bytes], int] = {}
    for kind in ("device", "block", "pattern"):
        wanted = [tag for each, tag in tags if each == kind]
        counted = sa.select(Mark.tag, sa.func.count()).where(Mark.campaign_id == batch.campaign_id, Mark.kind == kind, Mark.tag.in_(wanted))
        counts |= {(kind, bytes(tag)): count for tag, count in db.session.execute(counted.group_by(Mark.tag))}
    found: dict[tuple[str, bytes], Sign] = {}
    for (kind, tag), count in counts.items():
        sign = _shared_sign(batch, kind, tag, count)
        if sign is not None:
            found[(kind, tag)] = sign
    return found


def _shared_sign(batch: _Batch, kind: str, tag: bytes, count: int) -> Sign | None:
    if kind == "device":
        return rules.sign_of_device(count)
    if kind == "block":
        return rules.sign_of_block(count)
    if rules.sign_of_mistakes(count, 0.0) is None:
        return None
    return rules.sign_of_mistakes(count, _expected(batch.campaign_id, batch.mistakes[tag], count))


def _expected(campaign_id: uuid.UUID, wrong: Iterable[tuple[str, str]], count: int) -> float:
    """How many papers would show all these mistakes by chance, as often as everybody else makes each of them.

    :param count: people with all of these mistakes, who say nothing about chance
    """
    graded = sa.select(sa.func.count()).select_from(Attempt).where(Attempt.campaign_id == campaign_id, Attempt.state == "graded")
    total = db.session.scalar(graded) or 0
    expected, others = float(total), max(0, total - count)
    for revision, chosen in wrong:
        given = (
            sa.select(AttemptQuestion.choice_order, AttemptQuestion.chosen, sa.func.count())
            .join(Attempt, Attempt.id == AttemptQuestion.attempt_id)
            .where(
                AttemptQuestion.revision_id == uuid.UUID(revision),
                AttemptQuestion.chosen.is_not(None),
                Attempt.campaign_id == campaign_id,
                Attempt.state == "graded",
            )
            .group_by(AttemptQuestion.choice_order, AttemptQuestion.chosen)
        )
        same = sum(count for order, letters, count in db.session.execute(given) if _chosen(order, letters or "") == chosen)
        expected *= (max(0, same - count) + 1) / (others + 2)
    return expected


def _write_signs(batch: _Batch, shared: Mapping[tuple[str, bytes], Sign], now: dt.datetime) -> set[uuid.UUID]:
    """Write the signs of this batch, and the shared ones for everybody who bears the mark.

    :returns: the citizens who bear one
    """
    rows = [_signal(batch.campaign_id, citizen_id, subject, sign, now) for (citizen_id, subject), sign in batch.signs.items()]
    touched: set[uuid.UUID] = set()
    best: dict[tuple[uuid.UUID, str], Sign] = {}
    for (kind, tag), sign in shared.items():
        bearers = sa.select(Mark.citizen_id).filter_by(campaign_id=batch.campaign_id, kind=kind, tag=tag)
        for citizen_id in db.session.scalars(bearers):
            touched.add(citizen_id)
            known = best.get((citizen_id, sign.code))
            best[(citizen_id, sign.code)] = sign if known is None or sign.points >= known.points else known
    rows += [_signal(batch.campaign_id, citizen_id, "", sign, now) for (citizen_id, _), sign in best.items()]
    if rows:
        insert = postgresql.insert if db.engine.dialect.name == "postgresql" else sqlite.insert
        statement = insert(_SIGNALS)
        newer = {"points": statement.excluded.points, "facts": statement.excluded.facts}
        keys = ["campaign_id", "citizen_id", "code", "subject"]
        more = statement.on_conflict_do_update(index_elements=keys, set_=newer, where=_SIGNALS.c.points <= statement.excluded.points)
        db.session.execute(more, rows)
    return touched


def _signal(campaign_id: uuid.UUID, citizen_id: uuid.UUID, subject: str, sign: Sign, now: dt.datetime) -> dict[str, Any]:
    return {
        "id": new_id(),
        "campaign_id": campaign_id,
        "citizen_id": citizen_id,
        "code": sign.code,
        "subject": subject,
        "points": sign.points,
        "facts": dict(sign.facts),
        "found_at": now,
    }


# ---- who is to be looked at


def _judge(campaign_id: uuid.UUID, citizen_ids: Iterable[uuid.UUID], now: dt.datetime) -> int:
    """Open a case for each of these whose score has reached the threshold; citizens are locked in the order of their ids."""
    policy = queries.get_policy(campaign_id)
    host_path = queries.get_campaign_facts(campaign_id).host_path
    opened = 0
    found = queries.list_signals(campaign_id, set(citizen_ids))
    for citizen_id in sorted(found):
        points = rules.score(Sign(row.code, row.points) for row in found[citizen_id])
        if points < policy.hold_score:
            continue
        case = queries.find_case(campaign_id, citizen_id)
        if rules.opens_case(points, policy.hold_score, case.state if case else None, case.cleared_score if case else None):
            open_case(campaign_id, citizen_id, points, host_path=host_path, actor=audit.SYSTEM, now=now)
            opened += 1
    return opened
