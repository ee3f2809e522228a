import dataclasses
import datetime as dt
from collections.abc import Sequence
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from quizapp.audit.models import AuditEntry
from quizapp.core.clock import utc_now
from quizapp.core.db import db, transaction
from quizapp.statutes import importing, queries, services
from quizapp.statutes.dependents import ArticleChange
from quizapp.statutes.facts import facts_of
from quizapp.statutes.models import StatuteArticle
from quizapp.statutes.registry import load_registry
from tests.factories.statutes import ARTICLES, change, files, get, import_laws, law_json

pytestmark = pytest.mark.usefixtures("app")
NOW = dt.datetime(2026, 11, 22, 4, tzinfo=dt.UTC)
TODAY = dt.date(2026, 11, 22)


def _texts(on: dt.date = TODAY, law: str = "试衣法") -> dict[str, str]:
    return {article.number: article.text for article in queries.list_articles(law, on)}


def _count() -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(StatuteArticle)) or 0


def test_a_statute_is_found_by_each_of_its_names() -> None:
    done = import_laws(law_json(aliases=["试衣条例"]), now=NOW)
    assert (done.statutes, done.new_statutes, done.added) == (1, 1, 4)
    for name in ("试衣法", "中华人民共和国试衣法", "试衣条例"):
        assert queries.get_article(name, "3-1", TODAY).text == ARTICLES["3-1"]
    assert queries.find_statute("脱衣法") is None
    assert queries.find_statute("") is None
    assert queries.get_article("试衣法", "9", TODAY) is None
    assert queries.get_article("试衣法", "1", dt.date(2020, 2, 29)) is None
    assert [article.number for article in queries.list_articles("试衣法", TODAY)] == ["1", "2", "3", "3-1"]


def test_the_same_import_again_changes_nothing() -> None:
    import_laws(law_json(), law_json("鞋法"), now=NOW)
    entries = db.session.scalar(sa.select(sa.func.count()).select_from(AuditEntry))
    again = import_laws(law_json(), law_json("鞋法"), now=NOW)
    assert (again.new_statutes, again.added, again.changed, again.removed, again.kept) == (0, 0, 0, 0, 0)
    assert _count() == 8
    assert db.session.scalar(sa.select(sa.func.count()).select_from(AuditEntry)) == entries


def test_blanks_are_no_change() -> None:
    import_laws(now=NOW)
    blank = {number: f"　{text}\r\n" for number, text in ARTICLES.items()}
    assert import_laws(law_json(articles=blank), now=NOW).changed == 0


def test_an_amended_text_is_a_version_from_its_day() -> None:
    import_laws(now=NOW)
    amended = {**ARTICLES, "2": "买毛衣的人可以在七日内试穿。", "4": "自公布之日起施行。"}
    del amended["3-1"]
    done = import_laws(law_json(articles=amended, last_amended="2026-08-01", amendment_effective="2026-09-01"), now=NOW)
    assert (done.added, done.changed, done.removed) == (1, 1, 1)
    assert _texts(dt.date(2026, 8, 31)) == ARTICLES
    assert _texts(dt.date(2026, 9, 1)) == amended
    old = queries.get_article("试衣法", "2", dt.date(2026, 8, 31))
    assert (old.effective_from, old.effective_to) == (dt.date(2020, 3, 1), dt.date(2026, 9, 1))
    assert get().last_amended_on == dt.date(2026, 8, 1)
    assert queries.list_change_days(get().id) == [dt.date(2026, 9, 1), dt.date(2020, 3, 1)]


def test_an_older_text_fills_the_past_and_leaves_the_present() -> None:
    import_laws(law_json(last_amended="2026-09-01"), now=NOW)
    older = {"1": "旧的第一条。", "2": ARTICLES["2"], "3": ARTICLES["3"], "5": "只在旧法里。"}
    done = import_laws(law_json(articles=older, note="旧文本"), now=NOW)
    assert _texts(dt.date(2021, 1, 1)) == older
    assert _texts() == ARTICLES
    assert done.listed == 0
    assert get().last_amended_on == dt.date(2026, 9, 1)
    assert get().note == ""


def test_a_corrected_file_corrects_its_own_day() -> None:
    import_laws(law_json(articles={**ARTICLES, "1": "错字。"}), now=NOW)
    later = NOW + dt.timedelta(days=3)
    assert import_laws(now=later).changed == 1
    assert _texts() == ARTICLES
    seen = queries.get_article("试衣法", "1", TODAY, NOW + dt.timedelta(days=1))
    assert seen.text == "错字。"
    assert seen.is_corrected


def test_what_staff_changed_is_kept_unless_replaced() -> None:
    import_laws(now=NOW)
    change("试衣法", "2", "后台改的。", effective_from=dt.date(2020, 3, 1), now=NOW)
    plan = services.plan_import(files(law_json()), now=NOW)
    assert [step.number for step in plan.statutes[0].of("kept")] == ["2"]
    assert import_laws(now=NOW).kept == 1
    assert _texts()["2"] == "后台改的。"
    assert import_laws(now=NOW + dt.timedelta(hours=1), replace=True).changed == 1
    assert _texts()["2"] == ARTICLES["2"]


