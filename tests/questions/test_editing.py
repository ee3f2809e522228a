"""New questions and revisions, tags and banks of many at once, remarks, differences."""

import uuid
from dataclasses import replace

import pytest
import sqlalchemy as sa

from quizapp.audit.services import SYSTEM
from quizapp.core.clock import utc_now
from quizapp.core.db import db, transaction
from quizapp.core.errors import InvalidInput
from quizapp.questions import jobs, queries, rules, services
from quizapp.questions.errors import BankFileInvalid, QuestionChanged
from quizapp.questions.loader import BankFile, BankHead
from quizapp.questions.models import Question, QuestionFlag
from tests.factories.questions import import_file, make_bank, make_entry
from tests.questions.test_reviewing import RAW

pytestmark = pytest.mark.usefixtures("app")
HEAD = BankHead("b", "题库", "consumer", "关于", "CC BY 4.0")


def _ids() -> dict[str, uuid.UUID]:
    db.session.rollback()
    return dict(db.session.execute(sa.select(Question.code, Question.id)).all())


def _create(**changes: object) -> Question:
    with transaction():
        return services.create_question(queries.get_bank("b"), {**RAW, **changes}, now=utc_now(), actor=SYSTEM)


def test_a_new_question_gets_the_next_free_number() -> None:
    make_bank("b", count=1)
    assert [_create().code, _create().code, _create(id="own-1").code, _create().code] == ["n-0001", "n-0002", "own-1", "n-0003"]
    with pytest.raises(InvalidInput):
        _create(id="own-1")


def test_mistakes_are_named_by_field_and_nothing_is_kept() -> None:
    make_bank("b", count=1)
    with pytest.raises(BankFileInvalid) as refusal:
        _create(stem="", answer=["Z"])
    assert {row.field for row in refusal.value.rows} == {"stem", "answer"}
    assert len(_ids()) == 1


def test_saving_the_same_writes_nothing_and_an_old_page_overwrites_nothing() -> None:
    make_bank("b", count=1)
    question = _create()
    begun = queries.list_revisions(question.id)[0].id
    with transaction():
        assert services.save_question(question.id, RAW, based_on=begun, now=utc_now(), actor=SYSTEM) is None
    with transaction():
        assert services.save_question(question.id, {**RAW, "difficulty": "4"}, based_on=begun, now=utc_now(), actor=SYSTEM) is not None
    with pytest.raises(QuestionChanged), transaction():
        services.save_question(question.id, {**RAW, "difficulty": "5"}, based_on=begun, now=utc_now(), actor=SYSTEM)


def test_tags_need_no_new_review_and_change_what_can_be_drawn() -> None:
    make_bank("b", count=3)
    with transaction():
        assert (
            services.tag_questions(_ids().values(), add=["audience:herders"], remove=["topic:七日退货"], now=utc_now(), actor=SYSTEM) == 3
        )
    with transaction():
        assert services.tag_questions(_ids().values(), add=["audience:herders"], now=utc_now(), actor=SYSTEM) == 0
    queries.forget_pools()
    assert queries.count_pool(banks=["b"], tags=["audience:herders"]) == 3
    assert queries.count_pool(banks=["b"], tags=["topic:七日退货"]) == 0


@pytest.mark.parametrize("tags", [["x" * 65], [f"t{n}" for n in range(30)]])
def test_too_long_or_too_many_tags_change_nothing(tags: list[str]) -> None:
    make_bank("b", count=2)
    with pytest.raises(InvalidInput), transaction():
        services.tag_questions(_ids().values(), add=tags, now=utc_now(), actor=SYSTEM)
    assert {len(queries.list_revisions(question_id)) for question_id in _ids().values()} == {1}


