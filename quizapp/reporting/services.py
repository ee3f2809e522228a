"""Reports asked for: requested by staff, claimed and built by a worker, downloaded, expired."""

import datetime as dt
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from quizapp.accounts.models import StaffAccount
from quizapp.audit.services import Actor, record
from quizapp.core.db import db
from quizapp.core.errors import NotFound
from quizapp.core.text import N_
from quizapp.reporting.errors import ReportGone, ReportNotReady
from quizapp.reporting.models import ReportRequest
from quizapp.reporting.orders import Order, read_order
from quizapp.reporting.orders import ReportOrder as ReportOrder

CLAIM = dt.timedelta(minutes=5)
"""A builder that says nothing for so long is taken for dead."""
KEEP = dt.timedelta(days=7)
MAX_BUILDS = 3
UNFINISHED = ("pending", "building")


def request_report(order: Order, *, staff_id: uuid.UUID, now: dt.datetime, actor: Actor) -> ReportRequest:
    """Ask for an export. The same one asked for again while it is unfinished is the same one.

    :raises InvalidInput: for what cannot be asked
    """
    order.check()
    db.session.execute(sa.select(StaffAccount.id).filter_by(id=staff_id).with_for_update())
    body = order.to_dict()
    open_ones = sa.select(ReportRequest).where(
        ReportRequest.requested_by == staff_id,
        ReportRequest.report == order.report,
        ReportRequest.format == order.format,
        ReportRequest.state.in_(UNFINISHED),
    )
    for request in db.session.scalars(open_ones.order_by(ReportRequest.created_at)):
        if request.parameters == body:
            return request
    request = ReportRequest(report=order.report, format=order.format, parameters=body, requested_by=staff_id, created_at=now)
    db.session.add(request)
    db.session.flush()
    changes = {"filter": order.sentence(), "format": order.format, "is_public": order.is_public}
    record("report.requested", actor=actor, target_type="report", target_id=request.id, changes=changes, now=now)
    return request


def order_of(request: ReportRequest) -> Order:
    """What a request asked for."""
    return read_order(request.report, request.format, request.parameters)


def get_report(request_id: uuid.UUID, *, staff_id: uuid.UUID, scopes: Callable[[str], Sequence[str]]) -> ReportRequest:
    """Somebody's own request, as long as their scope still covers what it was made with.

    :param scopes: the subtrees in which they hold a permission now
    :raises NotFound: for anybody else's, and after the scope was narrowed or the permission taken
    """
    request = db.session.get(ReportRequest, request_id)
    if request is None or request.requested_by != staff_id:
        raise NotFound
    order = order_of(request)
    held = scopes(order.permission)
    if not held or not all(any(path.startswith(mine) for mine in held) for path in order.scope_paths):
        raise NotFound
    return request


def list_reports(staff_id: uuid.UUID, report: str, limit: int = 5) -> list[ReportRequest]:
    """Somebody's latest requests of one kind of report."""
    mine = sa.select(ReportRequest).filter_by(requested_by=staff_id, report=report)
    return list(db.session.scalars(mine.order_by(ReportRequest.created_at.desc()).limit(limit)))


def record_download(request: ReportRequest, *, now: dt.datetime, actor: Actor) -> str:
    """Allow and record one download. Returns the storage key.

    :raises ReportNotReady: while it is being built
    :raises ReportGone: after it expired, or when it could not be built
    """
    if request.state in UNFINISHED:
        raise ReportNotReady
    if request.state != "ready" or (request.expires_at is not None and request.expires_at <= now):
        raise ReportGone
    changes = {"file_name": request.file_name, "row_count": request.row_count}
    record("report.downloaded", actor=actor, target_type="report", target_id=request.id, changes=changes, now=now)
    return request.file_key


# ---- the worker's side


@dataclass(frozen=True)
class Claim:
    """The right to build one report: ``build_count`` is the token, another claim raises it."""

    request_id: uuid.UUID
    build_count: int
    order: Order

    def file_key(self, build_count: int | None = None) -> str:
        return f"report-{self.request_id.hex}-{build_count or self.build_count}.{self.order.format}"


def _is_free(now: dt.datetime) -> sa.ColumnElement[bool]:
    is_abandoned = sa.and_(ReportRequest.state == "building", ReportRequest.claimed_until <= now)
    return sa.or_(ReportRequest.state == "pending", is_abandoned)


def is_report_waiting(now: dt.datetime) -> bool:
    """Whether there is anything to claim; a look that locks nothing."""
    return db.session.scalar(sa.select(ReportRequest.id).where(_is_free(now)).limit(1)) is not None


def claim_report(now: dt.datetime) -> Claim | None:
    """Take the oldest report that waits, or whose builder died. Several workers never take the same one."""
    oldest = sa.select(ReportRequest).where(_is_free(now)).order_by(ReportRequest.created_at, ReportRequest.id).limit(1)
    request = db.session.scalars(oldest.with_for_update(skip_locked=True), execution_options={"populate_existing": True}).first()
    if request is None:
        return None
    if request.build_count >= MAX_BUILDS:
        request.state, request.error = "failed", N_("试了几次都没有整理出来，请重新导出。")
        db.session.flush()
        return claim_report(now)
    request.state = "building"
    request.progress = 5
    request.build_count += 1
    request.started_at = now
    request.claimed_until = now + CLAIM
    db.session.flush()
    return Claim(request.id, request.build_count, order_of(request))


def _update_mine(claim: Claim, **values: Any) -> bool:
    mine = sa.update(ReportRequest).filter_by(id=claim.request_id, state="building", build_count=claim.build_count)
    return db.session.execute(mine.values(**values).returning(ReportRequest.id)).first() is not None


def note_progress(claim: Claim, percent: int, now: dt.datetime) -> bool:
    """Say how far it is and stay the builder. False when another worker has taken over."""
    return _update_mine(claim, progress=percent, claimed_until=now + CLAIM)


def finish_report(claim: Claim, *, file_name: str, row_count: int, now: dt.datetime) -> bool:
    """The file is in the storage under the claim's key. False when another worker has taken over."""
    return _update_mine(
        claim,
        state="ready",
        progress=100,
        file_key=claim.file_key(),
        file_name=file_name,
        row_count=row_count,
        ready_at=now,
        expires_at=now + KEEP,
        error="",
        claimed_until=None,
    )


def give_up_report(claim: Claim, error: str) -> bool:
    """It cannot be built: not now and not later."""
    return _update_mine(claim, state="failed", error=error[:200], claimed_until=None)


def release_report(claim: Claim, now: dt.datetime) -> bool:
    """Something of ours went wrong: let it be tried again, up to :data:`MAX_BUILDS` times."""
    return _update_mine(claim, claimed_until=now)


def list_expired(now: dt.datetime) -> list[ReportRequest]:
    """Finished reports whose time is over, locked."""
    is_over = sa.and_(ReportRequest.state == "ready", ReportRequest.expires_at <= now)
    return list(db.session.scalars(sa.select(ReportRequest).where(is_over).limit(500).with_for_update(skip_locked=True)))


def mark_expired(request: ReportRequest) -> None:
    """The file is gone; the request stays as a record."""
    request.state, request.file_key = "expired", ""
    db.session.flush()
