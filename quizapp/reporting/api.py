"""Figures as JSON, and exports to be fetched when they are built."""

import uuid
from typing import Any

from flask import Response, url_for

from quizapp.core.clock import rfc3339, utc_now
from quizapp.reporting import downloads, items_exports, items_queries, services
from quizapp.reporting.items_queries import ItemFilter
from quizapp.reporting.models import ReportRequest
from quizapp.reporting.orders import ItemOrder
from quizapp.reporting.schemas import (
    ItemListQuery,
    ItemListSchema,
    ItemOrderSchema,
    ItemQuery,
    ItemSchema,
    ParticipationQuery,
    ParticipationReport,
    ReportOrderSchema,
    ReportRequestSchema,
)
from quizapp.reporting.scopes import is_whole
from quizapp.web.access import bureau, staff
from quizapp.web.api import Blueprint, ProblemSchema, json_response
from quizapp.web.pagination import decode_cursor, encode_cursor

blp = Blueprint("reporting_api", __name__, url_prefix="/api/v1/admin/reports", description="参与统计")


def _body(request: ReportRequest) -> dict[str, Any]:
    is_ready = request.state == "ready"
    return {
        "id": str(request.id),
        "report": request.report,
        "format": request.format,
        "is_public": services.order_of(request).is_public,
        "state": request.state,
        "percent": request.progress,
        "message": downloads.message(request),
        "row_count": request.row_count,
        "file_name": request.file_name,
        "file_url": url_for("reporting_api.get_file", request_id=request.id) if is_ready else None,
        "created_at": rfc3339(request.created_at),
        "ready_at": rfc3339(request.ready_at),
        "expires_at": rfc3339(request.expires_at),
    }


@blp.route("/participation", methods=["GET"])
@bureau("reports.view")
@blp.arguments(ParticipationQuery, location="query")
@blp.response(200, ParticipationReport)
@blp.alt_response(422, schema=ProblemSchema)
def participation(query: dict[str, Any]) -> Response:
    """参与统计

    Participation of the campaigns in the asker's scope, with definitions, filter, data time and exclusions.
    """
    return json_response(downloads.order_of({**query, "format": "json"}).count(utc_now()).to_dict())


@blp.route("", methods=["POST"])
@bureau("reports.view")
@blp.arguments(ReportOrderSchema)
@blp.response(202, ReportRequestSchema)
@blp.alt_response(422, schema=ProblemSchema)
def request_report(body: dict[str, Any]) -> Response:
    """申请导出

    The worker builds the file; ask ``GET`` for its state. The same export asked for again while unfinished is the same.
    """
    request = downloads.ask(downloads.order_of(body))
    return json_response(_body(request), 202, {"Location": url_for("reporting_api.get_report", request_id=request.id)})


@blp.route("/<uuid:request_id>", methods=["GET"])
@staff
@blp.response(200, ReportRequestSchema)
@blp.alt_response(404, schema=ProblemSchema)
def get_report(request_id: uuid.UUID) -> Response:
    """导出进度"""
    return json_response(_body(downloads.own_request(request_id)))


@blp.route("/<uuid:request_id>/file", methods=["GET"])
@staff
@blp.response(200, {"format": "binary", "type": "string"}, content_type="application/octet-stream")
@blp.alt_response(404, schema=ProblemSchema)
@blp.alt_response(409, schema=ProblemSchema)
@blp.alt_response(410, schema=ProblemSchema)
def get_file(request_id: uuid.UUID) -> Response:
    """下载文件"""
    return downloads.send(request_id)


# ---- item analysis

PER_PAGE = 100


def _place(text: str | None) -> int:
    """The place in the list that a cursor stands for; the first for nonsense."""
    value = decode_cursor(text) or "0"
    return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else 0


@blp.route("/items", methods=["GET"])
@bureau("questions.view")
@blp.arguments(ItemListQuery, location="query")
@blp.response(200, ItemListSchema)
@blp.alt_response(422, schema=ProblemSchema)
def list_items(query: dict[str, Any]) -> Response:
    """题目分析

    One line per question revision: shown, answered, facility, corrected point-biserial, median time, flags. Figures of
    few answers are withheld from units below the bureau.
    """
    place = _place(query.pop("after", None))
    chosen, scopes = ItemFilter(**query), downloads.item_scope()
    withholds = not is_whole(scopes)
    statement = items_queries.select_items(chosen, scopes, withholds=withholds).offset(place).limit(PER_PAGE + 1)
    lines = [items_queries.as_line(row, withholds=withholds) for row in items_queries.read(statement)]
    state = items_queries.get_state(items_queries.find_scope(chosen.campaign, scopes))
    body = {
        "items": [items_exports.line_dict(line) for line in lines[:PER_PAGE]],
        "next": encode_cursor(str(place + PER_PAGE)) if len(lines) > PER_PAGE else None,
        **items_exports.state_dict(state, items_queries.filter_sentence(chosen)),
    }
    return json_response(body)


@blp.route("/items/<uuid:question_id>", methods=["GET"])
@bureau("questions.view")
@blp.arguments(ItemQuery, location="query")
@blp.response(200, ItemSchema)
@blp.alt_response(404, schema=ProblemSchema)
@blp.alt_response(422, schema=ProblemSchema)
def get_item(query: dict[str, Any], question_id: uuid.UUID) -> Response:
    """一道题的分析

    Every revision with who took which choice, in all papers and in the best and worst third by their other questions.
    """
    scopes = downloads.item_scope()
    campaign = query["campaign"]
    item = items_queries.item_statistics(question_id, campaign=campaign, scope_paths=scopes, withholds=not is_whole(scopes))
    return json_response(items_exports.item_dict(item, items_queries.filter_sentence(ItemFilter(campaign=campaign, revisions="all"))))


@blp.route("/items", methods=["POST"])
@bureau("questions.view")
@blp.arguments(ItemOrderSchema)
@blp.response(202, ReportRequestSchema)
@blp.alt_response(422, schema=ProblemSchema)
def request_items(body: dict[str, Any]) -> Response:
    """申请导出题目分析"""
    format_ = body.pop("format")
    request = downloads.ask(ItemOrder(format_, ItemFilter(**body), downloads.item_scope()))
    return json_response(_body(request), 202, {"Location": url_for("reporting_api.get_report", request_id=request.id)})


blueprints = (blp,)
