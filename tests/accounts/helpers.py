"""What the tests of accounts share: forms with their CSRF value, threads that begin together, codes without sending."""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from flask import Flask, current_app
from flask.testing import FlaskClient
from sqlalchemy.engine import Engine
from werkzeug.test import TestResponse

from quizapp.accounts import edge
from quizapp.core import statements
from quizapp.core.clock import utc_now
from quizapp.core.crypto import Vault
from quizapp.core.db import db


def vault() -> Vault:
    box: Vault = current_app.extensions["vault"]
    return box


def csrf_token(page: TestResponse) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page.get_data(as_text=True))
    assert found, f"no form on the page ({page.status_code})"
    return found[1]


def submit(client: FlaskClient, path: str, data: dict[str, Any], *, form_on: str | None = None) -> TestResponse:
    """Open the page with the form, fill it in and send it to ``path``."""
    page = client.get(form_on or path)
    return client.post(path, data={**data, "csrf_token": csrf_token(page)})


def issue(phone: str, purpose: str = "sign_in", **kw: Any) -> str:
    """A code as if it had been sent."""
    options = {"device": None, "address": "10.0.0.1", "now": utc_now(), **kw}
    return edge.issue_code(phone=phone, purpose=purpose, **options).code


def wrong(code: str) -> str:
    """Another code than this one."""
    return f"{(int(code) + 1) % 1_000_000:06d}"


def at_once(app: Flask, work: Callable[[int], Any], count: int) -> list[Any]:
    """Run ``work(number)`` in threads that begin together; results or the exceptions they ended with. Rows the test
    holds are loaded and let go of first: threads must not share a session."""
    results: list[Any] = [None] * count
    barrier = threading.Barrier(count)

    def run(number: int) -> None:
        with app.app_context():
            barrier.wait()
            try:
                results[number] = work(number)
            except Exception as error:
                results[number] = error
            finally:
                db.session.remove()

    for row in list(db.session):
        db.session.refresh(row)
    db.session.expunge_all()
    db.session.rollback()
    _free_connections()
    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    db.session.rollback()
    _free_connections()
    return results


def _free_connections() -> None:
    """The test server has room for a hundred, and tests run beside each other: keep none for later."""
    statements._give_back(None)
    statements.dispose()


@contextmanager
def statements_inside() -> Iterator[list[str]]:
    """The SQL that runs inside, without what begins and ends transactions."""
    seen: list[str] = []

    def note(conn: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if statement.split(None, 1)[0].upper() not in ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE"):
            seen.append(statement)

    sa.event.listen(Engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        sa.event.remove(Engine, "before_cursor_execute", note)
