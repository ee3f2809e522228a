"""The bureau's side of pool draws: the list, one draw with what can be done about it, the ceremony on the big screen."""

import datetime as dt
import hashlib
import uuid
from collections.abc import Callable

import segno
from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from markupsafe import Markup
from werkzeug.wrappers import Response

from quizapp.audit.actors import current_actor
from quizapp.core.clock import parse_shanghai, utc_now
from quizapp.core.db import transaction
from quizapp.core.errors import AppError
from quizapp.lottery import pool_proof, pool_rules, pooldraw
from quizapp.lottery.errors import BadOutsideRecord
from quizapp.lottery.pool_views import asked_tier, input_word
from quizapp.lottery.pooldraw import OutsideEntry, queries
from quizapp.lottery.pooldraw.queries import PublicDraw
from quizapp.lottery.pooldraw.reserves import GONE_STATES
from quizapp.payouts import queries as payout_queries
from quizapp.payouts import rules as payout_rules
from quizapp.web.access import bureau, current_principal, require_scope
from quizapp.web.pagination import page_number, paginate

bp = Blueprint("pool_draws_admin", __name__, url_prefix="/admin", template_folder="templates")
PER_SCREEN = 36
MAX_DOCUMENT = 20_000_000
MOST_HOLDERS = 500


@bp.get("/pool-draws")
@bureau("campaigns.view")
def index() -> str:
    """Draws of one's campaigns: those that wait for somebody first."""
    paths = current_principal().scopes("campaigns.view")
    state = request.args.get("state", "")
    page = paginate(queries.select_staffed(paths, state if state in pool_rules.STATE_TITLES else ""), page_number(), is_scalar=False)
    return render_template(
        "lottery/admin_pool_draws.html",
        page=page,
        draws=[queries.as_public(row) for row in page.items],
        state=state,
        state_titles=pool_rules.STATE_TITLES,
        mode_titles=pool_rules.MODE_TITLES,
        now=utc_now(),
    )


@bp.get("/pool-draws/<uuid:pool_draw_id>")
@bureau("campaigns.view")
def show(pool_draw_id: uuid.UUID) -> str:
    return _page(queries.get_staffed(pool_draw_id, current_principal().scopes("campaigns.view")))


def _page(found: PublicDraw, error: str = "") -> str:
    principal, run = current_principal(), found.run
    waiting = queries.find_waiting_outside(run.id)
    holders = queries.list_holders(run.id, MOST_HOLDERS) if run.state == "drawn" else []
    last = {(win.tier, win.place): win.id for win, _payout in holders}
    return render_template(
        "lottery/admin_pool_draw.html",
        found=found,
        run=run,
        terms=found.terms,
        waiting=waiting,
        entered_by=payout_queries.staff_name(waiting.entered_by) if waiting else "",
        is_own_entry=waiting is not None and waiting.entered_by == principal.id,
        confirmed=queries.find_confirmed_outside(run.id) if run.is_outside else None,
        holders=holders,
        free={win.id for win, payout in holders if payout.state in GONE_STATES and last[win.tier, win.place] == win.id},
        has_reserve=queries.count_reserves_left(run.id) > 0 if run.state == "drawn" else False,
        reasons={code: pool_rules.REASONS[code] for code in pool_proof.PASS_REASONS},
        input_word=input_word(found),
        state_titles=pool_rules.STATE_TITLES,
        mode_titles=pool_rules.MODE_TITLES,
        payout_state=payout_rules.state_title,
        may_hold=principal.covers("draws.hold", found.host_path),
        may_confirm=principal.covers("draws.confirm", found.host_path),
        form=request.form,
        error=error,
        now=utc_now(),
    )


# ---- the ceremony


@bp.get("/pool-draws/<uuid:pool_draw_id>/ceremony")
@bureau("draws.hold")
def ceremony(pool_draw_id: uuid.UUID) -> str:
    """The big screen: list, digits, draw, tier by tier. Everything is decided by the button; what follows only shows it."""
    return _screen(queries.get_staffed(pool_draw_id, current_principal().scopes("draws.hold")))


