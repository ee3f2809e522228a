import pytest
from flask.testing import FlaskClient

from tests.factories.accounts import headers_for, make_citizen, sign_in
from tests.factories.ledger import give_points

pytestmark = pytest.mark.usefixtures("app")


def test_points_are_listed_with_their_reasons_in_chinese(client: FlaskClient) -> None:
    citizen = make_citizen()
    give_points(citizen, 10)
    give_points(citizen, 30, reason="fixed_reward")
    body = client.get("/api/v1/me/points", headers=headers_for(citizen)).get_json()
    assert body["balance"] == 40
    assert [(item["amount"], item["reason"]["name"]) for item in body["items"]] == [(30, "学法奖励"), (10, "参加竞答")]
    assert body["next"] is None


def test_points_are_paged(client: FlaskClient) -> None:
    citizen = make_citizen()
    for amount in range(1, 6):
        give_points(citizen, amount)
    headers, seen, after = headers_for(citizen), [], ""
    while after is not None:
        page = client.get(f"/api/v1/me/points?limit=2&after={after}", headers=headers).get_json()
        seen += [item["amount"] for item in page["items"]]
        after = page["next"]
    assert seen == [5, 4, 3, 2, 1]
    assert client.get("/api/v1/me/points?after=zzz", headers=headers).status_code == 422


def test_points_are_ones_own(client: FlaskClient) -> None:
    give_points(make_citizen(), 10)
    assert client.get("/api/v1/me/points", headers=headers_for(make_citizen())).get_json() == {"balance": 0, "items": [], "next": None}
    assert client.get("/api/v1/me/points").status_code == 401


def test_the_account_shows_the_balance(client: FlaskClient) -> None:
    citizen = make_citizen()
    give_points(citizen, 12)
    headers = headers_for(citizen)
    assert client.get("/api/v1/me", headers=headers).get_json()["point_balance"] == 12
    assert client.get("/api/v1/me/export", headers=headers).get_json()["points"]["entries"][0]["amount"] == 12


def test_the_page_shows_every_entry(client: FlaskClient) -> None:
    citizen = make_citizen()
    give_points(citizen, 12)
    sign_in(client, citizen)
    page = client.get("/me/points").get_data(as_text=True)
    assert "参加竞答" in page
    assert "+12" in page
