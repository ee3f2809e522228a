"""The winners' notices: planned, published and taken down by the clock; objections and their answers."""

import datetime as dt
import secrets
import uuid
from collections.abc import Sequence

import sqlalchemy as sa

from quizapp.audit import services as audit
from quizapp.core.clock import day_end, day_start, shanghai_day
from quizapp.core.db import db
from quizapp.payouts import queries, rules
from quizapp.payouts.errors import ObjectionOver, ReasonNeeded
from quizapp.payouts.models import NoticeObjection, ObjectionReply, WinnersNotice
from quizapp.payouts.queries import notices

DAY = dt.timedelta(days=1)
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
RESULTS = ("upheld", "rejected", "open")


def plan_notice(
    *, campaign_id: uuid.UUID, draw_key: str, title: str, ended_at: dt.datetime, now: dt.datetime, first_at: dt.datetime | None = None
) -> WinnersNotice:
    """Plan the notice of one draw, once: the days of the terms count from ``ended_at`` (when a pool draw was drawn, when the
    campaign of an instant draw ends).

    :param first_at: where the terms put no days before it, a notice that grows every morning goes up then
    """
    found = notices.find_notice_row(campaign_id, draw_key)
    if found is not None:
        return found
    terms = queries.find_claim_terms(campaign_id)
    base = ended_at + terms.notice_after_days * DAY
    publish_at = first_at if first_at is not None and not terms.notice_after_days else base
    notice = WinnersNotice(
        campaign_id=campaign_id,
        draw_key=draw_key,
        title=title,
        publish_at=publish_at,
        objection_until=base + terms.objection_days * DAY,
        down_at=base + max(terms.notice_days, terms.objection_days) * DAY,
    )
    db.session.add(notice)
    db.session.flush()
    return notice


def plan_due_notices(*, now: dt.datetime) -> int:
    """Plan the notices of instant draws that have given something. Returns how many."""
    campaigns = notices.list_campaigns_without_notice(now)
    for campaign_id in campaigns:
        facts = queries.get_campaign_facts(campaign_id)
        plan_notice(
            campaign_id=campaign_id,
            draw_key="",
            title=facts.title,
            ended_at=facts.closes_at or now,
            first_at=day_start(shanghai_day(now)),
            now=now,
        )
    return len(campaigns)


def publish_notices(*, now: dt.datetime) -> int:
    """Put up what is due. A campaign that was extended since takes its notice's days with it. Returns how many went up."""
    due = sa.select(WinnersNotice).where(WinnersNotice.published_at.is_(None), WinnersNotice.publish_at <= now)
    count = 0
    for notice in db.session.scalars(due.with_for_update(skip_locked=True)):
        notice.published_at = now
        _record("notice.published", notice, now)
        count += 1
    _follow_extensions()
    db.session.flush()
    return count


def _follow_extensions() -> None:
    """The days of a notice that grows count from the campaign's end, wherever that has moved to."""
    growing = sa.select(WinnersNotice).where(WinnersNotice.draw_key == "", WinnersNotice.taken_down_at.is_(None))
    for notice in db.session.scalars(growing):
        facts = queries.get_campaign_facts(notice.campaign_id)
        if facts.closes_at is None:
            continue
        base = facts.closes_at + facts.claim.notice_after_days * DAY
        until = base + facts.claim.objection_days * DAY
        down_at = base + max(facts.claim.notice_days, facts.claim.objection_days) * DAY
        if until > notice.objection_until:
            notice.objection_until, notice.down_at = until, down_at


def take_down_notices(*, now: dt.datetime) -> int:
    """Mark what is down: pages and API show it no longer from ``down_at`` on, with or without this job."""
    over = sa.select(WinnersNotice).where(WinnersNotice.taken_down_at.is_(None), WinnersNotice.down_at <= now)
    found = db.session.scalars(over.with_for_update(skip_locked=True)).all()
    for notice in found:
        notice.taken_down_at = now
        _record("notice.taken_down", notice, now)
    db.session.flush()
    return len(found)


def _record(action: str, notice: WinnersNotice, now: dt.datetime, actor: audit.Actor = audit.SYSTEM, **changes: object) -> None:
    audit.record(
        action,
        actor=actor,
        target_type="winners_notice",
        target_id=notice.id,
        target_name=notice.title,
        organisation_path=queries.host_path(notice.campaign_id),
        changes=changes,
        now=now,
    )


# ---- objections


def object_to(*, notice: WinnersNotice, reference: str, reason: str, now: dt.datetime) -> NoticeObjection:
    """Take down what somebody objects to; they need not say who they are.

    :param reference: the 抽奖号 it is about, or empty
    :raises ObjectionOver: after the objection period
    :raises ReasonNeeded: for a reason that says nothing
    """
    if now >= notice.objection_until:
        raise ObjectionOver
    text = reason.strip()
    if not rules.is_objection(text):
        raise ReasonNeeded
    due_on = queries.workday_after(shanghai_day(now), rules.OBJECTION_REPLY_DAYS)
    number = "YY" + "".join(secrets.choice(_ALPHABET) for _ in range(12))
    objection = NoticeObjection(
        number=number, notice_id=notice.id, reference=rules.plain_reference(reference), reason=text, created_at=now, due_on=due_on
    )
    db.session.add(objection)
    db.session.flush()
    return objection


def reply_to_objection(
    *,
    objection_id: uuid.UUID,
    result: str,
    text: str,
    staff_id: uuid.UUID,
    paths: Sequence[str],
    actor: audit.Actor,
    now: dt.datetime,
) -> ObjectionReply:
    """Answer in writing; ``open`` says how far the check has come and leaves it open. Answers are added, never changed.

    :raises NotFound: for one outside these subtrees
    :raises ReasonNeeded: for an answer that says nothing
    :raises ValueError: for another result
    """
    if result not in RESULTS:
        raise ValueError(f"not a result: {result}")
    if not rules.is_objection(text.strip()):
        raise ReasonNeeded
    case = notices.get_objection_case(objection_id, paths)
    objection = db.session.scalars(sa.select(NoticeObjection).filter_by(id=objection_id).with_for_update()).one()
    reply = ObjectionReply(
        objection_id=objection.id, at=now, result=result, text=text.strip(), staff_id=staff_id, staff_name=actor.name[:64]
    )
    db.session.add(reply)
    objection.state = result
    objection.answered_at = now if result != "open" else objection.answered_at
    db.session.flush()
    _record("notice.objection_answered", case.notice, now, actor, number=objection.number, result=result)
    return reply


def is_overdue(objection: NoticeObjection, now: dt.datetime) -> bool:
    """Whether the answer is late."""
    return objection.state == "open" and now >= day_end(objection.due_on)
