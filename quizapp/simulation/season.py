"""One season from publication to the last deadline: visits, papers, draws, claims and the worker's jobs in the order of
the simulated clock."""

import datetime as dt
import heapq
import importlib
import inspect
import itertools
import logging
import pkgutil
import random
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import sqlalchemy as sa

from quizapp.campaigns import queries
from quizapp.campaigns.files import CampaignFile
from quizapp.campaigns.rules import CampaignView
from quizapp.campaigns.season.rounds import round_at
from quizapp.campaigns.terms import Terms, body_hash
from quizapp.core.clock import day_end, shanghai_day
from quizapp.core.db import db, transaction
from quizapp.core.errors import AppError
from quizapp.payouts import services as payouts
from quizapp.payouts.models import Payout
from quizapp.simulation import ceremony
from quizapp.simulation.chance import seeded
from quizapp.simulation.crowd import GROUPS, Curve, Person, Weights, make_people
from quizapp.simulation.player import Paper, Player
from quizapp.simulation.scratch import add_people, publish, regions_of

log = logging.getLogger(__name__)
WORKED = ("campaigns", "attempts", "lottery", "payouts", "integrity")
"""Packages whose jobs move a season on."""
EVERY = dt.timedelta(hours=6)
LONG = dt.timedelta(days=25)
"""How often the simulated worker comes by, once more shortly after midnight; in campaigns longer than ``LONG`` once a day."""
LONGEST_AFTER = 130
"""Days after the end that are followed at most."""
Job = Callable[[dt.datetime], Any]


@dataclass
class Played:
    """A finished season in the scratch database, to be looked at while its application is there."""

    campaign: CampaignView
    people: Sequence[Person]
    citizens: dict[int, uuid.UUID]
    player: Player
    curve: Curve
    seed: int
    ended_at: dt.datetime
    failed_jobs: Counter[str]


def find_jobs() -> list[tuple[str, Job]]:
    """Every job of the packages that move a season on: functions of their ``jobs`` rooms that take the moment first."""
    found: list[tuple[str, Job]] = []
    for package in WORKED:
        spec = find_spec(f"quizapp.{package}")
        for info in pkgutil.iter_modules(spec.submodule_search_locations if spec else None):
            if spec is None or not info.name.endswith("jobs"):
                continue
            module = importlib.import_module(f"quizapp.{package}.{info.name}")
            found += [(f"{package}.{key}", job) for key, job in sorted(vars(module).items()) if _is_job(module, key, job)]
    return found


def _is_job(module: ModuleType, key: str, value: Any) -> bool:
    if not inspect.isfunction(value) or value.__module__ != module.__name__ or key.startswith("_"):
        return False
    return list(inspect.signature(value).parameters)[:1] == ["now"]


def play(
    file: CampaignFile,
    *,
    citizens: int,
    seed: int,
    curve: Curve,
    slug: str = "season",
    known: Sequence[uuid.UUID] = (),
    groups: Weights = GROUPS,
) -> Played:
    """Play the campaign of a file in the scratch database of this application's context.

    The same file, number, seed and curve give the same season, draw by draw.

    :param known: citizens of earlier campaigns, who come again; made anew where there are none
    :param groups: how the people spread over the demographic groups
    """
    with seeded(f"{seed}:{citizens}:{body_hash(file.body)}:{curve}:{slug}"):
        return _Season(file, citizens, seed, curve, slug, known, groups).run()


