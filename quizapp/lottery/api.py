"""Draws, proofs, the public ledger and wins as JSON.

Proofs and ledgers are public: they hold pseudonyms and prizes, and what an outsider cannot see nobody need believe.
"""

import json
import uuid
from typing import Any

from flask import Response, stream_with_context, url_for

from quizapp.core.clock import rfc3339, utc_now
from quizapp.core.db import transaction
from quizapp.core.errors import NotFound
from quizapp.ledger.schemas import PageArgs
from quizapp.lottery import pool_api, queries, services
from quizapp.lottery.errors import DrawLater, NoTicket
from quizapp.lottery.export import ledger_lines
from quizapp.lottery.schemas import (
    ClaimArgs,
    DrawArgs,
    DrawSchema,
    HeadsArgs,
    HeadsSchema,
    LedgerArgs,
    LedgerSchema,
    ProofSchema,
    WinListSchema,
    WinSchema,
)
from quizapp.payouts import queries as payout_queries
from quizapp.payouts import rules as payout_rules
from quizapp.payouts import services as payouts
from quizapp.web.access import citizen, current_principal, public
from quizapp.web.api import Blueprint, json_response
from quizapp.web.limits import check_rate
from quizapp.web.pagination import decode_id_cursor, encode_cursor
from quizapp.web.security import client_ip

blp = Blueprint("lottery_api", __name__, url_prefix="/api/v1", description="抽奖、查验和奖品")
blueprints = (blp, pool_api.blp)


def draw_own_ticket(attempt_id: uuid.UUID, sequence: int) -> queries.DrawResult:
    """Draw for the citizen who asks; page and API share it.

    :raises NotFound: if the attempt is somebody else's or nobody's
    :raises NoTicket: if it is one's own and has no such ticket
    :raises DrawLater: if what it brought is a place in a draw to come
    """
    citizen_id = current_principal().user_id
    try:
        with transaction():
            return services.draw_ticket(
                citizen_id=citizen_id, source_type="attempt", source_id=attempt_id, sequence=sequence, now=utc_now()
            )
    except NoTicket:
        if not queries.is_own_attempt(attempt_id, citizen_id):
            raise NotFound from None
        if sequence == 1 and queries.waits_for_pool_draw(attempt_id):
            raise DrawLater from None
        raise


@blp.route("/attempts/<uuid:attempt_id>/draws", methods=["POST"])
@blp.arguments(DrawArgs)
@blp.response(200, DrawSchema)
@blp.alt_response(409, description="no_ticket, ticket_expired, ticket_void, draw_later, profile_incomplete, minor_excluded")
@citizen
def draw(args: dict[str, Any], attempt_id: uuid.UUID) -> Response:
    """抽一次奖；同一次机会再要还是同样的结果"""
    return json_response(_draw_body(draw_own_ticket(attempt_id, args["ticket"])))


def _draw_body(result: queries.DrawResult) -> dict[str, Any]:
    return {
        "draw_id": str(result.draw_id),
        "outcome": result.outcome,
        "prize": _prize_body(result),
        "win_id": str(result.win_id) if result.win_id else None,
        "alias": result.alias,
        "serial": result.serial,
        "proof_url": proof_url(result.draw_id),
    }


def proof_url(draw_id: uuid.UUID) -> str:
    return url_for("lottery_api.get_proof", draw_id=draw_id)


def _prize_body(result: queries.DrawResult) -> dict[str, Any] | None:
    if not result.is_won:
        return None
    return {
        "name": result.prize_name,
        "tier": result.prize_tier,
        "kind": result.prize_kind,
        "value_fen": result.value_fen,
        "points": result.points,
    }


@blp.route("/draws/<uuid:draw_id>/proof", methods=["GET"])
@blp.response(200, ProofSchema)
@public
def get_proof(draw_id: uuid.UUID) -> Response:
    """一次抽奖的回执，任何人都能看"""
    return json_response(proof_body(queries.get_proof(draw_id)))


def proof_body(receipt: queries.DrawProof) -> dict[str, Any]:
    record, day = json.loads(receipt.record), receipt.day
    return {
        "draw_id": str(receipt.draw_id),
        "version": json.loads(receipt.pool.manifest)["version"],
        "pool": str(receipt.pool.id),
        "campaign": {"slug": receipt.pool.campaign.slug, "title": receipt.pool.campaign.title},
        "alias": record["alias"],
        "serial": record["serial"],
        "outcome": record["outcome"],
        "prize": _prize_body(receipt.result),
        "reason": record["reason"],
        "amount_fen": record.get("amount_fen"),
        "segment": record.get("segment"),
        "position": record["position"],
        "client_nonce": record["client_nonce"],
        "ticket": record["ticket"],
        "record": record,
        "record_text": receipt.record,
        "seal": receipt.seal,
        "manifest_hash": receipt.pool.manifest_hash,
        "day": {
            "day": day.index,
            "on": day.on.isoformat() if day.on else None,
            "commitment": day.commitment,
            "secret": day.secret,
            "revealed_at": rfc3339(day.revealed_at),
        },
        "ledger_url": url_for("lottery_api.get_ledger", slug=receipt.pool.campaign.slug, format="jsonl"),
    }


