"""The settlement sheet of a campaign, unit by unit: what came in, what is owed, what was handed over."""

import uuid

from flask import Blueprint, Response, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from quizapp.audit import services as audit
from quizapp.audit.actors import current_actor
from quizapp.core import pdf
from quizapp.core.clock import utc_now
from quizapp.core.db import transaction
from quizapp.core.errors import AppError, InvalidInput
from quizapp.core.money import parse_yuan
from quizapp.core.text import clean_line
from quizapp.payouts import queries, services, statements
from quizapp.web.access import bureau, current_principal

bp = Blueprint("settlement_admin", __name__, url_prefix="/admin/settlement", template_folder="templates")
MAX_FEN = 100_000_000_00
STATE_TITLES = {"waiting": "待复核", "posted": "已入账", "refused": "已退回"}
KIND_TITLES = {"deposit": "存入", "withdrawal": "退回单位"}


def _review_above_fen() -> int:
    return int(current_app.config["CASH_REVIEW_ABOVE_FEN"])


@bp.get("")
@bureau("budgets.view")
def index() -> str:
    """Campaigns with prizes, with what each has and owes; shortages first."""
    facts = queries.list_campaign_facts(current_principal().scopes("budgets.view"))
    rows = [(each, queries.list_accounts(each.id)) for each in facts]
    rows.sort(key=lambda row: not any(account.sums.is_short for account in row[1]))
    return render_template("payouts/admin_settlements.html", rows=rows, now=utc_now())


@bp.get("/<uuid:campaign_id>")
@bureau("budgets.view")
def show(campaign_id: uuid.UUID) -> str:
    principal = current_principal()
    facts = queries.get_campaign_facts(campaign_id, principal.scopes("budgets.view"))
    return render_template(
        "payouts/admin_settlement.html",
        campaign=facts,
        accounts=queries.list_accounts(campaign_id),
        may_edit=principal.covers("budgets.edit", facts.host_path),
        may_review=principal.covers("payouts.review", facts.host_path),
        review_above_fen=_review_above_fen(),
        state_titles=STATE_TITLES,
        kind_titles=KIND_TITLES,
        me=principal.id,
        now=utc_now(),
    )


@bp.post("/<uuid:campaign_id>/moves")
@bureau("budgets.edit")
def enter(campaign_id: uuid.UUID) -> BaseResponse:
    """Enter money a unit brings or takes back."""
    principal = current_principal()
    back = redirect(url_for(".show", campaign_id=campaign_id), 303)
    document = clean_line(request.form.get("document", ""), 60)
    kind = request.form.get("kind", "")
    try:
        amount_fen = parse_yuan(request.form.get("amount", ""))
        organisation_id = uuid.UUID(request.form.get("unit", ""))
    except ValueError:
        amount_fen, organisation_id = 0, uuid.UUID(int=0)
    if not 0 < amount_fen <= MAX_FEN or not document or kind not in KIND_TITLES:
        flash(_("请填金额（元，最多两位小数）、凭证号，选好单位和存入、退回。"), "error")
        return back
    try:
        with transaction():
            state = services.enter_money(
                campaign_id=campaign_id,
                organisation_id=organisation_id,
                kind=kind,
                amount_fen=amount_fen,
                document=document,
                note=clean_line(request.form.get("note", ""), 100),
                staff_id=principal.user_id,
                paths=principal.scopes("budgets.edit"),
                review_above_fen=_review_above_fen(),
                actor=current_actor(),
                now=utc_now(),
            )
    except AppError as error:
        if error.http_status in (403, 404):
            raise
        flash(error.message, "error")
    else:
        flash(_("已入账。") if state == "posted" else _("登记好了，等另一位复核后入账。"), "success")
    return back


@bp.post("/moves/<uuid:move_id>")
@bureau("payouts.review")
def decide(move_id: uuid.UUID) -> BaseResponse:
    """Agree to money somebody else entered, or refuse it."""
    principal, agrees = current_principal(), request.form.get("agrees") == "1"
    campaign_id = services.find_move_campaign(move_id)
    try:
        with transaction():
            services.decide_money(
                move_id=move_id,
                agrees=agrees,
                staff_id=principal.user_id,
                paths=principal.scopes("payouts.review"),
                actor=current_actor(),
                now=utc_now(),
            )
    except AppError as error:
        if error.http_status == 404:
            raise
        flash(error.message, "error")
    else:
        flash(_("复核通过，已入账。") if agrees else _("已退回，没有入账。"), "success")
    return redirect(url_for(".show", campaign_id=campaign_id), 303)


@bp.post("/items/<uuid:item_id>")
@bureau("budgets.edit")
def assign(item_id: uuid.UUID) -> BaseResponse:
    """Say whose money pays for a prize from now on."""
    try:
        organisation_id = uuid.UUID(request.form.get("unit", ""))
    except ValueError:
        raise InvalidInput(fields={"unit": _("请选一个单位。")}) from None
    with transaction():
        campaign_id = services.assign_item(
            item_id=item_id,
            organisation_id=organisation_id,
            paths=current_principal().scopes("budgets.edit"),
            actor=current_actor(),
            now=utc_now(),
        )
    flash(_("改好了，以后中的由这个单位出。"), "success")
    return redirect(url_for(".show", campaign_id=campaign_id), 303)


@bp.post("/<uuid:campaign_id>/file")
@bureau("budgets.view")
def export(campaign_id: uuid.UUID) -> BaseResponse:
    """One unit's statement as xlsx or PDF."""
    chosen = request.form.get("format", "xlsx")
    facts = queries.get_campaign_facts(campaign_id, current_principal().scopes("budgets.view"))
    try:
        account = queries.get_account(campaign_id, uuid.UUID(request.form.get("unit", "")))
    except ValueError:
        raise InvalidInput(fields={"unit": _("请选一个单位。")}) from None
    return send_statement(facts, account, chosen, url_for(".show", campaign_id=campaign_id))


def send_statement(facts: queries.CampaignFacts, account: queries.Account, chosen: str, back: str) -> BaseResponse:
    """A statement as a download, audited; without a font on the server the PDF is refused in words."""
    moment = utc_now()
    try:
        data = statements.as_pdf(facts, account, moment) if chosen == "pdf" else statements.as_xlsx(facts, account, moment)
    except pdf.NoChineseFont as error:
        flash(error.message, "error")
        return redirect(back, 303)
    with transaction():
        audit.record(
            "budget.statement_exported",
            actor=current_actor(),
            target_type="budget",
            target_id=account.budget_id or facts.id,
            target_name=facts.title,
            organisation_path=facts.host_path,
            changes={"organisation": account.party.name, "format": chosen},
            now=moment,
        )
    ending = "pdf" if chosen == "pdf" else "xlsx"
    mimetype = pdf.MIMETYPE if chosen == "pdf" else statements.XLSX
    return Response(data, mimetype=mimetype, headers={"Content-Disposition": f'attachment; filename="settlement-{facts.slug}.{ending}"'})
