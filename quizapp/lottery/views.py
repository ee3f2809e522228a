"""Pages of the draw: the packet and its outcome, the fixed reward, the check of fairness."""

import datetime as dt
import json
import uuid
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, Response, current_app, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from quizapp.accounts import services as account_services
from quizapp.accounts.queries import get_profile
from quizapp.accounts.rules import is_minor
from quizapp.core.clock import day_end, utc_now
from quizapp.core.errors import NotFound
from quizapp.ledger.queries import sum_for_source
from quizapp.lottery import pool_views, proof, queries, services
from quizapp.lottery.api import draw_own_ticket, proof_body
from quizapp.lottery.errors import ProfileIncomplete
from quizapp.lottery.proof.bundle import checker as checker_text
from quizapp.payouts.queries import find_by_source
from quizapp.web.access import citizen, current_principal, public, wants_json
from quizapp.web.api import json_response
from quizapp.web.ui import url_if

bp = Blueprint("lottery", __name__, template_folder="templates")
blueprints = (bp, pool_views.bp)
RAIL_WIDTH = 320
_MAX_DAYS_SHOWN = 60
_HEADS_SHOWN = 30


def _sequence() -> int:
    text = request.values.get("ticket", "1")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 1


def _points(attempt_id: uuid.UUID, citizen_id: uuid.UUID) -> int:
    return sum_for_source("citizen", str(citizen_id), "points", source_type="attempt", source_id=str(attempt_id))


@bp.get("/attempts/<uuid:attempt_id>/draw")
@citizen
def packet(attempt_id: uuid.UUID) -> str | BaseResponse:
    """The packet before the draw, its outcome after it; a refresh shows the same again."""
    citizen_id, sequence, now = current_principal().user_id, _sequence(), utc_now()
    campaign = queries.find_attempt_campaign(attempt_id, citizen_id)
    if campaign is None:
        raise NotFound
    ticket = queries.find_ticket(citizen_id, "attempt", attempt_id, sequence)
    if ticket is None:
        return redirect(url_for("lottery.fixed", attempt_id=attempt_id))
    shared = {
        "campaign": campaign,
        "campaign_url": url_if("campaigns.show", slug=campaign.slug) or "/",
        "points": _points(attempt_id, citizen_id),
        "next_url": _next_url(attempt_id, citizen_id, sequence),
    }
    if ticket.result is not None:
        return _outcome(ticket.result, shared)
    ends_at = services.ticket_end(ticket.campaign_id, ticket.granted_at)
    age_band = get_profile(citizen_id).age_band
    return render_template(
        "lottery/packet.html",
        **shared,
        attempt_id=attempt_id,
        ticket=ticket,
        ends_at=ends_at,
        is_over=ticket.state != "granted" or now >= ends_at,
        needs_age_band=age_band is None,
        is_excluded=is_minor(age_band) and not services.manifest_for(ticket.campaign_id)["allows_minors"],
        alias=services.alias_for(ticket.campaign_id, citizen_id),
        result_url=url_if("attempts.result", attempt_id=attempt_id) or shared["campaign_url"],
    )


def _next_url(attempt_id: uuid.UUID, citizen_id: uuid.UUID, sequence: int) -> str:
    """The page of the next ticket of the same attempt, if there is one."""
    following = queries.find_ticket(citizen_id, "attempt", attempt_id, sequence + 1)
    return url_for("lottery.packet", attempt_id=attempt_id, ticket=sequence + 1) if following else ""


def _outcome(result: queries.DrawResult, shared: dict[str, Any]) -> str:
    verify_url = url_for("lottery.verify", slug=shared["campaign"].slug, draw=result.draw_id)
    if not result.is_won or result.win_id is None:
        reason = json.loads(queries.get_proof(result.draw_id).record)["reason"]
        return render_template("lottery/none.html", **shared, result=result, reason=reason, verify_url=verify_url)
    payout = find_by_source("win", result.win_id)
    return render_template("lottery/win.html", **shared, result=result, payout=payout, verify_url=verify_url)


