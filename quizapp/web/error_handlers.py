"""Refusals become pages or problem documents (RFC 9457), once and here."""

import logging
from typing import Any

from flask import Flask, g, jsonify, render_template, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from werkzeug.wrappers import Response

from quizapp.core.errors import AppError, InvalidInput
from quizapp.web import challenge
from quizapp.web.access import wants_json

log = logging.getLogger(__name__)

_BY_STATUS = {
    400: ("bad_request", "这个请求看不明白，请返回重试。"),
    401: ("not_signed_in", "请先登录。"),
    403: ("forbidden", "您没有做这件事的权限。"),
    404: ("not_found", "没有找到您要的内容。"),
    405: ("method_not_allowed", "这个地址不支持这样的操作。"),
    413: ("body_too_large", "内容太大，发不出去。请减少一些再试。"),
    415: ("unsupported_media_type", "只接受 JSON 格式的内容。"),
    422: ("invalid_input", "有几处填得不对，请看提示改一改。"),
    429: ("too_many_requests", "操作太快了，请歇一会儿再试。"),
    500: ("server_error", "这边出了点问题，不是您的错。请稍后再试。"),
    503: ("unavailable", "来的人有点多，请稍等再试。"),
}


def problem(code: str, detail: str, status: int, **members: Any) -> Response:
    """A problem document: ``type, title, status, code, detail`` and further members."""
    response = jsonify(type="about:blank", title=code, status=status, code=code, detail=detail, **members)
    response.status_code = status
    response.mimetype = "application/problem+json"
    return response


def _answer(code: str, detail: str, status: int, **members: Any) -> Response:
    if wants_json():
        return problem(code, detail, status, **members)
    if status in (429, 503):
        return Response(render_template("web/busy.html", detail=detail), status=status, mimetype="text/html")
    page = render_template("web/error.html", code=code, message=detail, status=status, request_id=g.get("request_id", ""))
    return Response(page, status=status, mimetype="text/html")


def _challenge_page(error: AppError) -> Response:
    """What was sent goes along, so that nothing has to be filled in again."""
    own = ("csrf_token", challenge.FIELD)
    fields = [(name, value) for name, value in request.form.items(multi=True) if name not in own]
    action = request.full_path.rstrip("?")
    page = render_template("web/challenge.html", action=action, fields=fields, **error.extra)
    return Response(page, status=error.http_status, mimetype="text/html")


def _app_error(error: AppError) -> Response:
    log.info("refused %s %s: %s", request.method, request.endpoint, error.code)
    if isinstance(error, challenge.ChallengeRequired) and not wants_json():
        return _challenge_page(error)
    members: dict[str, Any] = dict(error.extra)
    if isinstance(error, InvalidInput) and error.fields:
        members["errors"] = dict(error.fields)
    response = _answer(error.code, error.message, error.http_status, **members)
    if error.http_status == 429 and "retry_after_seconds" in error.extra:
        response.headers["Retry-After"] = str(error.extra["retry_after_seconds"])
    return response


def _flatten(messages: Any, prefix: str = "") -> dict[str, str]:
    """webargs' nested messages as one sentence per field path."""
    if isinstance(messages, dict):
        flat: dict[str, str] = {}
        for key, value in messages.items():
            name = str(key) if key not in ("json", "query", "form", "_schema") else ""
            flat.update(_flatten(value, f"{prefix}.{name}" if prefix and name else prefix or name))
        return flat
    if isinstance(messages, list):
        return {prefix or "body": " ".join(str(m) for m in messages)}
    return {prefix or "body": str(messages)}


def _http_error(error: HTTPException) -> Response:
    status = error.code or 500
    if 300 <= status < 400:
        return error.get_response()
    code, detail = _BY_STATUS.get(status, ("error", "这边出了点问题，请稍后再试。"))
    data = getattr(error, "data", None)
    if status == 422 and data:
        return _answer("invalid_input", detail, 422, errors=_flatten(data.get("messages", {})))
    if isinstance(error, CSRFError):
        code, detail = "csrf_failed", "页面放得太久了，请刷新后再试。"
    response = _answer(code, detail, status)
    if isinstance(error, RequestEntityTooLarge):
        response.headers["Connection"] = "close"
    for name, value in error.get_headers():
        if name in ("Allow", "Retry-After"):
            response.headers[name] = value
    return response


def _fault(error: Exception) -> Response:
    log.exception("fault in %s %s, request %s", request.method, request.endpoint, g.get("request_id", ""))
    return _answer("server_error", _BY_STATUS[500][1], 500, request_id=g.get("request_id", ""))


def register(app: Flask) -> None:
    app.register_error_handler(AppError, _app_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _fault)