def _screen(found: PublicDraw, error: str = "") -> str:
    run, number, tiers = found.run, asked_tier(), found.terms["tiers"]
    is_reserve = number == len(tiers) and found.terms["reserves"] > 0
    is_end = number > len(tiers) or (number == len(tiers) and not is_reserve)
    page, shown, count = page_number(), [], 0
    if run.state == "drawn" and not is_end:
        tier = None if is_reserve else number
        count = queries.count_tiers(run.id).get(tier, 0)
        shown = queries.list_tier(run.id, tier, PER_SCREEN, (page - 1) * PER_SCREEN)
    address = url_for("pool_draws.show", slug=found.campaign.slug, pool_draw_id=run.id)
    full = f"{current_app.config['PUBLIC_URL']}{address}"
    return render_template(
        "lottery/ceremony.html",
        found=found,
        run=run,
        terms=found.terms,
        number=number,
        page_number=page,
        is_reserve=is_reserve,
        is_end=is_end,
        tier=None if is_reserve or is_end else tiers[number],
        shown=shown,
        count=count,
        has_more=page * PER_SCREEN < count,
        masked=pool_rules.masked,
        input_word=input_word(found),
        qr=_qr(f"{full}#{run.list_hash or run.chain_head}"),
        public_url=full,
        steps=(_("冻结名单"), _("录入现场数"), _("摇号"), _("结果")),
        step=_step(run.state, is_end),
        error=error,
        now=utc_now(),
    )


def _step(state: str, is_end: bool) -> int:
    if state == "drawn":
        return 4 if is_end else 3
    return {"open": 1, "frozen": 2, "ready": 3}[state]


def _qr(text: str) -> Markup:
    drawing = segno.make(text, error="m", micro=False).svg_inline(scale=5, border=2, omitsize=True, svgclass="qr", lineclass="qr-line")
    return Markup(drawing)  # noqa: S704 - drawn by segno from our own address


def _locked_path(pool_draw_id: uuid.UUID, permission: str) -> PublicDraw:
    """The draw, if one may do this with it.

    :raises NotFound: outside one's subtrees
    """
    found = queries.get_staffed(pool_draw_id, current_principal().scopes(permission))
    require_scope(permission, found.host_path)
    return found


@bp.post("/pool-draws/<uuid:pool_draw_id>/input")
@bureau("draws.hold")
def take_input(pool_draw_id: uuid.UUID) -> Response | tuple[str, int]:
    """Take the digits said aloud, or the public figure, typed twice."""
    found = _locked_path(pool_draw_id, "draws.hold")
    try:
        with transaction():
            pooldraw.take_input(
                pool_draw_id=pool_draw_id,
                typed=request.form.get("typed", "")[:200],
                typed_again=request.form.get("typed_again", "")[:200],
                actor=current_actor(),
                organisation_path=found.host_path,
                now=utc_now(),
            )
    except AppError as refusal:
        return _screen(queries.get_public(pool_draw_id), refusal.message), refusal.http_status
    return redirect(url_for(".ceremony", pool_draw_id=pool_draw_id), 303)


@bp.post("/pool-draws/<uuid:pool_draw_id>/draw")
@bureau("draws.hold")
def draw(pool_draw_id: uuid.UUID) -> Response | tuple[str, int]:
    """Draw. A second press, here or on another screen, finds it done."""
    found = _locked_path(pool_draw_id, "draws.hold")
    try:
        with transaction():
            pooldraw.draw(pool_draw_id=pool_draw_id, actor=current_actor(), organisation_path=found.host_path, now=utc_now())
    except AppError as refusal:
        return _screen(queries.get_public(pool_draw_id), refusal.message), refusal.http_status
    return redirect(url_for(".ceremony", pool_draw_id=pool_draw_id), 303)


# ---- held elsewhere


@bp.post("/pool-draws/<uuid:pool_draw_id>/outside")
@bureau("draws.hold")
def enter_outside(pool_draw_id: uuid.UUID) -> Response | tuple[str, int]:
    """Enter the record of a draw held elsewhere."""
    found = _locked_path(pool_draw_id, "draws.hold")
    try:
        entry = _sent_record(found)
        with transaction():
            pooldraw.enter_outside(
                pool_draw_id=pool_draw_id,
                entry=entry,
                staff_id=current_principal().user_id,
                actor=current_actor(),
                organisation_path=found.host_path,
                now=utc_now(),
            )
    except AppError as refusal:
        return _page(queries.get_public(pool_draw_id), refusal.message), refusal.http_status
    flash(_("录好了，等另一个人确认。"), "success")
    return redirect(url_for(".show", pool_draw_id=pool_draw_id), 303)


