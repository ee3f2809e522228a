"""The ways to be refused. Features subclass :class:`AppError`; ``web.error_handlers`` translates it once."""

from collections.abc import Mapping
from typing import Any, ClassVar

from quizapp.core.text import N_


class AppError(Exception):
    """A refusal with a stable ``code``, a Chinese sentence a citizen understands and an HTTP status.

    ``extra`` holds further members of the problem document (numbers, dates as text), never personal data.
    """

    code: ClassVar[str] = "error"
    message: str = N_("这边出了点问题，请稍后再试。")
    http_status: ClassVar[int] = 400

    def __init__(self, message: str | None = None, **extra: Any) -> None:
        self.message = message or type(self).message
        self.extra: Mapping[str, Any] = extra
        super().__init__(self.message)


class NotFound(AppError):
    code = "not_found"
    message = N_("没有找到您要的内容。")
    http_status = 404


class NotSignedIn(AppError):
    code = "not_signed_in"
    message = N_("请先登录。")
    http_status = 401


class Forbidden(AppError):
    code = "forbidden"
    message = N_("您没有做这件事的权限。")
    http_status = 403


class InvalidInput(AppError):
    """``fields`` maps a field's name to the sentence shown under it."""

    code = "invalid_input"
    message = N_("有几处填得不对，请看提示改一改。")
    http_status = 422

    def __init__(self, message: str | None = None, *, fields: Mapping[str, str] | None = None, **extra: Any) -> None:
        super().__init__(message or (next(iter(fields.values())) if fields else None), **extra)
        self.fields: Mapping[str, str] = fields or {}


class Conflict(AppError):
    code = "conflict"
    message = N_("刚刚有别的改动，请刷新后再试。")
    http_status = 409


class TooManyRequests(AppError):
    code = "too_many_requests"
    message = N_("操作太快了，请歇一会儿再试。")
    http_status = 429
