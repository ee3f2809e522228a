"""What an exclusion takes and a reversal gives back, row by row."""

import datetime as dt
import uuid
from collections.abc import Collection, Iterable, Sequence
from typing import cast

import sqlalchemy as sa

from quizapp.accounts.queries import lock_citizen
from quizapp.attempts.models import Attempt, AttemptRemark, AwardGrant
from quizapp.audit import services as audit
from quizapp.core.db import db
from quizapp.integrity import queries
from quizapp.integrity.models import Case, Decision, Effect
from quizapp.integrity.queries import CampaignFacts
from quizapp.ledger import services as ledger
from quizapp.ledger.models import LedgerEntry
from quizapp.ledger.rules import POINTS_SOURCE
from quizapp.lottery import services as lottery
from quizapp.lottery.models import DrawTicket
from quizapp.payouts import services as payouts
from quizapp.payouts.queries import lock_payout
from quizapp.payouts.rules import LOST_STATES

_ATTEMPTS = cast(sa.Table, Attempt.__table__)
SOURCE = "exclusion"
"""What the ledger calls an entry of ours: its source id is the decision, or the effect of a later attempt."""


def exclude_attempts(case: Case, decision: Decision, chosen: Collection[uuid.UUID] | None, now: dt.datetime) -> int:
    """Take graded attempts out of 有效人次; they stay in 人次. Locks them, then the citizen.

    :param chosen: None for all of the person's part
    :returns: how many were not out before
    """
    mine = sa.select(Attempt.id).where(
        Attempt.campaign_id == case.campaign_id,
        Attempt.citizen_id == case.citizen_id,
        Attempt.state == "graded",
        Attempt.excluded_at.is_(None),
    )
    if chosen is not None:
        mine = mine.where(Attempt.id.in_(list(chosen)))
    ids = list(db.session.scalars(mine.order_by(Attempt.id).with_for_update()))
    lock_citizen(case.citizen_id)
    if ids:
        out = sa.update(_ATTEMPTS).where(_ATTEMPTS.c.id.in_(ids)).values(excluded_at=now, exclusion_reason=decision.reason)
        db.session.execute(out)
        _note(decision, "attempt_excluded", ids, now)
    return len(ids)


def take_rest(case: Case, facts: CampaignFacts, decision: Decision, actor: audit.Actor, now: dt.datetime) -> int:
    """Void what is undrawn, keep back what is not handed over, take points back as far as they go, and with a person's whole part
    end their chances in this campaign. May run again for attempts that came later. Returns how many things were taken."""
    is_person = decision.kind == "exclude_person"
    attempts = _excluded_by(decision)
    count = _void_tickets(case, facts, decision, None if is_person else attempts, actor, now)
    count += _withhold_payouts(case, decision, None if is_person else queries.list_sources_of(attempts), actor, now)
    count += _take_points(case, decision, attempts, now)
    if is_person:
        bar = lottery.bar_person(
            campaign_id=case.campaign_id,
            citizen_id=case.citizen_id,
            reason=decision.reason,
            note="",
            staff_id=actor.id if actor.kind == "staff" else None,
            actor=actor,
            organisation_path=facts.host_path,
            now=now,
        )
        if bar.is_new:
            _note(decision, "barred", [bar.id], now)
    db.session.flush()
    return count + len(attempts)


def reverse(case: Case, facts: CampaignFacts, exclusion: Decision, decision: Decision, actor: audit.Actor, now: dt.datetime) -> None:
    """Give back what the exclusion took, from its effects."""
    done = queries.list_effects([exclusion.id])[exclusion.id]

    def subjects(kind: str) -> list[uuid.UUID]:
        return [uuid.UUID(effect.subject) for effect in done if effect.kind == kind]

    _restore_attempts(decision, subjects("attempt_excluded"), exclusion.reason, now)
    lock_citizen(case.citizen_id)
    for bar_id in subjects("barred"):
        lottery.end_bar(
            bar_id=bar_id,
            campaign_id=case.campaign_id,
            staff_id=actor.id,
            actor=actor,
            organisation_path=facts.host_path,
            now=now,
        )
        _note(decision, "unbarred", [bar_id], now)
    _give_back(decision, subjects("payout_withheld"), actor, now)
    _grant_again(case, decision, subjects("ticket_voided"), now)
    amount = sum(effect.amount for effect in done if effect.kind == "points_taken")
    if amount:
        ledger.post(
            ledger.Posting(
                unit="points",
                from_owner=POINTS_SOURCE,
                to_owner=("citizen", str(case.citizen_id)),
                amount=amount,
                source_type=SOURCE,
                source_id=decision.id,
                reason="restored",
                now=now,
            )
        )
        _note(decision, "points_returned", [decision.id], now, amount)


