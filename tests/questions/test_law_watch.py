"""When an article changes: all and only the questions that cite it, and nothing of what was answered before."""

import datetime as dt
import itertools

import pytest
import sqlalchemy as sa

from quizapp.audit.models import AuditEntry
from quizapp.audit.services import SYSTEM, Actor
from quizapp.core.db import db, transaction
from quizapp.core.errors import Conflict
from quizapp.questions import law_watch, queries, services
from quizapp.questions.jobs import watch_laws
from quizapp.questions.law_models import LawReview, QuestionCitation
from quizapp.questions.loader import BankFile, BankHead, Entry
from quizapp.questions.models import Question
from tests.factories.accounts import make_staff, reference_data
from tests.factories.questions import import_file, make_entry, set_status
from tests.factories.statutes import ARTICLES, change, get, import_laws, law_json

pytestmark = pytest.mark.usefixtures("app")
NOW = dt.datetime(2026, 11, 22, 4, tzinfo=dt.UTC)
TODAY = dt.date(2026, 11, 22)
HEAD = BankHead("b", "题库乙", "consumer", "", "")


def _cite(*places: tuple[str, str]) -> tuple[dict[str, str], ...]:
    return tuple({"law": law, "article": article} for law, article in places)


def _bank(*citations: tuple[tuple[str, str], ...], publish: bool = True) -> None:
    """Question ``q-00n`` cites the n-th group of articles."""
    entries = tuple(make_entry(number, citations=_cite(*places)) for number, places in enumerate(citations, 1))
    import_file(BankFile(HEAD, entries), now=NOW, publish=publish)


def _listed() -> dict[str, set[str]]:
    """Codes of questions that wait to be looked at, with the articles that changed."""
    rows = db.session.execute(law_watch.select_waiting(["/"]))
    return {row.Question.code: {review.article for review in law_watch.list_open(row.Question.id)} for row in rows}


def _statuses() -> dict[str, str]:
    db.session.rollback()
    return dict(db.session.execute(sa.select(Question.code, Question.status)).all())


def _id(code: str) -> object:
    return db.session.scalar(sa.select(Question.id).filter_by(code=code))


def _revise(entry: Entry, *, publish: bool, now: dt.datetime) -> None:
    import_file(BankFile(HEAD, (entry,)), now=now, publish=publish)


def _approve(code: str, now: dt.datetime) -> None:
    question_id = _id(code)
    with transaction():
        newest = queries.list_revisions(question_id)[0]
        services.approve_question(question_id, revision_id=newest.id, now=now, actor=SYSTEM)


# ---- all and only


def test_changing_one_article_lists_all_and_only_the_questions_that_cite_it() -> None:
    import_laws(law_json(), law_json("鞋法"), now=NOW)
    _bank(
        (("试衣法", "2"),),
        (("试衣法", "3"),),
        (("鞋法", "2"),),
        (("试衣法", "1"), ("试衣法", "2")),
        (("中华人民共和国试衣法", "2"),),
        (("试衣法", "3-1"),),
    )
    assert change("试衣法", "2", "改过的第二条。", effective_from=TODAY, now=NOW) == 3
    assert _listed() == {"q-001": {"2"}, "q-004": {"2"}, "q-005": {"2"}}
    assert {code for code, status in _statuses().items() if status == "suspended"} == {"q-001", "q-004", "q-005"}
    pool = {item.question_id for item in queries.list_pool(banks=["b"])}
    assert pool == {_id("q-002"), _id("q-003"), _id("q-006")}


def test_every_article_of_a_statute_lists_exactly_its_own_questions() -> None:
    import_laws(now=NOW)
    pairs = [*itertools.combinations(ARTICLES, 2), *((number,) for number in ARTICLES)]
    _bank(*(tuple(("试衣法", number) for number in numbers) for numbers in pairs))
    for number in ARTICLES:
        before = set(db.session.scalars(sa.select(LawReview.id)))
        change("试衣法", number, f"新的{number}。", effective_from=TODAY, now=NOW, suspend=False)
        rows = db.session.execute(
            sa.select(Question.code, LawReview.id).join(LawReview, LawReview.question_id == Question.id).where(LawReview.article == number)
        )
        listed = {row.code for row in rows if row.id not in before}
        assert listed == {f"q-{place:03d}" for place, numbers in enumerate(pairs, 1) if number in numbers}


