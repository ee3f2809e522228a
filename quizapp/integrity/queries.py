"""Reads about signs, cases and decisions; complaints and evidence are in the rooms beside."""

import datetime as dt
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from quizapp.accounts.models import Organisation
from quizapp.accounts.queries import is_below
from quizapp.attempts.models import Attempt, AwardGrant
from quizapp.campaigns.models import Campaign
from quizapp.core.db import db
from quizapp.core.errors import NotFound
from quizapp.integrity import rules
from quizapp.integrity.errors import CaseNotFound
from quizapp.integrity.models import Appeal, Case, Decision, Effect, IntegrityPolicy, Signal
from quizapp.lottery.models import Draw, DrawTicket, PrizeBar, Win
from quizapp.payouts.models import Payout


def within(paths: Sequence[str]) -> sa.ColumnElement[bool]:
    """Condition: the host of a campaign lies in one of these subtrees; the statement joins ``Organisation``."""
    return sa.or_(sa.false(), *map(is_below, paths))


@dataclass(frozen=True)
class CampaignFacts:
    """A campaign as cases name it."""

    id: uuid.UUID
    slug: str
    title: str
    host_path: str
    host_id: uuid.UUID
    host_name: str


_FACTS = sa.select(Campaign.id, Campaign.slug, Campaign.title, Organisation.path, Organisation.id, Organisation.name).join(
    Organisation, Organisation.id == Campaign.host_organisation_id
)


def get_campaign_facts(campaign_id: uuid.UUID, paths: Sequence[str] = ("/",)) -> CampaignFacts:
    """:raises NotFound: if there is no such campaign within these subtrees"""
    row = db.session.execute(_FACTS.where(Campaign.id == campaign_id, within(paths))).one_or_none()
    if row is None:
        raise NotFound
    return CampaignFacts(*row)


def find_published_facts(slug: str) -> CampaignFacts:
    """:raises NotFound: if there is no campaign of this name that the public knows"""
    row = db.session.execute(_FACTS.where(Campaign.slug == slug, Campaign.status.in_(("published", "paused", "closed")))).one_or_none()
    if row is None:
        raise NotFound
    return CampaignFacts(*row)


def list_campaigns(paths: Sequence[str]) -> list[CampaignFacts]:
    """Campaigns within these subtrees that began, the latest first."""
    began = _FACTS.where(within(paths), Campaign.status.in_(("published", "paused", "closed")))
    return [CampaignFacts(*row) for row in db.session.execute(began.order_by(Campaign.opens_at.desc(), Campaign.slug))]


# ---- policy


@dataclass(frozen=True)
class Policy:
    """See ``IntegrityPolicy``."""

    hold_score: int = rules.HOLD_SCORE
    second_above_fen: int = rules.SECOND_ABOVE_FEN


def get_policy(campaign_id: uuid.UUID) -> Policy:
    """What holds in this campaign, the defaults if nobody has set anything."""
    row = db.session.get(IntegrityPolicy, campaign_id)
    return Policy(row.hold_score, row.second_above_fen) if row else Policy()


# ---- cases


def list_signals(campaign_id: uuid.UUID, citizen_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, list[Signal]]:
    """Signs by citizen, the strongest first."""
    found: dict[uuid.UUID, list[Signal]] = {citizen_id: [] for citizen_id in citizen_ids}
    rows = sa.select(Signal).where(Signal.campaign_id == campaign_id, Signal.citizen_id.in_(list(citizen_ids)))
    for row in db.session.scalars(rows.order_by(Signal.points.desc(), Signal.code, Signal.subject)):
        found[row.citizen_id].append(row)
    return found


def lock_case(case_id: uuid.UUID, paths: Sequence[str] = ("/",)) -> tuple[Case, CampaignFacts]:
    """Lock a case, before anything of its citizen.

    :raises CaseNotFound: if there is none within these subtrees
    """
    case = db.session.scalar(sa.select(Case).filter_by(id=case_id).with_for_update().execution_options(populate_existing=True))
    if case is None:
        raise CaseNotFound
    try:
        return case, get_campaign_facts(case.campaign_id, paths)
    except NotFound:
        raise CaseNotFound from None


