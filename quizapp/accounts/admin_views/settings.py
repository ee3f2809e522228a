"""What the installation is set to, the demographic groups and the organisations."""

import uuid
from typing import Any

from flask import current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response

from quizapp.accounts import queries, services
from quizapp.accounts.admin_views.blueprint import bp
from quizapp.accounts.admin_views.sign_in import Page
from quizapp.accounts.forms import GroupForm, OrganisationForm, show_refusal
from quizapp.audit.actors import current_actor
from quizapp.core.clock import utc_now
from quizapp.core.db import transaction
from quizapp.core.errors import AppError
from quizapp.core.text import clean_line
from quizapp.web.access import bureau, current_principal
from quizapp.web.pagination import page_number, paginate

SHOWN_SETTINGS: tuple[tuple[Any, tuple[tuple[Any, str], ...]], ...] = (
    (
        _l("站点"),
        (
            (_l("站点名称"), "SITE_NAME"),
            (_l("主办单位"), "HOST_NAME"),
            (_l("普法规划"), "PLAN_NAME"),
            (_l("规划年份"), "PLAN_YEARS"),
            (_l("公开地址"), "PUBLIC_URL"),
        ),
    ),
    (_l("备案和页脚"), ((_l("ICP 备案号"), "ICP_NUMBER"), (_l("公安备案号"), "PSB_NUMBER"), (_l("网站标识码"), "SITE_CODE"))),
    (_l("联系和投诉"), ((_l("服务热线"), "HOTLINE"), (_l("联系电话"), "CONTACT"), (_l("投诉建议入口"), "FEEDBACK_URL"))),
    (_l("运行"), ((_l("环境"), "ENVIRONMENT"), (_l("短信"), "SMS_SENDER"))),
)
"""Settings come from the environment and are only shown here; secrets are not among them."""


@bp.get("/settings")
@bureau("system.settings")
def settings() -> str:
    return _settings_page(GroupForm())


def _settings_page(form: GroupForm) -> str:
    config = current_app.config
    sections = [(title, [(label, name, config[name]) for label, name in rows]) for title, rows in SHOWN_SETTINGS]
    return render_template(
        "accounts/settings.html",
        sections=sections,
        groups=queries.list_groups(),
        form=form,
        region_count=len(queries.region_names()),
        county_count=sum(region.parent_code is not None for region in queries.list_counties()),
        has_organisations=current_principal().may("organisations.manage"),
    )


@bp.post("/settings/groups")
@bureau("system.settings")
def add_group() -> Page:
    form, status = GroupForm(), 422
    if form.validate():
        try:
            with transaction():
                services.add_group(form.code.data, form.name.data, actor=current_actor(), now=utc_now())
            flash(_("已增加一类人群。"), "success")
            return redirect(url_for("accounts_admin.settings"))
        except AppError as error:
            status = show_refusal(form, error)
    return _settings_page(form), status


@bp.post("/settings/groups/<code>")
@bureau("system.settings")
def rename_group(code: str) -> Response:
    with transaction():
        services.rename_group(clean_line(code, 32), request.form.get("name", ""), actor=current_actor(), now=utc_now())
    flash(_("名称已改，以前的统计跟着显示新名称。"), "success")
    return redirect(url_for("accounts_admin.settings"))


# ---- organisations


@bp.get("/organisations")
@bureau("organisations.manage")
def organisations() -> str:
    return _organisations_page(OrganisationForm())


def _paths() -> tuple[str, ...]:
    return current_principal().scopes("organisations.manage")


def _offer(form: OrganisationForm) -> None:
    form.parent_id.choices = [
        (str(unit.id), f"{'　' * (unit.path.count('/') - 2)}{unit.name}") for unit in queries.list_organisations(_paths())
    ]
    form.region_code.choices = [("", _("不填")), *((region.code, region.name) for region in queries.list_counties())]


def _organisations_page(form: OrganisationForm) -> str:
    _offer(form)
    q = clean_line(request.args.get("q", ""), 100)
    page = paginate(queries.organisations_in(_paths(), q), page_number(), 50)
    return render_template("accounts/organisations.html", page=page, q=q, form=form, regions=queries.region_names())


@bp.post("/organisations")
@bureau("organisations.manage")
def add_organisation() -> Page:
    form, status = OrganisationForm(), 422
    _offer(form)
    if form.validate():
        try:
            with transaction():
                services.add_organisation(
                    form.name.data,
                    uuid.UUID(form.parent_id.data),
                    actor=current_actor(),
                    paths=_paths(),
                    now=utc_now(),
                    region_code=form.region_code.data,
                    is_host=form.is_host.data,
                )
            flash(_("已增加单位。"), "success")
            return redirect(url_for("accounts_admin.organisations"))
        except AppError as error:
            status = show_refusal(form, error)
    return _organisations_page(form), status


@bp.post("/organisations/<uuid:organisation_id>/rename")
@bureau("organisations.manage")
def rename_organisation(organisation_id: uuid.UUID) -> Response:
    with transaction():
        services.rename_organisation(organisation_id, request.form.get("name", ""), actor=current_actor(), paths=_paths(), now=utc_now())
    flash(_("单位名称已改。"), "success")
    return redirect(url_for("accounts_admin.organisations"))


@bp.post("/organisations/<uuid:organisation_id>/active")
@bureau("organisations.manage")
def set_organisation_active(organisation_id: uuid.UUID) -> Response:
    is_active = request.form.get("is_active") == "1"
    with transaction():
        services.set_organisation_active(organisation_id, is_active=is_active, actor=current_actor(), paths=_paths(), now=utc_now())
    flash(_("单位已启用。") if is_active else _("单位已停用，市民不会再选到它。"), "success")
    return redirect(url_for("accounts_admin.organisations"))
