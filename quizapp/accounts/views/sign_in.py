"""Signing in by phone and code, registering after the first round, and the guardian's consent under 14.

Nothing of a newcomer is stored before they have agreed: until then the browser carries their confirmed number, encrypted.
"""

import datetime as dt
import uuid
from dataclasses import asdict
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from quizapp.accounts import edge, queries, rules, services
from quizapp.accounts.errors import UnknownOrganisation
from quizapp.accounts.forms import GuardianForm, PhoneForm, RegisterForm, SignInForm, show_refusal
from quizapp.accounts.views import cookies
from quizapp.accounts.views.blueprint import bp
from quizapp.accounts.views.codes import send_sign_in_code
from quizapp.core.clock import utc_now
from quizapp.core.crypto import mask_phone
from quizapp.core.db import transaction
from quizapp.core.errors import AppError
from quizapp.web.access import current_principal, public, safe_next
from quizapp.web.challenge import ChallengeRequired
from quizapp.web.limits import check_rate
from quizapp.web.security import client_ip
from quizapp.web.ui import url_if

PENDING_PHONE = "pending_phone"
PENDING_CHILD = "pending_child"
Page = tuple[str, int] | Response


def home() -> str:
    return url_if("campaigns.home") or url_for("accounts.me")


def next_url() -> str:
    return safe_next(request.args.get("next"), home())


def steps() -> dict[str, Any]:
    """The query that goes along from step to step."""
    return {name: request.args[name] for name in ("next", "asks_organisation", "asks_age_band") if name in request.args}


def find_organisations(form: Any) -> list[tuple[str, str]]:
    """Choices of the unit picker: what the search found, and what is chosen already."""
    found = [(str(unit.id), unit.name) for unit in queries.search_organisations(form.org_q.data or "")] if "org_q" in form else []
    chosen = form.organisation.data if "organisation" in form else ""
    if chosen and chosen not in dict(found):
        try:
            unit = queries.get_organisation(uuid.UUID(chosen))
            found.insert(0, (chosen, unit.name))
        except (ValueError, AppError):
            pass
    return found


def parse_organisation(text: str) -> uuid.UUID | None:
    """:raises UnknownOrganisation: if it is neither empty nor an id"""
    try:
        return uuid.UUID(text) if text else None
    except ValueError:
        raise UnknownOrganisation from None


# ---- sign in


@bp.route("/sign-in", methods=["GET", "POST"])
@public
def sign_in() -> Page:
    if current_principal().is_citizen:
        return redirect(next_url())
    form, status = SignInForm(), 200
    if request.method == "POST":
        status = 422
        if form.validate():
            try:
                return _sign_in(form)
            except AppError as error:
                status = show_refusal(form, error)
    return _sign_in_page(form), status


def _sign_in(form: SignInForm) -> Response:
    check_rate("sign-in", client_ip(), 600, 60)
    now, phone = utc_now(), services.require_phone(form.phone.data)
    entered = edge.enter(phone=phone, code=form.code.data, now=now, device_label=cookies.browser_label(), takes_newcomers=False)
    if entered is None:
        services.check_may_return(cookies.vault(), phone, now)
        cookies.keep(PENDING_PHONE, {"phone": phone}, now)
        return redirect(url_for("accounts.register", **steps()))
    profile = entered.me.profile
    cookies.begin_session("citizen", profile.citizen_id, entered.token)
    if not profile.is_registered:
        return redirect(url_for("accounts.register", **steps()))
    return redirect(next_url())


def _sign_in_page(form: SignInForm, shown_code: str = "") -> str:
    return render_template("accounts/sign_in.html", form=form, query=steps(), shown_code=shown_code)


@bp.post("/sign-in/code")
@public
def send_sign_in() -> Page:
    """Send a code for the sign-in page of a browser without JavaScript."""
    form = SignInForm()
    shown_code, status = _send_code(form, form.phone.data, services.SIGN_IN)
    return _sign_in_page(form, shown_code), status