def test_a_question_is_bound_by_what_it_says_now() -> None:
    """q-001 cited article 2 once, q-002 will when its waiting revision is reviewed, q-003 is retired."""
    import_laws(now=NOW)
    _bank((("试衣法", "2"),), (("试衣法", "3"),), (("试衣法", "2"),))
    _revise(make_entry(1, citations=_cite(("试衣法", "3"))), publish=True, now=NOW)
    _revise(make_entry(2, citations=_cite(("试衣法", "2"))), publish=False, now=NOW)
    set_status("q-003", "retired")
    assert change("试衣法", "2", "改过。", effective_from=TODAY, now=NOW) == 1
    assert set(_listed()) == {"q-002"}


def test_documents_are_bound_by_name_and_clause() -> None:
    def cited(clause: str) -> tuple[dict[str, str], ...]:
        document = {"document": "试衣解释", "issuer": "院", "number": "法释〔2025〕4号", "clause": clause, "date": "2025-01-01"}
        return (document,)

    entries = tuple(make_entry(number, citations=cited(clause)) for number, clause in enumerate(("第二条第一款", "第三条", "附件"), 1))
    import_file(BankFile(HEAD, entries), now=NOW)
    import_laws(law_json("试衣解释", category="司法解释"), now=NOW)
    change("试衣解释", "2", "改过。", effective_from=TODAY, now=NOW)
    assert set(_listed()) == {"q-001", "q-003"}


def test_citations_are_written_with_each_revision_and_never_change() -> None:
    _bank((("试衣法", "2"), ("试衣法", "2"), ("鞋法", "1")))
    _revise(make_entry(1, citations=_cite(("鞋法", "3"))), publish=True, now=NOW)
    rows = db.session.execute(sa.select(QuestionCitation.law, QuestionCitation.article).order_by(QuestionCitation.law)).all()
    assert sorted(rows) == [("试衣法", "2"), ("鞋法", "1"), ("鞋法", "3")]
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), transaction():
        db.session.execute(sa.delete(QuestionCitation))


def test_a_first_text_lists_nothing_and_an_unchanged_import_neither() -> None:
    _bank((("试衣法", "2"),))
    assert import_laws(now=NOW).listed == 0
    assert import_laws(now=NOW).listed == 0
    assert _listed() == {}


def test_an_import_lists_what_it_changes_removes_and_repeals() -> None:
    import_laws(law_json(), law_json("鞋法"), now=NOW)
    _bank((("试衣法", "1"),), (("试衣法", "2"),), (("试衣法", "3-1"),), (("鞋法", "1"),))
    amended = {**ARTICLES, "2": "改过。"}
    del amended["3-1"]
    done = import_laws(
        law_json(articles=amended, last_amended="2026-10-01"), law_json("鞋法", status="repealed", repealed_on="2026-11-01"), now=NOW
    )
    assert done.listed == 3
    assert _listed() == {"q-002": {"2"}, "q-003": {"3-1"}, "q-004": {"1"}}
    kinds = set(db.session.scalars(sa.select(LawReview.kind)))
    assert kinds == {"changed", "removed", "repealed"}


def test_a_text_of_the_past_lists_nothing() -> None:
    import_laws(law_json(last_amended="2026-09-01"), now=NOW)
    _bank((("试衣法", "2"),))
    assert import_laws(law_json(articles={"2": "从前的。"}), now=NOW).listed == 0
    assert change("试衣法", "2", "更早的。", effective_from=dt.date(2020, 5, 1), now=NOW) == 0


# ---- out of papers


