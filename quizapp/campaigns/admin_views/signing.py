"""Co-hosts read the questions of their campaign and sign for them."""

import uuid

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from quizapp.accounts.models import Organisation
from quizapp.audit.actors import current_actor
from quizapp.campaigns import queries, services
from quizapp.campaigns.admin_views.base import bp, find_campaign
from quizapp.campaigns.errors import CampaignNotFound
from quizapp.campaigns.models import Campaign
from quizapp.campaigns.preview import draft_view
from quizapp.core.clock import utc_now
from quizapp.core.db import transaction
from quizapp.questions import queries as questions
from quizapp.questions.rules import KIND_TITLES, LETTERS, citation_words
from quizapp.web.access import bureau, current_principal
from quizapp.web.pagination import Page, page_number

PER_PAGE = 20


def _own_units(campaign: Campaign) -> list[Organisation]:
    """Co-hosting units for which this member of staff may sign."""
    principal = current_principal()
    return [unit for _host, unit in queries.list_hosts(campaign.id) if principal.covers("questions.review", unit.path)]


@bp.get("/<uuid:campaign_id>/questions")
@bureau("questions.review")
def questions_to_sign(campaign_id: uuid.UUID) -> str:
    """Every question that can come up, with key, explanation and citation."""
    campaign = find_campaign(campaign_id, "campaigns.view")
    view = draft_view(campaign)
    items = {item.question_id: item for part in view.terms.paper.parts for item in queries.pool_of(part)} if view else {}
    number = page_number()
    ids = sorted(item.revision_id for item in items.values())
    shown = ids[(number - 1) * PER_PAGE : number * PER_PAGE]
    views = questions.get_revisions(shown)
    return render_template(
        "campaigns/admin_signing.html",
        campaign=campaign,
        page=Page([views[revision_id] for revision_id in shown], number, len(ids), PER_PAGE),
        hosts=queries.list_hosts(campaign.id),
        own={unit.id for unit in _own_units(campaign)},
        kind_titles=KIND_TITLES,
        letters=LETTERS,
        citation_words=citation_words,
    )


@bp.post("/<uuid:campaign_id>/signatures/<uuid:organisation_id>")
@bureau("questions.review")
def sign(campaign_id: uuid.UUID, organisation_id: uuid.UUID) -> Response:
    campaign = find_campaign(campaign_id, "campaigns.view")
    if organisation_id not in {unit.id for unit in _own_units(campaign)}:
        raise CampaignNotFound
    with transaction():
        services.sign_off(campaign_id, organisation_id=organisation_id, now=utc_now(), actor=current_actor())
    flash(_("已签字确认。出题范围再改动的话，要重新签。"), "success")
    return redirect(url_for(".questions_to_sign", campaign_id=campaign_id))
