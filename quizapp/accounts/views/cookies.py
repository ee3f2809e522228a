"""Beginning and ending a session of the browser, and what it carries from one step to the next."""

import datetime as dt
import json
import uuid
from typing import Any

from cryptography.fernet import InvalidToken
from flask import g, request, session
from flask_login import login_user, logout_user

from quizapp.accounts import rules, services
from quizapp.accounts.edge import vault as vault
from quizapp.core.clock import utc_now
from quizapp.core.db import transaction
from quizapp.web.access import Kind, Principal, current_principal

STEP_LASTS = dt.timedelta(minutes=30)
"""How long a confirmed number may wait for the rest of the form."""

KEPT_PREFIX = "guest"
"""Keys of the browser's session that survive signing in: what a guest has begun."""


def browser_label() -> str:
    return rules.device_label(request.headers.get("User-Agent", ""))


def begin_session(kind: Kind, person_id: uuid.UUID, token: str) -> None:
    """Sign the browser in. Everything it held is thrown away, the CSRF value too, so that nobody can have planted it."""
    end_session_row()
    kept = {key: value for key, value in session.items() if key.startswith(KEPT_PREFIX)} if kind == "citizen" else {}
    session.clear()
    g.pop("csrf_token", None)
    session.update(kept)
    session.permanent = kind == "citizen"
    login_user(Principal(kind=kind, id=person_id, token=token))


def end_session_row() -> None:
    """End the session this browser is signed in with, if any."""
    session_id = current_principal().session_id
    if session_id is not None:
        with transaction():
            services.end_session(session_id, utc_now())


def end_session() -> None:
    """Sign the browser out."""
    end_session_row()
    logout_user()
    session.clear()
    g.pop("csrf_token", None)


def keep(name: str, values: dict[str, Any], now: dt.datetime) -> None:
    """Let the browser carry values to the next step, encrypted, so that nothing of them is stored here."""
    session[name] = vault().encrypt(json.dumps({**values, "at": now.isoformat()})).decode("ascii")


def kept(name: str, now: dt.datetime) -> dict[str, Any] | None:
    """What :func:`keep` gave the browser, unless it is missing, foreign or too old."""
    sealed = session.get(name)
    if not isinstance(sealed, str):
        return None
    try:
        values: dict[str, Any] = json.loads(vault().decrypt(sealed.encode("ascii", "replace")))
    except (InvalidToken, ValueError):
        return None
    return values if now - dt.datetime.fromisoformat(values.pop("at")) < STEP_LASTS else None


def forget(name: str) -> None:
    session.pop(name, None)
