"""Pages of the bureau about people: signing in, accounts and roles, settings."""

from typing import Any

from flask import Flask, url_for

from quizapp.accounts.admin_views import settings, sign_in, users
from quizapp.accounts.admin_views.blueprint import bp
from quizapp.web.access import current_principal
from quizapp.web.security import is_staff_side

blueprints = (bp,)
"""The modules imported above add their routes to it."""

__all__ = ["blueprints", "init_app", "settings", "sign_in", "users"]


def _context() -> dict[str, Any]:
    """What the console's frame needs of the person: where to sign out, where the own security page is."""
    if not is_staff_side() or not current_principal().is_staff:
        return {}
    return {"sign_out_url": url_for("accounts_admin.sign_out"), "security_url": url_for("accounts_admin.security")}


def init_app(app: Flask) -> None:
    app.context_processor(_context)