def get_case(case_id: uuid.UUID, paths: Sequence[str]) -> tuple[Case, CampaignFacts]:
    """:raises CaseNotFound: if there is none within these subtrees"""
    case = db.session.get(Case, case_id)
    if case is None:
        raise CaseNotFound
    try:
        return case, get_campaign_facts(case.campaign_id, paths)
    except NotFound:
        raise CaseNotFound from None


def find_case(campaign_id: uuid.UUID, citizen_id: uuid.UUID) -> Case | None:
    return db.session.scalar(sa.select(Case).filter_by(campaign_id=campaign_id, citizen_id=citizen_id))


def _cases(columns: Sequence[Any], paths: Sequence[str]) -> sa.Select[Any]:
    joined = sa.select(*columns).select_from(Case).join(Campaign, Campaign.id == Case.campaign_id)
    return joined.join(Organisation, Organisation.id == Campaign.host_organisation_id).where(within(paths))


def select_cases(paths: Sequence[str], *, state: str = "", campaign_id: uuid.UUID | None = None) -> sa.Select[Any]:
    """Rows of (case, campaign title), the oldest waiting first, for ``web.pagination.paginate``."""
    statement = _cases((Case, Campaign.title), paths)
    if state:
        statement = statement.where(Case.state == state)
    if campaign_id is not None:
        statement = statement.where(Case.campaign_id == campaign_id)
    return statement.order_by(Case.opened_at if state in ("waiting", "proposed") else Case.opened_at.desc(), Case.id)


def count_by_state(paths: Sequence[str]) -> dict[str, int]:
    return dict(db.session.execute(_cases((Case.state, sa.func.count()), paths).group_by(Case.state)).all())


def count_waiting(paths: Sequence[str]) -> int:
    """Cases somebody has to look at, and appeals without an answer."""
    counts = count_by_state(paths)
    return counts.get("waiting", 0) + counts.get("proposed", 0) + count_open_appeals(paths)


def count_open_appeals(paths: Sequence[str]) -> int:
    statement = _cases((sa.func.count(Appeal.id),), paths)
    statement = statement.join(Decision, Decision.case_id == Case.id).join(Appeal, Appeal.decision_id == Decision.id)
    return db.session.scalar(statement.where(Appeal.state == "open")) or 0


def select_appeals(paths: Sequence[str], state: str = "open") -> sa.Select[Any]:
    """Rows of (appeal, decision, case, campaign title), the first due first."""
    statement = _cases((Appeal, Decision, Case, Campaign.title), paths)
    statement = statement.join(Decision, Decision.case_id == Case.id).join(Appeal, Appeal.decision_id == Decision.id)
    return statement.where(Appeal.state == state if state == "open" else Appeal.state != "open").order_by(Appeal.due_on, Appeal.id)


# ---- one case


def list_decisions(case_id: uuid.UUID) -> list[Decision]:
    """Decisions of a case in their order."""
    return list(db.session.scalars(sa.select(Decision).filter_by(case_id=case_id).order_by(Decision.decided_at, Decision.id)))


def list_effects(decision_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, list[Effect]]:
    found: dict[uuid.UUID, list[Effect]] = {decision_id: [] for decision_id in decision_ids}
    rows = sa.select(Effect).where(Effect.decision_id.in_(list(decision_ids))).order_by(Effect.happened_at, Effect.id)
    for row in db.session.scalars(rows):
        found[row.decision_id].append(row)
    return found


def find_standing(case_id: uuid.UUID, kind: str | None = None) -> list[Decision]:
    """Exclusions of a case that are in force: decided or confirmed, and not reversed."""
    later = sa.orm.aliased(Decision)
    in_force = sa.select(Decision).where(
        Decision.case_id == case_id,
        Decision.kind.in_(("exclude_attempts", "exclude_person") if kind is None else (kind,)),
        Decision.step.in_(("decided", "confirmed")),
        ~sa.exists().where(later.follows_id == Decision.id, later.kind == "restore"),
    )
    return list(db.session.scalars(in_force.order_by(Decision.decided_at, Decision.id)))


def is_followed(decision_id: uuid.UUID) -> bool:
    return db.session.scalar(sa.select(Decision.id).filter_by(follows_id=decision_id)) is not None


