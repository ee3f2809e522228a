"""Review in one to three steps by different people, the co-host's signature, what the bureau sets."""

import uuid

import pytest
import sqlalchemy as sa

from quizapp.accounts.models import StaffAccount
from quizapp.audit.models import AuditEntry
from quizapp.audit.services import SYSTEM, Actor
from quizapp.core.clock import utc_now
from quizapp.core.db import db, transaction
from quizapp.questions import queries, rules, services
from quizapp.questions.errors import NotInReview, OwnWork, QuestionChanged, SecondPersonNeeded
from quizapp.questions.models import Question, QuestionReview
from tests.factories.accounts import make_organisation, make_staff, reference_data
from tests.factories.questions import make_bank

pytestmark = pytest.mark.usefixtures("app")
RAW = {
    "kind": "single",
    "stem": "牧民老白网购的毛衣第 5 天想退，依法可以怎么办？",
    "choices": ["不能退", "可以退", "只能换", "先鉴定"],
    "answer": ["B"],
    "explanation": "收到之日起七日内可以退，不用说理由，商品要完好。先留好聊天记录，再打 12315。",
    "citations": [{"law": "消费者权益保护法", "article": "25"}],
    "difficulty": "2",
    "tags": ["topic:七日退货"],
}


def actor_of(staff: StaffAccount) -> Actor:
    return Actor("staff", staff.id, staff.display_name)


def create(editor: Actor, *, bank: str = "b", submit: bool = True, **changes: object) -> uuid.UUID:
    with transaction():
        question = services.create_question(queries.get_bank(bank), {**RAW, **changes}, now=utc_now(), actor=editor, submit=submit)
        return question.id


def newest(question_id: uuid.UUID) -> uuid.UUID:
    db.session.rollback()
    return queries.list_revisions(question_id)[0].id


def status(question_id: uuid.UUID) -> str:
    db.session.rollback()
    return db.session.scalars(sa.select(Question.status).filter_by(id=question_id)).one()


def approve(question_id: uuid.UUID, actor: Actor) -> None:
    revision_id = newest(question_id)
    with transaction():
        services.approve_question(question_id, revision_id=revision_id, now=utc_now(), actor=actor)


def set_steps(steps: int) -> None:
    root = reference_data()
    with transaction():
        services.set_review_steps(root, steps=steps, now=utc_now(), actor=SYSTEM)


@pytest.fixture
def editor() -> Actor:
    make_bank("b", count=1)
    return actor_of(make_staff("question_editor"))


@pytest.fixture
def reviewers() -> list[Actor]:
    return [actor_of(make_staff("question_reviewer")) for _ in range(3)]


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_a_question_is_drawn_after_the_last_step_and_not_before(editor: Actor, reviewers: list[Actor], steps: int) -> None:
    set_steps(steps)
    question_id = create(editor)
    for reviewer in reviewers[:steps]:
        assert status(question_id) == "in_review"
        approve(question_id, reviewer)
    assert status(question_id) == "published"
    taken = db.session.scalars(sa.select(QuestionReview.step).order_by(QuestionReview.step)).all()
    assert taken == list(range(1, steps + 1))


def test_no_step_is_for_the_editor_nor_twice_for_one_person(editor: Actor, reviewers: list[Actor]) -> None:
    set_steps(2)
    question_id = create(editor)
    with pytest.raises(OwnWork):
        approve(question_id, editor)
    approve(question_id, reviewers[0])
    with pytest.raises(SecondPersonNeeded):
        approve(question_id, reviewers[0])
    assert status(question_id) == "in_review"
    approve(question_id, reviewers[1])
    assert status(question_id) == "published"


def test_everybody_who_wrote_since_the_last_review_counts_as_editor(editor: Actor, reviewers: list[Actor]) -> None:
    question_id = create(editor, submit=False)
    with transaction():
        based_on = queries.list_revisions(question_id)[0].id
        services.save_question(
            question_id,
            {**RAW, "stem": "改过：牧民老白网购的毛衣能不能退？"},
            based_on=based_on,
            now=utc_now(),
            actor=reviewers[0],
            submit=True,
        )
    for writer in (editor, reviewers[0]):
        with pytest.raises(OwnWork):
            approve(question_id, writer)
    approve(question_id, reviewers[1])
    assert status(question_id) == "published"


