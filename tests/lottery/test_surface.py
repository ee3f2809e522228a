"""Promise 3 again, by walking: every column of every table that knows a person, every verb, page, job and command of the packages
around the draws, every field that a request can bring. What could set an outcome, a winner or somebody's odds is either not there or
stands here with the reason why it cannot."""

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from types import ModuleType

import marshmallow as ma
import pytest
import wtforms
from flask import Flask

from quizapp.core.db import db

PERSON = re.compile(r"^(citizen_id|phone_tag|alias|subject_tag|region_code|demographic_group|organisation_id)$")
FATE = re.compile(r"outcome|prize|won|win(?!dow)|odds|chance|lucky|rank|place|tier|quota|weight|tickets")
OUTCOMES = {
    "draws": ({"outcome", "prize_id"}, "written with the draw, refused to change by trigger"),
    "wins": ({"prize_id", "won_at", "won_on"}, "written with the draw"),
    "pool_draw_entries": ({"tickets"}, "frozen before the seed is known"),
    "pool_draw_results": ({"tier", "place"}, "computed from the seed, append-only"),
    "pool_wins": ({"tier_id", "tier", "place", "won_at"}, "written with the results"),
    "payouts": ({"tier"}, "what a hand-over is called"),
}
PACKAGES = ("lottery", "campaigns", "attempts", "admin", "integrity", "payouts")
ROOMS = re.compile(r"services|admin_views|views|api|jobs|commands|pooldraw|board")
DECIDING = re.compile(r"^(outcomes?|is_won|won|winners?|win_ids?|prize|prize_id|tier|odds|odds_ppm|chance|secret|seed|lucky|weight|rank)$")
TAKERS = {
    "lottery.api.claim": "a citizen claims an own win",
    "lottery.views.win_receipt": "a citizen looks at an own win",
    "lottery.pooldraw.queries.list_tier": "reads",
    "lottery.pooldraw.reserves.substitute": "names the place; the reserve list says who",
    "lottery.pooldraw.winning.open_wins": "takes what pool_proof computed",
    "payouts.services.forfeits.settle_forfeit": "says what became of a prize nobody fetched",
    "lottery.services.upkeep.return_wins": "gives a prize back to the stock, in the public ledger, where the manifest lets it",
}
FIELDS = {
    "campaigns.forms": "the terms, published in a manifest before the first ticket",
    "lottery.schemas": "what is told, not what is taken",
}


def _modules(rooms: re.Pattern[str]) -> Iterator[ModuleType]:
    for package in PACKAGES:
        root = importlib.import_module(f"quizapp.{package}")
        for found in pkgutil.walk_packages(root.__path__, f"{root.__name__}."):
            if rooms.search(found.name.removeprefix("quizapp.")):
                yield importlib.import_module(found.name)


def test_no_table_that_knows_a_person_holds_a_fate_but_those_the_draws_write(app: Flask) -> None:
    found = {}
    for table in db.metadata.sorted_tables:
        names = {column.name for column in table.columns}
        fates = {name for name in names if FATE.search(name)} - {"ticket_id", "ticket_count", "place_id"}
        if fates and any(PERSON.match(name) for name in names):
            found[table.name] = fates
    allowed = {name: columns for name, (columns, _why) in OUTCOMES.items()}
    assert {name: fates - allowed.get(name, set()) for name, fates in found.items() if fates - allowed.get(name, set())} == {}


def test_no_verb_page_job_or_command_takes_an_outcome() -> None:
    takers = set()
    for module in _modules(ROOMS):
        for name, function in vars(module).items():
            if name.startswith("_") or not callable(function):
                continue
            plain = inspect.unwrap(function)
            if not inspect.isfunction(plain) or plain.__module__ != module.__name__:
                continue
            if any(DECIDING.match(parameter) for parameter in inspect.signature(plain).parameters):
                takers.add(f"{module.__name__.removeprefix('quizapp.')}.{name}")
    assert takers <= set(TAKERS), takers - set(TAKERS)
    assert set(TAKERS) <= takers, "named here and gone"


@pytest.mark.parametrize("kind", [ma.Schema, wtforms.Form])
def test_no_request_brings_an_outcome(kind: type) -> None:
    suspects = set()
    for module in _modules(re.compile(r"schemas|forms|api|views")):
        short = module.__name__.removeprefix("quizapp.")
        for value in vars(module).values():
            if not (inspect.isclass(value) and issubclass(value, kind) and value.__module__ == module.__name__) or short in FIELDS:
                continue
            names = value._declared_fields if issubclass(value, ma.Schema) else vars(value)
            is_told = issubclass(value, ma.Schema) and not value.__name__.endswith("Args")
            suspects |= {f"{short}.{value.__name__}.{name}" for name in names if DECIDING.match(name) and not is_told}
    assert suspects == set()
