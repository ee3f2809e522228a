"""The bureau's side after the draw: objections to notices, winners out of reach, working days."""

import datetime as dt
import uuid
from collections.abc import Callable

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from quizapp.audit.actors import current_actor
from quizapp.core.clock import shanghai_day, utc_now
from quizapp.core.db import transaction
from quizapp.core.errors import AppError, InvalidInput
from quizapp.core.text import clean_line
from quizapp.payouts import queries, rules, services
from quizapp.payouts.queries import notices
from quizapp.web.access import bureau, current_principal
from quizapp.web.pagination import page_number, paginate

bp = Blueprint("payouts_after_admin", __name__, url_prefix="/admin", template_folder="templates")
STATES = ("open", "done")


def _try(work: Callable[[], str], back: str) -> Response:
    """Do something and go back; a refusal is told there."""
    try:
        with transaction():
            message = work()
    except AppError as error:
        if error.http_status in (403, 404):
            raise
        flash(next(iter(error.fields.values())) if isinstance(error, InvalidInput) and error.fields else error.message, "error")
    else:
        flash(message, "success")
    return redirect(back, 303)


# ---- objections


@bp.get("/objections")
@bureau("objections.answer")
def objections() -> str:
    """What people object to, the one to be answered first on top."""
    state = request.args.get("state", "open")
    statement = notices.select_objections(current_principal().scopes("objections.answer"), state if state in STATES else "")
    return render_template(
        "payouts/admin_objections.html",
        page=paginate(statement, page_number(), is_scalar=False),
        state=state,
        today=shanghai_day(utc_now()),
        reply_days=rules.OBJECTION_REPLY_DAYS,
    )


@bp.get("/objections/<uuid:objection_id>")
@bureau("objections.answer")
def objection(objection_id: uuid.UUID) -> str:
    case = notices.get_objection_case(objection_id, current_principal().scopes("objections.answer"))
    return render_template(
        "payouts/admin_objection.html",
        case=case,
        objection=case.objection,
        state_title=rules.state_title,
        holdable=rules.HOLDABLE_STATES,
        limits=rules.OBJECTION_LENGTH,
        today=shanghai_day(utc_now()),
    )


@bp.post("/objections/<uuid:objection_id>/replies")
@bureau("objections.answer")
def reply(objection_id: uuid.UUID) -> Response:
    """Answer in writing; the objector reads it under the number."""
    principal = current_principal()
    result = request.form.get("result", "")
    if result not in ("open", "upheld", "rejected"):
        raise InvalidInput(fields={"result": _("请选一项。")})

    def work() -> str:
        services.reply_to_objection(
            objection_id=objection_id,
            result=result,
            text=request.form.get("text", "")[:600].replace("\r\n", "\n"),
            staff_id=principal.user_id,
            paths=principal.scopes("objections.answer"),
            actor=current_actor(),
            now=utc_now(),
        )
        return str(_("答复写好了，提异议的人凭查询号能看到。"))

    return _try(work, url_for(".objection", objection_id=objection_id))


@bp.post("/objections/<uuid:objection_id>/hold/<uuid:payout_id>")
@bureau("objections.answer")
def hold(objection_id: uuid.UUID, payout_id: uuid.UUID) -> Response:
    """Hold the prize that an objection is about, or let it go on."""
    case = notices.get_objection_case(objection_id, current_principal().scopes("objections.answer"))
    if payout_id not in {payout.id for payout in case.payouts}:
        raise InvalidInput(fields={"payout": _("这份奖品和这条异议无关。")})

    def work() -> str:
        if request.form.get("release") == "1":
            services.release(payout_id, "objection", current_actor(), utc_now())
            return str(_("已恢复发放，领取时间顺延。"))
        services.hold(payout_id, "objection", current_actor(), utc_now())
        return str(_("已暂缓发放，本人能看到原因。"))

    return _try(work, url_for(".objection", objection_id=objection_id))


# ---- winners out of reach


@bp.post("/payouts/<uuid:payout_id>/contacts")
@bureau("payouts.desk")
def contact(payout_id: uuid.UUID) -> Response:
    """Write down a call."""

    def work() -> str:
        services.record_contact(
            payout_id=payout_id,
            note=clean_line(request.form.get("note", ""), 40),
            paths=current_principal().scopes("payouts.desk"),
            actor=current_actor(),
            now=utc_now(),
        )
        return str(_("记下了。"))

    return _try(work, url_for("payouts_admin.payout", payout_id=payout_id))


@bp.post("/payouts/<uuid:payout_id>/unreachable")
@bureau("payouts.desk")
def unreachable(payout_id: uuid.UUID) -> Response:
    """Give the prize of somebody up whom nobody could reach."""

    def work() -> str:
        services.give_up_unreachable(
            payout_id=payout_id, paths=current_principal().scopes("payouts.desk"), actor=current_actor(), now=utc_now()
        )
        return str(_("已按联系不上处理，奖品按活动规则去向处理。"))

    return _try(work, url_for("payouts_admin.payout", payout_id=payout_id))


# ---- working days


@bp.get("/workdays")
@bureau("objections.answer")
def workdays() -> str:
    """Days that are not what the week says."""
    return render_template("payouts/admin_workdays.html", changes=queries.list_workday_changes())


@bp.post("/workdays")
@bureau("objections.answer")
def set_workday() -> Response:
    """Enter a day, or let it be what the week says again."""
    try:
        day = dt.date.fromisoformat(request.form.get("day", ""))
    except ValueError:
        raise InvalidInput(fields={"day": _("请选一个日期。")}) from None

    def work() -> str:
        if request.form.get("clear") == "1":
            services.clear_workday(day=day, actor=current_actor(), now=utc_now())
            return str(_("已恢复按周几算。"))
        services.set_workday(
            day=day,
            is_working=request.form.get("working") == "1",
            note=clean_line(request.form.get("note", ""), 40),
            actor=current_actor(),
            now=utc_now(),
        )
        return str(_("记下了。"))

    return _try(work, url_for(".workdays"))
