"""What is done with a campaign: submit, publish, return, pause, resume, extend, delete; its preview."""

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any

from flask import Response as FlaskResponse
from flask import current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from quizapp.accounts.queries import group_names
from quizapp.audit.actors import current_actor
from quizapp.campaigns import forms, rules, services, wording
from quizapp.campaigns.admin_views.base import bp, find_campaign
from quizapp.campaigns.errors import TermsInvalid
from quizapp.campaigns.preview import draft_view
from quizapp.campaigns.reach import needs_second_person
from quizapp.campaigns.services import running
from quizapp.campaigns.views import Card, VisitorState
from quizapp.core.clock import shanghai_day, utc_now
from quizapp.core.db import transaction
from quizapp.core.errors import AppError, NotFound
from quizapp.web.access import bureau
from quizapp.web.security import CSP


def _do(campaign_id: uuid.UUID, done: str, work: Callable[[], Any]) -> Response:
    """Run one verb and go back to the checklist, which says what came of it."""
    try:
        with transaction():
            work()
    except TermsInvalid as error:
        flash(next(iter(error.fields.values()), error.message), "error")
    except AppError as error:
        if error.http_status == 404:
            raise
        flash(error.message, "error")
    else:
        flash(done, "success")
    return redirect(url_for(".edit", campaign_id=campaign_id, step=5))


def _reason() -> str:
    return request.form.get("reason", "").strip()[:200]


def _moment(name: str) -> tuple[dt.datetime | None, bool]:
    """A Shanghai time that was typed, and whether it can be read; if not, the page will say so."""
    posted = forms.Posted(request.form)
    text = posted.moment(name)
    for message in posted.errors.get(name, ()):
        flash(message, "error")
    return (rules.moment_of(text) if text else None), not posted.errors


def _version() -> int | None:
    return forms.Posted(request.form).whole("version")


@bp.post("/<uuid:campaign_id>/submission")
@bureau("campaigns.edit")
def submit(campaign_id: uuid.UUID) -> Response:
    find_campaign(campaign_id, "campaigns.edit")
    version = _version()
    return _do(
        campaign_id,
        _("已提交，等审批人批准。"),
        lambda: services.submit_for_approval(campaign_id, now=utc_now(), actor=current_actor(), expected_version=version),
    )


@bp.post("/<uuid:campaign_id>/publication")
@bureau("campaigns.publish")
def publish(campaign_id: uuid.UUID) -> Response:
    find_campaign(campaign_id, "campaigns.publish")
    version = _version()
    release_at, is_readable = _moment("release_at") if request.form.get("when") == "later" else (None, True)
    if request.form.get("when") == "later" and is_readable and release_at is None:
        flash(_("请填定时发布的时间。"), "error")
        is_readable = False
    if not is_readable:
        return redirect(url_for(".edit", campaign_id=campaign_id, step=5))
    return _do(
        campaign_id,
        _("已批准，到时间自动发布。") if release_at else _("已批准并封存发布。"),
        lambda: services.publish_campaign(
            campaign_id,
            allows_cash=current_app.config["ALLOWS_CASH_PRIZES"],
            now=utc_now(),
            actor=current_actor(),
            needs_second_person=needs_second_person(),
            expected_version=version,
            release_at=release_at,
        ),
    )


@bp.post("/<uuid:campaign_id>/return")
@bureau("campaigns.publish")
def send_back(campaign_id: uuid.UUID) -> Response:
    find_campaign(campaign_id, "campaigns.publish")
    reason = _reason()
    if not reason:
        flash(_("请写明退回的原因。"), "error")
        return redirect(url_for(".edit", campaign_id=campaign_id, step=5))
    return _do(
        campaign_id,
        _("已退回修改。"),
        lambda: services.return_to_draft(campaign_id, reason=reason, now=utc_now(), actor=current_actor()),
    )


@bp.post("/<uuid:campaign_id>/withdrawal")
@bureau("campaigns.edit")
def withdraw(campaign_id: uuid.UUID) -> Response:
    find_campaign(campaign_id, "campaigns.edit")
    return _do(
        campaign_id,
        _("已撤回，可以接着改。"),
        lambda: services.return_to_draft(campaign_id, reason=_("提交人撤回"), now=utc_now(), actor=current_actor()),
    )


@bp.post("/<uuid:campaign_id>/pause")
@bureau("campaigns.pause")
def pause(campaign_id: uuid.UUID) -> Response:
    find_campaign(campaign_id, "campaigns.pause")
    reason = _reason()
    if not reason:
        flash(_("请写明暂停的原因，群众会看到。"), "error")
        return redirect(url_for(".edit", campaign_id=campaign_id, step=5))
    resumes_at, is_readable = _moment("resumes_at")
    if not is_readable:
        return redirect(url_for(".edit", campaign_id=campaign_id, step=5))
    return _do(
        campaign_id,
        _("活动已暂停，答到一半的人可以答完。"),
        lambda: running.pause_campaign(campaign_id, reason=reason, resumes_at=resumes_at, now=utc_now(), actor=current_actor()),
    )