def get_decision(decision_id: uuid.UUID) -> Decision:
    """:raises CaseNotFound: if there is none"""
    found = db.session.get(Decision, decision_id)
    if found is None:
        raise CaseNotFound
    return found


def list_appeals(case_id: uuid.UUID) -> dict[uuid.UUID, Appeal]:
    """Appeals of a case by the decision they answer."""
    rows = sa.select(Appeal).join(Decision, Decision.id == Appeal.decision_id).where(Decision.case_id == case_id)
    return {appeal.decision_id: appeal for appeal in db.session.scalars(rows)}


def list_case_attempts(case: Case) -> list[Attempt]:
    """The graded attempts a case is about, in order."""
    mine = sa.select(Attempt).filter_by(campaign_id=case.campaign_id, citizen_id=case.citizen_id, state="graded")
    return list(db.session.scalars(mine.order_by(Attempt.submitted_at, Attempt.id)))


def list_case_payouts(case: Case) -> list[Payout]:
    mine = sa.select(Payout).filter_by(campaign_id=case.campaign_id, citizen_id=case.citizen_id)
    return list(db.session.scalars(mine.order_by(Payout.id)))


def list_wins_of(attempt_ids: Collection[uuid.UUID]) -> list[uuid.UUID]:
    """Wins drawn with tickets that these attempts earned."""
    drawn = sa.select(Win.id).join(Draw, Draw.id == Win.draw_id).join(DrawTicket, DrawTicket.id == Draw.ticket_id)
    return list(db.session.scalars(drawn.where(DrawTicket.source_type == "attempt", DrawTicket.source_id.in_(list(attempt_ids)))))


def list_sources_of(attempt_ids: Collection[uuid.UUID]) -> list[uuid.UUID]:
    """What hand-overs that follow from these attempts call their source: wins of their tickets, prizes of their awards."""
    granted = sa.select(AwardGrant).where(AwardGrant.attempt_id.in_(list(attempt_ids)))
    prizes = [
        uuid.uuid5(grant.id, f"{gift['name']}:{number}")
        for grant in db.session.scalars(granted)
        for gift in grant.gifts
        if gift["kind"] == "prize"
        for number in range(gift["amount"])
    ]
    return [*list_wins_of(attempt_ids), *prizes]


def list_to_finish(before: dt.datetime) -> list[uuid.UUID]:
    """Exclusions decided by then whose prizes are still only kept back."""
    kept = sa.exists().where(Effect.decision_id == Decision.id, Effect.kind == "payout_withheld")
    done = sa.exists().where(Effect.decision_id == Decision.id, Effect.kind == "finished")
    later = sa.orm.aliased(Decision)
    reversed_one = sa.exists().where(later.follows_id == Decision.id, later.kind == "restore")
    found = sa.select(Decision.id).where(Decision.step.in_(("decided", "confirmed")), kept, ~done, ~reversed_one)
    dismissed = sa.exists().where(Appeal.decision_id == Decision.id, Appeal.state == "dismissed")
    return list(db.session.scalars(found.where(sa.or_(Decision.decided_at <= before, dismissed)).order_by(Decision.decided_at)))


def find_alias(campaign_id: uuid.UUID, citizen_id: uuid.UUID) -> str:
    """The 抽奖号 a citizen has drawn under in a campaign; empty before the first draw."""
    drawn = sa.select(Draw.alias).filter_by(campaign_id=campaign_id, citizen_id=citizen_id).limit(1)
    return db.session.scalar(drawn) or ""


# ---- the citizen's own


@dataclass(frozen=True)
class OwnCase:
    """A case as its citizen sees it: no score and no sign, since saying which sign is looked at would teach how to avoid it;
    the reason of a decision is said in full."""

    case: Case
    campaign_title: str
    campaign_slug: str
    is_held: bool
    standing: tuple[Decision, ...]
    restored: tuple[Decision, ...]
    appeals: dict[uuid.UUID, Appeal]


