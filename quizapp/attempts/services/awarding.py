"""Giving what the terms' awards say, once each, in the transaction of what earned it. The citizen's row is locked."""

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import cast

import sqlalchemy as sa

from quizapp.accounts.queries import Profile
from quizapp.accounts.rules import is_minor
from quizapp.attempts import histories
from quizapp.attempts.histories import RoundOf
from quizapp.attempts.models import AwardGrant, AwardQuota
from quizapp.attempts.queries import ATTEMPTS, AttemptView
from quizapp.campaigns import queries as campaign_queries
from quizapp.campaigns import rules as campaign_rules
from quizapp.campaigns.season.awards import Due, due_awards
from quizapp.campaigns.season.measures import Done
from quizapp.campaigns.season.rounds import round_at
from quizapp.campaigns.terms import Gift, StockPrize, Terms
from quizapp.certificates import services as certificates
from quizapp.core.clock import day_end, shanghai_day
from quizapp.core.db import db
from quizapp.core.ids import new_id
from quizapp.ledger.rules import POINTS_SOURCE
from quizapp.ledger.services import Posting, post
from quizapp.lottery.queries import count_granted, is_barred
from quizapp.lottery.services import Grant, grant_many
from quizapp.payouts import services as payouts
from quizapp.payouts.queries import get_campaign_facts

SOURCE = "award"
DOCUMENTS = ("certificate", "title", "hours")
"""Gifts that are a document."""


@dataclass(frozen=True)
class Earner:
    """For whom and under which terms; ``attempt`` is the one that was just graded, if it was one."""

    campaign_id: uuid.UUID
    terms_id: uuid.UUID
    profile: Profile
    attempt: AttemptView | None = None


def round_key_of(terms: Terms) -> RoundOf:
    """The round of the first quiz that is open at a moment: where an action counts."""

    def find(moment: dt.datetime) -> str:
        for quiz in terms.quizzes:
            found = round_at(terms, quiz, moment)
            if found is not None:
                return found.key
        return ""

    return find


def give_awards(earner: Earner, event_key: str, now: dt.datetime) -> int:
    """Give what the newest event of a citizen's history brings.

    :param event_key: the attempt's or the action's id
    :returns: how many further tickets for the instant draw the attempt has now
    """
    terms = campaign_queries.get_terms(earner.terms_id)
    if not terms.awards:
        return 0
    history = histories.get_history(earner.profile.citizen_id, earner.campaign_id, round_key_of(terms))
    event = next((item for item in history.done if item.key == event_key), None)
    if event is None:
        return 0
    takes_part = terms.draw is None or campaign_rules.may_draw(terms.draw, earner.profile.demographic_group, earner.profile.age_band)
    tickets = 0
    for due in due_awards(terms, history, event, may_draw=takes_part, now=now):
        tickets += _give(terms, earner, event, due, tickets, now)
    return tickets


def _give(terms: Terms, earner: Earner, event: Done, due: Due, tickets_before: int, now: dt.datetime) -> int:
    """One award: its quotas, the grant, what it brings. Returns its tickets for the instant draw."""
    award, granted = due.award, due.granted
    gifts = tuple(gift for gift in granted.gifts if _is_for(terms, gift, earner))
    if award.first_per_day is not None and not _take(earner, f"{award.id}:{granted.day}", award.first_per_day, 1):
        return 0
    if award.first_total is not None and not _take(earner, award.id, award.first_total, 1):
        return 0
    gifts = tuple(gift for gift in gifts if gift.kind != "prize" or _take_prize(terms, earner, gift))
    if not gifts:
        return 0
    count = _within_day(terms, earner, sum(gift.amount for gift in gifts if gift.kind == "tickets" and not gift.name), now)
    attempt = earner.attempt
    first = None if not count else (attempt.ticket_count if attempt else 0) + tickets_before + 1
    grant = AwardGrant(
        id=new_id(),
        campaign_id=earner.campaign_id,
        terms_id=earner.terms_id,
        citizen_id=earner.profile.citizen_id,
        award_id=award.id,
        scope=granted.scope,
        band=granted.band,
        gifts=[{"kind": gift.kind, "amount": gift.amount, "name": gift.name} for gift in gifts],
        points=granted.points,
        attempt_id=attempt.id if attempt else None,
        first_ticket=first,
        round_key=granted.round_key,
        quiz_id=granted.quiz,
        granted_at=now,
        granted_on=granted.day,
    )
    db.session.add(grant)
    db.session.flush()
    _post_points(grant, now)
    if first is not None:
        _grant_tickets(terms, earner, grant, first, count, now)
    for gift in gifts:
        if gift.kind == "prize":
            _open_prize(terms, earner, grant, gift, now)
        elif gift.kind in DOCUMENTS:
            _issue(earner, grant, gift, award.title, now)
    return count if attempt else 0


