"""How many SQL statements signing in takes: deterministic, so that a test can hold it."""

from flask import Flask
from flask.testing import FlaskClient

from quizapp.web import challenge
from tests.accounts.helpers import csrf_token, issue, statements_inside
from tests.factories.accounts import make_citizen, make_phone, reference_data

API = "/api/v1"


def test_how_many_statements_signing_in_takes(app: Flask, client: FlaskClient, sms) -> None:  # type: ignore[no-untyped-def]
    """One reads and one writes on PostgreSQL; SQLite writes row by row. Who returns has their points read besides."""
    reference_data()
    phone, known = make_phone(), make_phone()
    make_citizen(phone=known)
    challenge.current_mode()  # kept by each process for seconds
    with statements_inside() as asking:
        answer = client.post(f"{API}/auth/sms-codes", json={"phone": phone}, headers={"X-Device-Id": "d" * 32})
    assert answer.status_code == 201
    with statements_inside() as entering:
        answer = client.post(f"{API}/auth/sessions", json={"phone": phone, "code": sms.sent[-1][1]})
    assert answer.status_code == 201
    code = issue(known)
    with statements_inside() as returning:
        answer = client.post(f"{API}/auth/sessions", json={"phone": known, "code": code})
    assert answer.status_code == 201
    is_sqlite = app.config["IS_SQLITE"]
    assert len(asking) == (5 if is_sqlite else 2), asking
    assert len(entering) == (5 if is_sqlite else 2), entering
    assert len(returning) <= (4 if is_sqlite else 3), returning


def test_how_many_statements_a_page_takes(app: Flask, client: FlaskClient) -> None:
    phone = make_phone()
    make_citizen(phone=phone)
    form = {"phone": phone, "code": issue(phone), "csrf_token": csrf_token(client.get("/sign-in"))}
    with statements_inside() as entering:
        answer = client.post("/sign-in", data=form)
    assert answer.status_code == 302
    assert len(entering) == (3 if app.config["IS_SQLITE"] else 2), entering
