import datetime as dt
import random
import urllib.parse

import pytest
import time_machine
from bs4 import BeautifulSoup
from flask.testing import FlaskClient

from quizapp.audit.services import SYSTEM
from quizapp.core.db import transaction
from quizapp.statutes import rules, services
from quizapp.statutes.services import ListEntry
from tests.factories.accounts import reference_data
from tests.factories.questions import make_entry
from tests.factories.statutes import ARTICLES, change, import_laws, law_json

pytestmark = pytest.mark.usefixtures("app")
NOW = dt.datetime(2026, 11, 22, 4, tzinfo=dt.UTC)


def _page(client: FlaskClient, url: str) -> BeautifulSoup:
    answer = client.get(url)
    assert answer.status_code == 200, answer.status_code
    return BeautifulSoup(answer.text, "html.parser")


def _text(client: FlaskClient, url: str, number: str) -> str:
    return _page(client, url).select_one(f"#a{number} .lawtext").text


def _change_in_september() -> None:
    change("试衣法", "2", "九月起七日内。", effective_from=dt.date(2026, 9, 1), now=NOW)


def test_the_reader_shows_the_text_of_a_day(client: FlaskClient) -> None:
    import_laws(now=NOW)
    _change_in_september()
    assert _text(client, "/laws/试衣法", "2") == "九月起七日内。"
    assert _text(client, "/laws/试衣法?on=2026-08-31", "2") == ARTICLES["2"]
    assert _text(client, "/laws/试衣法?on=2026-09-01", "2") == "九月起七日内。"
    assert _text(client, "/laws/试衣法?on=nonsense", "2") == "九月起七日内。"
    assert [section["id"] for section in _page(client, "/laws/试衣法").select("section.lawart")] == ["a1", "a2", "a3", "a3-1"]


def test_a_moment_shows_what_was_seen_then(client: FlaskClient) -> None:
    """The change of September was entered in November; who looked in October saw the old text and still does."""
    import_laws(now=dt.datetime(2026, 7, 1, tzinfo=dt.UTC))
    _change_in_september()
    assert _text(client, "/laws/试衣法?at=2026-10-05T02:00:00Z", "2") == ARTICLES["2"]
    assert _text(client, "/laws/试衣法?on=2026-10-05", "2") == "九月起七日内。"
    assert _page(client, "/laws/试衣法?at=2026-10-05T02:00:00Z").select_one("#a2 a[href]")


def test_other_names_lead_to_the_short_title(client: FlaskClient) -> None:
    import_laws(law_json(aliases=["试衣条例"]), now=NOW)
    for name in ("中华人民共和国试衣法", "试衣条例"):
        answer = client.get(f"/laws/{name}?on=2026-08-31&_scheme=javascript&_external=1")
        assert answer.status_code == 302
        assert urllib.parse.unquote(answer.headers["Location"]) == "/laws/试衣法?on=2026-08-31"
    assert client.get("/laws/没有的法").status_code == 404
    assert client.get("/laws/%00").status_code == 404


def test_the_jump_to_an_article_goes_to_its_anchor(client: FlaskClient) -> None:
    import_laws(now=NOW)
    answer = client.get("/laws/试衣法?article=3-1&go=1")
    assert urllib.parse.unquote(answer.headers["Location"]) == "/laws/试衣法?article=3-1#a3-1"
    assert _page(client, "/laws/试衣法?article=3-1").select_one(".lawart.is-here")["id"] == "a3-1"
    assert _page(client, "/laws/试衣法?article=99").select_one(".note-miss")


def test_a_long_statute_has_pages_and_an_article_finds_its_own(client: FlaskClient) -> None:
    import_laws(law_json("长法", {str(number): f"第{number}件事。" for number in range(1, 451)}), now=NOW)
    first = _page(client, "/laws/长法")
    assert len(first.select("section.lawart")) == rules.PAGE_ARTICLES
    assert first.select_one("#a1")
    assert _page(client, "/laws/长法?article=321").select_one("#a321")
    assert _page(client, "/laws/长法?page=5").select_one("#a450")
    assert _page(client, "/laws/长法?page=99").select_one("#a450")


def test_repealed_outdated_and_coming_statutes_say_so(client: FlaskClient) -> None:
    import_laws(
        law_json("旧法", status="repealed", repealed_on="2026-08-15", repealed_by="新法典"),
        law_json("老法", text_outdated=True),
        law_json("明年法", effective="2099-01-01", status="not_yet_in_force"),
        now=NOW,
    )
    assert "新法典" in _page(client, "/laws/旧法").select_one(".note-miss").text
    assert not _page(client, "/laws/旧法?on=2026-08-14").select_one(".note-miss")
    assert _page(client, "/laws/老法").select_one(".note-miss")
    assert _page(client, "/laws/明年法").select_one(".badge-gold")


