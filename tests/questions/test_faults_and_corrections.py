"""Citizens report, staff answer; one proposes a new key, another confirms it."""

import datetime as dt
import uuid

import pytest
import sqlalchemy as sa

from quizapp.audit.models import AuditEntry
from quizapp.audit.services import SYSTEM
from quizapp.core.clock import utc_now
from quizapp.core.db import db, transaction
from quizapp.core.errors import Conflict, InvalidInput
from quizapp.questions import queries, services
from quizapp.questions.errors import (
    AlreadyReported,
    CorrectionClosed,
    CorrectionPending,
    NothingCorrected,
    SecondPersonNeeded,
    TooManyReports,
)
from quizapp.questions.models import FaultReport, KeyCorrection, Question
from tests.factories.accounts import make_citizen, make_staff
from tests.factories.corrections import propose, revision_of
from tests.factories.questions import make_bank
from tests.questions.test_reviewing import actor_of

pytestmark = pytest.mark.usefixtures("app")


def _report(citizen_id: uuid.UUID, revision_id: uuid.UUID, now: dt.datetime | None = None, **values: str) -> FaultReport:
    fields = {"reason": "key", "text": "", **values}
    with transaction():
        return services.report_fault(
            citizen_id=citizen_id, attempt_id=uuid.uuid4(), revision_id=revision_id, now=now or utc_now(), **fields
        )


def _confirm(row: KeyCorrection, actor: object = SYSTEM) -> None:
    with transaction():
        services.confirm_correction(row.id, now=utc_now(), actor=actor)  # type: ignore[arg-type]
    queries.forget_corrections()
    queries.forget_pools()


def _question(code: str = "q-001") -> Question:
    db.session.rollback()
    return db.session.scalars(sa.select(Question).filter_by(code=code)).one()


# ---- reports


def test_a_citizen_reports_a_question_once_whatever_the_revision() -> None:
    make_bank("b", count=1)
    citizen, revision = make_citizen(), revision_of("q-001")
    _report(citizen.id, revision, text=" 对照\u0000第二十五条 ")
    with transaction():
        services.tag_questions([_question().id], add=["x"], now=utc_now(), actor=SYSTEM)
    with pytest.raises(AlreadyReported):
        _report(citizen.id, revision_of("q-001"))
    _report(make_citizen().id, revision)
    assert queries.count_open_faults(["/"]) == 2


def test_reports_of_a_day_are_limited() -> None:
    make_bank("b", count=12)
    citizen, now = make_citizen(), dt.datetime(2026, 11, 22, 2, tzinfo=dt.UTC)
    for number in range(1, 11):
        _report(citizen.id, revision_of(f"q-{number:03d}"), now)
    with pytest.raises(TooManyReports):
        _report(citizen.id, revision_of("q-011"), now)
    _report(citizen.id, revision_of("q-011"), now + dt.timedelta(days=1))


@pytest.mark.parametrize("values", [{"reason": "nonsense"}, {"reason": "other", "text": "  "}])
def test_a_report_says_what_is_wrong(values: dict[str, str]) -> None:
    make_bank("b", count=1)
    with pytest.raises(InvalidInput):
        _report(make_citizen().id, revision_of("q-001"), **values)


def test_an_answer_is_given_once_and_shown_to_the_citizen() -> None:
    make_bank("b", count=1)
    citizen = make_citizen()
    fault = _report(citizen.id, revision_of("q-001"))
    answer = {"state": "accepted", "answer": "您说得对，已经改正。", "now": utc_now(), "actor": SYSTEM}
    with transaction():
        services.answer_fault(fault.id, **answer)  # type: ignore[arg-type]
    with pytest.raises(Conflict), transaction():
        services.answer_fault(fault.id, **answer)  # type: ignore[arg-type]
    (own,) = queries.list_own_faults(citizen.id)
    assert (own.state, own.answer) == ("accepted", "您说得对，已经改正。")
    assert queries.list_own_faults(make_citizen().id) == []
    assert queries.count_open_faults(["/"]) == 0


# ---- corrections