class _Season:
    def __init__(
        self, file: CampaignFile, citizens: int, seed: int, curve: Curve, slug: str, known: Sequence[uuid.UUID], weights: Weights
    ) -> None:
        self.dice = random.Random(f"{seed}:season")  # noqa: S311 - a simulation that must come out the same
        self.seed, self.curve = seed, curve
        self.campaign = publish(file, slug)
        terms = self.campaign.terms
        self.people = make_people(
            citizens,
            curve,
            opens_at=terms.opens_at,
            closes_at=terms.closes_at,
            is_open=lambda moment: _is_open(terms, moment),
            groups=terms.eligibility.groups,
            regions=regions_of(terms),
            dice=random.Random(f"{seed}:crowd"),  # noqa: S311 - as above
            weights=weights,
        )
        self.citizens = dict(enumerate(self.dice.sample(known, citizens))) if known else add_people(terms, self.people, self.dice)
        self.player = Player(self.campaign, curve, self.citizens, self.dice)
        self.jobs, self.failed = find_jobs(), Counter[str]()
        self.agenda: list[tuple[dt.datetime, int, Callable[[dt.datetime], None]]] = []
        self.turns = itertools.count()
        self.asked: set[uuid.UUID] = set()
        self.staff = ceremony.make_staff(terms.opens_at) if terms.draws else None

    def run(self) -> Played:
        terms = self.campaign.terms
        for person in self.people:
            for moment in person.visits:
                self._plan(moment, lambda now, person=person: self._visit(person, now))  # type: ignore[misc]
        ended_at = self._plan_worker(terms)
        while self.agenda:
            moment, _, act = heapq.heappop(self.agenda)
            act(moment)
        queries.forget_campaigns()
        return Played(
            campaign=queries.get_campaign(self.campaign.slug),
            people=self.people,
            citizens=self.citizens,
            player=self.player,
            curve=self.curve,
            seed=self.seed,
            ended_at=ended_at,
            failed_jobs=self.failed,
        )

    def _plan(self, moment: dt.datetime, act: Callable[[dt.datetime], None]) -> None:
        heapq.heappush(self.agenda, (moment, next(self.turns), act))

    # ---- people

    def _visit(self, person: Person, now: dt.datetime) -> None:
        self._plan_paper(self.player.visit(person, now))

    def _plan_paper(self, paper: Paper | None) -> None:
        if paper is not None:
            self._plan(paper.ends_at, lambda _: self._plan_paper(self.player.finish(paper)))

    # ---- the worker

    def _plan_worker(self, terms: Terms) -> dt.datetime:
        moment = terms.opens_at
        while moment < terms.closes_at:
            self._plan(moment, self._work)
            moment += EVERY if terms.closes_at - terms.opens_at < LONG else dt.timedelta(days=1)
        day = shanghai_day(terms.opens_at)
        end = terms.closes_at + dt.timedelta(days=min(LONGEST_AFTER, _days_after(terms)))
        while day_end(day) <= end:
            self._plan(day_end(day) + dt.timedelta(minutes=6), self._work)
            if terms.closes_at <= day_end(day) < terms.closes_at + LONG:
                self._plan(day_end(day) + dt.timedelta(hours=12), self._work)
            day += dt.timedelta(days=1)
        self._plan(end, self._work)
        return end

    def _work(self, now: dt.datetime) -> None:
        self._claim(now)
        for name, job in self.jobs:
            try:
                job(now)
            except Exception:
                db.session.rollback()
                self.failed[name] += 1
                log.exception("job %s failed at %s", name, now)
        if self.staff is not None:
            self.player.refused.update(ceremony.hold(self.campaign.id, self.staff, now, self.dice))

    def _claim(self, now: dt.datetime) -> None:
        """Winners who have not been here yet decide whether they come for their prize at all."""
        waiting = sa.select(Payout.id, Payout.citizen_id).filter_by(campaign_id=self.campaign.id, state="claimable")
        for payout_id, citizen_id in db.session.execute(waiting.order_by(Payout.created_at, Payout.id)).all():
            if payout_id in self.asked:
                continue
            self.asked.add(payout_id)
            if self.dice.random() >= self.curve.claimed:
                continue
            try:
                with transaction():
                    payouts.claim_payout(payout_id=payout_id, citizen_id=citizen_id, now=now)
            except AppError as refusal:
                self.player.refused[refusal.code] += 1


def _is_open(terms: Terms, moment: dt.datetime) -> bool:
    """Whether any quiz may be begun in the hour that begins at this moment."""
    tracks = [track.id for track in terms.tracks if not track.is_paper] or [""]
    return any(round_at(terms, quiz, moment, track) is not None for quiz in terms.quizzes for track in tracks)


def _days_after(terms: Terms) -> int:
    """Until every ticket, draw, objection and claim is settled."""
    claims = [draw.claim_days for draw in terms.draws]
    claims += [prize.claim_days for prize in terms.rank_prizes]
    claims += [prize.claim_days for prize in terms.prizes]
    if terms.draw is not None:
        claims.append(terms.draw.claim_days + terms.draw.ticket_hours // 24 + 1)
    waits = [draw.after_days for draw in terms.draws]
    return max(claims, default=2) + max(waits, default=0) + 3