def test_a_moved_question_is_drawn_from_its_new_bank_and_not_brought_back_by_a_file() -> None:
    entries = (make_entry(1), make_entry(2))
    import_file(BankFile(HEAD, entries))
    make_bank("other", count=1)
    moved = db.session.scalars(sa.select(Question).where(Question.code == "q-001", Question.bank_id == queries.get_bank("b").id)).one()
    with transaction():
        assert services.move_questions([moved.id], bank=queries.get_bank("other"), now=utc_now(), actor=SYSTEM) == 1
    queries.forget_pools()
    assert (queries.count_pool(banks=["b"]), queries.count_pool(banks=["other"])) == (1, 2)
    assert queries.get_question(moved.id).code == "q-001-2"
    with transaction():
        again = services.import_entries(
            BankFile(HEAD, (replace(entries[0], stem="文件里改过的题干，想再导入一次？"), entries[1])),
            now=utc_now(),
            actor=SYSTEM,
            publish=True,
        )
    assert (again.added, again.kept) == ((), ("q-001",))
    with transaction():
        services.move_questions([moved.id], bank=queries.get_bank("b"), now=utc_now(), actor=SYSTEM)
    assert len(queries.list_latest(queries.get_bank("b").id)) == 2


def test_one_source_replaces_only_its_own_remarks() -> None:
    make_bank("b", count=2)
    first, second = _ids().values()
    with transaction():
        services.replace_flags("items", {first: [("too-easy", "太容易")]}, now=utc_now())
        services.replace_flags("lint", {first: [("stem-length", "太长")], second: [("topic", "没有标签")]}, now=utc_now())
    with transaction():
        services.replace_flags("lint", {second: []}, now=utc_now(), within=[second])
    rows = db.session.execute(sa.select(QuestionFlag.question_id, QuestionFlag.source)).all()
    assert {tuple(row) for row in rows} == {(first, "items"), (first, "lint")}
    found = db.session.execute(queries.select_questions(flag="items")).all()
    assert [question.id for question, _revision in found] == [first]
    assert len(db.session.execute(queries.select_questions(flag="any")).all()) == 1


def test_the_nightly_job_keeps_what_the_lint_says() -> None:
    make_bank("b", count=1, kinds=("single",))
    _create(explanation="太短的讲解。")
    jobs.refresh_flags()
    db.session.rollback()
    flags = db.session.scalars(sa.select(QuestionFlag).where(QuestionFlag.source == "lint")).all()
    assert _ids()["n-0001"] in {flag.question_id for flag in flags}
    before = len(flags)
    jobs.refresh_flags()
    assert len(db.session.scalars(sa.select(QuestionFlag)).all()) == before


def test_the_list_is_filtered_by_law_tag_and_text_on_both_databases() -> None:
    make_bank("b", count=3)
    _create(citations=[{"law": "草原法", "article": "49"}], tags=["audience:农牧民"])

    def codes(**chosen: object) -> list[str]:
        return [question.code for question, _revision in db.session.execute(queries.select_questions(**chosen))]  # type: ignore[arg-type]

    assert codes(law="草原法") == ["n-0001"]
    assert codes(tag="audience:农牧民") == ["n-0001"]
    assert codes(text="第 2 题") == ["q-002"]
    assert codes(law="%") == codes(law="100%_") == []
    assert codes(status="drafted") == ["n-0001"]


def test_differences_read_as_words() -> None:
    bank = import_file(BankFile(HEAD, (make_entry(1), make_entry(2))))
    views = [queries.as_view(item.revision) for item in queries.list_latest(bank.id)]
    before = views[0]
    after = replace(before, explanation=before.explanation.replace("七日", "十五日"), answer=frozenset({1}))
    found = {item.field: item.pieces for item in rules.differences(before, after)}
    assert set(found) == {"explanation", "answer"}
    assert [(piece.state, piece.text) for piece in found["explanation"] if piece.state != "same"] == [("gone", "七"), ("new", "十五")]
    assert "".join(piece.text for piece in found["explanation"] if piece.state != "gone") == after.explanation
    assert rules.differences(before, before) == ()
