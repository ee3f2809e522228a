"""Every published version of a campaign's rules in words, with what each changed."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace

from quizapp.campaigns import queries, wording
from quizapp.campaigns.models import CampaignTermsVersion
from quizapp.campaigns.rules import CampaignView
from quizapp.campaigns.wording import Rule


@dataclass(frozen=True)
class RuleVersion:
    """``changes`` says in words what this version says differently from the one before; ``view`` is the campaign under it."""

    number: int
    body_hash: str
    published_at: dt.datetime
    view: CampaignView
    page: list[Rule]
    changes: list[str]


def list_rule_versions(
    view: CampaignView, group_names: Mapping[str, str], region_names: Mapping[str, str], contact: str = ""
) -> list[RuleVersion]:
    """All versions, oldest first."""
    found: list[RuleVersion] = []
    for row in queries.list_versions(view.id):
        under = _under(view, row)
        page = wording.rule_page(under, group_names, region_names, contact)
        changes = wording.changes(found[-1].page, page) if found else []
        found.append(RuleVersion(row.number, row.body_hash, row.created_at, under, page, changes))
    return found


def _under(view: CampaignView, version: CampaignTermsVersion) -> CampaignView:
    return replace(
        view,
        terms=queries.get_terms(version.id),
        terms_id=version.id,
        terms_number=version.number,
        terms_hash=version.body_hash,
    )