def _send_code(form: Any, phone: str, purpose: str) -> tuple[str, int]:
    try:
        sent = send_sign_in_code(services.require_phone(phone or ""), purpose, utc_now())
    except ChallengeRequired:
        raise
    except AppError as error:
        return "", show_refusal(form, error)
    if not sent.shown_code:
        flash(_("验证码已发送，请看短信。"), "success")
    return sent.shown_code, 200


@bp.post("/sign-out")
@public
def sign_out() -> Response:
    """End this browser's session."""
    if current_principal().is_citizen:
        cookies.end_session()
    return redirect(home())


# ---- register


@bp.route("/register", methods=["GET", "POST"])
@public
def register() -> Page:
    """Everything a newcomer is asked, at once. Query: ``next``, ``asks_organisation=1``, ``asks_age_band=0``."""
    now = utc_now()
    form, status = RegisterForm(), 200
    asked = _asked(now)
    if not asked:
        return redirect(next_url())
    form.ask_only(asked)
    if request.method == "POST" and not request.form.get("org_find"):
        status = 422
        if form.validate():
            try:
                return _register(form, now)
            except AppError as error:
                status = show_refusal(form, error)
    return _register_page(form, now), status


def _asked(now: dt.datetime) -> set[str]:
    """Names of the fields this visitor still has to fill; empty for somebody whose profile has all that is asked."""
    asks_age = request.args.get("asks_age_band") != "0"
    asks_unit = request.args.get("asks_organisation") == "1"
    unit = {"organisation", "org_q"} if asks_unit else set()
    newcomer = {"demographic_group", "region", "agree"} | unit | ({"age_band"} if asks_age else set())
    principal = current_principal()
    if not principal.is_citizen:
        return newcomer if cookies.kept(PENDING_PHONE, now) else newcomer | {"phone", "code"}
    profile = queries.get_profile(principal.user_id)
    has = {
        "demographic_group": profile.demographic_group is not None,
        "region": profile.region_code is not None,
        "agree": profile.consent_version is not None,
        "age_band": profile.age_band is not None,
        "organisation": profile.organisation_id is not None,
        "org_q": profile.organisation_id is not None,
    }
    return {name for name in newcomer if not has[name]}


def _register(form: RegisterForm, now: dt.datetime) -> Response:
    change = services.ProfileChange(
        demographic_group=form.value("demographic_group") or None,
        region_code=form.value("region") or None,
        age_band=form.value("age_band") or None,
        organisation_id=parse_organisation(form.value("organisation")),
        consent_version=services.CONSENT_VERSION if "agree" in form else None,
    )
    services.check_profile(change)
    principal = current_principal()
    if principal.is_citizen:
        return _complete(principal.user_id, change, now)
    phone = _confirmed_phone(form, now)
    services.check_may_return(cookies.vault(), phone, now)
    if services.needs_guardian(cookies.vault(), phone, change.age_band):
        return ask_guardian({"phone": phone}, change, now)
    with transaction():
        citizen_id = services.register_citizen(cookies.vault(), phone, change, now)
        token = services.open_session(now=now, citizen_id=citizen_id, device_label=cookies.browser_label())
    cookies.begin_session("citizen", citizen_id, token)
    return redirect(next_url())


def _complete(citizen_id: uuid.UUID, change: services.ProfileChange, now: dt.datetime) -> Response:
    """Fill in what somebody who is signed in has not told yet."""
    profile = queries.get_profile(citizen_id)
    if rules.is_under_14(change.age_band) and profile.guardian_confirmed_at is None:
        return ask_guardian({"citizen_id": str(citizen_id)}, change, now)
    with transaction():
        services.update_profile(citizen_id, change, now)
    return redirect(next_url())


def _confirmed_phone(form: RegisterForm, now: dt.datetime) -> str:
    """The number whose code was checked, now or at the step before."""
    pending = cookies.kept(PENDING_PHONE, now)
    if pending is not None:
        return str(pending["phone"])
    check_rate("sign-in", client_ip(), 600, 60)
    phone = services.require_phone(form.phone.data)
    with transaction():
        refusal = services.check_code(cookies.vault(), phone=phone, purpose=services.SIGN_IN, code=form.code.data, now=now)
    if refusal is not None:
        raise refusal
    cookies.keep(PENDING_PHONE, {"phone": phone}, now)
    return phone


