"""A citizen's prizes: claiming one, saying no to it. The winners' notices: ``notice_views``."""

import datetime as dt
import uuid
from typing import Any

import segno
from flask import Flask, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from markupsafe import Markup
from werkzeug.wrappers import Response

from quizapp.accounts import queries as accounts
from quizapp.accounts import services as account_services
from quizapp.accounts.rules import is_minor
from quizapp.core.clock import rfc3339, utc_now
from quizapp.core.db import transaction
from quizapp.core.text import N_
from quizapp.payouts import notice_views as _notice_views  # noqa: F401 - its views join the blueprint
from quizapp.payouts import queries, rules, services
from quizapp.payouts.blueprint import bp
from quizapp.payouts.errors import ClaimExpired, NoSuchPoint, NotClaimable, OnAList, UnderReview
from quizapp.payouts.models import Payout
from quizapp.web.access import citizen, current_principal
from quizapp.web.pagination import decode_id_cursor, encode_cursor

blueprints = (bp,)
PER_PAGE = 20
KIND_ICONS = {"cash": "packet", "code": "gift", "pickup": "bag", "points": "point"}


@bp.get("/me/prizes")
@citizen
def prizes() -> str:
    """Everything one has won, with what to do about it."""
    citizen_id = current_principal().user_id
    found = queries.list_own_prizes(citizen_id, before=decode_id_cursor(request.args.get("after")), limit=PER_PAGE + 1)
    shown = found[:PER_PAGE]
    return render_template(
        "payouts/prizes.html",
        prizes=shown,
        totals=queries.own_totals(citizen_id),
        more_url=url_for("payouts.prizes", after=encode_cursor(str(shown[-1].payout.id))) if len(found) > PER_PAGE else "",
        now=utc_now(),
        icons=KIND_ICONS,
        state_title=rules.state_title,
        is_too_late=rules.is_too_late,
    )


@bp.get("/me/prizes/<uuid:payout_id>")
@citizen
def claim(payout_id: uuid.UUID) -> str:
    """One prize: the form to claim it, then the code, the QR or where it stands."""
    payout = queries.get_own_payout(payout_id, current_principal().user_id)
    return render_template("payouts/claim.html", **_claim_context(payout))


def _claim_context(payout: Payout) -> dict[str, Any]:
    now = utc_now()
    campaign = queries.get_campaign_facts(payout.campaign_id) if payout.campaign_id else None
    is_late = rules.is_too_late(payout.state, payout.claim_deadline_at, now)
    events = [event for event in queries.list_events(payout.id) if event.from_state != event.to_state]
    pickup = queries.pickup_code(payout) if payout.state == "ready" and not is_late else None
    return {
        "payout": payout,
        "campaign": campaign,
        "is_late": is_late,
        "may_claim": payout.state in ("claimable", "returned") and not is_late,
        "state_word": rules.TITLES["expired"] if is_late else rules.state_title(payout.state, payout.kind),
        "code": queries.find_code(payout.id) if payout.kind == "code" and payout.state == "done" else None,
        "pickup_code": rules.shown_code(pickup) if pickup else None,
        "qr": pickup_qr(pickup) if pickup else None,
        "events": events,
        "event_words": EVENT_WORDS,
        "masked_phone": accounts.find_masked_phone(queries.vault(), payout.citizen_id),
        "may_publish": not is_minor(accounts.get_profile(payout.citizen_id).age_band),
        "icons": KIND_ICONS,
        "claim": queries.find_claim_terms(payout.campaign_id),
        "hold_words": rules.hold_words(payout.hold_reason) if payout.hold_reason else "",
        "has_refused": any(event.reason == "refused" for event in events),
        "may_certify": rules.may_certify(payout.source_type, payout.state),
        "may_refuse": payout.state in ("claimable", "returned", "ready") and not is_late,
        "now": now,
    }


EVENT_WORDS: dict[str, str] = {
    "claimable": N_("抽中"),
    "processing": N_("已申请领取"),
    "ready": N_("已申请领取，等您来取"),
    "done": N_("已完成"),
    "unknown": N_("发放结果还在核实，核实清楚前不会重发"),
    "returned": N_("没有发到，退回来了，可以再领"),
    "expired": N_("过了领取时间"),
    "forfeited": N_("已放弃"),
    "void": N_("已作废"),
    "held": N_("暂缓发放，正在核查"),
}