@bp.post("/<uuid:campaign_id>/resumption")
@bureau("campaigns.pause")
def resume(campaign_id: uuid.UUID) -> Response:
    find_campaign(campaign_id, "campaigns.pause")
    return _do(campaign_id, _("活动已恢复。"), lambda: running.resume_campaign(campaign_id, now=utc_now(), actor=current_actor()))


@bp.post("/<uuid:campaign_id>/extension")
@bureau("campaigns.publish")
def extend(campaign_id: uuid.UUID) -> Response:
    find_campaign(campaign_id, "campaigns.publish")
    closes_at, is_readable = _moment("closes_at")
    if closes_at is None:
        if is_readable:
            flash(_("请填新的结束时间。"), "error")
        return redirect(url_for(".edit", campaign_id=campaign_id, step=5))
    return _do(
        campaign_id,
        _("结束时间已延后，规则多了一个版本。"),
        lambda: running.extend_campaign(campaign_id, closes_at=closes_at, now=utc_now(), actor=current_actor()),
    )


@bp.post("/<uuid:campaign_id>/closing-requests")
@bureau("campaigns.pause")
def request_closing(campaign_id: uuid.UUID) -> Response:
    """Ask for an early end; an approver confirms it."""
    find_campaign(campaign_id, "campaigns.pause")
    reason = _reason()
    if not reason:
        flash(_("请写明提前结束的原因，群众会看到。"), "error")
        return redirect(url_for(".edit", campaign_id=campaign_id, step=5))
    return _do(
        campaign_id,
        _("已申请提前结束，等审批人批准。"),
        lambda: running.request_closing(campaign_id, reason=reason, now=utc_now(), actor=current_actor()),
    )


@bp.post("/<uuid:campaign_id>/closing-requests/withdrawal")
@bureau("campaigns.pause")
def drop_closing(campaign_id: uuid.UUID) -> Response:
    find_campaign(campaign_id, "campaigns.pause")
    return _do(campaign_id, _("申请已撤回。"), lambda: running.drop_closing(campaign_id, now=utc_now(), actor=current_actor()))


@bp.post("/<uuid:campaign_id>/closing-requests/refusal")
@bureau("campaigns.publish")
def refuse_closing(campaign_id: uuid.UUID) -> Response:
    find_campaign(campaign_id, "campaigns.publish")
    return _do(campaign_id, _("没有批准提前结束。"), lambda: running.drop_closing(campaign_id, now=utc_now(), actor=current_actor()))


@bp.post("/<uuid:campaign_id>/closing")
@bureau("campaigns.publish")
def close_early(campaign_id: uuid.UUID) -> Response:
    find_campaign(campaign_id, "campaigns.publish")
    return _do(
        campaign_id,
        _("活动已提前结束，答到一半的人可以答完，没抽的奖可以接着抽。"),
        lambda: running.close_early(campaign_id, now=utc_now(), actor=current_actor()),
    )


@bp.post("/<uuid:campaign_id>/deletion")
@bureau("campaigns.edit")
def delete(campaign_id: uuid.UUID) -> Response:
    find_campaign(campaign_id, "campaigns.edit")
    with transaction():
        services.delete_draft(campaign_id, now=utc_now(), actor=current_actor())
    flash(_("草稿已删除。"), "success")
    return redirect(url_for(".index"))


@bp.get("/<uuid:campaign_id>/preview")
@bureau("campaigns.view")
def preview(campaign_id: uuid.UUID) -> FlaskResponse:
    """The campaign page as the draft would make it, for the phone frame of the editor."""
    campaign = find_campaign(campaign_id, "campaigns.view")
    view = draft_view(campaign)
    if view is None:
        raise NotFound(_("时间、题目和及格线都填好以后，这里会显示手机上的样子。"))
    now = utc_now()
    phase: rules.Phase = "soon" if now < view.terms.opens_at else "open"
    draw = view.terms.draw
    page = render_template(
        "campaigns/show.html",
        card=Card(view, phase, VisitorState()),
        campaign=view,
        days_to_go=(shanghai_day(view.terms.opens_at) - shanghai_day(now)).days,
        about_minutes=wording.about_minutes(view.terms.question_count),
        prizes=draw.prizes if draw else (),
        ticker=[],
        steps=wording.how_to_play(view.terms),
        fairness=wording.fairness(view.terms, group_names()),
        kind_title=wording.KINDS[view.kind],
        prize_kinds=wording.PRIZE_KINDS,
        is_preview=True,
        is_large=request.args.get("large") == "1",
    )
    headers = {
        "Content-Security-Policy": CSP.replace("frame-ancestors 'none'", "frame-ancestors 'self'"),
        "X-Frame-Options": "SAMEORIGIN",
    }
    return current_app.response_class(page, headers=headers)