def _register_page(form: RegisterForm, now: dt.datetime, shown_code: str = "") -> str:
    pending = cookies.kept(PENDING_PHONE, now)
    if pending is not None:
        form.ask_only({field.name for field in form} - {"phone", "code"})
    return render_template(
        "accounts/register.html",
        form=form,
        query=steps(),
        confirmed_phone=mask_phone(str(pending["phone"])) if pending else "",
        groups=[(group.code, group.name) for group in queries.list_groups()],
        regions=[(region.code, region.name) for region in queries.list_counties()],
        organisations=find_organisations(form),
        shown_code=shown_code,
        version=services.CONSENT_VERSION,
    )


@bp.post("/register/code")
@public
def send_register() -> Page:
    """Send a code for the registration page of a browser without JavaScript, keeping what was filled in."""
    now, form = utc_now(), RegisterForm()
    form.ask_only(_asked(now) | {"phone", "code"})
    shown_code, status = _send_code(form, PhoneForm().phone.data, services.SIGN_IN)
    return _register_page(form, now, shown_code), status


@bp.post("/register/another-number")
@public
def forget_pending() -> Response:
    """Start again with another number."""
    cookies.forget(PENDING_PHONE)
    return redirect(url_for("accounts.register", **steps()))


# ---- guardian


def ask_guardian(who: dict[str, str], change: services.ProfileChange, now: dt.datetime) -> Response:
    """Under 14: the browser carries what the child filled in until the guardian has agreed."""
    values = {**asdict(change), "organisation_id": str(change.organisation_id) if change.organisation_id else None}
    cookies.keep(PENDING_CHILD, {**who, "change": values}, now)
    return redirect(url_for("accounts.guardian", **steps()))


@bp.route("/guardian", methods=["GET", "POST"])
@public
def guardian() -> Page:
    """The guardian's consent, before anything of the child is stored."""
    now = utc_now()
    child = cookies.kept(PENDING_CHILD, now)
    if child is None:
        return redirect(url_for("accounts.register", **steps()))
    form, status = GuardianForm(), 200
    if request.method == "POST":
        status = 422
        if form.validate():
            try:
                return _confirm_guardian(form, child, now)
            except AppError as error:
                status = show_refusal(form, error)
    return _guardian_page(form), status


def _confirm_guardian(form: GuardianForm, child: dict[str, Any], now: dt.datetime) -> Response:
    values = child["change"]
    change = services.ProfileChange(**{**values, "organisation_id": parse_organisation(values["organisation_id"] or "")})
    guardian_phone = services.require_guardian_phone(form.guardian_phone.data, child.get("phone"))
    token, box = "", cookies.vault()
    with transaction():
        refusal = services.check_code(box, phone=guardian_phone, purpose=services.GUARDIAN, code=form.code.data, now=now)
        citizen_id = None
        if refusal is None and "phone" in child:
            citizen_id = services.register_citizen(box, child["phone"], change, now, guardian_phone=guardian_phone)
            token = services.open_session(now=now, citizen_id=citizen_id, device_label=cookies.browser_label())
        elif refusal is None:
            own = current_principal()
            if not own.is_citizen or str(own.id) != child["citizen_id"]:
                raise AppError
            services.confirm_guardian(box, own.user_id, guardian_phone, now)
            services.update_profile(own.user_id, change, now)
    if refusal is not None:
        raise refusal
    cookies.forget(PENDING_CHILD)
    if citizen_id is not None:
        cookies.begin_session("citizen", citizen_id, token)
    return redirect(next_url())


def _guardian_page(form: GuardianForm, shown_code: str = "") -> str:
    return render_template("accounts/guardian.html", form=form, query=steps(), shown_code=shown_code)


@bp.post("/guardian/code")
@public
def send_guardian() -> Page:
    """Send the guardian's code for a browser without JavaScript."""
    if cookies.kept(PENDING_CHILD, utc_now()) is None:
        return redirect(url_for("accounts.register", **steps()))
    form = GuardianForm()
    shown_code, status = _send_code(form, form.guardian_phone.data, services.GUARDIAN)
    return _guardian_page(form, shown_code), status
