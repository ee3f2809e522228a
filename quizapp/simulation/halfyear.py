"""A half-year as Chifeng had it: five campaigns in a row, the same people coming again, in the proportions of the groups."""

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from quizapp.campaigns.files import CampaignFile
from quizapp.campaigns.seeds import CAMPAIGNS, DemoCampaign, demo_terms
from quizapp.campaigns.terms import to_dict
from quizapp.reporting import queries
from quizapp.simulation.crowd import Curve
from quizapp.simulation.promises import Promise, check_promises
from quizapp.simulation.season import play

REGISTERED = 320_000
ATTEMPTS = 2_020_000
GROUPS = (("civil_servant", 38), ("enterprise", 79), ("youth", 28), ("farmer_herder", 31), ("resident", 26))
"""Person-times of the half-year by group, in ten thousands."""
SHARES = (0.24, 0.16, 0.2, 0.22, 0.18)
"""How the attempts spread over the five campaigns."""
FIRST = dt.datetime(2026, 1, 12, 1, tzinfo=dt.UTC)
GAP = dt.timedelta(days=35)


@dataclass(frozen=True)
class HalfYear:
    """The report's totals, and the promises of each campaign by its address."""

    by_campaign: dict[str, Any]
    by_group: dict[str, Any]
    promises: dict[str, list[Promise]]

    @property
    def is_kept(self) -> bool:
        return all(one.is_kept for found in self.promises.values() for one in found)


def play_half_year(scale: float, seed: int) -> HalfYear:
    """Play the five campaigns one after the other through the services, at ``scale`` of the real numbers."""
    people = max(20, round(REGISTERED * scale))
    known: list[uuid.UUID] = []
    promises = {}
    for number, (demo, share) in enumerate(zip(CAMPAIGNS, SHARES, strict=True)):
        visits = max(10, round(ATTEMPTS * scale * share))
        crowd = people if not known else min(people, visits)
        curve = Curve(attempts=max(1.0, visits / crowd))
        file = _file(demo, FIRST + number * GAP, scale)
        played = play(file, citizens=crowd, seed=seed + number, curve=curve, slug=demo.slug, known=known, groups=GROUPS)
        known = known or list(played.citizens.values())
        promises[demo.slug] = check_promises(played.campaign)
    return HalfYear(queries.participation(by=("campaign",)).to_dict(), queries.participation(by=("demographic_group",)).to_dict(), promises)


def _file(demo: DemoCampaign, opens_at: dt.datetime, scale: float) -> CampaignFile:
    """The demo's terms at another date, with prizes in proportion."""
    body = to_dict(demo_terms(demo, opens_at - dt.timedelta(days=demo.first)))
    for prize in body["draw"]["prizes"]:
        prize["quantity"] = max(1, round(prize["quantity"] * scale * 10))
    head = {"title": demo.title, "summary": demo.summary, "theme": demo.theme}
    return CampaignFile(head, body)


def as_text(found: HalfYear) -> str:
    lines = []
    for name, body in (("campaign", found.by_campaign), ("demographic_group", found.by_group)):
        for row in (*body["rows"], {**body["total"], f"{name}_label": "合计"}):
            lines.append(
                f"{row[f'{name}_label'] or '未填写'}：人次 {row['attempt_count']:,}，人数 {row['participant_count']:,}，"
                f"合格率 {row['pass_rate']}，合格人数占 {row['person_pass_rate']}"
            )
        lines.append("")
    for slug, promises in found.promises.items():
        broken = [f"{one.title}（{one.broken[0]}）" for one in promises if not one.is_kept]
        lines.append(f"{slug}：{'承诺都守住了' if not broken else '打破 ' + '；'.join(broken)}")
    return "\n".join(lines)


def as_dict(found: HalfYear) -> dict[str, Any]:
    kept = {slug: {one.name: one.is_kept for one in promises} for slug, promises in found.promises.items()}
    return {"by_campaign": found.by_campaign, "by_group": found.by_group, "promises": kept}
