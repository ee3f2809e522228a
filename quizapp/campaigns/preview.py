"""A draft as citizens would meet it."""

import uuid

from quizapp.accounts.queries import get_organisation
from quizapp.campaigns import queries
from quizapp.campaigns.models import Campaign
from quizapp.campaigns.rules import CampaignView
from quizapp.campaigns.terms import SCHEMA, body_hash, check_shape, from_dict, to_dict


def draft_view(campaign: Campaign) -> CampaignView | None:
    """The draft as a campaign in force; None while it is not whole."""
    if check_shape(campaign.draft):
        return None
    terms = from_dict({"schema": SCHEMA, **campaign.draft})
    if terms.opens_at >= terms.closes_at:
        return None
    host = get_organisation(campaign.host_organisation_id)
    return CampaignView(
        id=campaign.id,
        slug=campaign.slug,
        title=campaign.title,
        summary=campaign.summary,
        kind=campaign.kind,
        legal_basis=campaign.legal_basis,
        theme=campaign.theme,
        status="published",
        pause_reason="",
        version=campaign.version,
        host_name=host.name,
        host_path=host.path,
        cohosts=tuple(queries.cohost_names(campaign.id)),
        terms_id=campaign.terms_id or uuid.UUID(int=0),
        terms=terms,
        terms_number=0,
        terms_hash=body_hash(to_dict(terms)),
    )
