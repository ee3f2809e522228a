"""Staff signing in, their password and second factor."""

import segno
from flask import current_app, flash, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from markupsafe import Markup
from werkzeug.wrappers import Response

from quizapp.accounts import seeds, services
from quizapp.accounts.admin_views.blueprint import bp
from quizapp.accounts.errors import TotpWrong
from quizapp.accounts.forms import PasswordForm, StaffSignInForm, TotpForm, show_refusal
from quizapp.accounts.models import StaffAccount
from quizapp.accounts.queries import staff as staff_queries
from quizapp.accounts.views import cookies
from quizapp.accounts.views.principals import is_demo_sign_in, needs_totp
from quizapp.audit.actors import current_actor
from quizapp.core.clock import utc_now
from quizapp.core.db import transaction
from quizapp.core.errors import AppError, Forbidden
from quizapp.web.access import current_principal, public, safe_next, staff
from quizapp.web.limits import check_rate
from quizapp.web.security import client_ip
from quizapp.web.ui import url_if

NEW_SECRET = "new_totp"  # noqa: S105 - the name of a key
Page = tuple[str, int] | Response


def staff_home() -> str:
    return url_if("admin.home") or url_for("accounts_admin.security")


@bp.route("/sign-in", methods=["GET", "POST"])
@public
def sign_in() -> Page:
    target = safe_next(request.args.get("next"), staff_home())
    if current_principal().is_staff:
        return redirect(target)
    form, status = StaffSignInForm(), 200
    if request.method == "POST":
        status = 422
        if form.validate():
            try:
                _sign_in(form)
                return redirect(target)
            except AppError as error:
                status = show_refusal(form, error)
    accounts = seeds.list_demo_accounts() if is_demo_sign_in() else []
    page = render_template(
        "accounts/staff_sign_in.html", form=form, accounts=accounts, demo_password=seeds.DEMO_PASSWORD if accounts else ""
    )
    return page, status


def _sign_in(form: StaffSignInForm) -> None:
    check_rate("staff-sign-in", client_ip(), 60, 60)
    now, token = utc_now(), ""
    with transaction():
        tried = services.sign_in_staff(
            cookies.vault(),
            username=form.username.data,
            password=form.password.data,
            totp=form.totp.data,
            is_demo=is_demo_sign_in(),
            now=now,
        )
        if tried.staff_id is not None:
            services.record_sign_in(tried.staff_id, current_actor().request_id, now)
            token = services.open_session(now=now, staff_id=tried.staff_id, device_label=cookies.browser_label())
    if tried.refusal is not None or tried.staff_id is None:
        raise tried.refusal or AppError
    cookies.begin_session("staff", tried.staff_id, token)


@bp.post("/sign-out")
@staff
def sign_out() -> Response:
    cookies.end_session()
    return redirect(url_for("accounts_admin.sign_in"))


# ---- own password and second factor


@bp.get("/security")
@staff
def security() -> str:
    """The own password and second factor; whoever lacks one gets no further."""
    return _security_page(PasswordForm(), TotpForm())


def _security_page(password_form: PasswordForm, totp_form: TotpForm) -> str:
    own = current_principal()
    account = staff_queries.get_account(own.user_id)
    secret = "" if account.totp_confirmed_at else _new_secret()
    return render_template(
        "accounts/staff_security.html",
        account=account,
        must_change=own.must_change,
        needs_totp=needs_totp(),
        password_form=password_form,
        totp_form=totp_form,
        secret=" ".join(secret[index : index + 4] for index in range(0, len(secret), 4)),
        qr_code=_qr_code(secret, account) if secret else "",
    )


def _new_secret() -> str:
    """A candidate for the second factor; the browser carries it, encrypted, until a code proves it."""
    now = utc_now()
    known = cookies.kept(NEW_SECRET, now)
    if known is not None:
        return str(known["secret"])
    secret = services.new_totp_secret()
    cookies.keep(NEW_SECRET, {"secret": secret}, now)
    return secret


def _qr_code(secret: str, account: StaffAccount) -> Markup:
    uri = services.totp_uri(secret, account.username, current_app.config["SITE_NAME"])
    drawing = segno.make(uri, error="m").svg_inline(scale=5, border=4, svgclass=None, lineclass=None, title=_("两步验证的二维码"))
    return Markup(drawing)  # noqa: S704 - drawn from our own text


@bp.post("/security/password")
@staff
def change_password() -> Page:
    form, own = PasswordForm(), current_principal()
    if not form.validate():
        return _security_page(form, TotpForm()), 422
    try:
        with transaction():
            refusal = services.change_password(
                own.user_id,
                old=form.old_password.data,
                new=form.new_password.data,
                actor=current_actor(),
                session_id=own.session_id,
                now=utc_now(),
            )
        if refusal is not None:
            raise refusal
    except AppError as error:
        status = show_refusal(form, error)
        return _security_page(form, TotpForm()), status
    flash(_("密码已改，其他设备上的登录都已退出。"), "success")
    return redirect(url_for("accounts_admin.security"))


@bp.post("/security/totp")
@staff
def confirm_totp() -> Page:
    """Take the shown secret as the second factor once a code proves it. Whoever has one already must ask a security
    administrator to reset it, so that a borrowed screen is not enough to replace it."""
    form, own, now = TotpForm(), current_principal(), utc_now()
    if staff_queries.get_account(own.user_id).totp_confirmed_at is not None:
        raise Forbidden
    known = cookies.kept(NEW_SECRET, now)
    status = 422
    if form.validate() and known is not None:
        try:
            with transaction():
                services.confirm_totp(
                    cookies.vault(), own.user_id, secret=known["secret"], code=form.totp.data, actor=current_actor(), now=now
                )
            session.pop(NEW_SECRET, None)
            flash(_("两步验证已开通。下次登录要填动态验证码。"), "success")
            return redirect(staff_home())
        except TotpWrong as error:
            status = show_refusal(form, error)
    return _security_page(PasswordForm(), form), status
