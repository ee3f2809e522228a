"""What the page and the API share: the order of a principal, the state of a request in words, the file as a response."""

import uuid
from collections.abc import Mapping
from typing import IO, Any

from flask import Response, current_app, send_file

from quizapp.adapters.storage import Storage
from quizapp.audit.actors import current_actor
from quizapp.core.clock import utc_now
from quizapp.core.db import transaction
from quizapp.core.text import N_
from quizapp.reporting import exports, services
from quizapp.reporting.errors import ReportGone
from quizapp.reporting.models import ReportRequest
from quizapp.reporting.orders import ItemOrder, Order, ReportOrder
from quizapp.reporting.queries import Filter
from quizapp.web.access import current_principal

STATE_WORDS: Mapping[str, str] = {
    "pending": N_("排队中"),
    "building": N_("正在整理"),
    "ready": N_("整理好了"),
    "failed": N_("没有整理出来"),
    "expired": N_("已过期"),
}


def scope() -> tuple[str, ...]:
    """The subtrees whose figures the present member of staff may see."""
    return current_principal().scopes(ReportOrder.permission)


def message(request: ReportRequest) -> str:
    """Where a request stands, in words."""
    word = STATE_WORDS[request.state]
    if request.state == "failed" and request.error:
        return request.error
    return f"{word} {request.progress}%" if request.state == "building" else word


def order_of(values: Mapping[str, Any]) -> ReportOrder:
    """An order from checked values: ``format is_public campaign first_day last_day by region_level region
    demographic_group``; what is missing narrows nothing. The scope is the asker's."""
    campaigns = values.get("campaign")
    chosen = Filter(
        tuple(campaigns) if campaigns else None,
        values.get("first_day"),
        values.get("last_day"),
        values.get("region") or None,
        values.get("demographic_group") or None,
    )
    by = tuple(values.get("by") or ())
    return ReportOrder(values["format"], bool(values.get("is_public")), chosen, by, values.get("region_level") or "county", scope())


def item_scope() -> tuple[str, ...]:
    """The subtrees whose questions the present member of staff may see."""
    return current_principal().scopes(ItemOrder.permission)


def ask(order: Order) -> ReportRequest:
    """Put an order in the worker's queue."""
    with transaction():
        return services.request_report(order, staff_id=current_principal().user_id, now=utc_now(), actor=current_actor())


def own_request(request_id: uuid.UUID) -> ReportRequest:
    """:raises NotFound: unless it is the asker's own and still in scope"""
    principal = current_principal()
    return services.get_report(request_id, staff_id=principal.user_id, scopes=principal.scopes)


def _open(request_id: uuid.UUID) -> tuple[IO[bytes], ReportRequest]:
    storage: Storage = current_app.extensions["storage"]
    with transaction():
        request = own_request(request_id)
        key = services.record_download(request, now=utc_now(), actor=current_actor())
        try:
            return storage.open(key), request
        except FileNotFoundError:
            raise ReportGone from None


def send(request_id: uuid.UUID) -> Response:
    """The finished file, its download recorded.

    :raises AppError: not the asker's, not ready, or gone
    """
    file, request = _open(request_id)
    return send_file(file, mimetype=exports.MEDIA_TYPES[request.format], as_attachment=True, download_name=request.file_name, max_age=0)