def _sent_record(found: PublicDraw) -> OutsideEntry:
    """:raises BadOutsideRecord: without a document, or with a moment that is none"""
    form, file = request.form, request.files.get("document")
    raw = file.read(MAX_DOCUMENT + 1) if file else b""
    if not raw or len(raw) > MAX_DOCUMENT:
        raise BadOutsideRecord(_("请上传证明文件，最大 20 MB。"))
    try:
        held_at = parse_shanghai(form.get("held_at", ""))
    except ValueError:
        raise BadOutsideRecord(_("摇号时间写得不对。")) from None
    return OutsideEntry(
        place=form.get("place", "")[:100],
        witness=form.get("witness", "")[:100],
        held_at=held_at,
        document_hash=hashlib.sha256(raw).hexdigest(),
        document_name=(file.filename or "") if file else "",
        drawn=[_aliases(form.get(f"tier_{number}", "")) for number in range(len(found.terms["tiers"]))],
        reserves=_aliases(form.get("reserves", "")),
    )


def _aliases(text: str) -> list[str]:
    return [word.upper() for word in text.replace(",", " ").replace("，", " ").split()]


Decision = Callable[[PublicDraw, dt.datetime], object]


def _decide(pool_draw_id: uuid.UUID, permission: str, work: Decision, message: str) -> Response:
    """Do something about a draw and come back to it; a refusal is told there."""
    found = _locked_path(pool_draw_id, permission)
    try:
        with transaction():
            work(found, utc_now())
    except AppError as refusal:
        flash(refusal.message, "error")
    else:
        flash(message, "success")
    return redirect(url_for(".show", pool_draw_id=pool_draw_id), 303)


@bp.post("/pool-draws/<uuid:pool_draw_id>/outside/confirmation")
@bureau("draws.confirm")
def confirm_outside(pool_draw_id: uuid.UUID) -> Response:
    """Confirm what another person has entered."""

    def work(found: PublicDraw, now: dt.datetime) -> object:
        return pooldraw.confirm_outside(
            pool_draw_id=pool_draw_id,
            staff_id=current_principal().user_id,
            actor=current_actor(),
            organisation_path=found.host_path,
            now=now,
        )

    return _decide(pool_draw_id, "draws.confirm", work, _("已确认，中奖结果已经公布。"))


@bp.post("/pool-draws/<uuid:pool_draw_id>/outside/refusal")
@bureau("draws.confirm")
def refuse_outside(pool_draw_id: uuid.UUID) -> Response:
    """Send a record back."""

    def work(found: PublicDraw, now: dt.datetime) -> object:
        pooldraw.refuse_outside(
            pool_draw_id=pool_draw_id,
            staff_id=current_principal().user_id,
            actor=current_actor(),
            organisation_path=found.host_path,
            now=now,
        )
        return None

    return _decide(pool_draw_id, "draws.confirm", work, _("已退回，可以重新录入。"))


# ---- reserves


@bp.post("/pool-draws/<uuid:pool_draw_id>/substitutes")
@bureau("draws.hold")
def substitute(pool_draw_id: uuid.UUID) -> Response:
    """Give a place that is free to the next of the reserve list."""
    tier, place = (request.form.get(name, "") for name in ("tier", "place"))
    reason = request.form.get("reason", "")

    def work(found: PublicDraw, now: dt.datetime) -> object:
        return pooldraw.substitute(
            pool_draw_id=pool_draw_id,
            tier=int(tier) if tier.isdigit() else -1,
            place=int(place) if place.isdigit() else -1,
            reason=reason if reason in pool_proof.PASS_REASONS else "expired",
            actor=current_actor(),
            organisation_path=found.host_path,
            now=now,
        )

    return _decide(pool_draw_id, "draws.hold", work, _("已由候补名单里的下一位递补。"))
