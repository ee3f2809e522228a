"""Doors. Every route states who may pass; a route that states nothing is closed, and a test asks each for its door.

``@public`` anyone · ``@citizen`` a signed-in citizen · ``@guest`` a citizen or somebody not signed in, who may hold a
guest token · ``@staff`` any signed-in member of staff · ``@bureau("campaigns.publish")`` staff with that permission.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar, cast

from flask import Flask, current_app, g, redirect, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from quizapp.core.errors import Forbidden, NotFound, NotSignedIn

Kind = Literal["anonymous", "citizen", "staff"]
F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Grant:
    """One role in one organisation subtree; ``path`` is the materialised path of its root, ``/`` for everything."""

    role: str
    organisation_id: uuid.UUID | None
    path: str
    permissions: frozenset[str]


@dataclass(frozen=True)
class Principal:
    """Who is asking. What Flask-Login calls the user; never an ORM row."""

    kind: Kind = "anonymous"
    id: uuid.UUID | None = None
    session_id: uuid.UUID | None = None
    token: str = field(default="", repr=False)
    is_bearer: bool = False
    display_name: str = ""
    grants: tuple[Grant, ...] = ()
    must_change: str = ""
    """For staff: ``password`` or ``totp`` while that has to be set up before anything else, else empty."""

    @property
    def is_authenticated(self) -> bool:
        return self.kind != "anonymous"

    @property
    def is_active(self) -> bool:
        return self.is_authenticated

    @property
    def is_anonymous(self) -> bool:
        return not self.is_authenticated

    @property
    def is_citizen(self) -> bool:
        return self.kind == "citizen"

    @property
    def is_staff(self) -> bool:
        return self.kind == "staff"

    def get_id(self) -> str:
        return self.token

    @property
    def user_id(self) -> uuid.UUID:
        """The citizen's or staff account's id; only behind a door that makes sure of it."""
        if self.id is None:
            raise NotSignedIn
        return self.id

    def may(self, permission: str) -> bool:
        return any(permission in grant.permissions for grant in self.grants)

    def scopes(self, permission: str) -> tuple[str, ...]:
        """Paths of the organisation subtrees in which this member of staff holds ``permission``."""
        return tuple(grant.path for grant in self.grants if permission in grant.permissions)

    def covers(self, permission: str, organisation_path: str) -> bool:
        return any(organisation_path.startswith(path) for path in self.scopes(permission))

    def has_role(self, role: str) -> bool:
        return any(grant.role == role for grant in self.grants)


ANONYMOUS = Principal()


def current_principal() -> Principal:
    """The principal of this request."""
    return cast(Principal, current_user._get_current_object())


@dataclass(frozen=True)
class Door:
    name: Literal["public", "citizen", "guest", "staff", "bureau"]
    permission: str = ""


def _door(door: Door) -> Callable[[F], F]:
    def mark(view: F) -> F:
        view.door = door  # type: ignore[attr-defined]
        return view

    return mark


def public(view: F) -> F:
    return _door(Door("public"))(view)


def citizen(view: F) -> F:
    return _door(Door("citizen"))(view)


def guest(view: F) -> F:
    return _door(Door("guest"))(view)


def staff(view: F) -> F:
    return _door(Door("staff"))(view)


def bureau(permission: str) -> Callable[[F], F]:
    return _door(Door("bureau", permission))


_OPEN_ENDPOINTS = frozenset({"static", "api-docs.openapi_json"})
STAFF_SETUP_ENDPOINTS = frozenset(
    {"accounts_admin.security", "accounts_admin.change_password", "accounts_admin.confirm_totp", "accounts_admin.sign_out"}
)


def find_door(app: Flask, endpoint: str, method: str = "GET") -> Door | None:
    """The door of a route; None is a mistake (the route is closed then)."""
    if endpoint in _OPEN_ENDPOINTS:
        return Door("public")
    view = app.view_functions[endpoint]
    view_class = getattr(view, "view_class", None)
    if view_class is not None:
        view = getattr(view_class, method.lower(), view)
    return getattr(view, "door", None)


def wants_json() -> bool:
    """Whether the answer should be JSON: API paths always, others by the Accept header."""
    if request.path.startswith("/api/"):
        return True
    best = request.accept_mimetypes.best_match(["text/html", "application/json"])
    return best == "application/json"


def check_door() -> Response | None:
    """Before each request: let through, send to sign in, or refuse."""
    if request.endpoint is None:
        return None
    door = find_door(current_app, request.endpoint, request.method)
    if door is None:
        raise Forbidden
    g.door = door
    if door.name == "public":
        return None
    principal = current_principal()
    if door.name == "guest":
        if principal.is_staff:
            raise Forbidden
        return None
    if door.name == "citizen":
        if principal.is_citizen:
            return None
        if principal.is_authenticated:
            raise Forbidden
        return _to_sign_in("accounts.sign_in")
    if not principal.is_staff:
        if principal.is_authenticated:
            raise Forbidden
        return _to_sign_in("accounts_admin.sign_in")
    if principal.must_change and request.endpoint not in STAFF_SETUP_ENDPOINTS:
        if wants_json():
            raise Forbidden("请先在管理后台完成密码和动态口令设置。")
        return redirect(url_for("accounts_admin.security"))
    if door.name == "bureau" and not principal.may(door.permission):
        raise Forbidden
    return None


def _to_sign_in(endpoint: str) -> Response:
    if wants_json() or request.method != "GET":
        raise NotSignedIn
    return redirect(url_for(endpoint, next=request.full_path.rstrip("?")))


def safe_next(target: str | None, default: str) -> str:
    """A path on this site to go back to, or the default: never another host."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")) or set(target) & set("\\\n\r\t"):
        return default
    return target


def require_scope(permission: str, organisation_path: str) -> None:
    """Refuse staff whose subtree does not hold the thing; as 404, so that its existence stays unknown."""
    if not current_principal().covers(permission, organisation_path):
        raise NotFound
