"""Beginning from what there is: a copy of a campaign, a rule set that staff keep."""

import datetime as dt
import uuid

import sqlalchemy as sa

from quizapp.accounts.models import Organisation
from quizapp.audit.services import Actor, record
from quizapp.campaigns import queries
from quizapp.campaigns.errors import CampaignNotFound, TemplateExists
from quizapp.campaigns.models import Campaign, CampaignTemplate
from quizapp.campaigns.services import create_campaign
from quizapp.campaigns.services.pieces import record_change, staff_id
from quizapp.campaigns.starters import on_day
from quizapp.core.db import db
from quizapp.core.errors import InvalidInput
from quizapp.core.ids import new_id
from quizapp.core.text import N_, clean_line


def copy_campaign(campaign_id: uuid.UUID, *, slug: str, title: str, first: dt.date, now: dt.datetime, actor: Actor) -> Campaign:
    """A new draft with the rules of another campaign, every moment moved so that it opens on that Shanghai day. Co-hosts come
    along and sign anew; pledges, logos and whatever citizens did do not.

    :raises CampaignNotFound: if there is none
    :raises SlugTaken, InvalidInput: as for a new campaign
    """
    source = queries.find_campaign(campaign_id)
    if source is None:
        raise CampaignNotFound
    copied = create_campaign(
        slug=slug,
        title=title,
        host_organisation_id=source.host_organisation_id,
        kind=source.kind,
        summary=source.summary,
        theme=source.theme,
        legal_basis=source.legal_basis,
        draft=on_day(source.draft, first),
        cohost_ids=[unit.id for _host, unit in queries.list_hosts(source.id)],
        now=now,
        actor=actor,
    )
    record_change("campaign.copied", copied, actor, now, {"from": source.slug})
    return copied


def keep_template(
    campaign_id: uuid.UUID, *, organisation_id: uuid.UUID, title: str, about: str, now: dt.datetime, actor: Actor
) -> CampaignTemplate:
    """Keep the rules of a campaign for the unit's further ones.

    :raises TemplateExists: if the unit has one of that title
    :raises InvalidInput: without a title
    """
    source = queries.find_campaign(campaign_id)
    if source is None:
        raise CampaignNotFound
    title, about = clean_line(title, 1000), clean_line(about, 200)
    if not title or len(title) > 40:
        raise InvalidInput(fields={"template_title": N_("模板名称要填，最多 40 个字。")})
    taken = sa.select(CampaignTemplate.id).filter_by(organisation_id=organisation_id, title=title)
    if db.session.scalar(taken) is not None:
        raise TemplateExists
    body = {name: value for name, value in source.draft.items() if name != "plan"}
    template = CampaignTemplate(
        id=new_id(),
        organisation_id=organisation_id,
        title=title,
        about=about,
        kind=source.kind,
        body=body,
        created_at=now,
        created_by=staff_id(actor),
    )
    db.session.add(template)
    db.session.flush()
    _record("campaign_template.kept", template, actor, now)
    return template


def delete_template(template_id: uuid.UUID, *, now: dt.datetime, actor: Actor) -> None:
    """Forget a kept rule set; campaigns begun from it are not touched."""
    template = db.session.get(CampaignTemplate, template_id, with_for_update=True)
    if template is None:
        raise CampaignNotFound(N_("没有这个模板。"))
    _record("campaign_template.deleted", template, actor, now)
    db.session.delete(template)
    db.session.flush()


def _record(action: str, template: CampaignTemplate, actor: Actor, now: dt.datetime) -> None:
    path = db.session.scalar(sa.select(Organisation.path).where(Organisation.id == template.organisation_id))
    record(
        action,
        actor=actor,
        target_type="campaign_template",
        target_id=template.id,
        target_name=template.title,
        organisation_path=path or "/",
        now=now,
    )
