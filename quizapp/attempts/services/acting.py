"""Actions and registration: what a citizen does in a campaign besides answering."""

import datetime as dt
import json
import uuid
from collections.abc import Mapping
from typing import cast

import sqlalchemy as sa
from flask import current_app

from quizapp.accounts import queries as account_queries
from quizapp.attempts.errors import EntryClosed, TeamFull, TeamNotFound, TrackFixed
from quizapp.attempts.models import CampaignAction, CampaignEntry, CampaignTeam
from quizapp.attempts.services.awarding import Earner, give_awards
from quizapp.campaigns import rules as campaign_rules
from quizapp.campaigns.errors import NotEligible
from quizapp.campaigns.rules import CampaignView
from quizapp.campaigns.terms import RISKY_ACTIONS, EntryField, Terms, Track
from quizapp.core.clock import shanghai_day
from quizapp.core.crypto import Vault
from quizapp.core.db import db
from quizapp.core.errors import InvalidInput
from quizapp.core.ids import new_id
from quizapp.core.text import N_, clean_line


def record_action(
    *, campaign: CampaignView, citizen_id: uuid.UUID, kind: str, source: str, now: dt.datetime, amount: int = 1, name: str = ""
) -> bool:
    """Note something that the server has seen a citizen do in a running campaign, and give what it brings.

    :param source: what shows it (an article's reading, a check-in); it counts once
    :param amount: seconds, pages, a game's score; cut to what the terms allow for one action
    :returns: whether it counted: the campaign knows this kind, is open, its limits are not reached, the source is new
    """
    terms = campaign.terms
    action = next((item for item in terms.actions if item.kind == kind), None)
    if action is None or campaign_rules.phase(campaign.status, terms, now) != "open":
        return False
    if kind in RISKY_ACTIONS and not action.is_confirmed:
        return False
    profile = account_queries.lock_citizen(citizen_id)
    own = sa.select(CampaignAction).filter_by(campaign_id=campaign.id, citizen_id=citizen_id, kind=kind)
    before = list(db.session.scalars(own))
    today = shanghai_day(now)
    if any(item.source == source for item in before) or (action.total is not None and len(before) >= action.total):
        return False
    if action.per_day is not None and sum(item.acted_on == today for item in before) >= action.per_day:
        return False
    row = CampaignAction(
        id=new_id(),
        campaign_id=campaign.id,
        citizen_id=citizen_id,
        kind=kind,
        name=name[:64],
        source=source,
        amount=max(1, min(amount, action.max_amount)),
        acted_at=now,
        acted_on=today,
    )
    db.session.add(row)
    db.session.flush()
    give_awards(Earner(campaign.id, campaign.terms_id, profile), str(row.id), now)
    return True


# ---- registration for a campaign


def needs_entry(terms: Terms) -> bool:
    """Whether one registers for this campaign before answering: it asks something of its own, there are tracks to choose, or
    a board of people to agree to."""
    has_boards = any(board.of == "person" and board.opt_in for board in terms.boards)
    return terms.entry is not None or len(terms.tracks) > 1 or has_boards or any(track.kind == "team" for track in terms.tracks)


def find_entry(campaign_id: uuid.UUID, citizen_id: uuid.UUID) -> CampaignEntry | None:
    return db.session.get(CampaignEntry, (campaign_id, citizen_id), populate_existing=True)


def team_name_of(entry: CampaignEntry) -> str:
    """The name of a registration's team, empty without one."""
    team = db.session.get(CampaignTeam, entry.team_id) if entry.team_id else None
    return team.name if team else ""


def enter_campaign(
    *,
    campaign: CampaignView,
    citizen_id: uuid.UUID,
    track: str = "",
    team_name: str = "",
    answers: Mapping[str, str] | None = None,
    is_on_boards: bool = False,
    now: dt.datetime,
) -> CampaignEntry:
    """Register a citizen for a campaign, or correct what was told before.

    The track, and the team in it, are chosen once. Somebody who names a team that does not exist yet founds it.

    :param answers: by the terms' field ids
    :raises EntryClosed: outside the window of registration
    :raises InvalidInput: with a sentence per field
    :raises NotEligible: outside the campaign's circle
    :raises TrackFixed: for another track or team than the one chosen
    :raises TeamFull: if the team has all its people
    """
    terms = campaign.terms
    _check_window(campaign, now)
    profile = account_queries.lock_citizen(citizen_id)
    reason = campaign_rules.why_not_eligible(terms.eligibility, profile)
    if reason:
        raise NotEligible(reason)
    chosen = _track(terms, track)
    if chosen is not None and chosen.groups and profile.demographic_group not in chosen.groups:
        raise NotEligible(N_("这个赛道只面向指定的人群，您填写的人群不在范围内。"))
    values = check_answers(terms.entry.fields if terms.entry else (), answers or {})
    entry = find_entry(campaign.id, citizen_id)
    if entry is None:
        team = _join(campaign.id, chosen, team_name, citizen_id, now) if chosen and chosen.kind == "team" else None
        entry = CampaignEntry(
            campaign_id=campaign.id, citizen_id=citizen_id, track=chosen.id if chosen else "", team_id=team, entered_at=now
        )
        db.session.add(entry)
    elif (chosen is not None and entry.track != chosen.id) or _is_other_team(entry, team_name):
        raise TrackFixed
    elif terms.entry is not None and not terms.entry.can_be_corrected and values != read_answers(entry):
        raise TrackFixed(N_("报名信息提交后不能再改。"))
    entry.answers_encrypted = _vault().encrypt_bytes(json.dumps(values, ensure_ascii=False).encode()) if values else None
    entry.is_on_boards, entry.updated_at = is_on_boards, now
    db.session.flush()
    return entry