def pickup_qr(code: str) -> Markup:
    """The verification code as a QR drawing: the address of the desk page with the code, for a camera that opens links.
    Attributes only, no style, so that a strict policy needs no exception."""
    address = f"{current_app.config['PUBLIC_URL']}/admin/desk?code={code}"
    drawing = segno.make(address, error="m", micro=False).svg_inline(scale=5, border=2, omitsize=True, svgclass="qr", lineclass="qr-line")
    return Markup(drawing)  # noqa: S704 - drawn by segno from our own address


@bp.post("/me/prizes/<uuid:payout_id>")
@citizen
def claim_now(payout_id: uuid.UUID) -> Response:
    """Claim a prize; a second tap changes nothing."""
    citizen_id = current_principal().user_id
    try:
        with transaction():
            payout = services.claim_payout(
                payout_id=payout_id,
                citizen_id=citizen_id,
                now=utc_now(),
                is_phone_public=request.form.get("publicity") == "1",
                pickup_point=request.form.get("point", ""),
            )
    except (ClaimExpired, NotClaimable, UnderReview) as error:
        flash(error.message, "error")
    except NoSuchPoint:
        flash(_("请选一个领取点。"), "error")
    else:
        flash(_("领好了。") if payout.state == "done" else _("已经收到您的领取申请。"), "success")
    return redirect(url_for("payouts.claim", payout_id=payout_id), 303)


@bp.post("/me/prizes/<uuid:payout_id>/refusal")
@citizen
def refuse(payout_id: uuid.UUID) -> Response:
    """Say no to a prize; it goes where the rules of the campaign say."""
    try:
        with transaction():
            services.refuse_payout(payout_id=payout_id, citizen_id=current_principal().user_id, now=utc_now())
    except (NotClaimable, UnderReview, OnAList) as error:
        flash(error.message, "error")
    else:
        flash(_("好的，这份奖品您不要了。"), "success")
    return redirect(url_for("payouts.claim", payout_id=payout_id), 303)


@bp.post("/me/prizes/<uuid:payout_id>/certificate")
@citizen
def certificate(payout_id: uuid.UUID) -> Response:
    """Ask for a certificate of a win; a second time gives the same one."""
    now = utc_now()
    with transaction():
        services.certify_win(payout_id=payout_id, citizen_id=current_principal().user_id, now=now)
    flash(_("证书开好了，可以下载。"), "success")
    return redirect(url_for("certificates.index"), 303)


@bp.post("/me/prizes/<uuid:payout_id>/privacy")
@citizen
def withdraw_publicity(payout_id: uuid.UUID) -> Response:
    """Take one's masked number off the notice."""
    with transaction():
        services.withdraw_publicity(payout_id=payout_id, citizen_id=current_principal().user_id)
    flash(_("公示里已经不显示您的手机号了。"), "success")
    return redirect(url_for("payouts.claim", payout_id=payout_id), 303)


# ---- what the account package is told


def _claimable_words(citizen_id: uuid.UUID) -> str:
    count = queries.own_totals(citizen_id).claimable_count
    return _("%(n)s 个待领取", n=count) if count else ""


def _owed(citizen_id: uuid.UUID) -> str | None:
    open_ones = queries.list_open_payouts(citizen_id)
    return (
        _("还有 %(n)s 份奖品没有领完：%(names)s。", n=len(open_ones), names="、".join(p.title for p in open_ones[:3]))
        if open_ones
        else None
    )


def _give_up(citizen_id: uuid.UUID, now: dt.datetime) -> None:
    services.forfeit_payouts(citizen_id=citizen_id, now=now)


def _export(citizen_id: uuid.UUID) -> list[dict[str, Any]]:
    return [
        {
            "title": own.payout.title,
            "campaign": own.campaign_title,
            "kind": own.payout.kind,
            "amount_fen": own.payout.amount_fen,
            "points": own.payout.points,
            "state": own.payout.state,
            "alias": own.payout.reference,
            "won_at": rfc3339(own.payout.created_at),
            "claimed_at": rfc3339(own.payout.claimed_at),
            "done_at": rfc3339(own.payout.done_at),
        }
        for own in queries.list_own_prizes(citizen_id, limit=100_000)
    ]


def init_app(app: Flask) -> None:
    accounts.me_counts["payouts.prizes"] = _claimable_words
    if _owed not in account_services.on_delete_checks:
        account_services.on_delete_checks.append(_owed)
        account_services.on_delete.append(_give_up)
        account_services.export_parts.append(("prizes", _export))