def test_without_suspension_questions_are_only_listed() -> None:
    import_laws(now=NOW)
    _bank((("试衣法", "2"),))
    change("试衣法", "2", "改过。", effective_from=TODAY, now=NOW, suspend=False)
    assert set(_listed()) == {"q-001"}
    assert _statuses() == {"q-001": "published"}
    assert watch_laws(NOW + dt.timedelta(days=400)) == 0


def test_a_change_to_come_takes_questions_out_on_its_day() -> None:
    import_laws(now=NOW)
    _bank((("试衣法", "2"),), (("试衣法", "1"),))
    change("试衣法", "2", "明年的。", effective_from=dt.date(2027, 1, 1), now=NOW)
    assert set(_listed()) == {"q-001"}
    assert _statuses()["q-001"] == "published"
    assert watch_laws(dt.datetime(2026, 12, 31, 15, 59, tzinfo=dt.UTC)) == 0
    assert watch_laws(dt.datetime(2026, 12, 31, 16, 0, tzinfo=dt.UTC)) == 1, "midnight in Shanghai"
    assert _statuses() == {"q-001": "suspended", "q-002": "published"}
    assert watch_laws(dt.datetime(2027, 1, 1, tzinfo=dt.UTC)) == 0


def test_a_question_confirmed_in_time_stays_in_papers() -> None:
    import_laws(now=NOW)
    _bank((("试衣法", "2"),))
    change("试衣法", "2", "明年的。", effective_from=dt.date(2027, 1, 1), now=NOW)
    with transaction():
        law_watch.confirm(_id("q-001"), seen=[item.id for item in law_watch.list_open(_id("q-001"))], note="", now=NOW, actor=SYSTEM)
    assert watch_laws(dt.datetime(2027, 1, 2, tzinfo=dt.UTC)) == 0
    assert _statuses() == {"q-001": "published"}


def test_what_others_had_suspended_does_not_come_back_by_a_confirmation() -> None:
    import_laws(now=NOW)
    _bank((("试衣法", "2"),))
    set_status("q-001", "suspended")
    change("试衣法", "2", "改过。", effective_from=TODAY, now=NOW)
    with transaction():
        law_watch.confirm(_id("q-001"), seen=[item.id for item in law_watch.list_open(_id("q-001"))], note="", now=NOW, actor=SYSTEM)
    assert _statuses() == {"q-001": "suspended"}
    assert _listed() == {}


# ---- deciding


def test_confirming_needs_every_change_seen_and_brings_the_question_back() -> None:
    import_laws(now=NOW)
    _bank((("试衣法", "2"), ("试衣法", "3")))
    staff = make_staff("question_reviewer")
    actor = Actor("staff", staff.id, "老白")
    change("试衣法", "2", "改过。", effective_from=TODAY, now=NOW)
    seen = [review.id for review in law_watch.list_open(_id("q-001"))]
    change("试衣法", "3", "也改过。", effective_from=TODAY, now=NOW)
    with pytest.raises(Conflict), transaction():
        law_watch.confirm(_id("q-001"), seen=seen, note="", now=NOW, actor=actor)
    assert _statuses() == {"q-001": "suspended"}
    seen = [review.id for review in law_watch.list_open(_id("q-001"))]
    assert len(seen) == 2
    with transaction():
        law_watch.confirm(_id("q-001"), seen=seen, note="看过", now=NOW, actor=actor)
    assert _statuses() == {"q-001": "published"}
    assert [item.question_id for item in queries.list_pool(banks=["b"])] == [_id("q-001")]
    assert _listed() == {}
    with pytest.raises(Conflict), transaction():
        law_watch.confirm(_id("q-001"), seen=seen, note="", now=NOW, actor=actor)
    review = db.session.scalars(sa.select(LawReview)).first()
    assert (review.state, review.decided_by, review.note) == ("confirmed", staff.id, "看过")


