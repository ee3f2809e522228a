"""What all JSON endpoints share: the OpenAPI document, the problem schema, idempotency keys, bodies that are JSON.

Feature rooms build a :class:`Blueprint` of flask-smorest with ``url_prefix="/api/v1"`` and state a door on each view.
"""

import hashlib
import json
from typing import Any

import marshmallow as ma
from flask import Flask, Response, current_app, g, request
from flask_smorest import Api as SmorestApi
from flask_smorest import Blueprint as SmorestBlueprint
from werkzeug.exceptions import BadRequest

from quizapp.core import idempotency
from quizapp.core.clock import utc_now
from quizapp.core.crypto import Vault
from quizapp.core.db import transaction
from quizapp.core.errors import InvalidInput
from quizapp.web.access import current_principal
from quizapp.web.security import device_id


class ProblemSchema(ma.Schema):
    """RFC 9457 problem document."""

    type = ma.fields.String()
    title = ma.fields.String()
    status = ma.fields.Integer()
    code = ma.fields.String(required=True, metadata={"description": "stable code"})
    detail = ma.fields.String(required=True, metadata={"description": "中文说明"})
    errors = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.String())


class Api(SmorestApi):  # type: ignore[misc]  # the library is untyped
    """flask-smorest without its app-wide error handler: refusals are translated in ``web.error_handlers``."""

    ERROR_SCHEMA = ProblemSchema

    def _register_error_handlers(self) -> None:
        return None


class Blueprint(SmorestBlueprint):  # type: ignore[misc]  # the library is untyped
    """A blueprint whose JSON arguments refuse unknown fields, with our problem document as default answer."""

    ERROR_SCHEMA = ProblemSchema


class CodeSchema(ma.Schema):
    """A code with its label."""

    code = ma.fields.String(required=True)
    name = ma.fields.String(required=True)


def json_response(data: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """JSON as it is, without passing a schema again; the hot endpoints use it."""
    body = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return Response(body, status=status, mimetype="application/json", headers=headers)


def json_body() -> dict[str, Any]:
    """The JSON object of this request, ``{}`` for an empty body.

    :raises InvalidInput: if the body is something else
    """
    if not request.content_length:
        return {}
    try:
        data = request.get_json()
    except RecursionError:  # brackets nested deeper than the parser goes
        raise BadRequest from None
    if not isinstance(data, dict):
        raise InvalidInput(fields={"body": "请求内容应当是一个 JSON 对象。"})
    return data


def _vault() -> Vault:
    vault: Vault = current_app.extensions["vault"]
    return vault


def _begin_idempotent() -> Response | None:
    key = request.headers.get("Idempotency-Key")
    if key is None or request.method != "POST" or not request.path.startswith("/api/"):
        return None
    if not 1 <= len(key) <= 200 or not key.isprintable():
        raise InvalidInput(fields={"Idempotency-Key": "防重复编号应当是 1 到 200 个可见字符。"})
    principal = current_principal()
    who = f"{principal.kind}:{principal.id}" if principal.is_authenticated else f"device:{device_id()}"
    caller = hashlib.sha256(who.encode()).digest()
    digest = idempotency.request_hash(request.method, request.path, request.get_data(cache=True))
    with transaction():
        record_id, finished = idempotency.begin(caller, key, digest, utc_now())
    if finished is None:
        g.idempotency_record = record_id
        return None
    stored = json.loads(_vault().decrypt_bytes(finished.response or b""))
    return Response(stored["body"], status=finished.status or 200, mimetype=stored["mimetype"], headers={"Idempotent-Replay": "true"})


def _finish_idempotent(response: Response) -> Response:
    record_id = g.pop("idempotency_record", None)
    if record_id is None:
        return response
    with transaction():
        if response.status_code >= 500 or response.is_streamed:
            idempotency.release(record_id)
        else:
            stored = json.dumps({"body": response.get_data(as_text=True), "mimetype": response.mimetype})
            idempotency.finish(record_id, response.status_code, _vault().encrypt(stored))
    return response


def register(app: Flask) -> Api:
    app.config.update(OPENAPI_URL_PREFIX="/api/v1", OPENAPI_JSON_PATH="openapi.json")
    app.config["API_SPEC_OPTIONS"] = {
        "components": {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
        "security": [{"bearer": []}, {}],
    }
    app.before_request(_begin_idempotent)
    app.after_request(_finish_idempotent)
    return Api(app)
