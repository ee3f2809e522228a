"""Templates, and a campaign held again."""

import datetime as dt
import uuid
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from quizapp.audit.actors import current_actor
from quizapp.campaigns import starters, wording
from quizapp.campaigns.admin_views.base import bp, find_campaign
from quizapp.campaigns.errors import CampaignNotFound
from quizapp.campaigns.forms import Posted
from quizapp.campaigns.models import Campaign
from quizapp.campaigns.reach import units
from quizapp.campaigns.services import copying
from quizapp.core.clock import shanghai_day, utc_now
from quizapp.core.db import transaction
from quizapp.core.errors import InvalidInput
from quizapp.web.access import bureau, current_principal


@bp.get("/templates")
@bureau("campaigns.edit")
def templates() -> str:
    """Rule sets to begin from: those shipped, and those of one's units and the units above."""
    own = {str(unit.id) for unit in units()}
    kept = starters.list_kept(current_principal().scopes("campaigns.edit"))
    return render_template(
        "campaigns/admin_templates.html",
        shipped=starters.shipped(),
        kept=[(starter, _owner_of(starter) in own) for starter in kept],
        kinds=wording.KINDS,
    )


def _owner_of(starter: starters.Starter) -> str:
    template = starters.find_kept(uuid.UUID(starter.key))
    return str(template.organisation_id) if template else ""


@bp.post("/templates/<uuid:template_id>/deletion")
@bureau("campaigns.edit")
def delete_template(template_id: uuid.UUID) -> Response:
    template = starters.find_kept(template_id)
    if template is None or template.organisation_id not in {unit.id for unit in units()}:
        raise CampaignNotFound(_("没有这个模板。"))
    with transaction():
        copying.delete_template(template_id, now=utc_now(), actor=current_actor())
    flash(_("模板已删除，用它建的活动不受影响。"), "success")
    return redirect(url_for(".templates"))


@bp.get("/<uuid:campaign_id>/copy")
@bureau("campaigns.edit")
def copy(campaign_id: uuid.UUID) -> str:
    """Hold it again, or keep its rules as a template."""
    campaign = find_campaign(campaign_id, "campaigns.edit")
    tomorrow = shanghai_day(utc_now()) + dt.timedelta(days=7)
    return _page(campaign, {"title": campaign.title, "slug": f"{campaign.slug}-2"[:64], "first": tomorrow.isoformat()}, {})


@bp.post("/<uuid:campaign_id>/copy")
@bureau("campaigns.edit")
def copy_posted(campaign_id: uuid.UUID) -> Response | tuple[str, int]:
    campaign = find_campaign(campaign_id, "campaigns.edit")
    posted = Posted(request.form)
    values = {"title": posted.line("title", 40), "slug": posted.line("slug", 64), "first": posted.raw("first")}
    first = _day(posted, "first")
    if first is not None and not posted.errors:
        try:
            with transaction():
                copied = copying.copy_campaign(
                    campaign.id, slug=values["slug"], title=values["title"], first=first, now=utc_now(), actor=current_actor()
                )
        except InvalidInput as error:
            posted.errors.update({name: [text] for name, text in error.fields.items()})
        else:
            flash(_("复制好了，时间都往后移了。请看一遍再提交。"), "success")
            return redirect(url_for(".edit", campaign_id=copied.id, step=2))
    return _page(campaign, values, posted.errors), 422


def _day(posted: Posted, name: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(posted.raw(name))
    except ValueError:
        posted.wrong(name, _("请填日期，例如 2026-12-04。"))
        return None


@bp.post("/<uuid:campaign_id>/template")
@bureau("campaigns.edit")
def keep(campaign_id: uuid.UUID) -> Response | tuple[str, int]:
    """Keep the rules as a template of one's unit."""
    campaign = find_campaign(campaign_id, "campaigns.edit")
    posted = Posted(request.form)
    values = {"template_title": posted.line("template_title", 40), "about": posted.line("about", 200)}
    chosen = posted.ids("organisation")
    if len(chosen) != 1 or chosen[0] not in {unit.id for unit in units()}:
        posted.wrong("organisation", _("请选单位。"))
    if not posted.errors:
        try:
            with transaction():
                copying.keep_template(
                    campaign.id,
                    organisation_id=chosen[0],
                    title=values["template_title"],
                    about=values["about"],
                    now=utc_now(),
                    actor=current_actor(),
                )
        except InvalidInput as error:
            posted.errors.update({name: [text] for name, text in error.fields.items()})
        else:
            flash(_("已存为模板。"), "success")
            return redirect(url_for(".templates"))
    return _page(campaign, values, posted.errors), 422


def _page(campaign: Campaign, values: dict[str, Any], errors: dict[str, list[str]]) -> str:
    campaign = find_campaign(campaign.id, "campaigns.edit")
    return render_template(
        "campaigns/admin_copy.html",
        campaign=campaign,
        values=values,
        errors=errors,
        units=[(str(unit.id), unit.name) for unit in units()],
        host=str(campaign.host_organisation_id),
    )