def test_a_returned_question_begins_its_review_anew(editor: Actor, reviewers: list[Actor]) -> None:
    set_steps(2)
    question_id = create(editor)
    approve(question_id, reviewers[0])
    with transaction():
        services.return_question(question_id, revision_id=newest(question_id), note="讲解没有理由", now=utc_now(), actor=reviewers[1])
    assert status(question_id) == "draft"
    with pytest.raises(NotInReview):
        approve(question_id, reviewers[1])
    with transaction():
        services.submit_question(question_id, revision_id=newest(question_id), now=utc_now(), actor=editor)
    approve(question_id, reviewers[0])
    assert status(question_id) == "in_review"
    approve(question_id, reviewers[1])
    assert status(question_id) == "published"


def test_a_revision_in_use_stays_until_the_new_one_is_through(editor: Actor, reviewers: list[Actor]) -> None:
    question = db.session.scalars(sa.select(Question)).one()
    in_use = question.current_revision_id
    with transaction():
        services.save_question(question.id, RAW, based_on=in_use, now=utc_now(), actor=editor)  # type: ignore[arg-type]  # it has one
    assert [item.revision_id for item in queries.list_pool(banks=["b"])] == [in_use]
    with pytest.raises(NotInReview):
        approve(question.id, reviewers[0])
    with transaction():
        services.submit_question(question.id, revision_id=newest(question.id), now=utc_now(), actor=editor)
    queries.forget_pools()
    assert [item.revision_id for item in queries.list_pool(banks=["b"])] == [in_use]
    approve(question.id, reviewers[0])
    assert [item.revision_id for item in queries.list_pool(banks=["b"])] == [newest(question.id)]


def test_a_revision_nobody_has_read_is_not_approved(editor: Actor, reviewers: list[Actor]) -> None:
    question_id = create(editor)
    read = newest(question_id)
    with transaction():
        services.save_question(question_id, {**RAW, "difficulty": "3"}, based_on=read, now=utc_now(), actor=editor, submit=True)
    with pytest.raises(QuestionChanged), transaction():
        services.approve_question(question_id, revision_id=read, now=utc_now(), actor=reviewers[0])


def test_the_owner_of_a_bank_signs_after_the_review(editor: Actor, reviewers: list[Actor]) -> None:
    tax = make_organisation("市税务局")
    make_bank("tax", count=1, organisation_id=tax.id)
    signer = actor_of(make_staff("cohost", tax))
    question_id = create(editor, bank="tax")
    revision_id = newest(question_id)
    with pytest.raises(NotInReview), transaction():
        services.sign_off_question(question_id, revision_id=revision_id, now=utc_now(), actor=signer)
    approve(question_id, reviewers[0])
    assert status(question_id) == "in_review"
    with pytest.raises(SecondPersonNeeded), transaction():
        services.sign_off_question(question_id, revision_id=revision_id, now=utc_now(), actor=reviewers[0])
    with transaction():
        services.sign_off_question(question_id, revision_id=revision_id, now=utc_now(), actor=signer)
    assert status(question_id) == "published"


def test_the_owner_of_a_theme_signs_in_shared_banks(editor: Actor, reviewers: list[Actor]) -> None:
    market = make_organisation("市市场监管局")
    with transaction():
        services.set_theme_owner("consumer", organisation=market, now=utc_now(), actor=SYSTEM)
    question_id = create(editor)
    approve(question_id, reviewers[0])
    assert status(question_id) == "in_review"
    signer = actor_of(make_staff("cohost", market))
    with transaction():
        services.sign_off_question(question_id, revision_id=newest(question_id), now=utc_now(), actor=signer)
    assert status(question_id) == "published"


