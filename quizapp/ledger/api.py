"""A citizen's points as JSON, and what the ledger tells the account package."""

import uuid
from typing import Any

from flask import Flask

from quizapp.accounts import queries as accounts
from quizapp.accounts import services as account_services
from quizapp.core.clock import rfc3339
from quizapp.ledger import queries
from quizapp.ledger.schemas import PageArgs, PointsSchema
from quizapp.web.access import citizen, current_principal
from quizapp.web.api import Blueprint
from quizapp.web.pagination import decode_id_cursor, encode_cursor

blp = Blueprint("ledger_api", __name__, url_prefix="/api/v1", description="积分")
blueprints = (blp,)


@blp.route("/me/points", methods=["GET"])
@blp.arguments(PageArgs, location="query")
@blp.response(200, PointsSchema)
@citizen
def list_points(args: dict[str, Any]) -> dict[str, Any]:
    """看自己的积分和每一笔的来由"""
    owner = ("citizen", str(current_principal().user_id))
    entries = queries.list_entries(*owner, "points", before=decode_id_cursor(args["after"]), limit=args["limit"] + 1)
    shown = entries[: args["limit"]]
    return {
        "balance": queries.get_balance(*owner, "points"),
        "items": [entry_body(entry) for entry in shown],
        "next": encode_cursor(str(shown[-1].id)) if len(entries) > len(shown) else None,
    }


def entry_body(entry: queries.EntryView) -> dict[str, Any]:
    return {
        "id": str(entry.id),
        "amount": entry.amount,
        "reason": {"code": entry.reason, "name": entry.title},
        "posted_at": rfc3339(entry.posted_at),
    }


def point_balance(citizen_id: uuid.UUID) -> int:
    return queries.get_balance("citizen", str(citizen_id), "points")


def _export(citizen_id: uuid.UUID) -> dict[str, Any]:
    entries = queries.list_entries("citizen", str(citizen_id), "points", limit=100_000)
    return {"balance": point_balance(citizen_id), "entries": [entry_body(entry) for entry in entries]}


def init_app(app: Flask) -> None:
    accounts.point_balance_of = point_balance
    if ("points", _export) not in account_services.export_parts:
        account_services.export_parts.append(("points", _export))
