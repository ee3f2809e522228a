"""Figures as JSON, and exports to be fetched when they are built."""

import uuid
from typing import Any

from flask import Response, url_for

from quizapp.core.clock import rfc3339, utc_now
from quizapp.reporting import downloads
from quizapp.reporting.models import ReportRequest
from quizapp.reporting.schemas import ParticipationQuery, ParticipationReport, ReportOrderSchema, ReportRequestSchema
from quizapp.web.access import bureau
from quizapp.web.api import Blueprint, ProblemSchema, json_response

blp = Blueprint("reporting_api", __name__, url_prefix="/api/v1/admin/reports", description="参与统计")


def _body(request: ReportRequest) -> dict[str, Any]:
    is_ready = request.state == "ready"
    return {
        "id": str(request.id),
        "report": request.report,
        "format": request.format,
        "is_public": request.parameters["is_public"],
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
@bureau("reports.view")
@blp.response(200, ReportRequestSchema)
@blp.alt_response(404, schema=ProblemSchema)
def get_report(request_id: uuid.UUID) -> Response:
    """导出进度"""
    return json_response(_body(downloads.own_request(request_id)))


@blp.route("/<uuid:request_id>/file", methods=["GET"])
@bureau("reports.view")
@blp.response(200, {"format": "binary", "type": "string"}, content_type="application/octet-stream")
@blp.alt_response(404, schema=ProblemSchema)
@blp.alt_response(409, schema=ProblemSchema)
@blp.alt_response(410, schema=ProblemSchema)
def get_file(request_id: uuid.UUID) -> Response:
    """下载文件"""
    return downloads.send(request_id)


blueprints = (blp,)