def test_who_may_sign() -> None:
    assert rules.may_sign(["/a/b/"], "/a/b/")
    assert rules.may_sign(["/a/b/"], "/a/b/c/")
    assert not rules.may_sign(["/a/"], "/a/b/")
    assert not rules.may_sign(["/a/c/", "/a/b/d/"], "/a/b/")


def test_a_suspended_question_comes_back_through_every_step(editor: Actor, reviewers: list[Actor]) -> None:
    set_steps(2)
    question = db.session.scalars(sa.select(Question)).one()
    with transaction():
        services.suspend_question(question.id, reason="法律改了", now=utc_now(), actor=reviewers[0])
    approve(question.id, reviewers[0])
    assert status(question.id) == "suspended"
    approve(question.id, reviewers[1])
    assert status(question.id) == "published"


def test_a_retired_question_stays_out(editor: Actor, reviewers: list[Actor]) -> None:
    question = db.session.scalars(sa.select(Question)).one()
    with transaction():
        services.retire_question(question.id, reason="重复", now=utc_now(), actor=reviewers[0])
    assert queries.list_pool(banks=["b"]) == ()
    with pytest.raises(QuestionChanged):
        approve(question.id, reviewers[0])


def test_all_of_a_bank_takes_one_step_at_a_time(editor: Actor, reviewers: list[Actor]) -> None:
    set_steps(2)
    ids = [create(editor) for _ in range(3)]
    bank = queries.get_bank("b")
    with transaction():
        assert services.approve_bank(bank, now=utc_now(), actor=reviewers[0]) == 3
    with transaction():
        assert services.approve_bank(bank, now=utc_now(), actor=reviewers[0]) == 0
        assert services.approve_bank(bank, now=utc_now(), actor=editor) == 0
    assert {status(question_id) for question_id in ids} == {"in_review"}
    with transaction():
        assert services.approve_bank(bank, now=utc_now(), actor=reviewers[1]) == 3
    assert {status(question_id) for question_id in ids} == {"published"}


def test_what_waits_for_whom(editor: Actor, reviewers: list[Actor]) -> None:
    set_steps(2)
    tax = make_organisation("市税务局")
    make_bank("tax", count=1, organisation_id=tax.id)
    first, second = create(editor), create(editor, bank="tax")
    banks, own = queries.list_banks(), [queries.get_bank("tax")]

    def waiting(actor: Actor, signing: list[object] = []) -> set[uuid.UUID]:  # noqa: B006 - never changed
        stepping = [] if signing else banks
        rows = db.session.execute(queries.select_for_reviewer(stepping, signing, actor.id or uuid.uuid4()))  # type: ignore[arg-type]  # banks
        return {question.id for question, _revision in rows}

    signer = actor_of(make_staff("cohost", tax))
    assert waiting(reviewers[0]) == {first, second}
    assert waiting(editor) == set()
    assert waiting(signer, own) == set()
    approve(second, reviewers[0])
    assert waiting(reviewers[0]) == {first}
    approve(second, reviewers[1])
    assert waiting(reviewers[2]) == {first}
    assert waiting(signer, own) == {second}


def test_each_step_is_in_the_trail_and_in_a_table_nobody_edits(editor: Actor, reviewers: list[Actor]) -> None:
    question_id = create(editor)
    approve(question_id, reviewers[0])
    actions = db.session.scalars(
        sa.select(AuditEntry.action).filter_by(target_id=str(question_id)).order_by(AuditEntry.at, AuditEntry.id)
    ).all()
    assert actions == ["question.created", "question.approved"]
    for statement in (sa.update(QuestionReview).values(note="x"), sa.delete(QuestionReview)):
        with pytest.raises(sa.exc.DatabaseError), transaction():
            db.session.execute(statement)


@pytest.mark.parametrize("steps", [0, 4])
def test_only_one_to_three_steps_can_be_set(steps: int) -> None:
    with pytest.raises(ValueError, match="one to three"):
        set_steps(steps)