def _issue(earner: Earner, grant: AwardGrant, gift: Gift, award_title: str, now: dt.datetime) -> None:
    """The document of a certificate, a title or hours. It stands under the grant; a second of the same kind under one of its own."""
    campaign = get_campaign_facts(earner.campaign_id)
    name = gift.name or award_title or campaign.title
    what = f"{gift.amount} 学时" if gift.kind == "hours" else f"“{name}”"
    certificates.issue(
        gift.kind,
        SOURCE,
        uuid.uuid5(grant.id, f"{gift.kind}:{gift.name}"),
        grant.citizen_id,
        name,
        [f"在“{campaign.title}”中达到活动规则的要求，获得{what}，特发此证。"],
        now,
        issuer=campaign.host_name,
        organisation_path=campaign.host_path,
    )


def _within_day(terms: Terms, earner: Earner, count: int, now: dt.datetime) -> int:
    """As many tickets as the terms' limit of a day leaves room for."""
    if not count or terms.draw is None or terms.draw.draws_per_day is None:
        return count
    return min(count, max(0, terms.draw.draws_per_day - count_granted(earner.profile.citizen_id, earner.campaign_id, shanghai_day(now))))


def _is_for(terms: Terms, gift: Gift, earner: Earner) -> bool:
    """Minors get no cash, whatever the terms say; who takes no part in prizes here gets none."""
    if gift.kind != "prize":
        return True
    if is_minor(earner.profile.age_band) and prize_named(terms, gift.name).kind == "cash":
        return False
    barred = is_barred(sa.literal(earner.profile.citizen_id, sa.Uuid), sa.literal(earner.campaign_id, sa.Uuid))
    return not db.session.scalar(sa.select(barred))


def prize_named(terms: Terms, name: str) -> StockPrize:
    """:raises KeyError: for a name the rule check should have refused"""
    for prize in terms.prizes:
        if prize.name == name:
            return prize
    raise KeyError(name)


def _take_prize(terms: Terms, earner: Earner, gift: Gift) -> bool:
    return _take(earner, f"prize:{gift.name}", prize_named(terms, gift.name).quantity, gift.amount)


def _take(earner: Earner, key: str, quantity: int, amount: int) -> bool:
    """Take from something limited, under the lock of its row; False when there is not enough left."""
    table = cast(sa.Table, AwardQuota.__table__)
    where = sa.and_(table.c.campaign_id == earner.campaign_id, table.c.key == key)
    insert = sa.text(
        "INSERT INTO award_quotas (campaign_id, key, quantity, used) VALUES (:campaign, :key, :quantity, 0) ON CONFLICT DO NOTHING"
    ).bindparams(sa.bindparam("campaign", earner.campaign_id, sa.Uuid), key=key, quantity=quantity)
    db.session.execute(insert)
    enough = sa.and_(where, table.c.used + amount <= table.c.quantity)
    result = db.session.connection().execute(sa.update(table).where(enough).values(used=table.c.used + amount))
    return result.rowcount == 1


def _post_points(grant: AwardGrant, now: dt.datetime) -> None:
    if grant.points:
        post(
            Posting(
                unit="points",
                from_owner=POINTS_SOURCE,
                to_owner=("citizen", str(grant.citizen_id)),
                amount=grant.points,
                source_type=SOURCE,
                source_id=grant.id,
                reason="award",
                now=now,
            )
        )


def _grant_tickets(terms: Terms, earner: Earner, grant: AwardGrant, first: int, count: int, now: dt.datetime) -> None:
    """Tickets that an attempt brought go on in the attempt's own row of tickets. The draw's pages and API know tickets by the
    id of what brought them; an action's stand under their grant's id, from 1."""
    if terms.draw is None:
        return
    attempt = earner.attempt
    grant_many(
        [
            Grant(
                campaign_id=earner.campaign_id,
                citizen_id=grant.citizen_id,
                source_type="attempt",
                source_id=attempt.id if attempt else grant.id,
                sequence=first + number,
                client_nonce=attempt.client_nonce if attempt else "",
                ticket_hours=terms.draw.ticket_hours,
            )
            for number in range(count)
        ],
        now,
    )
    if attempt:
        statement = sa.update(ATTEMPTS).where(ATTEMPTS.c.id == attempt.id).values(ticket_count=ATTEMPTS.c.ticket_count + count)
        db.session.execute(statement)


def _open_prize(terms: Terms, earner: Earner, grant: AwardGrant, gift: Gift, now: dt.datetime) -> None:
    prize = prize_named(terms, gift.name)
    for number in range(gift.amount):
        payouts.open_payout(
            payouts.Opening(
                source_type=SOURCE,
                source_id=uuid.uuid5(grant.id, f"{gift.name}:{number}"),
                citizen_id=grant.citizen_id,
                campaign_id=earner.campaign_id,
                kind=prize.kind,
                title=prize.name,
                item_id=campaign_rules.stock_prize_id(earner.campaign_id, prize.name),
                amount_fen=prize.value_fen,
                points=prize.points,
                claim_deadline_at=day_end(shanghai_day(now) + dt.timedelta(days=prize.claim_days)),
                now=now,
                tier=prize.tier,
            )
        )
