"""Decisions and what they do. A case is locked first, then attempts, the citizen, hand-overs, the pool, the account.

Everything a decision does, or finds it cannot do any more, is an effect row; a reversal works from those rows and nothing
else, so that it gives back exactly what was taken.
"""

import datetime as dt
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from quizapp.audit import services as audit
from quizapp.core.db import db
from quizapp.integrity import queries, rules
from quizapp.integrity.errors import AlreadyDecided, NothingToDo, SamePerson, UnknownReason
from quizapp.integrity.models import Case, Decision
from quizapp.integrity.queries import CampaignFacts
from quizapp.integrity.services import effects
from quizapp.integrity.services.cases import check_note
from quizapp.payouts import rules as payout_rules
from quizapp.payouts import services as payouts


@dataclass(frozen=True)
class Asked:
    """What a reviewer asks for, about the version of the case that was on the page."""

    kind: str
    reason: str
    note: str
    attempt_ids: tuple[uuid.UUID, ...] = ()


def decide(*, case_id: uuid.UUID, version: int, asked: Asked, paths: Sequence[str], actor: audit.Actor, now: dt.datetime) -> Decision:
    """Clear a case, take attempts out, or take the person's whole part out; above the policy's worth the latter two are only
    proposed, and nothing happens before somebody else confirms.

    :param paths: organisation subtrees this reviewer serves
    :raises CaseNotFound: for a case of another unit
    :raises AlreadyDecided: if somebody was quicker
    :raises NoteNeeded, UnknownReason, NothingToDo: for a decision without words, reason or attempts
    """
    case, facts = queries.lock_case(case_id, paths)
    if case.version != version or case.state != "waiting":
        raise AlreadyDecided
    note = check_note(asked.note)
    if asked.kind == "clear":
        decision = _write(case, "clear", "decided", actor, now, reason="", note=note)
        _close(case, "cleared", now)
        payouts.end_watch(citizen_id=case.citizen_id, campaign_id=case.campaign_id, actor=actor, now=now)
        _record("integrity.cleared", case, facts, decision, actor, now)
        return decision
    if asked.kind not in ("exclude_attempts", "exclude_person"):
        raise AlreadyDecided
    if asked.reason not in rules.REASONS:
        raise UnknownReason
    chosen = _attempts_of(case, asked)
    worth = worth_of(case, chosen if asked.kind == "exclude_attempts" else None)
    is_proposal = rules.needs_second(worth, queries.get_policy(case.campaign_id).second_above_fen)
    step = "proposed" if is_proposal else "decided"
    decision = _write(case, asked.kind, step, actor, now, reason=asked.reason, note=note, attempt_ids=chosen, worth_fen=worth)
    if is_proposal:
        case.state = "proposed"
        case.version += 1
        _record("integrity.proposed", case, facts, decision, actor, now)
        db.session.flush()
        return decision
    _exclude(case, facts, decision, actor, now)
    return decision


def confirm(*, decision_id: uuid.UUID, version: int, note: str, paths: Sequence[str], actor: audit.Actor, now: dt.datetime) -> Decision:
    """Agree to what somebody else has proposed; it happens now.

    :raises SamePerson: for who proposed it
    :raises AlreadyDecided: if somebody was quicker
    """
    case, facts, proposal = _lock_proposal(decision_id, version, paths, actor)
    decision = _write(
        case,
        proposal.kind,
        "confirmed",
        actor,
        now,
        reason=proposal.reason,
        note=note.strip()[:500] or proposal.note,
        attempt_ids=tuple(uuid.UUID(text) for text in proposal.attempt_ids),
        worth_fen=proposal.worth_fen,
        follows_id=proposal.id,
    )
    _exclude(case, facts, decision, actor, now)
    return decision


def send_back(*, decision_id: uuid.UUID, version: int, note: str, paths: Sequence[str], actor: audit.Actor, now: dt.datetime) -> Decision:
    """Not agree to what somebody has proposed: the case waits again. Whoever proposed it may take it back so."""
    case, facts, proposal = _lock_proposal(decision_id, version, paths, None)
    words = check_note(note)
    decision = _write(case, proposal.kind, "returned", actor, now, reason=proposal.reason, note=words, follows_id=proposal.id)
    case.state = "waiting"
    case.version += 1
    _record("integrity.returned", case, facts, decision, actor, now)
    db.session.flush()
    return decision


def restore(*, decision_id: uuid.UUID, note: str, paths: Sequence[str], actor: audit.Actor, now: dt.datetime) -> Decision:
    """Take an exclusion back: attempts count again, prizes kept back can be claimed again, points come back, tickets that were
    voided are granted anew (a voided one stays in the ledger).

    :raises SamePerson: for whoever decided or proposed it
    :raises AlreadyDecided: if it is no exclusion in force
    """
    exclusion = queries.get_decision(decision_id)
    case, facts = queries.lock_case(exclusion.case_id, paths)
    if exclusion.id not in {standing.id for standing in queries.find_standing(case.id)}:
        raise AlreadyDecided
    if actor.id in deciders_of(exclusion):
        raise SamePerson
    decision = _write(case, "restore", "decided", actor, now, reason=exclusion.reason, note=check_note(note), follows_id=exclusion.id)
    effects.reverse(case, facts, exclusion, decision, actor, now)
    if not queries.find_standing(case.id) and case.state == "excluded":
        _close(case, "cleared", now)
        payouts.end_watch(citizen_id=case.citizen_id, campaign_id=case.campaign_id, actor=actor, now=now)
    else:
        case.version += 1
    _record("integrity.restored", case, facts, decision, actor, now)
    db.session.flush()
    return decision


