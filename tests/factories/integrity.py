"""Cases, decisions and what stands behind them."""

import datetime as dt
import uuid

from quizapp.accounts.models import Citizen, StaffAccount
from quizapp.attempts.queries import AttemptView
from quizapp.attempts.services.starting import Device
from quizapp.audit.services import SYSTEM, Actor
from quizapp.campaigns.models import Campaign
from quizapp.core.db import in_transaction, transaction
from quizapp.integrity import queries, services
from quizapp.integrity.models import Case, Decision
from quizapp.integrity.services.cases import open_case
from quizapp.lottery import services as lottery
from quizapp.lottery.queries import DrawResult
from tests.factories import attempts as make

MINUTE = dt.timedelta(minutes=1)


def device(name: str) -> Device:
    return Device(tag=name.encode().ljust(32, b"."))


def play_slowly(
    campaign: Campaign, citizen: Citizen, *, now: dt.datetime, right: int = 5, on: str = "", seconds: float = 120.0
) -> AttemptView:
    """A whole attempt that takes its time, on a device of its own unless one is named."""
    own = device(on or citizen.id.hex[-12:])
    attempt = make.start(campaign, citizen, now=now - dt.timedelta(seconds=seconds), device=own).attempt
    make.answer(attempt, citizen, right, now=now)
    return make.hand_in(attempt, citizen, now=now).attempt


def draw(attempt: AttemptView, citizen: Citizen, *, now: dt.datetime, sequence: int = 1) -> DrawResult:
    with transaction():
        return lottery.draw_ticket(citizen_id=citizen.id, source_type="attempt", source_id=attempt.id, sequence=sequence, now=now)


def make_case(campaign: Campaign, citizen: Citizen, *, now: dt.datetime, score: int = 70) -> Case:
    with transaction():
        facts = queries.get_campaign_facts(campaign.id)
        return open_case(campaign.id, citizen.id, score, host_path=facts.host_path, actor=SYSTEM, now=now)


def decide(
    case: Case,
    staff: StaffAccount,
    kind: str,
    *,
    now: dt.datetime,
    attempts: tuple[uuid.UUID, ...] = (),
    reason: str = "script",
    paths: tuple[str, ...] = ("/",),
    version: int | None = None,
) -> Decision:
    actor = Actor("staff", staff.id, staff.display_name)
    asked = services.Asked(kind, reason, "看过了，写清楚理由", attempts)
    wanted = case.version if version is None else version

    def work() -> Decision:
        return services.decide(case_id=case.id, version=wanted, asked=asked, paths=paths, actor=actor, now=now)

    if in_transaction():
        return work()
    with transaction():
        return work()


def restore(decision: Decision, staff: StaffAccount, *, now: dt.datetime) -> Decision:
    with transaction():
        return services.restore(
            decision_id=decision.id, note="申诉有道理", paths=("/",), actor=Actor("staff", staff.id, staff.display_name), now=now
        )
