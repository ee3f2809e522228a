"""The list of who takes no part in a campaign's chances, and from where on somebody looks."""

import datetime as dt
import uuid
from collections.abc import Collection
from dataclasses import dataclass

from quizapp.audit import services as audit
from quizapp.core.db import db
from quizapp.core.errors import InvalidInput
from quizapp.core.text import N_
from quizapp.integrity import queries, rules
from quizapp.integrity.errors import UnknownReason
from quizapp.integrity.models import IntegrityPolicy, Signal
from quizapp.integrity.queries import CampaignFacts
from quizapp.integrity.services.cases import open_case
from quizapp.lottery import services as lottery
from quizapp.payouts import rules as payout_rules
from quizapp.payouts.queries import PayoutFilter, count_by_state


@dataclass(frozen=True)
class Listed:
    """How many were put on the list, and of how many something won is looked into."""

    added: int
    known: int
    cases: int


def bar_people(*, facts: CampaignFacts, phones: Collection[str], reason: str, note: str, actor: audit.Actor, now: dt.datetime) -> Listed:
    """Put numbers on the list. Whoever has won already keeps it until a person has looked: a case is opened.

    :param phones: eleven digits each
    :raises UnknownReason: for a reason that is none of a list
    """
    if reason not in rules.BAR_REASONS:
        raise UnknownReason
    added = cases = 0
    for phone in dict.fromkeys(phones):
        barred = lottery.bar_person(
            campaign_id=facts.id,
            phone=phone,
            reason=reason,
            note=note.strip(),
            staff_id=actor.id,
            actor=actor,
            organisation_path=facts.host_path,
            now=now,
        )
        added += barred.is_new
        if barred.citizen_id is not None and barred.is_new:
            cases += _look_into_wins(facts, barred.citizen_id, actor, now)
    return Listed(added, len(set(phones)) - added, cases)


def _look_into_wins(facts: CampaignFacts, citizen_id: uuid.UUID, actor: audit.Actor, now: dt.datetime) -> bool:
    counts = count_by_state(PayoutFilter(paths=("/",), campaign_id=facts.id, citizen_id=citizen_id))
    if not any(counts.get(state) for state in (*payout_rules.HOLDABLE_STATES, "held")):
        return False
    known = queries.list_signals(facts.id, [citizen_id])[citizen_id]
    if not any(row.code == rules.LISTED.code for row in known):
        row = Signal(
            campaign_id=facts.id, citizen_id=citizen_id, code=rules.LISTED.code, subject="", points=rules.LISTED.points, found_at=now
        )
        db.session.add(row)
        known.append(row)
    score = rules.score(rules.Sign(row.code, row.points) for row in known)
    open_case(facts.id, citizen_id, score, host_path=facts.host_path, actor=actor, now=now)
    return True


def end_bar(*, facts: CampaignFacts, bar_id: uuid.UUID, actor: audit.Actor, now: dt.datetime) -> None:
    """Take somebody off the list."""
    lottery.end_bar(bar_id=bar_id, campaign_id=facts.id, staff_id=actor.id, actor=actor, organisation_path=facts.host_path, now=now)


def set_policy(*, facts: CampaignFacts, hold_score: int, second_above_fen: int, actor: audit.Actor, now: dt.datetime) -> None:
    """Set from which score prizes are held and from which worth a second person is needed; cases that exist stay.

    :raises InvalidInput: for a threshold that one sign alone could reach, or above what can be reached
    """
    highest = rules.MOST_OF_ONE * len(rules.CODES)
    if not rules.MOST_OF_ONE < hold_score <= highest:
        message = N_("门槛要在 51 到 250 之间：只有一种迹象不能就扣住奖品。")
        raise InvalidInput(fields={"hold_score": message})
    if not -1 <= second_above_fen <= 100_000_000:
        raise InvalidInput(fields={"second_above": N_("金额不对。")})
    before = queries.get_policy(facts.id)
    row = db.session.get(IntegrityPolicy, facts.id)
    if row is None:
        row = IntegrityPolicy(campaign_id=facts.id)
        db.session.add(row)
    row.hold_score, row.second_above_fen, row.changed_at, row.changed_by = hold_score, second_above_fen, now, actor.id
    db.session.flush()
    audit.record(
        "integrity.policy_set",
        actor=actor,
        target_type="campaign",
        target_id=facts.id,
        target_name=facts.title,
        organisation_path=facts.host_path,
        changes={
            "hold_score": [before.hold_score, hold_score],
            "second_above_fen": [before.second_above_fen, second_above_fen],
        },
        now=now,
    )