def test_a_later_change_by_staff_outlives_the_same_file() -> None:
    import_laws(now=NOW)
    change("试衣法", "2", "九月改的。", effective_from=dt.date(2026, 9, 1), now=NOW)
    assert import_laws(now=NOW).changed == 0
    assert _texts()["2"] == "九月改的。"


def test_a_superseding_file_is_the_text_from_its_day_on() -> None:
    old = law_json(superseded_by="national/试衣法二.json", superseded_on="2027-01-01")
    new = law_json("试衣法二", {"1": "新的第一条。"}, title="中华人民共和国试衣法", effective="2027-01-01", status="not_yet_in_force")
    done = import_laws(old, new, now=NOW)
    assert done.statutes == 1
    assert _texts() == ARTICLES
    assert _texts(dt.date(2026, 12, 31)) == ARTICLES
    assert _texts(dt.date(2027, 1, 1)) == {"1": "新的第一条。"}
    assert queries.get_article("试衣法二", "1", dt.date(2027, 1, 1)).text == "新的第一条。"
    assert import_laws(old, new, now=NOW).changed == 0


def test_facts_follow_the_file_and_are_recorded() -> None:
    import_laws(now=NOW)
    import_laws(law_json(status="repealed", repealed_on="2026-08-15", repealed_by="衣帽法典"), now=NOW)
    statute = get()
    assert (statute.is_repealed, statute.repealed_by, statute.repealed_on) == (True, "衣帽法典", dt.date(2026, 8, 15))
    plan = services.plan_import(files(law_json()), now=NOW)
    assert plan.statutes[0].facts["is_repealed"] == (True, False)


def test_a_plan_changes_nothing() -> None:
    import_laws(now=NOW)
    before = _count()
    plan = services.plan_import(files(law_json(articles={"1": "改了。"}), law_json("鞋法")), now=NOW)
    assert (plan.new_statutes, plan.total("changed"), plan.total("removed")) == (1, 1, 3)
    db.session.rollback()
    assert _count() == before
    assert queries.find_statute("鞋法") is None


def test_versions_cannot_be_changed_or_deleted() -> None:
    import_laws(now=NOW)
    for statement in (sa.update(StatuteArticle).values(text="x"), sa.delete(StatuteArticle)):
        with pytest.raises(sa.exc.DBAPIError, match="append-only"), transaction():
            db.session.execute(statement)


def test_a_failing_import_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quizapp.statutes.dependents.tell", lambda *args, **kwargs: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        import_laws(now=NOW)
    assert queries.find_statute("试衣法") is None
    assert _count() == 0


def test_names_are_known_at_once_after_an_import(app: Flask) -> None:
    assert not queries.has_name("试衣法")
    import_laws(now=utc_now())
    assert queries.has_name("试衣法")


# ---- the first text against what the shipped questions were checked with


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A registry that knows two articles of the statute, and one that the text lacks."""
    known = {number: facts_of(ARTICLES[number]) for number in ("2", "3-1")} | {"9": facts_of("没有这一条。")}
    registry = dataclasses.replace(load_registry(), articles={"试衣法": known})
    monkeypatch.setattr("quizapp.statutes.importing.load_registry", lambda: registry)


def _told(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str | None, str]]:
    told: list[tuple[str | None, str]] = []
    tell = importing.dependents.tell

    def listen(changes: Sequence[ArticleChange], **values: Any) -> int:
        told.extend((change.number, change.kind) for change in changes)
        return tell(changes, **values)

    monkeypatch.setattr(importing.dependents, "tell", listen)
    return told


@pytest.mark.usefixtures("checked")
def test_a_first_text_says_which_cited_articles_read_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    told = _told(monkeypatch)
    law = law_json(articles={**ARTICLES, "1": "没有题引用它。", "3-1": "镜子不得小于一扇门。"})
    plan = services.plan_import(files(law), now=NOW)
    assert plan.differing == [("试衣法", "3-1"), ("试衣法", "9")]
    done = import_laws(law, now=NOW)
    assert list(done.differing) == plan.differing
    assert told == [("3-1", "changed"), ("9", "removed")]
    (entry,) = db.session.scalars(sa.select(AuditEntry).filter_by(action="statutes.imported"))
    assert entry.changes["differing"] == "试衣法 3-1、试衣法 9"


@pytest.mark.usefixtures("checked")
def test_only_the_first_text_is_compared_and_only_where_it_holds_today(monkeypatch: pytest.MonkeyPatch) -> None:
    assert import_laws(law_json(articles={**ARTICLES, "9": "没有这一条。"}), now=NOW).differing == ()
    told = _told(monkeypatch)
    assert import_laws(law_json(articles={**ARTICLES, "9": "有了。"}), now=NOW).differing == ()
    assert told == [("9", "changed")]
    assert import_laws(law_json("鞋法", effective="2027-01-01", status="not_yet_in_force"), now=NOW).differing == ()
