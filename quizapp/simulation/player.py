"""How an invented citizen plays: what to do on a visit, how to answer, what to do with tickets.

A strategy per thing that terms may hold (registration, actions, several quizzes), tried in order; what the services refuse
is counted and left at that, as a person would.
"""

import datetime as dt
import random
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa

from quizapp.attempts import services as attempts
from quizapp.attempts.queries import AttemptView
from quizapp.attempts.rules import Asker
from quizapp.attempts.services import acting
from quizapp.attempts.services.starting import Device
from quizapp.campaigns.rules import CampaignView
from quizapp.campaigns.terms import RISKY_ACTIONS, EntryField
from quizapp.core.db import db, transaction
from quizapp.core.errors import AppError
from quizapp.lottery import services as lottery
from quizapp.lottery.models import DrawTicket
from quizapp.questions.queries import get_revisions
from quizapp.reporting.seeds import answer
from quizapp.simulation.crowd import Curve, Person

SECONDS_PER_QUESTION = (6, 20)
TEAMS = 12
HOUR = dt.timedelta(hours=1)


@dataclass
class Paper:
    """A paper in somebody's hands. ``answers`` are how many questions will be answered before it is handed in or left."""

    person: Person
    attempt: AttemptView
    answers: int
    is_left: bool
    next_quizzes: tuple[str, ...]
    ends_at: dt.datetime