def _check_window(campaign: CampaignView, now: dt.datetime) -> None:
    entry = campaign.terms.entry
    opens = entry.opens_at if entry and entry.opens_at else None
    closes = entry.closes_at if entry and entry.closes_at else campaign.terms.closes_at
    if campaign_rules.phase(campaign.status, campaign.terms, now) == "ended" or now >= closes:
        raise EntryClosed
    if (opens is not None and now < opens) or (opens is None and now < campaign.terms.opens_at):
        raise EntryClosed(N_("报名还没开始。"))


def _track(terms: Terms, track: str) -> Track | None:
    tracks = [item for item in terms.tracks if not item.is_paper]
    if not tracks:
        return None
    if len(tracks) == 1 and not track:
        return tracks[0]
    for item in tracks:
        if item.id == track:
            return item
    raise InvalidInput(fields={"track": N_("请选一个赛道。")})


def check_answers(fields: tuple[EntryField, ...], answers: Mapping[str, str]) -> dict[str, str]:
    """Clean the answers to a campaign's own questions.

    :raises InvalidInput: with a sentence per field
    """
    found: dict[str, str] = {}
    wrong: dict[str, str] = {}
    for field in fields:
        text = clean_line(str(answers.get(field.id) or ""), 400)
        if not text:
            if field.is_required:
                wrong[field.id] = f"“{field.label}”没有填。"
        elif len(text) > field.max_length:
            wrong[field.id] = f"“{field.label}”最多 {field.max_length} 个字。"
        elif field.kind == "choice" and text not in field.choices:
            wrong[field.id] = f"“{field.label}”请从列出的选项里选。"
        elif field.kind == "digits" and not (text.isascii() and text.isdigit()):
            wrong[field.id] = f"“{field.label}”只能填数字。"
        else:
            found[field.id] = text
    if wrong:
        raise InvalidInput(fields=wrong)
    return found


def _join(campaign_id: uuid.UUID, track: Track, name: str, citizen_id: uuid.UUID, now: dt.datetime) -> uuid.UUID:
    clean = clean_line(name, 100)
    if not 2 <= len(clean) <= 20:
        raise InvalidInput(fields={"team": N_("队名要 2 到 20 个字。")})
    statement = sa.select(CampaignTeam).filter_by(campaign_id=campaign_id, name=clean).with_for_update()
    team = db.session.scalar(statement.execution_options(populate_existing=True))
    if team is None:
        team = CampaignTeam(
            id=new_id(), campaign_id=campaign_id, track=track.id, name=clean, member_count=0, created_at=now, created_by=citizen_id
        )
        db.session.add(team)
    if team.track != track.id:
        raise TeamNotFound
    if track.team_size is not None and team.member_count >= track.team_size:
        raise TeamFull
    team.member_count += 1
    db.session.flush()
    return team.id


def _is_other_team(entry: CampaignEntry, name: str) -> bool:
    return bool(name) and entry.team_id is not None and team_name_of(entry) != clean_line(name, 100)


def read_answers(entry: CampaignEntry) -> dict[str, str]:
    """What was answered at the registration, by field id."""
    if entry.answers_encrypted is None:
        return {}
    return cast(dict[str, str], json.loads(_vault().decrypt_bytes(entry.answers_encrypted)))


def forget_answers(campaign: CampaignView, now: dt.datetime) -> int:
    """Forget the answers to a campaign's own questions when the longest of their times is over. Returns how many."""
    entry = campaign.terms.entry
    if entry is None or not entry.fields:
        return 0
    until = campaign.terms.closes_at + dt.timedelta(days=max(field.keep_days for field in entry.fields))
    if now < until:
        return 0
    kept = sa.and_(CampaignEntry.campaign_id == campaign.id, CampaignEntry.answers_encrypted.is_not(None))
    result = db.session.connection().execute(sa.update(CampaignEntry).where(kept).values(answers_encrypted=None))
    return int(result.rowcount)


def _vault() -> Vault:
    return cast(Vault, current_app.extensions["vault"])
