"""The bureau's side of handing over: winners, code pools, cash lists, the desk."""

import uuid
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from quizapp.accounts import queries as accounts
from quizapp.accounts.rules import clean_phone
from quizapp.audit.actors import current_actor
from quizapp.core.clock import utc_now
from quizapp.core.db import transaction
from quizapp.core.errors import AppError, Forbidden, InvalidInput
from quizapp.payouts import files, queries, rules, services
from quizapp.payouts.after_admin_views import bp as after_bp
from quizapp.payouts.errors import WrongPickupCode
from quizapp.payouts.settlement_admin_views import bp as settlement_bp
from quizapp.web.access import bureau, current_principal
from quizapp.web.limits import check_rate
from quizapp.web.pagination import page_number, paginate

bp = Blueprint("payouts_admin", __name__, url_prefix="/admin", template_folder="templates")
blueprints = (bp, after_bp, settlement_bp)
MAX_UPLOAD = 1_000_000
MAX_CODES = 50_000
SHOWN_STATES = ("claimable", "processing", "ready", "done", "returned", "unknown", "expired")


def _uuid(name: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(request.args.get(name, ""))
    except ValueError:
        return None


def _review_above_fen() -> int:
    """Cash lists above this total need a second person; below zero (``CASH_REVIEW_ABOVE_FEN=-1``) none does."""
    return int(current_app.config["CASH_REVIEW_ABOVE_FEN"])


# ---- winners


def _asked(paths: tuple[str, ...]) -> tuple[queries.PayoutFilter, bool]:
    """The filter of the query string, and whether its search word can find anything at all."""
    word = request.args.get("q", "").strip()
    phone = clean_phone(word)
    citizen_id = accounts.find_citizen_by_phone(queries.vault(), phone) if phone else None
    state = request.args.get("state", "")
    wanted = queries.PayoutFilter(
        paths=paths,
        campaign_id=_uuid("campaign"),
        item_id=_uuid("item"),
        state=state if state in rules.MOVES else "",
        reference="" if phone else rules.plain_reference(word),
        citizen_id=citizen_id,
    )
    return wanted, not (phone and citizen_id is None) and not (word and not phone and not wanted.reference)


@bp.get("/payouts")
@bureau("payouts.view")
def index() -> str:
    """Winners and where their prizes are, within the reader's units."""
    paths = current_principal().scopes("payouts.view")
    wanted, can_match = _asked(paths)
    statement = queries.select_payouts(wanted)
    page = paginate(statement if can_match else statement.where(queries.NOTHING), page_number(), is_scalar=False)
    counts = queries.count_by_state(wanted)
    return render_template(
        "payouts/admin_index.html",
        page=page,
        wanted=wanted,
        counts=counts,
        total=sum(counts.values()),
        states=[state for state in SHOWN_STATES if counts.get(state) or state == wanted.state],
        campaigns=[(facts.id, facts.title) for facts in queries.list_campaign_facts(paths)],
        items=[(each.item.id, each.item.title) for each in queries.list_items(paths, campaign_id=wanted.campaign_id)],
        phones={payout.citizen_id: accounts.find_masked_phone(queries.vault(), payout.citizen_id) for payout, _title in page.items},
        state_title=rules.state_title,
        titles=rules.TITLES,
        kind_titles=rules.KIND_TITLES,
        is_too_late=rules.is_too_late,
        cash_waiting=queries.list_cash_waiting(paths),
        review_above_fen=_review_above_fen(),
        now=utc_now(),
    )


@bp.get("/payouts/<uuid:payout_id>")
@bureau("payouts.view")
def payout(payout_id: uuid.UUID) -> str:
    """One hand-over with everything that happened to it."""
    found = queries.get_case(payout_id, current_principal().scopes("payouts.view"))
    return render_template(
        "payouts/admin_payout.html",
        case=found,
        payout=found.payout,
        events=queries.list_events(payout_id),
        phone=accounts.find_masked_phone(queries.vault(), found.payout.citizen_id),
        handler=queries.staff_name(found.payout.handled_by),
        hold_words=rules.hold_words(found.payout.hold_reason),
        may_call=found.payout.state in rules.HOLDABLE_STATES and current_principal().covers("payouts.desk", found.host_path),
        calls=(rules.UNREACHABLE_CONTACTS, rules.UNREACHABLE_DAYS),
        state_title=rules.state_title,
        kind_titles=rules.KIND_TITLES,
        titles=rules.TITLES,
    )


# ---- items and their codes


@bp.get("/payouts/items")
@bureau("payouts.view")
def items() -> str:
    """Prizes by campaign: how many were won and handed over, how many codes are left."""
    paths = current_principal().scopes("payouts.view")
    return render_template("payouts/admin_items.html", items=queries.list_items(paths), kind_titles=rules.KIND_TITLES, now=utc_now())


@bp.get("/payouts/items/<uuid:item_id>")
@bureau("prizes.upload")
def item(item_id: uuid.UUID) -> str:
    """One prize and the form that fills its code pool."""
    return _item_page(item_id, "")


def _item_page(item_id: uuid.UUID, error: str) -> str:
    found = queries.get_item(item_id, current_principal().scopes("prizes.upload"))
    return render_template("payouts/admin_item.html", found=found, error=error, kind_titles=rules.KIND_TITLES)


@bp.post("/payouts/items/<uuid:item_id>")
@bureau("prizes.upload")
def upload_codes(item_id: uuid.UUID) -> str | tuple[str, int] | BaseResponse:
    """Fill a code pool from a text or CSV file, one code a line."""
    principal = current_principal()
    found = queries.get_item(item_id, principal.scopes("prizes.upload"))
    try:
        codes = _sent_codes()
    except InvalidInput as error:
        return _item_page(item_id, error.message), 422
    with transaction():
        result = services.upload_codes(
            item=found.item,
            codes=codes,
            staff_id=principal.user_id,
            organisation_path=found.host_path,
            actor=current_actor(),
            now=utc_now(),
        )
    flash(
        _(
            "新增 %(added)s 个，已有 %(known)s 个，补发 %(served)s 个。",
            added=result.added_count,
            known=result.known_count,
            served=result.served_count,
        ),
        "success",
    )
    return redirect(url_for("payouts_admin.item", item_id=item_id), 303)


def _sent_codes() -> list[str]:
    """:raises InvalidInput: for a file that is not text, holds no codes, or a line nobody could type"""
    file = request.files.get("file")
    raw = file.read(MAX_UPLOAD + 1) if file and file.filename else request.form.get("codes", "").encode()
    if len(raw) > MAX_UPLOAD:
        raise InvalidInput(fields={"file": _("文件太大，最多 1 MB，请分几次上传。")})
    try:
        codes = rules.read_codes(_decode(raw))
    except UnicodeDecodeError:
        raise InvalidInput(fields={"file": _("这不是文本文件。请存成 txt 或 csv 再上传。")}) from None
    except ValueError as error:
        raise InvalidInput(fields={"file": _("第 %(line)s 行不像兑换码，整个文件都没有导入。", line=str(error))}) from None
    if not codes or len(codes) > MAX_CODES:
        raise InvalidInput(fields={"file": _("没有找到兑换码。每行写一个。") if not codes else _("一次最多 50,000 个，请分几次上传。")})
    return codes


def _decode(raw: bytes) -> str:
    """UTF-8, or what Excel in Chinese saves."""
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("gb18030")


# ---- cash lists


@bp.get("/payouts/cash-lists")
@bureau("payouts.view")
def cash_lists() -> str:
    paths = current_principal().scopes("payouts.view")
    return render_template(
        "payouts/admin_cash_lists.html",
        page=paginate(queries.select_cash_lists(paths), page_number(), is_scalar=False),
        cash_waiting=queries.list_cash_waiting(paths),
        review_above_fen=_review_above_fen(),
    )


@bp.post("/payouts/cash-lists")
@bureau("payouts.handle")
def make_cash_list() -> BaseResponse:
    """Put everything that waits in one campaign on a new list."""
    principal = current_principal()
    try:
        campaign_id = uuid.UUID(request.form.get("campaign", ""))
    except ValueError:
        raise InvalidInput(fields={"campaign": _("请选一个活动。")}) from None

    def work() -> uuid.UUID:
        return services.make_cash_list(
            campaign_id=campaign_id,
            staff_id=principal.user_id,
            paths=principal.scopes("payouts.handle"),
            review_above_fen=_review_above_fen(),
            actor=current_actor(),
            now=utc_now(),
        ).id

    with transaction():
        cash_list_id = work()
    flash(_("名单做好了。"), "success")
    return redirect(url_for("payouts_admin.cash_list", cash_list_id=cash_list_id), 303)


@bp.get("/payouts/cash-lists/<uuid:cash_list_id>")
@bureau("payouts.view")
def cash_list(cash_list_id: uuid.UUID) -> str:
    principal = current_principal()
    found, facts = queries.get_cash_list(cash_list_id, principal.scopes("payouts.view"))
    rows = queries.list_cash_rows(cash_list_id)
    return render_template(
        "payouts/admin_cash_list.html",
        cash_list=found,
        campaign=facts,
        rows=rows,
        phones={row.citizen_id: accounts.find_masked_phone(queries.vault(), row.citizen_id) for row in rows},
        maker=queries.staff_name(found.created_by),
        reviewer=queries.staff_name(found.reviewed_by),
        is_waiting=found.needs_review and found.reviewed_at is None,
        may_review=principal.covers("payouts.review", facts.host_path) and found.created_by != principal.id,
        may_handle=principal.covers("payouts.handle", facts.host_path),
        may_unmask=principal.covers("phones.unmask", facts.host_path),
        state_title=rules.state_title,
    )


def _on_list(cash_list_id: uuid.UUID, work: Callable[[], str]) -> BaseResponse:
    """Do something to a list and come back to it; a refusal is told there."""
    try:
        with transaction():
            message = work()
    except AppError as error:
        if error.http_status in (403, 404):
            raise
        flash(error.message, "error")
    else:
        flash(message, "success")
    return redirect(url_for("payouts_admin.cash_list", cash_list_id=cash_list_id), 303)


@bp.post("/payouts/cash-lists/<uuid:cash_list_id>/review")
@bureau("payouts.review")
def review(cash_list_id: uuid.UUID) -> BaseResponse:
    """Agree to a list somebody else has made."""
    principal = current_principal()

    def work() -> str:
        services.review_cash_list(
            cash_list_id=cash_list_id,
            staff_id=principal.user_id,
            paths=principal.scopes("payouts.review"),
            actor=current_actor(),
            now=utc_now(),
        )
        return str(_("复核通过，可以发放了。"))

    return _on_list(cash_list_id, work)


@bp.post("/payouts/cash-lists/<uuid:cash_list_id>/file")
@bureau("payouts.handle")
def export(cash_list_id: uuid.UUID) -> BaseResponse:
    """The list as a file; whole phone numbers only with the permission and a typed reason."""
    principal, now = current_principal(), utc_now()
    chosen = request.form.get("format", "xlsx")
    if chosen not in files.FORMATS:
        raise InvalidInput(fields={"format": _("只有 xlsx 和 csv 两种格式。")})
    has_whole_phones = request.form.get("whole_phones") == "1"
    if has_whole_phones and not principal.may("phones.unmask"):
        raise Forbidden
    paths = principal.scopes("phones.unmask" if has_whole_phones else "payouts.handle")
    reason = request.form.get("reason", "") if has_whole_phones else None
    try:
        with transaction():
            found, facts, rows = services.export_rows(
                cash_list_id=cash_list_id, paths=paths, unmask_reason=reason, actor=current_actor(), now=now
            )
            data = files.cash_file(found, facts, rows, format=chosen, has_whole_phones=has_whole_phones, now=now)
    except AppError as error:
        if error.http_status in (403, 404):
            raise
        flash(error.message, "error")
        return redirect(url_for("payouts_admin.cash_list", cash_list_id=cash_list_id), 303)
    headers = {"Content-Disposition": f'attachment; filename="{found.number}.{chosen}"'}
    return Response(data, mimetype=files.FORMATS[chosen], headers=headers)


@bp.post("/payouts/cash-lists/<uuid:cash_list_id>/marks")
@bureau("payouts.handle")
def mark(cash_list_id: uuid.UUID) -> BaseResponse:
    """Write down what became of the chosen rows."""
    principal = current_principal()
    try:
        ids = [uuid.UUID(text) for text in request.form.getlist("payout")]
    except ValueError:
        raise InvalidInput(fields={"payout": _("请重新选择。")}) from None

    def work() -> str:
        count = services.mark_payouts(
            cash_list_id=cash_list_id,
            payout_ids=ids,
            result=request.form.get("result", ""),
            reason=request.form.get("reason", "")[:64],
            staff_id=principal.user_id,
            paths=principal.scopes("payouts.handle"),
            actor=current_actor(),
            now=utc_now(),
        )
        return str(_("已标记 %(n)s 笔。", n=count) if count else _("没有要改的行，请先勾选。"))

    return _on_list(cash_list_id, work)


# ---- the desk


@bp.get("/desk")
@bureau("payouts.desk")
def desk() -> str | tuple[str, int]:
    """Type or scan a code, see the prize and the masked citizen, then confirm."""
    code = request.args.get("code", "")[:40]
    if not code:
        return render_template("payouts/admin_desk.html", case=None, code="", error="")
    principal = current_principal()
    check_rate("desk", str(principal.user_id), 120, 60)
    try:
        found = queries.get_desk_case(code, principal.scopes("payouts.desk"))
    except WrongPickupCode as error:
        return render_template("payouts/admin_desk.html", case=None, code=code, error=error.message), 404
    return render_template("payouts/admin_desk.html", **_desk_context(found, code))


def _desk_context(found: queries.DeskCase, code: str) -> dict[str, Any]:
    payout = found.payout
    return {
        "case": found,
        "code": rules.plain_code(code),
        "error": "",
        "payout": payout,
        "phone": accounts.find_masked_phone(queries.vault(), payout.citizen_id),
        "nickname": accounts.get_profile(payout.citizen_id).nickname,
        "handler": queries.staff_name(payout.handled_by),
        "is_late": rules.is_too_late(payout.state, payout.claim_deadline_at, utc_now()),
        "state_title": rules.state_title,
    }


@bp.post("/desk")
@bureau("payouts.desk")
def hand_over() -> BaseResponse:
    """Hand a prize over, once."""
    principal, code = current_principal(), request.form.get("code", "")[:40]
    check_rate("desk", str(principal.user_id), 120, 60)
    try:
        with transaction():
            payout = services.hand_over(
                code=code, staff_id=principal.user_id, paths=principal.scopes("payouts.desk"), actor=current_actor(), now=utc_now()
            )
    except AppError as error:
        flash(error.message, "error")
    else:
        flash(_("已交给本人：%(title)s。", title=payout.title), "success")
    return redirect(url_for("payouts_admin.desk", code=code), 303)