def exclude_later_attempts(*, case_id: uuid.UUID, now: dt.datetime) -> int:
    """Attempts handed in after the whole part of a person was taken out belong to that decision too. Returns how many."""
    case, facts = queries.lock_case(case_id)
    standing = queries.find_standing(case.id, "exclude_person")
    if not standing:
        return 0
    return effects.exclude_attempts(case, standing[-1], None, now) and effects.take_rest(case, facts, standing[-1], audit.SYSTEM, now)


def finish(*, decision_id: uuid.UUID, now: dt.datetime) -> int:
    """Void the prizes an exclusion keeps back, once nobody has appealed in time or the appeal was dismissed; what becomes of
    them follows from the terms. Returns how many."""
    decision = queries.get_decision(decision_id)
    case, _facts = queries.lock_case(decision.case_id)
    is_in_force = decision.id in {standing.id for standing in queries.find_standing(case.id)}
    appeal = queries.list_appeals(case.id).get(decision.id)
    if not is_in_force or not rules.is_final(decision.decided_at, appeal.state if appeal else None, now):
        return 0
    return effects.cancel_withheld(decision, now)


def deciders_of(decision: Decision) -> set[uuid.UUID]:
    """Everybody who took part in a decision."""
    found = {decision.staff_id}
    if decision.follows_id is not None:
        found.add(queries.get_decision(decision.follows_id).staff_id)
    return found


def worth_of(case: Case, attempt_ids: Collection[uuid.UUID] | None) -> int:
    """What the prizes are worth that an exclusion is about and could still take, in fen.

    :param attempt_ids: None is the person's whole part
    """
    sources = None if attempt_ids is None else set(queries.list_sources_of(attempt_ids))
    return sum(
        payout.amount_fen
        for payout in queries.list_case_payouts(case)
        if (payout.state in payout_rules.HOLDABLE_STATES or payout.state == "held") and (sources is None or payout.source_id in sources)
    )


# ---- pieces


def _attempts_of(case: Case, asked: Asked) -> tuple[uuid.UUID, ...]:
    graded = [attempt.id for attempt in queries.list_case_attempts(case) if attempt.excluded_at is None]
    if asked.kind == "exclude_person":
        return tuple(graded)
    chosen = tuple(attempt_id for attempt_id in graded if attempt_id in set(asked.attempt_ids))
    if not chosen:
        raise NothingToDo
    return chosen


def _lock_proposal(
    decision_id: uuid.UUID, version: int, paths: Sequence[str], actor: audit.Actor | None
) -> tuple[Case, CampaignFacts, Decision]:
    proposal = queries.get_decision(decision_id)
    case, facts = queries.lock_case(proposal.case_id, paths)
    if case.version != version or case.state != "proposed" or proposal.step != "proposed" or queries.is_followed(proposal.id):
        raise AlreadyDecided
    if actor is not None and actor.id == proposal.staff_id:
        raise SamePerson
    return case, facts, proposal


def _write(
    case: Case,
    kind: str,
    step: str,
    actor: audit.Actor,
    now: dt.datetime,
    *,
    reason: str,
    note: str,
    attempt_ids: Sequence[uuid.UUID] = (),
    worth_fen: int = 0,
    follows_id: uuid.UUID | None = None,
) -> Decision:
    decision = Decision(
        case_id=case.id,
        kind=kind,
        step=step,
        follows_id=follows_id,
        reason=reason,
        note=note,
        attempt_ids=[str(attempt_id) for attempt_id in attempt_ids],
        worth_fen=worth_fen,
        staff_id=actor.id,
        staff_name=actor.name,
        decided_at=now,
    )
    db.session.add(decision)
    db.session.flush()
    return decision


def _close(case: Case, state: str, now: dt.datetime) -> None:
    case.state, case.decided_at, case.version = state, now, case.version + 1
    if state == "cleared":
        case.cleared_score = case.score
    db.session.flush()


def _exclude(case: Case, facts: CampaignFacts, decision: Decision, actor: audit.Actor, now: dt.datetime) -> None:
    chosen = [uuid.UUID(text) for text in decision.attempt_ids] if decision.kind == "exclude_attempts" else None
    effects.exclude_attempts(case, decision, chosen, now)
    effects.take_rest(case, facts, decision, actor, now)
    payouts.end_watch(citizen_id=case.citizen_id, campaign_id=case.campaign_id, actor=actor, now=now)
    _close(case, "excluded", now)
    _record("integrity.excluded", case, facts, decision, actor, now)


def _record(action: str, case: Case, facts: CampaignFacts, decision: Decision, actor: audit.Actor, now: dt.datetime) -> None:
    audit.record(
        action,
        actor=actor,
        target_type="integrity_case",
        target_id=case.id,
        target_name=facts.title,
        organisation_path=facts.host_path,
        changes={
            "kind": decision.kind,
            "reason": decision.reason,
            "note": decision.note,
            "attempts": len(decision.attempt_ids),
            "worth_fen": decision.worth_fen,
        },
        now=now,
    )
