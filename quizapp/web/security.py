"""Cookies, CSRF and response headers: one place for what every response must carry."""

from typing import Any

from flask import Flask, Response, g, has_request_context, request
from flask.sessions import SecureCookieSessionInterface

from quizapp.core.ids import new_id
from quizapp.extensions import csrf

CSP = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' data:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), geolocation=(), microphone=(), payment=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
STAFF_PREFIXES = ("/admin", "/api/v1/admin")
CITIZEN_COOKIE = "quiz_citizen"
STAFF_COOKIE = "quiz_staff"
DEVICE_COOKIE = "quiz_device"


def is_staff_side() -> bool:
    """Whether this request is on the bureau's side; citizens and staff have separate cookies."""
    return has_request_context() and request.path.startswith(STAFF_PREFIXES)


class TwoCookies(SecureCookieSessionInterface):
    """Flask's signed cookie, one for citizens and one for staff. It holds the opaque session token and the CSRF value."""

    def get_cookie_name(self, app: Flask) -> str:
        return STAFF_COOKIE if is_staff_side() else CITIZEN_COOKIE

    def get_cookie_samesite(self, app: Flask) -> str:
        return "Strict" if is_staff_side() else "Lax"

    def should_set_cookie(self, app: Flask, session: Any) -> bool:
        """The API never hands out cookies: its clients send a bearer token."""
        if request.path.startswith("/api/") and not request.cookies.get(self.get_cookie_name(app)):
            return False
        return bool(super().should_set_cookie(app, session))


def check_csrf() -> None:
    """A request that carries our cookie needs the token; one with an Authorization header ignores the cookie, and an
    API request with neither has no authority that somebody could borrow."""
    if request.method not in ("POST", "PUT", "PATCH", "DELETE") or "Authorization" in request.headers:
        return
    if request.path.startswith("/api/") and not (request.cookies.get(CITIZEN_COOKIE) or request.cookies.get(STAFF_COOKIE)):
        return
    csrf.protect()


def device_id() -> str:
    """A random name of this browser, for limits per device. API clients may send ``X-Device-Id``."""
    if "device_id" not in g:
        sent = request.cookies.get(DEVICE_COOKIE) or request.headers.get("X-Device-Id", "")
        known = sent if 16 <= len(sent) <= 64 and sent.isalnum() else ""
        g.is_new_device = not known and not request.path.startswith("/api/")
        g.device_id = known or (new_id().hex if g.is_new_device else f"ip{client_ip()}")
    return str(g.device_id)


def client_ip() -> str:
    return request.remote_addr or "-"


def _finish(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
    if not request.path.startswith("/static/"):
        response.headers.setdefault("Cache-Control", "no-store")
    if g.get("is_new_device"):
        response.set_cookie(DEVICE_COOKIE, g.device_id, max_age=400 * 86400, httponly=True, samesite="Lax", secure=request.is_secure)
    return response


def register(app: Flask) -> None:
    app.session_interface = TwoCookies()
    app.before_request(check_csrf)
    app.after_request(_finish)