@bp.post("/attempts/<uuid:attempt_id>/draw")
@citizen
def draw(attempt_id: uuid.UUID) -> BaseResponse:
    """Make the draw, then show it: the outcome is fixed before anything moves."""
    sequence = _sequence()
    target = url_for("lottery.packet", attempt_id=attempt_id, ticket=sequence)
    try:
        draw_own_ticket(attempt_id, sequence)
    except ProfileIncomplete:
        if wants_json():
            raise
    if wants_json():
        return json_response({"location": target})
    return redirect(target, 303)


@bp.get("/attempts/<uuid:attempt_id>/reward")
@citizen
def fixed(attempt_id: uuid.UUID) -> str:
    """What an attempt has brought where there is no draw for this person."""
    citizen_id = current_principal().user_id
    campaign = queries.find_attempt_campaign(attempt_id, citizen_id)
    if campaign is None:
        raise NotFound
    return render_template(
        "lottery/fixed.html",
        campaign=campaign,
        campaign_url=url_if("campaigns.show", slug=campaign.slug) or "/",
        points=_points(attempt_id, citizen_id),
        is_minor=is_minor(get_profile(citizen_id).age_band),
    )


@bp.get("/campaigns/<slug>/verify")
@public
def verify(slug: str) -> str:
    """Seals, secrets and ledgers of a campaign's draws; with ``?draw=`` also the receipt of one draw."""
    pool = queries.get_pool(slug)
    manifest = json.loads(pool.manifest)
    receipt = _asked_receipt(pool.id)
    record = json.loads(receipt.record) if receipt else None
    days = queries.list_days(pool.id)
    return render_template(
        "lottery/verify.html",
        pool=pool,
        manifest=manifest,
        tiers=_tiers(manifest, record),
        receipt=receipt,
        record=record,
        days=days,
        revealed=[day for day in reversed(days) if day.secret and day.reveal_record][:_MAX_DAYS_SHOWN],
        reveal_by=_reveal_by(receipt),
        campaign_url=url_if("campaigns.show", slug=slug) or "/",
        rail_width=RAIL_WIDTH,
        has_more_rules=_has_more_rules(manifest),
        has_specification=_specification_path().exists(),
    )


def _asked_receipt(pool_id: uuid.UUID) -> queries.DrawProof | None:
    try:
        receipt = queries.get_proof(uuid.UUID(request.args.get("draw", "")))
    except (ValueError, NotFound):
        return None
    return receipt if receipt.pool.id == pool_id else None


def _reveal_by(receipt: queries.DrawProof | None) -> dt.datetime | None:
    """The moment by which the secret of a receipt's day is published: when its last ticket has ended."""
    if receipt is None or receipt.day.on is None:
        return None
    hours = json.loads(receipt.pool.manifest)["ticket_hours"]
    return day_end(receipt.day.on) + dt.timedelta(hours=hours)


def _has_more_rules(manifest: dict[str, Any]) -> bool:
    """Whether more than odds and quantities decides: pacing, quotas, random amounts, a fallback, returns."""
    if manifest["version"] == proof.FIRST:
        return False
    of_prizes = any(prize[name] for prize in manifest["prizes"] for name in ("paced", "per_day", "per_hour", "max_fen"))
    return bool(of_prizes or manifest["segments"] or manifest["returns"] or manifest["fallback"] is not None)


def _tiers(manifest: dict[str, Any], record: dict[str, Any] | None) -> list[dict[str, Any]]:
    """The stretches of positions of the prizes, in the manifest's order, with what the drawing needs."""
    tiers, low = [], 0
    for index, prize in enumerate(manifest["prizes"]):
        high = low + prize["odds_ppm"]
        hit = record is not None and low <= record["position"] < high
        tiers.append(
            {
                "prize": prize,
                "low": low,
                "high": high - 1,
                "is_hit": hit,
                "x": round(RAIL_WIDTH * low / proof.PPM, 2),
                "width": round(RAIL_WIDTH * prize["odds_ppm"] / proof.PPM, 2),
                "colour": ("#8a4310", "#1f5666", "#d8a13f", "#4a7c59")[index % 4],
            }
        )
        low = high
    return tiers


@bp.get("/draws/<uuid:draw_id>/receipt")
@public
def receipt(draw_id: uuid.UUID) -> Response:
    """The receipt of a draw as a file to keep."""
    body = proof_body(queries.get_proof(draw_id))
    text = json.dumps(body, ensure_ascii=False, indent=2)
    headers = {"Content-Disposition": f'attachment; filename="draw-receipt-{body["serial"]}.json"'}
    return Response(text, mimetype="application/json", headers=headers)


