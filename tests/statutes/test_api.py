import datetime as dt

import pytest
from flask.testing import FlaskClient

from tests.factories.statutes import ARTICLES, change, import_laws, law_json

pytestmark = pytest.mark.usefixtures("app")
NOW = dt.datetime(2026, 11, 22, 4, tzinfo=dt.UTC)
API = "/api/v1/statutes"


def test_statutes_are_listed_in_pages(client: FlaskClient) -> None:
    import_laws(*(law_json(f"法{number:02d}") for number in range(60)), now=NOW)
    first = client.get(API).json
    assert len(first["items"]) == 50
    second = client.get(API, query_string={"after": first["next"]}).json
    assert len(second["items"]) == 10
    assert second["next"] is None
    assert not {item["short_title"] for item in first["items"]} & {item["short_title"] for item in second["items"]}
    assert [item["short_title"] for item in client.get(API, query_string={"q": "法07"}).json["items"]] == ["法07"]


def test_an_article_is_given_as_of_a_day_or_a_moment(client: FlaskClient) -> None:
    import_laws(now=dt.datetime(2026, 7, 1, tzinfo=dt.UTC))
    change("试衣法", "2", "九月起。", effective_from=dt.date(2026, 9, 1), now=NOW)

    def text(**query: str) -> str:
        return str(client.get(f"{API}/试衣法/articles/2", query_string=query).json["text"])

    assert text() == "九月起。"
    assert text(on="2026-08-31") == ARTICLES["2"]
    assert text(at="2026-10-01T00:00:00Z") == ARTICLES["2"]
    assert text(on="2026-10-01") == "九月起。"
    body = client.get(f"{API}/中华人民共和国试衣法/articles/2", query_string={"on": "2026-08-31"}).json
    assert (body["law"], body["label"], body["effective_from"], body["effective_to"]) == ("试衣法", "第二条", "2020-03-01", "2026-09-01")


def test_facts_are_given_where_there_is_no_text(client: FlaskClient) -> None:
    body = client.get(f"{API}/消费者权益保护法").json
    assert body["has_text"] is False
    assert body["status"]["code"] == "in_force"
    assert client.get(f"{API}/消费者权益保护法/articles/25").status_code == 404
    assert client.get(f"{API}/没有的法").json["code"] == "not_found"


@pytest.mark.parametrize("query", [{"on": "x"}, {"at": "x"}, {"at": "0001-01-01T00:00:00Z"}, {"at": "2026-01-01T00:00:00"}])
def test_nonsense_is_refused(client: FlaskClient, query: dict[str, str]) -> None:
    import_laws(now=NOW)
    assert client.get(f"{API}/试衣法", query_string=query).status_code == 422
