"""What citizens did in a campaign, as the season's rules look at it."""

import datetime as dt
import itertools
import uuid
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import sqlalchemy as sa

from quizapp.attempts.models import AwardGrant, CampaignAction
from quizapp.attempts.queries import ATTEMPTS
from quizapp.campaigns import queries as campaign_queries
from quizapp.campaigns.season.measures import Done, Granted, History, Number
from quizapp.campaigns.season.scoring import highest_score
from quizapp.campaigns.season.tries import Begun
from quizapp.campaigns.terms import Gift
from quizapp.core.clock import shanghai_day
from quizapp.core.db import db
from quizapp.lottery.pooldraw import queries as pool_queries

_A = ATTEMPTS.c
_COLUMNS = (
    _A.citizen_id,
    _A.id,
    _A.terms_id,
    _A.quiz_id,
    _A.track,
    _A.channel,
    _A.round_key,
    _A.started_at,
    _A.handed_in_at,
    _A.submitted_at,
    _A.submitted_on,
    _A.question_count,
    _A.correct_count,
    _A.marks,
    _A.score,
    _A.is_passed,
)
_GRADED = sa.select(*_COLUMNS).where(_A.state == "graded", _A.excluded_at.is_(None))


def done_of(row: Any) -> Done:
    """A graded attempt's row as the season's rules see it."""
    quiz = campaign_queries.get_terms(row.terms_id).quiz(row.quiz_id)
    score = row.correct_count if row.score is None else row.score
    values: dict[str, Number] = {
        "correct": row.correct_count,
        "wrong": row.question_count - row.correct_count,
        "score": score,
        "percent": Fraction(100 * score, max(1, highest_score(quiz))),
        "all_right": int(row.correct_count == row.question_count),
        "passed": int(bool(row.is_passed)),
        "run": max((len(run) for run in (row.marks or "").split("0")), default=0),
        "seconds": max(0, int((row.handed_in_at - row.started_at).total_seconds())),
    }
    return Done(
        kind="attempt",
        key=str(row.id),
        at=row.submitted_at,
        day=row.submitted_on,
        values=values,
        quiz=row.quiz_id,
        track=row.track,
        channel=row.channel,
        round_key=row.round_key,
        stage_id=row.round_key.partition("/")[0],
    )


def _as_done(action: CampaignAction, round_key: str) -> Done:
    return Done(
        kind=f"action:{action.kind}",
        key=str(action.id),
        at=action.acted_at,
        day=action.acted_on,
        values={"amount": action.amount},
        round_key=round_key,
        stage_id=round_key.partition("/")[0],
        name=action.name,
    )


def _wins(campaign_id: uuid.UUID, citizen_id: uuid.UUID | None = None) -> Iterator[tuple[uuid.UUID, Done]]:
    """Wins in the campaign's pool draws as things that happened, in the round or stage the draw was for."""
    for win in pool_queries.list_wins_of(campaign_id, citizen_id):
        round_key = "" if win.scope in ("", "campaign") or win.scope[:4].isdigit() else win.scope
        yield (
            win.citizen_id,
            Done(
                kind=f"win:{win.draw_code}",
                key=str(win.id),
                at=win.won_at,
                day=shanghai_day(win.won_at),
                values={},
                round_key=round_key,
                stage_id=round_key.partition("/")[0],
            ),
        )


def as_granted(row: AwardGrant) -> Granted:
    return Granted(
        award_id=row.award_id,
        scope=row.scope,
        band=row.band,
        at=row.granted_at,
        day=row.granted_on,
        gifts=tuple(Gift(**gift) for gift in row.gifts),
        points=row.points,
        round_key=row.round_key,
        stage_id=row.round_key.partition("/")[0],
        quiz=row.quiz_id,
    )


RoundOf = Callable[[dt.datetime], str]
"""The round key that an action's moment falls into."""


def get_history(citizen_id: uuid.UUID, campaign_id: uuid.UUID, round_of: RoundOf) -> History:
    """Everything of one citizen in one campaign, excluded attempts left out, in the order of time."""
    mine = _GRADED.where(_A.campaign_id == campaign_id, _A.citizen_id == citizen_id)
    done = [done_of(row) for row in db.session.execute(mine)]
    actions = sa.select(CampaignAction).filter_by(campaign_id=campaign_id, citizen_id=citizen_id)
    done += [_as_done(action, round_of(action.acted_at)) for action in db.session.scalars(actions)]
    done += [win for _, win in _wins(campaign_id, citizen_id)]
    grants = sa.select(AwardGrant).filter_by(campaign_id=campaign_id, citizen_id=citizen_id)
    granted = [as_granted(row) for row in db.session.scalars(grants)]
    return History(tuple(sorted(done, key=_when)), tuple(sorted(granted, key=lambda item: item.at)))


def _when(item: Done) -> tuple[dt.datetime, str]:
    return item.at, item.key


def iter_histories(campaign_id: uuid.UUID, round_of: RoundOf) -> Iterator[tuple[uuid.UUID, History]]:
    """The histories of everybody in a campaign, citizen by citizen, in the order of their ids; read in one pass."""
    options = {"yield_per": 5000}
    attempts = _GRADED.where(_A.campaign_id == campaign_id, _A.citizen_id.is_not(None)).order_by(_A.citizen_id, _A.submitted_at, _A.id)
    actions = sa.select(CampaignAction).filter_by(campaign_id=campaign_id).order_by(CampaignAction.citizen_id)
    grants = sa.select(AwardGrant).filter_by(campaign_id=campaign_id).order_by(AwardGrant.citizen_id, AwardGrant.granted_at)
    by_attempt = itertools.groupby(db.session.execute(attempts, execution_options=options), key=lambda row: row.citizen_id)
    acted: dict[uuid.UUID, list[Done]] = {}
    for action in db.session.scalars(actions, execution_options=options):
        acted.setdefault(action.citizen_id, []).append(_as_done(action, round_of(action.acted_at)))
    for citizen_id, win in _wins(campaign_id):
        acted.setdefault(citizen_id, []).append(win)
    given: dict[uuid.UUID, list[Granted]] = {}
    for grant in db.session.scalars(grants, execution_options=options):
        given.setdefault(grant.citizen_id, []).append(as_granted(grant))
    for citizen_id, rows in by_attempt:
        done = sorted([*(done_of(row) for row in rows), *acted.pop(citizen_id, ())], key=_when)
        yield citizen_id, History(tuple(done), tuple(given.pop(citizen_id, ())))
    for citizen_id, actions_only in acted.items():
        yield citizen_id, History(tuple(sorted(actions_only, key=_when)), tuple(given.pop(citizen_id, ())))


def list_begun(citizen_id: uuid.UUID, campaign_id: uuid.UUID) -> list[Begun]:
    """The attempts a citizen has begun in a campaign."""
    rows = db.session.execute(
        sa.select(_A.quiz_id, _A.channel, _A.round_key, _A.started_on, _A.state).where(
            _A.campaign_id == campaign_id, _A.citizen_id == citizen_id
        )
    )
    return [Begun(quiz, channel, key, day, state == "lapsed") for quiz, channel, key, day, state in rows]


def list_action_days(citizen_id: uuid.UUID, campaign_id: uuid.UUID) -> dict[str, list[dt.date]]:
    """The Shanghai days of a citizen's actions in a campaign, by kind."""
    found: dict[str, list[dt.date]] = {}
    rows = db.session.execute(
        sa.select(CampaignAction.kind, CampaignAction.acted_on).filter_by(campaign_id=campaign_id, citizen_id=citizen_id)
    )
    for kind, day in rows:
        found.setdefault(kind, []).append(day)
    return found