# ---- pieces


def _note(decision: Decision, kind: str, subjects: Iterable[uuid.UUID], now: dt.datetime, amount: int = 0) -> None:
    db.session.add_all(
        Effect(decision_id=decision.id, kind=kind, subject=str(subject), amount=amount, happened_at=now) for subject in subjects
    )
    db.session.flush()


def _excluded_by(decision: Decision) -> list[uuid.UUID]:
    mine = sa.select(Effect.subject).filter_by(decision_id=decision.id, kind="attempt_excluded").order_by(Effect.subject)
    return [uuid.UUID(subject) for subject in db.session.scalars(mine)]


def _void_tickets(
    case: Case, facts: CampaignFacts, decision: Decision, attempts: Collection[uuid.UUID] | None, actor: audit.Actor, now: dt.datetime
) -> int:
    mine = sa.select(DrawTicket.id).filter_by(campaign_id=case.campaign_id, citizen_id=case.citizen_id, state="granted")
    if attempts is not None:
        mine = mine.where(DrawTicket.source_type == "attempt", DrawTicket.source_id.in_(list(attempts)))
    ids = list(db.session.scalars(mine))
    if not ids:
        return 0
    lottery.void_tickets(
        campaign_id=case.campaign_id,
        ticket_ids=ids,
        reason="excluded_attempt",
        actor=actor,
        organisation_path=facts.host_path,
        now=now,
    )
    voided = sa.select(DrawTicket.id).where(DrawTicket.id.in_(ids), DrawTicket.state == "void").order_by(DrawTicket.id)
    gone = list(db.session.scalars(voided))
    _note(decision, "ticket_voided", gone, now)
    return len(gone)


def _withhold_payouts(case: Case, decision: Decision, sources: Collection[uuid.UUID] | None, actor: audit.Actor, now: dt.datetime) -> int:
    """Keep back what is not handed over; it is voided when nobody has appealed in time (:func:`cancel_withheld`)."""
    known = set(
        db.session.scalars(
            sa.select(Effect.subject).where(Effect.decision_id == decision.id, Effect.kind.in_(("payout_withheld", "payout_kept")))
        )
    )
    count = 0
    for payout in queries.list_case_payouts(case):
        is_meant = sources is None or payout.source_id in sources
        if not is_meant or str(payout.id) in known or payout.state in LOST_STATES or payout.kind == "points":
            continue
        is_withheld = payouts.withhold(payout_id=payout.id, actor=actor, now=now)
        _note(decision, "payout_withheld" if is_withheld else "payout_kept", [payout.id], now, payout.amount_fen)
        count += is_withheld
    return count


def cancel_withheld(decision: Decision, now: dt.datetime) -> int:
    """Void what a decision keeps back. Returns how many."""
    withheld = sa.select(Effect.subject).filter_by(decision_id=decision.id, kind="payout_withheld").order_by(Effect.subject)
    count = 0
    for subject in list(db.session.scalars(withheld)):
        payout = lock_payout(uuid.UUID(subject))
        if payout.state == "held":
            payouts.cancel(payout.id, "breach", audit.SYSTEM, now)
            _note(decision, "payout_cancelled", [payout.id], now, payout.amount_fen)
            count += 1
    _note(decision, "finished", [decision.id], now)
    return count


def _give_back(decision: Decision, payout_ids: Collection[uuid.UUID], actor: audit.Actor, now: dt.datetime) -> None:
    for payout_id in sorted(payout_ids):
        payout = lock_payout(payout_id)
        is_back = payout.state == "held"
        if is_back:
            payouts.release(payout_id, "review", actor, now)
        if is_back or payout.state == "void":
            _note(decision, "payout_reinstated" if is_back else "payout_gone", [payout_id], now, payout.amount_fen)


