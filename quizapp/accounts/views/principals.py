"""Who is asking: from the cookie or the ``Authorization`` header of a request to a :class:`Principal`.

Each side has its own tokens: the session of a citizen is unknown on the bureau's side and the other way round. A
request that carries an ``Authorization`` header is judged by that header alone.
"""

import datetime as dt
from typing import Any

from flask import Flask, current_app, g, request
from werkzeug.wrappers import Request

from quizapp.accounts import rules, services
from quizapp.accounts.queries import sessions as session_queries
from quizapp.core.clock import utc_now
from quizapp.core.crypto import token_hash
from quizapp.core.db import in_transaction, transaction
from quizapp.core.errors import NotSignedIn
from quizapp.core.statements import Row
from quizapp.extensions import login_manager
from quizapp.web.access import ANONYMOUS, Grant, Principal
from quizapp.web.security import is_staff_side

_LONGEST_TOKEN = 200


def load_principal(token: str, *, is_bearer: bool, now: dt.datetime) -> Principal | None:
    """The principal whose live session on this side has ``token``, or None."""
    if not token or len(token) > _LONGEST_TOKEN:
        return None
    hashed = token_hash(token)
    rows = session_queries.find_staff_session(hashed) if is_staff_side() else _as_list(session_queries.find_citizen_session(hashed))
    if not rows or rows[0].is_bearer != is_bearer or not _is_live(rows[0], now):
        return None
    _touch(rows[0], now)
    return _staff_principal(rows, token) if is_staff_side() else _citizen_principal(rows[0], token)


def _as_list(row: Row | None) -> list[Row]:
    return [] if row is None else [row]


def _is_live(row: Row, now: dt.datetime) -> bool:
    return bool(now < row.expires_at and now < row.last_seen_at + dt.timedelta(seconds=row.idle_seconds))


def _touch(row: Row, now: dt.datetime) -> None:
    if now - row.last_seen_at < services.SEEN_EVERY or in_transaction():
        return
    with transaction():
        services.touch_session(row.session_id, now)


def _citizen_principal(row: Row, token: str) -> Principal:
    return Principal(
        kind="citizen",
        id=row.citizen_id,
        session_id=row.session_id,
        token=token,
        is_bearer=row.is_bearer,
        display_name=row.nickname,
    )


def _staff_principal(rows: Any, token: str) -> Principal:
    row = rows[0]
    return Principal(
        kind="staff",
        id=row.staff_id,
        session_id=row.session_id,
        token=token,
        is_bearer=row.is_bearer,
        display_name=row.display_name,
        grants=tuple(_grant(each) for each in rows if each.role is not None),
        must_change=_must_change(row),
    )


def _grant(row: Row) -> Grant:
    """A role at the root organisation holds everywhere, also for what belongs to no unit."""
    path = "/" if row.parent_id is None else row.path
    return Grant(row.role, row.organisation_id, path, rules.ROLE_PERMISSIONS[row.role])


def _must_change(row: Row) -> str:
    if row.must_change_password:
        return "password"
    return "totp" if row.totp_confirmed_at is None and needs_totp() else ""


def is_demo_sign_in() -> bool:
    """Whether the demo's accounts with their printed password may sign in. Never in production."""
    config = current_app.config
    return bool(config["IS_DEMO"] and config["IS_DEMO_SIGN_IN"])


def needs_totp() -> bool:
    """The second factor is left out nowhere but in the demo."""
    return not is_demo_sign_in()


def _load_from_cookie(token: str) -> Principal | None:
    if "Authorization" in request.headers:
        return None
    return load_principal(token, is_bearer=False, now=utc_now())


def _load_from_header(sent: Request) -> Principal | None:
    header = sent.headers.get("Authorization")
    if header is None:
        return None
    scheme, _, token = header.partition(" ")
    principal = load_principal(token.strip(), is_bearer=True, now=utc_now()) if scheme.lower() == "bearer" else None
    if principal is None:
        if g.get("is_bad_bearer") or request.routing_exception is not None:
            return ANONYMOUS  # the answer is a refusal already, and its page asks who is asking
        g.is_bad_bearer = True
        raise NotSignedIn
    return principal


def register(app: Flask) -> None:
    """Bind Flask-Login to our sessions. Its guard by address and browser is off: phones change both all day."""
    login_manager.anonymous_user = lambda: ANONYMOUS
    login_manager.session_protection = None
    login_manager.user_loader(_load_from_cookie)
    login_manager.request_loader(_load_from_header)
    app.config["PERMANENT_SESSION_LIFETIME"] = services.CITIZEN_LIMITS.absolute
    app.config["SESSION_REFRESH_EACH_REQUEST"] = False
