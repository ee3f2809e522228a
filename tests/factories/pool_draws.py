"""Pool draws in the database, without the packages that lie further down the map."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from quizapp.accounts.models import Organisation
from quizapp.audit.services import SYSTEM
from quizapp.core.db import db, transaction
from quizapp.lottery import pool_proof, pooldraw
from quizapp.lottery.pool_models import PoolDrawRun, PoolWin
from quizapp.lottery.pooldraw import Entry, Plan, Scope, export
from quizapp.lottery.pooldraw import queries as pool_queries
from tests.factories.accounts import make_citizen, make_organisation, reference_data
from tests.factories.lottery import NOW, make_campaign_row

DUE = NOW + dt.timedelta(days=2)
LATER = DUE + dt.timedelta(minutes=5)


def tier_values(name: str = "文创书包", quantity: int = 2, **changes: Any) -> dict[str, Any]:
    return {"name": name, "kind": "pickup", "quantity": quantity, "ratio_ppm": None, "tier": "", "value_fen": 0, "points": 0, **changes}


def draw_values(**changes: Any) -> dict[str, Any]:
    """A pool draw in the shape of the terms' body."""
    return {
        "id": "grand",
        "title": "收官摇号",
        "tiers": [tier_values()],
        "per": "campaign",
        "tickets": "one",
        "max_tickets": None,
        "mode": "automatic",
        "seed_input": "none",
        "public_figure": "",
        "witness": "",
        "cascade": [],
        "reserves": 0,
        "one_win": True,
        "one_win_per_campaign": False,
        "sponsor": "",
        "claim_days": 15,
        "allows_minors": False,
        **changes,
    }


@dataclass(frozen=True)
class Draws:
    """A campaign with its pool draws published."""

    campaign_id: uuid.UUID
    slug: str
    host: Organisation
    ids: tuple[uuid.UUID, ...]
    """Of the open ones, in the manifest's order."""

    @property
    def id(self) -> uuid.UUID:
        return self.ids[0]


def make_pool_draws(
    *draws: dict[str, Any], slug: str = "draws", scopes: Sequence[Scope] = (Scope("campaign", DUE),), host: Organisation | None = None
) -> Draws:
    reference_data()
    host = host or make_organisation("市司法局")
    with transaction():
        campaign = make_campaign_row(slug, host)
        plans = [Plan(draw, tuple(scopes)) for draw in (draws or (draw_values(),))]
        pooldraw.open_pool_draws(campaign_id=campaign.id, terms_hash="ab" * 32, plans=plans, now=NOW)
    open_ones = sa.select(PoolDrawRun.id).filter_by(campaign_id=campaign.id, state="open").order_by(PoolDrawRun.id)
    return Draws(campaign.id, slug, host, tuple(db.session.scalars(open_ones)))


def make_entries(count: int, **values: Any) -> list[Entry]:
    with transaction():
        return [Entry(make_citizen().id, **values) for _ in range(count)]


def freeze(draws: Draws, entries: Sequence[Entry], number: int = 0) -> None:
    with transaction():
        pooldraw.freeze(pool_draw_id=draws.ids[number], entries=entries, now=LATER)


def take_input(draws: Draws, text: str = "", number: int = 0, again: str | None = None) -> None:
    with transaction():
        pooldraw.take_input(
            pool_draw_id=draws.ids[number],
            typed=text,
            typed_again=text if again is None else again,
            actor=SYSTEM,
            organisation_path="/",
            now=LATER,
        )


def draw(draws: Draws, number: int = 0, now: dt.datetime = LATER) -> PoolDrawRun:
    with transaction():
        return pooldraw.draw(pool_draw_id=draws.ids[number], actor=SYSTEM, organisation_path="/", now=now)


def drawn(count: int = 6, **values: Any) -> Draws:
    """A draw held among so many citizens."""
    draws = make_pool_draws(draw_values(**values))
    freeze(draws, make_entries(count))
    take_input(draws, {"none": "", "spoken": "83017264", "public_figure": "3245.67"}[values.get("seed_input", "none")])
    draw(draws)
    return draws


def wins_of(draws: Draws, number: int = 0) -> list[PoolWin]:
    db.session.rollback()
    statement = sa.select(PoolWin).filter_by(pool_draw_id=draws.ids[number]).order_by(PoolWin.tier, PoolWin.place, PoolWin.turn)
    return list(db.session.scalars(statement))


def file_lines(draws: Draws, number: int = 0) -> list[bytes]:
    """The exported file, line by line."""
    db.session.rollback()
    return [line.encode() for line in export.file_lines(pool_queries.get_public(draws.ids[number]))]


def verify(draws: Draws, number: int = 0) -> pool_proof.PoolSummary:
    return pool_proof.verify(file_lines(draws, number))