def test_where_only_facts_are_known_the_reader_says_where_to_read(client: FlaskClient) -> None:
    page = _page(client, "/laws/消费者权益保护法?article=25")
    assert not page.select("section.lawart")
    assert page.select_one('main a[href="https://flk.npc.gov.cn/"]')
    assert "第二十五条" in page.select_one("main").text


def test_a_day_before_the_first_text_has_none(client: FlaskClient) -> None:
    import_laws(now=NOW)
    page = _page(client, "/laws/试衣法?on=2019-01-01")
    assert not page.select("section.lawart")


def test_search_finds_names_words_and_numbers(client: FlaskClient) -> None:
    import_laws(law_json(), law_json("鞋法", {"1": "鞋子可以试穿三日。"}), now=NOW)
    _change_in_september()
    names = _page(client, "/laws?q=试衣")
    assert "试衣法" in names.text
    found = [urllib.parse.unquote(link["href"]) for link in _page(client, "/laws?q=三日 试穿").select("a.li")]
    assert found == ["/laws/鞋法?article=1#a1"], "article 2 says seven days by now"
    assert _page(client, "/laws?q=试衣法 3-1").select_one("article .lawtext").text == ARTICLES["3-1"]
    assert _page(client, "/laws?q=试衣法第三条之一").select_one("article .lawtext")
    for nonsense in ("%", "_", "100%_", "'", "x" * 500, "的"):
        assert not _page(client, f"/laws?q={urllib.parse.quote(nonsense)}").select("a.li[href*='#a']")


def test_search_leaves_out_what_is_not_in_force(client: FlaskClient) -> None:
    import_laws(
        law_json("旧法", {"1": "绝无仅有的词。"}, status="repealed", repealed_on="2026-08-15"),
        law_json("明年法", {"1": "绝无仅有的词。"}, effective="2099-01-01"),
        now=NOW,
    )
    assert not _page(client, "/laws?q=绝无仅有").select("a.li[href*='#a']")


def test_the_index_lists_by_kind_and_pages(client: FlaskClient) -> None:
    import_laws(*(law_json(f"法{number:02d}") for number in range(25)), law_json("解释", category="司法解释"), now=NOW)
    assert len(_page(client, "/laws").select("a.li")) == 20
    assert len(_page(client, "/laws?page=2").select("a.li")) == 6
    assert len(_page(client, "/laws?kind=interpretation").select("a.li")) == 1
    assert client.get("/laws?page=99&kind=x").status_code == 200


def test_searching_too_fast_is_slowed(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quizapp.statutes.views.SEARCHES_PER_ADDRESS", (2, 60))
    here = {"REMOTE_ADDR": f"10.0.{random.randrange(256)}.{random.randrange(256)}"}
    with time_machine.travel(NOW, tick=False):
        assert [client.get("/laws?q=x", environ_base=here).status_code for _ in range(3)] == [200, 200, 429]
        assert client.get("/laws", environ_base=here).status_code == 200


def test_lists_are_seen_when_they_are_shown(client: FlaskClient) -> None:
    reference_data()
    import_laws(now=NOW)
    for is_shown in (False, True):
        with transaction():
            services.save_reading_list(
                "resident",
                title="居民清单",
                note="",
                is_shown=is_shown,
                entries=[ListEntry("试衣法", "先看这部"), ListEntry("谁也不知道的文件")],
                now=NOW,
                actor=SYSTEM,
            )
        assert ("居民清单" in client.get("/laws/lists").text) is is_shown
        assert client.get("/laws/lists/resident").status_code == (200 if is_shown else 404)
    page = _page(client, "/laws/lists/resident")
    assert [urllib.parse.unquote(link["href"]) for link in page.select("a.li")] == ["/laws/试衣法"]
    assert "谁也不知道的文件" in page.text
    assert client.get("/laws/lists/nobody").status_code == 404


def test_articles_show_as_text_and_not_as_markup(client: FlaskClient) -> None:
    import_laws(law_json(articles={"1": "<script>alert(1)</script>", "2": "<b>粗"}), now=NOW)
    page = _page(client, "/laws/试衣法")
    assert page.select_one("#a1 .lawtext").text == "<script>alert(1)</script>"
    assert "<b>粗" in _page(client, "/laws?q=粗 <b>").text


def test_questions_of_the_factory_cite_what_the_reader_knows(client: FlaskClient) -> None:
    assert client.get(f"/laws/{make_entry(1).citations[0]['law']}").status_code == 200