@blp.route("/campaigns/<slug>/draws/ledger", methods=["GET"])
@blp.arguments(LedgerArgs, location="query")
@blp.response(200, LedgerSchema)
@public
def get_ledger(args: dict[str, Any], slug: str) -> Response:
    """公开的抽奖账本；format=jsonl 是可以离线查验的整本"""
    check_rate("draw-ledger", client_ip(), 600, 60)
    pool = queries.get_pool(slug)
    if args["until"] is not None:
        pool = queries.cut_pool(pool, args["until"])
    if args["format"] == "jsonl":
        name = f"draws-{pool.campaign.slug}-{pool.record_count}.jsonl"
        return Response(
            stream_with_context(ledger_lines(pool)),
            mimetype="application/jsonl",
            headers={"Content-Disposition": f'attachment; filename="{name}"', "X-Accel-Buffering": "no"},
        )
    rows = queries.list_records(pool.id, after=args["after"], until=pool.record_count, limit=args["limit"])
    last = rows[-1][0] if rows else pool.record_count
    return json_response(
        {
            "manifest": pool.manifest,
            "manifest_hash": pool.manifest_hash,
            "draw_count": pool.draw_count,
            "record_count": pool.record_count,
            "head": pool.chain_head,
            "items": [{"number": number, "seal": link, "text": body} for number, body, link in rows],
            "next": last if last < pool.record_count else None,
        }
    )


@blp.route("/draws/heads", methods=["GET"])
@blp.arguments(HeadsArgs, location="query")
@blp.response(200, HeadsSchema)
@public
def get_heads(args: dict[str, Any]) -> Response:
    """公开的链头，给见证人定时取走保存；只增不改"""
    check_rate("draw-ledger", client_ip(), 600, 60)
    found = queries.list_heads(after=args["after"], limit=args["limit"] + 1)
    shown = found[: args["limit"]]
    items = [{"number": line.number, "seal": line.seal, "text": line.body} for line in shown]
    return json_response({"items": items, "next": shown[-1].number if len(found) > len(shown) else None})


@blp.route("/me/wins", methods=["GET"])
@blp.arguments(PageArgs, location="query")
@blp.response(200, WinListSchema)
@citizen
def list_wins(args: dict[str, Any]) -> Response:
    """看自己中的奖"""
    found = queries.list_own_wins(current_principal().user_id, before=decode_id_cursor(args["after"]), limit=args["limit"] + 1)
    shown = found[: args["limit"]]
    following = encode_cursor(str(shown[-1].win_id)) if len(found) > len(shown) else None
    return json_response({"items": [win_body(win) for win in shown], "next": following})


@blp.route("/wins/<uuid:win_id>/claim", methods=["POST"])
@blp.arguments(ClaimArgs)
@blp.response(200, WinSchema)
@blp.alt_response(409, description="claim_expired, not_claimable")
@citizen
def claim(args: dict[str, Any], win_id: uuid.UUID) -> Response:
    """领取奖品；再领一次还是同样的结果"""
    citizen_id = current_principal().user_id
    payout_id = queries.get_own_win(win_id, citizen_id).payout.id
    with transaction():
        payouts.claim_payout(payout_id=payout_id, citizen_id=citizen_id, now=utc_now(), is_phone_public=args["publicity"])
    return json_response(win_body(queries.get_own_win(win_id, citizen_id)))


def win_body(win: queries.OwnWin) -> dict[str, Any]:
    payout = win.payout
    has_code = payout.kind == "code" and payout.state == "done"
    return {
        "id": str(win.win_id),
        "campaign": {"slug": win.campaign.slug, "title": win.campaign.title},
        "prize": {
            "name": payout.title,
            "tier": payout.tier,
            "kind": payout.kind,
            "value_fen": payout.amount_fen,
            "points": payout.points,
        },
        "state": {"code": payout.state, "name": payout_rules.state_title(payout.state, payout.kind)},
        "alias": win.alias,
        "won_at": rfc3339(win.won_at),
        "claim_deadline_at": rfc3339(payout.claim_deadline_at),
        "claimed_at": rfc3339(payout.claimed_at),
        "done_at": rfc3339(payout.done_at),
        "code": payout_queries.find_code(payout.id) if has_code else None,
        "pickup_code": payout_queries.pickup_code(payout) if payout.state == "ready" else None,
        "proof_url": _win_proof_url(win),
    }


def _win_proof_url(win: queries.OwnWin) -> str:
    """The receipt of an instant draw, the file of a pool draw."""
    if win.draw_id is not None:
        return proof_url(win.draw_id)
    return url_for("pool_draws_api.show", slug=win.campaign.slug, pool_draw_id=win.pool_draw_id, format="jsonl")