def test_a_rewritten_question_leaves_the_list_when_it_is_reviewed() -> None:
    import_laws(now=NOW)
    _bank((("试衣法", "2"),))
    change("试衣法", "2", "改过。", effective_from=TODAY, now=NOW)
    later = NOW + dt.timedelta(hours=1)
    _revise(make_entry(1, stem="按新条文改写过的题干，足够长足够长", citations=_cite(("试衣法", "2"))), publish=False, now=later)
    assert set(_listed()) == {"q-001"}, "written, but nobody has reviewed it"
    _approve("q-001", later)
    assert _listed() == {}
    assert _statuses() == {"q-001": "published"}
    assert watch_laws(later) == 1
    assert db.session.scalar(sa.select(LawReview.state)) == "rekeyed"
    assert watch_laws(later) == 0


def test_a_revision_written_before_the_change_does_not_settle_it() -> None:
    import_laws(now=NOW)
    _bank((("试衣法", "2"),))
    _revise(make_entry(1, stem="在变化之前写好、等人复核的题干", citations=_cite(("试衣法", "2"))), publish=False, now=NOW)
    change("试衣法", "2", "改过。", effective_from=TODAY, now=NOW + dt.timedelta(hours=1), suspend=False)
    _approve("q-001", NOW + dt.timedelta(hours=2))
    assert set(_listed()) == {"q-001"}


def test_everything_is_audited() -> None:
    import_laws(now=NOW)
    _bank((("试衣法", "2"),))
    change("试衣法", "2", "改过。", effective_from=TODAY, now=NOW)
    with transaction():
        law_watch.confirm(_id("q-001"), seen=[item.id for item in law_watch.list_open(_id("q-001"))], note="", now=NOW, actor=SYSTEM)
    actions = list(db.session.scalars(sa.select(AuditEntry.action).order_by(AuditEntry.at, AuditEntry.id)))
    assert actions[-4:] == ["statute.article_changed", "question.law_changed", "question.suspended_by_law", "question.law_confirmed"]


def test_flagging_by_name_and_number() -> None:
    import_laws(now=NOW)
    _bank((("试衣法", "2"),), (("试衣法", "3"),))
    with transaction():
        assert law_watch.flag_for_article_change("中华人民共和国试衣法", "2", suspend=False, actor=SYSTEM, now=NOW) == 1
    assert set(_listed()) == {"q-001"}


# ---- setting and coverage


def test_the_bureau_sets_what_happens() -> None:
    reference_data()
    assert law_watch.suspends()
    with transaction():
        law_watch.set_policy(suspend=False, now=NOW, actor=SYSTEM)
    assert not law_watch.suspends()
    with transaction():
        law_watch.set_policy(suspend=True, now=NOW, actor=SYSTEM)
    assert law_watch.suspends()
    assert db.session.scalar(sa.select(sa.func.count()).where(AuditEntry.action == "questions.law_policy_set")) == 2


def test_coverage_counts_questions_in_use_once_and_their_articles() -> None:
    import_laws(law_json(aliases=["试衣条例"]), now=NOW)
    _bank((("试衣法", "2"), ("试衣法", "10")), (("试衣条例", "2"),), (("试衣法", "1"),), (("鞋法", "1"),))
    set_status("q-003", "suspended")
    first, second, third = law_watch.cover([["试衣法", "试衣条例"], ["鞋法"], ["帽法"]])
    assert (first.question_count, first.articles, first.banks) == (2, ("2", "10"), {"题库乙": 2})
    assert (second.question_count, second.articles) == (1, ("1",))
    assert (third.question_count, third.articles, third.banks) == (0, (), {})


def test_old_revisions_keep_their_citations_when_the_text_changes() -> None:
    import_laws(now=NOW)
    _bank((("试衣法", "2"),))
    revision_id = queries.list_revisions(_id("q-001"))[0].id
    before = queries.get_revisions([revision_id])[revision_id]
    change("试衣法", "2", "改过。", effective_from=TODAY, now=NOW)
    assert queries.list_revisions(_id("q-001"))[0].id == revision_id
    assert queries.get_revisions([revision_id])[revision_id] == before
    assert get().text_from == dt.date(2020, 3, 1)
