"""Small pages of the furniture itself: health, readiness, metrics, large type, the API document as a page."""

import hmac
import secrets

import prometheus_client
import redis
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Blueprint, Flask, Response, current_app, g, jsonify, redirect, render_template, request
from flask_migrate import Migrate
from werkzeug.wrappers import Response as BaseResponse

from quizapp.core.db import db
from quizapp.core.errors import Forbidden
from quizapp.extensions import redis_client
from quizapp.web.access import public, safe_next, staff

bp = Blueprint("web", __name__, template_folder="templates")
_ONE_YEAR = 365 * 86400


@bp.post("/large")
@public
def set_large() -> BaseResponse:
    """Switch large type; a cookie, so that the server renders it without a flash."""
    response = redirect(safe_next(request.form.get("next"), "/"))
    is_large = request.form.get("large", "" if request.cookies.get("large") else "1")
    response.set_cookie("large", "1" if is_large else "", max_age=_ONE_YEAR if is_large else 0, samesite="Lax")
    return response


@bp.post("/admin/large")
@staff
def set_large_staff() -> BaseResponse:
    """The same from the console, whose forms carry the CSRF value of the staff cookie."""
    return set_large()


@bp.get("/healthz")
@public
def healthz() -> Response:
    return jsonify(status="ok")


@bp.get("/readyz")
@public
def readyz() -> tuple[Response, int]:
    """Whether this process can serve: database, Redis when set, migrations current."""
    checks: dict[str, str] = {}
    try:
        checks["database"] = "ok" if db.session.scalar(sa.select(1)) == 1 else "failed"
        config: Migrate = current_app.extensions["migrate"].migrate
        heads = set(ScriptDirectory.from_config(config.get_config()).get_heads())
        current = set(MigrationContext.configure(db.session.connection()).get_current_heads())
        checks["migrations"] = "ok" if heads == current else "behind"
    except sa.exc.SQLAlchemyError:
        checks["database"] = "failed"
    if redis_client.client is not None:
        try:
            redis_client.client.ping()
            checks["redis"] = "ok"
        except redis.RedisError:
            checks["redis"] = "failed"
    is_ready = all(value == "ok" for value in checks.values())
    return jsonify(status="ok" if is_ready else "unavailable", checks=checks), 200 if is_ready else 503


@bp.get("/metrics")
@public
def metrics() -> Response:
    """Prometheus; from loopback without a proxy in front, else with the token."""
    token = current_app.config["METRICS_TOKEN"]
    sent = request.headers.get("Authorization", "").removeprefix("Bearer ")
    is_local = request.remote_addr in ("127.0.0.1", "::1") and "X-Forwarded-For" not in request.headers
    if not (is_local or (token and hmac.compare_digest(sent.encode(), token.encode()))):
        raise Forbidden
    return Response(prometheus_client.generate_latest(), mimetype="text/plain; version=0.0.4")


@bp.get("/api/v1/docs")
@public
def api_docs() -> str:
    """The OpenAPI document as a page of ours: no script from anywhere."""
    spec = current_app.extensions["flask-smorest"]["apis"][""]["ext_obj"].spec.to_dict()
    return render_template("web/api_docs.html", spec=spec)


def _start_request() -> None:
    sent = request.headers.get("X-Request-Id", "")
    g.request_id = sent if sent.isalnum() and len(sent) <= 64 else secrets.token_hex(8)


def register(app: Flask) -> None:
    app.before_request(_start_request)
    app.register_blueprint(bp)
