"""What the screens share: the blueprint and finding a campaign within somebody's reach."""

import uuid
from typing import Any

from flask import Blueprint
from flask_babel import gettext as _

from quizapp.campaigns import queries
from quizapp.campaigns.errors import CampaignNotFound
from quizapp.campaigns.models import Campaign
from quizapp.campaigns.reach import may_reach

bp = Blueprint("campaigns_admin", __name__, url_prefix="/admin/campaigns", template_folder="../templates")

STATUS_TITLES = {
    "draft": "草稿",
    "pending_approval": "待审批",
    "published": "已发布",
    "paused": "已暂停",
    "closed": "已结束",
}


def find_campaign(campaign_id: uuid.UUID, permission: str) -> Campaign:
    """A campaign that this member of staff may reach with ``permission``.

    :raises CampaignNotFound: for one outside, as if it did not exist
    """
    campaign = queries.find_campaign(campaign_id)
    if campaign is None or not may_reach(campaign, permission):
        raise CampaignNotFound
    return campaign


def steps_of(campaign: Campaign, url: Any) -> list[tuple[str, str, str]]:
    """The stepper's items; ``url`` makes the address of a step."""
    words = (
        (_("基本信息"), _("性质、名称、单位")),
        (_("时间和对象"), _("开放时间、次数、范围")),
        (_("出题规则"), _("题数、题源、及格线")),
        (_("奖品和抽奖"), _("奖品、机会、花多少")),
        (_("检查和审批"), _("清单、签字、审批")),
    )
    return [(name, about, url(number)) for number, (name, about) in enumerate(words, 1)]