@bp.get("/wins/<uuid:win_id>/receipt")
@citizen
def win_receipt(win_id: uuid.UUID) -> BaseResponse:
    """From a prize to the check of the draw that won it."""
    win = queries.get_own_win(win_id, current_principal().user_id)
    if win.draw_id is None:
        return redirect(url_for("pool_draws.show", slug=win.campaign.slug, pool_draw_id=win.pool_draw_id))
    return redirect(url_for("lottery.verify", slug=win.campaign.slug, draw=win.draw_id))


@bp.get("/draws/<uuid:draw_id>/ledger")
@public
def own_lines(draw_id: uuid.UUID) -> str:
    """One's own lines in the public ledger, with their places in the chain."""
    receipt = queries.get_proof(draw_id)
    record = json.loads(receipt.record)
    lines = queries.list_own_lines(receipt)
    return render_template(
        "lottery/own_lines.html",
        receipt=receipt,
        record=record,
        lines=[(line, _around(line, record["alias"])) for line in lines],
        own_count=sum(line.is_own for line in lines),
        verify_url=url_for("lottery.verify", slug=receipt.pool.campaign.slug, draw=draw_id),
    )


def _around(line: queries.LedgerLine, alias: str) -> list[tuple[str, bool]]:
    """The text of a record in pieces: its own parts are true. Of a list of tickets only the own entries are shown."""
    body = line.body
    if line.kind == "tickets" and line.is_own:
        entries = [entry for entry in json.loads(body)["tickets"] if entry["alias"] == alias]
        body = "…".join(["", *(proof.canonical(entry) for entry in entries), ""])
    elif line.kind == "tickets":
        body = body[:80] + "…"
    pieces = body.split(alias)
    marked = [(alias, True)] * (len(pieces) - 1)
    return [piece for pair in zip([(piece, False) for piece in pieces], [*marked, ("", False)], strict=True) for piece in pair if piece[0]]


@bp.get("/draws/heads")
@public
def heads() -> str:
    """The public list of chain heads: what witnesses keep."""
    text = request.args.get("before", "")
    before = int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None
    found = queries.list_newest_heads(before=before, limit=_HEADS_SHOWN + 1)
    return render_template(
        "lottery/heads.html", heads=found[:_HEADS_SHOWN], older=found[_HEADS_SHOWN - 1].number if len(found) > _HEADS_SHOWN else None
    )


@bp.get("/draws/draw_check.py")
@public
def checker() -> Response:
    """The checker: one file for Python's standard library, made of the very modules the server draws with."""
    return Response(checker_text(), mimetype="text/x-python", headers={"Content-Disposition": 'attachment; filename="draw_check.py"'})


@bp.get("/draws/draw-check.html")
@public
def browser_checker() -> Response:
    """The checker as a page: one file that works from disk, in any browser, without a network."""
    text = (Path(bp.root_path) / "checker" / "draw-check.html").read_text(encoding="utf-8")
    return Response(text, mimetype="text/html", headers={"Content-Disposition": 'attachment; filename="draw-check.html"'})


@bp.get("/draws/specification")
@public
def specification() -> Response:
    """The specification the checker follows, to the byte."""
    path = _specification_path()
    if not path.exists():
        raise NotFound
    return Response(path.read_text(encoding="utf-8"), mimetype="text/plain")


def _specification_path() -> Path:
    return Path(current_app.root_path).parent / "docs" / "draw-proof.md"


def _short_seal(text: str) -> str:
    """A seal as one compares it by eye: its beginning and end, grouped by four."""
    return f"{text[:4]} {text[4:8]} … {text[-8:-4]} {text[-4:]}"


def _grouped(text: str) -> str:
    """A seal or nonce in full, grouped by four, so that it breaks across lines."""
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


def init_app(app: Flask) -> None:
    app.jinja_env.filters.update(short_seal=_short_seal, grouped=_grouped)
    if services.give_up_tickets not in account_services.on_delete:
        account_services.on_delete.append(services.give_up_tickets)
