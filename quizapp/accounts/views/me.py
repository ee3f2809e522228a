"""A citizen's own pages: profile, sessions, privacy, taking data away, leaving."""

import json
import uuid

from flask import Response as FileResponse
from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response

from quizapp.accounts import queries, services
from quizapp.accounts.errors import GuardianConsentRequired
from quizapp.accounts.forms import ProfileForm, show_refusal
from quizapp.accounts.queries import sessions as session_queries
from quizapp.accounts.views import cookies
from quizapp.accounts.views.blueprint import bp
from quizapp.accounts.views.sign_in import Page, ask_guardian, find_organisations, home, parse_organisation, steps
from quizapp.core.clock import utc_now
from quizapp.core.db import transaction
from quizapp.core.errors import AppError
from quizapp.web.access import citizen, current_principal, public, safe_next
from quizapp.web.ui import url_if

ME_LINKS = (
    ("payouts.prizes", "gift", _l("我的奖品")),
    ("attempts.history", "list", _l("答题记录")),
    ("ledger.points", "point", _l("积分明细")),
    ("certificates.index", "cert", _l("我的证书")),
    ("payouts.notices", "star", _l("中奖公示")),
    ("integrity.mine", "shield", _l("核查和申诉")),
)
"""Rows of the page 我的, shown where the application has the view."""


@bp.get("/me")
@citizen
def me() -> str:
    citizen_id = current_principal().user_id
    profile = queries.get_profile(citizen_id)
    group = queries.find_group(profile.demographic_group) if profile.demographic_group else None
    region = queries.find_region(profile.region_code) if profile.region_code else None
    links = [
        (url_if(endpoint), icon, title, queries.me_counts[endpoint](citizen_id) if endpoint in queries.me_counts else "")
        for endpoint, icon, title in ME_LINKS
        if url_if(endpoint)
    ]
    return render_template(
        "accounts/me.html",
        profile=profile,
        phone=queries.find_masked_phone(cookies.vault(), citizen_id),
        group=group,
        region=region,
        points=queries.point_balance_of(citizen_id),
        links=links,
    )


@bp.route("/me/profile", methods=["GET", "POST"])
@citizen
def edit_profile() -> Page:
    """Change one's details; ``?next=`` leads back to the page that asked for one."""
    profile = queries.get_profile(current_principal().user_id)
    region = queries.find_region(profile.region_code) if profile.region_code else None
    county = region.county_code if region else None
    form, status = ProfileForm(), 200
    if request.method == "GET":
        form.nickname.data, form.demographic_group.data = profile.nickname, profile.demographic_group
        form.region.data, form.age_band.data = county, profile.age_band
        form.town.data = profile.region_code if profile.region_code != county else ""
        form.organisation.data = str(profile.organisation_id or "")
    elif not request.form.get("org_find"):
        status = 422
        if form.validate():
            try:
                return _save_profile(form, profile.citizen_id)
            except AppError as error:
                status = show_refusal(form, error)
    page = render_template(
        "accounts/profile.html",
        form=form,
        query=steps(),
        back_url=_profile_next(),
        groups=[(group.code, group.name) for group in queries.list_groups()],
        regions=[(each.code, each.name) for each in queries.list_counties()],
        towns=[(each.code, each.name) for each in queries.list_regions(form.region.data)] if form.region.data else [],
        organisations=find_organisations(form),
        is_age_known=profile.age_band is not None,
    )
    return page, status


def _profile_next() -> str:
    return safe_next(request.args.get("next"), url_for("accounts.me"))


def _save_profile(form: ProfileForm, citizen_id: uuid.UUID) -> Response:
    """A town counts only below the county chosen with it."""
    town = queries.find_region(form.town.data) if form.town.data else None
    change = services.ProfileChange(
        nickname=form.nickname.data,
        demographic_group=form.demographic_group.data,
        region_code=town.code if town and town.county_code == form.region.data else form.region.data,
        age_band=form.age_band.data or None,
        organisation_id=parse_organisation(form.organisation.data),
        clears_organisation=not form.organisation.data,
    )
    try:
        with transaction():
            services.update_profile(citizen_id, change, utc_now())
    except GuardianConsentRequired:
        return ask_guardian({"citizen_id": str(citizen_id)}, change, utc_now())
    flash(_("已保存。以前的答题记录不变。"), "success")
    return redirect(_profile_next())


# ---- sessions


@bp.get("/me/sessions")
@citizen
def sessions() -> str:
    own = current_principal()
    found = session_queries.list_sessions(own.user_id, utc_now())
    return render_template("accounts/sessions.html", sessions=found, own_id=own.session_id)


@bp.post("/me/sessions/<uuid:session_id>/end")
@citizen
def end_one_session(session_id: uuid.UUID) -> Response:
    """End one of the own sessions; ending this one signs out."""
    own = current_principal()
    if session_id == own.session_id:
        cookies.end_session()
        return redirect(home())
    with transaction():
        services.end_citizen_session(own.user_id, session_id, utc_now())
    flash(_("已退出那台设备。"), "success")
    return redirect(url_for("accounts.sessions"))


@bp.post("/me/sessions/end-others")
@citizen
def end_other_sessions() -> Response:
    own = current_principal()
    with transaction():
        services.end_citizen_sessions(own.user_id, utc_now(), keep=own.session_id)
    flash(_("其他设备都已退出。"), "success")
    return redirect(url_for("accounts.sessions"))


# ---- privacy


@bp.get("/privacy")
@public
def privacy() -> str:
    """What is kept, why and how long; for a citizen also what they agreed to, export and deletion."""
    own = current_principal()
    consents = queries.list_consents(own.user_id) if own.is_citizen else []
    return render_template("accounts/privacy.html", consents=consents, version=services.CONSENT_VERSION)


@bp.get("/agreement")
@public
def agreement() -> str:
    return render_template("accounts/agreement.html", version=services.CONSENT_VERSION)


@bp.post("/me/consents/<purpose>/withdraw")
@citizen
def withdraw_consent(purpose: str) -> Response:
    """Withdraw a consent that is not needed for the account itself."""
    if purpose == queries.ACCOUNT:
        return redirect(url_for("accounts.delete_account"))
    with transaction():
        services.withdraw_consent(current_principal().user_id, purpose, utc_now())
    flash(_("已撤回同意。"), "success")
    return redirect(url_for("accounts.privacy"))


@bp.get("/me/export")
@citizen
def export_data() -> FileResponse:
    data = services.export_citizen(cookies.vault(), current_principal().user_id, utc_now())
    body = json.dumps(data, ensure_ascii=False, indent=1)
    return FileResponse(body, mimetype="application/json", headers={"Content-Disposition": 'attachment; filename="my-data.json"'})


@bp.route("/me/delete", methods=["GET", "POST"])
@citizen
def delete_account() -> Page:
    """Say what goes and what is still open; delete on POST."""
    citizen_id, refused = current_principal().user_id, ""
    if request.method == "POST":
        try:
            with transaction():
                services.delete_citizen(citizen_id, utc_now(), gives_up=request.form.get("gives_up") == "1")
            cookies.end_session()
            flash(_("账号已删除。谢谢您来学法。"), "success")
            return redirect(home())
        except AppError as error:
            refused = error.message
    page = render_template(
        "accounts/delete.html",
        reasons=services.list_open_claims(citizen_id),
        points=queries.point_balance_of(citizen_id),
        refused=refused,
    )
    return page, 409 if refused else 200