def _take_points(case: Case, decision: Decision, attempts: Sequence[uuid.UUID], now: dt.datetime) -> int:
    """Take back what the attempts and their wins brought, in one entry per attempt, so that one that comes later adds its own.

    What has been spent is written down and not owed.
    """
    taken = set(
        db.session.scalars(
            sa.select(Effect.subject).where(Effect.decision_id == decision.id, Effect.kind.in_(("points_taken", "points_short")))
        )
    )
    count = 0
    found = {attempt_id: _sources(attempt_id) for attempt_id in attempts}
    if decision.kind == "exclude_person":
        found |= _other_awards(case)
    for subject, sources in sorted(found.items()):
        earned = 0 if str(subject) in taken else _earned(case.citizen_id, sources)
        if not earned:
            continue
        posting = ledger.Posting(
            unit="points",
            from_owner=("citizen", str(case.citizen_id)),
            to_owner=POINTS_SOURCE,
            amount=earned,
            source_type=SOURCE,
            source_id=f"{decision.id.hex}{subject.hex}",
            reason="reversal",
            now=now,
        )
        moved = ledger.take_back(posting)
        if moved:
            _note(decision, "points_taken", [subject], now, moved)
            count += 1
        if moved < earned:
            _note(decision, "points_short", [subject], now, earned - moved)
    return count


def _sources(attempt_id: uuid.UUID) -> list[tuple[str, str]]:
    """What brought points because of an attempt: itself, a corrected key, its awards, a win of its tickets."""
    remarks = sa.select(AttemptRemark.id).filter_by(attempt_id=attempt_id)
    awards = sa.select(AwardGrant.id).filter_by(attempt_id=attempt_id)
    return [
        ("attempt", str(attempt_id)),
        *(("remark", str(remark_id)) for remark_id in db.session.scalars(remarks)),
        *(("award", str(grant_id)) for grant_id in db.session.scalars(awards)),
        *(("win", str(win_id)) for win_id in queries.list_wins_of([attempt_id])),
    ]


def _other_awards(case: Case) -> dict[uuid.UUID, list[tuple[str, str]]]:
    """Awards of the campaign that no attempt brought."""
    granted = sa.select(AwardGrant.id).filter_by(campaign_id=case.campaign_id, citizen_id=case.citizen_id, attempt_id=None)
    return {grant_id: [("award", str(grant_id))] for grant_id in db.session.scalars(granted)}


def _earned(citizen_id: uuid.UUID, sources: Sequence[tuple[str, str]]) -> int:
    account = ledger.account_id("citizen", str(citizen_id), "points")
    came = sa.select(sa.func.coalesce(sa.func.sum(LedgerEntry.amount), 0)).where(
        LedgerEntry.credit_account_id == account,
        sa.tuple_(LedgerEntry.source_type, LedgerEntry.source_id).in_(sources),
    )
    return int(db.session.scalar(came) or 0)


def _restore_attempts(decision: Decision, ids: Collection[uuid.UUID], reason: str, now: dt.datetime) -> None:
    out = sa.select(Attempt.id).where(Attempt.id.in_(list(ids)), Attempt.excluded_at.is_not(None), Attempt.exclusion_reason == reason)
    found = list(db.session.scalars(out.order_by(Attempt.id).with_for_update()))
    if found:
        db.session.execute(sa.update(_ATTEMPTS).where(_ATTEMPTS.c.id.in_(found)).values(excluded_at=None, exclusion_reason=None))
        _note(decision, "attempt_restored", found, now)


def _grant_again(case: Case, decision: Decision, ticket_ids: Collection[uuid.UUID], now: dt.datetime) -> None:
    """New tickets in the place of voided ones, behind the last of their source; they belong to today, whose secret draws them."""
    voided = sa.select(DrawTicket).where(DrawTicket.id.in_(list(ticket_ids)), DrawTicket.state == "void").order_by(DrawTicket.id)
    tickets = list(db.session.scalars(voided))
    if not tickets:
        return
    hours = lottery.manifest_for(case.campaign_id)["ticket_hours"]
    grants: list[lottery.Grant] = []
    ends: dict[tuple[str, uuid.UUID], int] = {}
    for ticket in tickets:
        source = (ticket.source_type, ticket.source_id)
        if source not in ends:
            last = sa.select(sa.func.max(DrawTicket.sequence)).filter_by(source_type=source[0], source_id=source[1])
            ends[source] = db.session.scalar(last) or 0
        ends[source] += 1
        grants.append(lottery.Grant(case.campaign_id, case.citizen_id, *source, ends[source], ticket.client_nonce, hours))
    lottery.grant_many(grants, now)
    for (kind, source_id), last_number in ends.items():
        if kind == "attempt":
            db.session.execute(sa.update(_ATTEMPTS).where(_ATTEMPTS.c.id == source_id).values(ticket_count=last_number))
    _note(decision, "ticket_granted", [ticket.id for ticket in tickets], now)