def test_the_one_who_proposes_does_not_confirm() -> None:
    make_bank("b", count=1, kinds=("single",))
    editor, reviewer = actor_of(make_staff("question_editor")), actor_of(make_staff("question_reviewer"))
    row = propose(revision_of("q-001"), {1}, actor=editor)
    assert _question().status == "suspended"
    with pytest.raises(SecondPersonNeeded):
        _confirm(row, editor)
    _confirm(row, reviewer)
    with pytest.raises(CorrectionClosed):
        _confirm(row, reviewer)
    entries = db.session.scalars(
        sa.select(AuditEntry).where(AuditEntry.action.like("question.correction%")).order_by(AuditEntry.at, AuditEntry.id)
    )
    assert [(entry.action, entry.changes["key"]) for entry in entries] == [
        ("question.correction_proposed", ["A", "B"]),
        ("question.correction_confirmed", ["A", "B"]),
    ]


def test_the_database_refuses_one_person_in_both_places() -> None:
    make_bank("b", count=1, kinds=("single",))
    editor = make_staff("question_editor")
    row = propose(revision_of("q-001"), {1}, actor=actor_of(editor))
    values = {"status": "confirmed", "confirmed_by": editor.id, "confirmed_at": utc_now()}
    with pytest.raises(sa.exc.IntegrityError), transaction():
        db.session.execute(sa.update(KeyCorrection).filter_by(id=row.id).values(values))


def test_a_confirmed_key_becomes_a_revision_that_is_drawn_and_the_old_one_stays() -> None:
    make_bank("b", count=1, kinds=("single",))
    old = revision_of("q-001")
    row = propose(old, {1}, explanation="新的讲解：收到之日起七日内可以退。")
    assert queries.list_pool(banks=["b"]) == ()
    _confirm(row)
    (item,) = queries.list_pool(banks=["b"])
    views = queries.get_revisions([old, item.revision_id])
    assert (views[old].answer, views[item.revision_id].answer) == (frozenset({0}), frozenset({1}))
    assert views[item.revision_id].explanation.startswith("新的讲解")
    assert queries.find_key_changes([old])[old].accepted == (frozenset({1}),)
    assert queries.find_key_changes([item.revision_id]) == {}


def test_everybodys_mark_and_several_answers_leave_the_question_out() -> None:
    make_bank("b", count=2, kinds=("single",))
    _confirm(propose(revision_of("q-001")))
    _confirm(propose(revision_of("q-002"), {0}, {2}))
    assert queries.list_pool(banks=["b"]) == ()
    assert {_question("q-001").status, _question("q-002").status} == {"suspended"}


@pytest.mark.parametrize(
    ("code", "accepted"), [("q-001", ({0, 1},)), ("q-001", ({9},)), ("q-002", ({0},)), ("q-001", (set(),)), ("q-001", ({1}, {1}))]
)
def test_answers_that_make_no_sense_are_refused(code: str, accepted: tuple[set[int], ...]) -> None:
    make_bank("b", count=2, kinds=("single", "multiple"))
    with pytest.raises(InvalidInput):
        propose(revision_of(code), *accepted)
    assert _question(code).status == "published"


def test_nothing_is_proposed_twice_or_for_nothing() -> None:
    make_bank("b", count=1, kinds=("single",))
    revision = revision_of("q-001")
    with pytest.raises(NothingCorrected):
        propose(revision, {0})
    row = propose(revision, {1})
    with pytest.raises(CorrectionPending):
        propose(revision, {2})
    with transaction():
        services.cancel_correction(row.id, now=utc_now(), actor=SYSTEM)
    assert _question().status == "published"
    assert queries.list_key_changes() == {}
    with pytest.raises(CorrectionClosed):
        _confirm(row)
    propose(revision, {2})


@pytest.mark.parametrize("missing", ["reason", "notice"])
def test_a_correction_says_why_and_tells_the_citizens(missing: str) -> None:
    make_bank("b", count=1, kinds=("single",))
    with pytest.raises(InvalidInput) as refusal:
        propose(revision_of("q-001"), {1}, **{missing: " "})
    assert set(refusal.value.fields) == {missing}