@dataclass
class Player:
    """Plays everybody, one act at a time. ``refused`` counts refusals by code, ``drawn`` the draws made."""

    campaign: CampaignView
    curve: Curve
    citizens: dict[int, uuid.UUID]
    dice: random.Random
    refused: Counter[str] = field(default_factory=Counter)
    entered: set[int] = field(default_factory=set)
    actions: int = 0

    def visit(self, person: Person, now: dt.datetime) -> Paper | None:
        """Come, register where that is asked for, do what brings tries or points, begin the first quiz that opens."""
        if not self._enter(person, now):
            return None
        self._act(person, now)
        quizzes = [quiz.id for quiz in self.campaign.terms.quizzes]
        return self.begin(person, tuple(quizzes), now)

    def begin(self, person: Person, quizzes: Sequence[str], now: dt.datetime) -> Paper | None:
        """Begin the first of these quizzes that may be begun."""
        for place, quiz_id in enumerate(quizzes):
            try:
                with transaction():
                    started = attempts.start_attempt(
                        campaign=self.campaign,
                        citizen_id=self.citizens[person.number],
                        device=self._device(person),
                        rng=self.dice,
                        now=now,
                        quiz_id=quiz_id,
                        channel=self._channel(person, quiz_id),
                    )
            except AppError as refusal:
                self.refused[refusal.code] += 1
                continue
            if not started.is_new:
                return None
            return self._take(person, started.attempt, tuple(quizzes[place + 1 :]), now)
        return None

    def _take(self, person: Person, attempt: AttemptView, others: tuple[str, ...], now: dt.datetime) -> Paper:
        count = len(attempt.questions)
        is_left = self.dice.random() < self.curve.abandoned
        answers = self.dice.randrange(count) if is_left else count
        seconds = sum(self.dice.uniform(*SECONDS_PER_QUESTION) for _ in range(count))
        allowed = (attempt.deadline_at - now).total_seconds()
        return Paper(person, attempt, answers, is_left, others, now + dt.timedelta(seconds=min(seconds, max(1.0, allowed - 1))))

    def _device(self, person: Person) -> Device:
        return Device(tag=person.number.to_bytes(32, "big"), client_nonce=self.dice.randbytes(16).hex())

    def _channel(self, person: Person, quiz_id: str) -> str:
        terms = self.campaign.terms
        allowed = [channel for channel in terms.quiz(quiz_id).channels or _track_channels(self.campaign) if channel != "paper"]
        return self.dice.choice(allowed) if allowed else "web"

    # ---- before the paper

    def _enter(self, person: Person, now: dt.datetime) -> bool:
        terms = self.campaign.terms
        if person.number in self.entered or not acting.needs_entry(terms):
            return True
        fields = terms.entry.fields if terms.entry else ()
        tracks = [track for track in terms.tracks if not track.is_paper and (not track.groups or person.group in track.groups)]
        track = tracks[person.number % len(tracks)] if tracks else None
        at = max(terms.entry.opens_at or now, min(now, (terms.entry.closes_at or now) - HOUR)) if terms.entry else now
        team = f"第{person.number % TEAMS + 1}战队" if track is not None and track.kind == "team" else ""
        try:
            with transaction():
                acting.enter_campaign(
                    campaign=self.campaign,
                    citizen_id=self.citizens[person.number],
                    track=track.id if track else "",
                    team_name=team,
                    answers={field.id: _answer_to(field, person.number) for field in fields},
                    is_on_boards=True,
                    now=at,
                )
        except AppError as refusal:
            self.refused[refusal.code] += 1
            return False
        self.entered.add(person.number)
        return True

    def _act(self, person: Person, now: dt.datetime) -> None:
        for action in self.campaign.terms.actions:
            if action.kind in RISKY_ACTIONS or self.dice.random() < 0.3:
                continue
            amount = self.dice.randint(1, max(1, action.max_amount))
            with transaction():
                self.actions += acting.record_action(
                    campaign=self.campaign,
                    citizen_id=self.citizens[person.number],
                    kind=action.kind,
                    source=f"{person.number}:{now.isoformat()}"[:64],
                    now=now,
                    amount=amount,
                    name=f"n{self.dice.randrange(20)}",
                )

    # ---- with the paper

    def finish(self, paper: Paper) -> Paper | None:
        """Answer, hand in, draw; a paper that is left stays as it is. Returns the next paper of this visit, if there is one."""
        person, citizen = paper.person, self.citizens[paper.person.number]
        with transaction():
            self._answer(paper, citizen)
            if not paper.is_left:
                attempts.submit_attempt(attempt_id=paper.attempt.id, asker=Asker(citizen), now=paper.ends_at)
        if paper.is_left:
            return None
        self.draw_all(citizen, paper.ends_at)
        return self.begin(person, paper.next_quizzes, paper.ends_at + dt.timedelta(seconds=1)) if paper.next_quizzes else None

    def _answer(self, paper: Paper, citizen: uuid.UUID) -> None:
        views = get_revisions([question.revision_id for question in paper.attempt.questions])
        for question in paper.attempt.questions[: paper.answers]:
            is_right = self.dice.random() < paper.person.skill
            letters = answer(views[question.revision_id], question.choice_order, is_right, self.dice)
            attempts.save_answer(
                attempt_id=paper.attempt.id, asker=Asker(citizen), position=question.position, choices=list(letters), now=paper.ends_at
            )

    def draw_all(self, citizen: uuid.UUID, now: dt.datetime) -> None:
        """Use every ticket for the instant draw that this citizen holds."""
        if self.campaign.terms.draw is None:
            return
        waiting = sa.select(DrawTicket.source_type, DrawTicket.source_id, DrawTicket.sequence).filter_by(
            citizen_id=citizen, campaign_id=self.campaign.id, state="granted"
        )
        tickets = db.session.execute(waiting.order_by(DrawTicket.granted_at, DrawTicket.source_id, DrawTicket.sequence)).all()
        for source_type, source_id, sequence in tickets:
            try:
                with transaction():
                    lottery.draw_ticket(citizen_id=citizen, source_type=source_type, source_id=source_id, sequence=sequence, now=now)
            except AppError as refusal:
                self.refused[refusal.code] += 1


def _track_channels(campaign: CampaignView) -> tuple[str, ...]:
    return tuple(channel for track in campaign.terms.tracks for channel in track.channels)


def _answer_to(field: EntryField, number: int) -> str:
    if field.kind == "choice":
        return field.choices[number % len(field.choices)]
    return f"{number:06d}"[: field.max_length] if field.kind == "digits" else f"第{number}号"[: field.max_length]