def list_own_cases(citizen_id: uuid.UUID) -> list[tuple[Case, str, str]]:
    """Cases of a citizen that concern them: a prize waits, or something was decided against them."""
    decided = sa.exists().where(Decision.case_id == Case.id, Decision.kind != "clear")
    shown = sa.or_(decided, sa.and_(Case.state.in_(("waiting", "proposed")), Case.was_held))
    statement = sa.select(Case, Campaign.title, Campaign.slug).join(Campaign, Campaign.id == Case.campaign_id)
    rows = db.session.execute(statement.where(Case.citizen_id == citizen_id, shown).order_by(Case.opened_at.desc(), Case.id))
    return [(case, title, slug) for case, title, slug in rows]


def get_own_decision(decision_id: uuid.UUID, citizen_id: uuid.UUID) -> tuple[Decision, Case, str]:
    """An exclusion that concerns this citizen, with its campaign's title.

    :raises CaseNotFound: for somebody else's just as for none
    """
    statement = sa.select(Decision, Case, Campaign.title).join(Case, Case.id == Decision.case_id)
    statement = statement.join(Campaign, Campaign.id == Case.campaign_id).where(Decision.id == decision_id, Case.citizen_id == citizen_id)
    row = db.session.execute(statement).one_or_none()
    if row is None or row[0].kind not in ("exclude_attempts", "exclude_person") or row[0].step not in ("decided", "confirmed"):
        raise CaseNotFound
    return row[0], row[1], row[2]


# ---- the list of who takes no part


def select_bars(campaign_id: uuid.UUID) -> sa.Select[Any]:
    return sa.select(PrizeBar).filter_by(campaign_id=campaign_id).order_by(PrizeBar.ended_at.is_not(None), PrizeBar.barred_at, PrizeBar.id)


# ---- published figures


@dataclass(frozen=True)
class Totals:
    """People and attempts of one campaign by what became of them; counted anew each time."""

    held_people: int
    waiting_people: int
    cleared_people: int
    excluded_people: int
    restored_people: int
    excluded_attempts: int
    appeals: int
    granted_appeals: int
    people_by_reason: dict[str, int]


def count_totals(campaign_id: uuid.UUID) -> Totals:
    """What is published about one campaign. ``people_by_reason`` counts each excluded person once, under the latest reason."""
    states = dict(
        db.session.execute(sa.select(Case.state, sa.func.count()).where(Case.campaign_id == campaign_id).group_by(Case.state)).all()
    )
    of_campaign = Case.campaign_id == campaign_id
    held = db.session.scalar(sa.select(sa.func.count()).select_from(Case).where(of_campaign, Case.was_held)) or 0
    reversed_ones = sa.select(sa.func.count(sa.distinct(Case.id))).join(Decision, Decision.case_id == Case.id)
    restored = db.session.scalar(reversed_ones.where(of_campaign, Decision.kind == "restore")) or 0
    appeals = sa.select(Appeal.state, sa.func.count()).join(Decision, Decision.id == Appeal.decision_id)
    by_answer = dict(db.session.execute(appeals.join(Case, Case.id == Decision.case_id).where(of_campaign).group_by(Appeal.state)).all())
    counted = sa.select(Attempt.citizen_id, Attempt.exclusion_reason, sa.func.count(), sa.func.max(Attempt.excluded_at)).where(
        Attempt.campaign_id == campaign_id, Attempt.state == "graded", Attempt.excluded_at.is_not(None)
    )
    latest: dict[uuid.UUID, tuple[dt.datetime, str]] = {}
    attempts = 0
    for citizen_id, reason, count, at in db.session.execute(counted.group_by(Attempt.citizen_id, Attempt.exclusion_reason)):
        attempts += count
        if citizen_id is not None and at is not None:
            last = (at, reason or "other")
            latest[citizen_id] = max(latest.get(citizen_id, last), last)
    people: dict[str, int] = {}
    for _at, reason in latest.values():
        people[reason] = people.get(reason, 0) + 1
    return Totals(
        held_people=held,
        waiting_people=states.get("waiting", 0) + states.get("proposed", 0),
        cleared_people=states.get("cleared", 0),
        excluded_people=len(latest),
        restored_people=restored,
        excluded_attempts=attempts,
        appeals=sum(by_answer.values()),
        granted_appeals=by_answer.get("granted", 0),
        people_by_reason=dict(sorted(people.items())),
    )
