"""Staff accounts and their roles: the security administrator's pages."""

import uuid

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from quizapp.accounts import queries, rules, services
from quizapp.accounts.admin_views.blueprint import bp
from quizapp.accounts.admin_views.sign_in import Page
from quizapp.accounts.forms import RoleForm, StaffForm, show_refusal
from quizapp.accounts.models import EXCLUSIVE_ROLES
from quizapp.accounts.queries import staff as staff_queries
from quizapp.audit.actors import current_actor
from quizapp.core.clock import utc_now
from quizapp.core.db import transaction
from quizapp.core.errors import AppError
from quizapp.core.text import clean_line
from quizapp.web.access import bureau, current_principal
from quizapp.web.pagination import page_number, paginate


@bp.get("/users")
@bureau("staff.view")
def users() -> str:
    """Accounts within the own subtree, and what each role may do."""
    paths = current_principal().scopes("staff.view")
    q, role = clean_line(request.args.get("q", ""), 64), request.args.get("role", "")
    role = role if role in rules.ROLE_TITLES else ""
    page = paginate(staff_queries.staff_in(paths, q=q, role=role), page_number())
    return render_template(
        "accounts/users.html",
        members=staff_queries.list_members(page.items),
        page=page,
        q=q,
        role=role,
        now=utc_now(),
        role_titles=rules.ROLE_TITLES,
        permission_titles=rules.PERMISSION_TITLES,
        role_permissions=rules.ROLE_PERMISSIONS,
        administrators=[(each, staff_queries.count_by_role(each)) for each in EXCLUSIVE_ROLES],
    )


def _offer(form: StaffForm | RoleForm) -> None:
    """Fill in the roles, and the units within the own subtree."""
    form.role.choices = [("", _("请选择")), *rules.role_options().items()]
    units = queries.list_organisations(current_principal().scopes("roles.manage"))
    form.organisation_id.choices = [(str(unit.id), f"{'　' * (unit.path.count('/') - 2)}{unit.name}") for unit in units]


@bp.route("/users/new", methods=["GET", "POST"])
@bureau("staff.manage")
def create_user() -> Page:
    form, status = StaffForm(), 200
    _offer(form)
    if request.method == "POST":
        status = 422
        if form.validate():
            try:
                with transaction():
                    first = services.create_staff(
                        username=form.username.data,
                        display_name=form.display_name.data,
                        role=form.role.data,
                        organisation_id=uuid.UUID(form.organisation_id.data),
                        actor=current_actor(),
                        paths=current_principal().scopes("roles.manage"),
                        now=utc_now(),
                    )
                return _first_password_page(first), 201
            except AppError as error:
                status = show_refusal(form, error)
    return render_template("accounts/user_new.html", form=form), status


def _first_password_page(first: services.FirstPassword) -> str:
    """The only page that ever shows it; nothing keeps it but its hash."""
    return render_template("accounts/user_password.html", first=first)


@bp.get("/users/<uuid:staff_id>")
@bureau("staff.view")
def user(staff_id: uuid.UUID) -> str:
    form = RoleForm()
    _offer(form)
    return _user_page(staff_id, form)


def _user_page(staff_id: uuid.UUID, form: RoleForm) -> str:
    own = current_principal()
    return render_template(
        "accounts/user.html",
        member=staff_queries.get_member(staff_id, own.scopes("staff.view")),
        form=form,
        is_own=staff_id == own.id,
        now=utc_now(),
        role_titles=rules.ROLE_TITLES,
    )


def _managed(staff_id: uuid.UUID, permission: str) -> tuple[str, ...]:
    """Paths in which the actor may change this account; an account partly outside them is not there."""
    paths = current_principal().scopes(permission)
    staff_queries.get_member(staff_id, paths)
    return paths


@bp.post("/users/<uuid:staff_id>/roles")
@bureau("roles.manage")
def grant_role(staff_id: uuid.UUID) -> Page:
    paths, form = _managed(staff_id, "roles.manage"), RoleForm()
    _offer(form)
    if not form.validate():
        return _user_page(staff_id, form), 422
    try:
        with transaction():
            services.grant_role(
                staff_id,
                role=form.role.data,
                organisation_id=uuid.UUID(form.organisation_id.data),
                actor=current_actor(),
                paths=paths,
                now=utc_now(),
            )
    except AppError as error:
        status = show_refusal(form, error)
        return _user_page(staff_id, form), status
    flash(_("已授予角色。"), "success")
    return redirect(url_for("accounts_admin.user", staff_id=staff_id))


@bp.post("/users/<uuid:staff_id>/roles/<uuid:role_id>/revoke")
@bureau("roles.manage")
def revoke_role(staff_id: uuid.UUID, role_id: uuid.UUID) -> Response:
    paths = _managed(staff_id, "roles.manage")
    with transaction():
        services.revoke_role(staff_id, role_id, actor=current_actor(), paths=paths, now=utc_now())
    flash(_("已收回角色。"), "success")
    return redirect(url_for("accounts_admin.user", staff_id=staff_id))


@bp.post("/users/<uuid:staff_id>/active")
@bureau("staff.manage")
def set_active(staff_id: uuid.UUID) -> Response:
    """Stop an account (``is_active=0``) or let it in again."""
    _managed(staff_id, "staff.manage")
    is_active = request.form.get("is_active") == "1"
    with transaction():
        services.set_active(staff_id, is_active=is_active, actor=current_actor(), now=utc_now())
    flash(_("账号已启用。") if is_active else _("账号已停用，登录都已退出。"), "success")
    return redirect(url_for("accounts_admin.user", staff_id=staff_id))


@bp.post("/users/<uuid:staff_id>/reset-password")
@bureau("staff.manage")
def reset_password(staff_id: uuid.UUID) -> str:
    _managed(staff_id, "staff.manage")
    with transaction():
        first = services.reset_password(staff_id, actor=current_actor(), now=utc_now())
    return _first_password_page(first)


@bp.post("/users/<uuid:staff_id>/unlock")
@bureau("staff.manage")
def unlock(staff_id: uuid.UUID) -> Response:
    _managed(staff_id, "staff.manage")
    with transaction():
        services.unlock_staff(staff_id, actor=current_actor(), now=utc_now())
    flash(_("已解锁，可以重新登录。"), "success")
    return redirect(url_for("accounts_admin.user", staff_id=staff_id))
