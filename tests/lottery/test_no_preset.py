"""Promise 3: no must-win list, no odds of a person, no preset result exists anywhere — not in the schema, not in a verb."""

import dataclasses
import inspect
import re
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from flask import Flask

from quizapp.core.db import db
from quizapp.lottery import pool_proof, pool_rules, pooldraw, proof, services
from quizapp.lottery.pooldraw import chain as pool_chain
from quizapp.lottery.pooldraw import drawing, excluding, freezing, opening, outside, reserves, winning
from quizapp.lottery.proof.bundle import MODULES
from quizapp.lottery.services import chain, draws, pools, tickets, upkeep
from quizapp.payouts import services as payout_services

SUSPECT = re.compile(
    r"winner|preset|weight|force|vip|must_?win|rigged?|fixed_outcome|predetermin|whitelist|lucky|boost|favou?r|guarantee|chance_of|odds_of"
)
PERSONAL_ODDS = re.compile(r"odds|probab|chance|weight")
LOTTERY_TABLES = {"prize_pools", "prizes", "day_secrets", "draw_tickets", "draws", "pool_records", "wins", "quota_uses", "chain_heads"}
POOL_MODULES = (pool_proof, pool_rules, pooldraw, pool_chain, drawing, excluding, freezing, opening, outside, reserves, winning)
POOL_DRAW_TABLES = {
    "pool_manifests",
    "pool_draws",
    "pool_draw_tiers",
    "pool_draw_entries",
    "pool_draw_records",
    "pool_draw_results",
    "pool_wins",
    "outside_draws",
}
BESIDE_THE_DRAWS = {"award_quotas", "winners_notices"}
"""What is given for merit and what is published afterwards: named alike, no part of a draw."""
ALLOWED_COLUMNS = {
    "draw_tickets": {
        "id",
        "campaign_id",
        "citizen_id",
        "source_type",
        "source_id",
        "sequence",
        "client_nonce",
        "granted_at",
        "granted_on",
        "expires_at",
        "state",
        "void_reason",
        "chained_in",
    },
    "pool_draw_entries": {"pool_draw_id", "serial", "citizen_id", "alias", "tickets", "band"},
    "draws": {
        "id",
        "pool_id",
        "campaign_id",
        "ticket_id",
        "citizen_id",
        "serial",
        "alias",
        "outcome",
        "amount_fen",
        "segment",
        "prize_id",
        "record_number",
        "drawn_at",
        "drawn_on",
    },
}
"""All that is known of a ticket before it is drawn, and of a draw: nothing here could carry a wish. A new column is a
decision to be taken here too."""


def _tables(app: Flask) -> sa.MetaData:
    found = sa.MetaData()
    found.reflect(db.engine)
    return found


def test_no_column_of_the_migrated_database_is_named_for_a_preset(app: Flask) -> None:
    suspects = [
        f"{table.name}.{column.name}" for table in _tables(app).sorted_tables for column in table.columns if SUSPECT.search(column.name)
    ]
    assert suspects == []


def test_odds_stand_on_prizes_alone_and_name_nobody(app: Flask) -> None:
    places = {table.name for table in _tables(app).sorted_tables for column in table.columns if PERSONAL_ODDS.search(column.name)}
    assert places == {"prizes"}
    assert not any("citizen" in column.name for column in _tables(app).tables["prizes"].columns)


def test_tables_of_the_lottery_are_known_to_the_column(app: Flask) -> None:
    tables = _tables(app).tables
    drawing = {
        name
        for name in tables
        if re.search(r"prize_pool|draw|lotter|raffle|win|day_secret|pool_record|quota|chain_head|pool_manifest", name)
    } | {"prizes"}
    assert drawing == LOTTERY_TABLES | POOL_DRAW_TABLES | BESIDE_THE_DRAWS
    for name, columns in ALLOWED_COLUMNS.items():
        assert {column.name for column in tables[name].columns} == columns


def _functions() -> Iterator[tuple[str, object]]:
    for module in (*MODULES, services, chain, draws, pools, tickets, upkeep, payout_services, *POOL_MODULES):
        for name, function in vars(module).items():
            if inspect.isfunction(function) and (function.__module__ or "").startswith("quizapp.lottery"):
                yield f"{function.__module__}.{name}", function


@pytest.mark.parametrize(("name", "function"), sorted(_functions(), key=lambda pair: pair[0]))
def test_no_function_of_the_lottery_is_named_for_or_takes_a_preset(name: str, function: object) -> None:
    words = [name, *inspect.signature(function).parameters]  # type: ignore[arg-type]
    assert [word for word in words if SUSPECT.search(word.lower())] == []


def test_the_verbs_take_exactly_what_they_need() -> None:
    def names(function: object) -> set[str]:
        return set(inspect.signature(function).parameters)  # type: ignore[arg-type]

    assert names(services.draw_ticket) == {"citizen_id", "source_type", "source_id", "sequence", "now"}
    granting = {"prefix", "campaign_id", "citizen_id", "source_type", "source_id", "count", "client_nonce", "ticket_hours", "now"}
    assert names(services.grant_tickets) == names(services.ticket_writes) == granting
    assert names(services.open_pool) == {
        "campaign_id",
        "terms_hash",
        "draw",
        "days",
        "spare_days",
        "now",
        "opens_at",
        "closes_at",
    }
    assert names(proof.position) == {"secret", "pool", "day", "serial", "nonce", "version"}
    assert names(proof.settle) == {"rules", "tier", "standing_of", "wins_total", "wins_today", "segment", "segment_wins"}


def test_of_the_verbs_of_pool_draws_only_the_entry_of_an_outside_draw_takes_results() -> None:
    def names(function: object) -> set[str]:
        return set(inspect.signature(function).parameters) - {"pool_draw_id", "actor", "organisation_path", "now"}  # type: ignore[arg-type]

    assert {name: names(getattr(pooldraw, name)) for name in pooldraw.__all__ if name[0].islower()} == {
        "bind_scopes": {"campaign_id", "draw_code", "scopes"},
        "confirm_outside": {"staff_id"},
        "draw": set(),
        "enter_outside": {"entry", "staff_id"},
        "exclude_entries": {"citizen_ids", "reason"},
        "freeze": {"entries"},
        "open_pool_draws": {"campaign_id", "terms_hash", "plans"},
        "pass_reserve": {"reason"},
        "refuse_outside": {"staff_id"},
        "substitute": {"tier", "place", "reason"},
        "take_input": {"typed", "typed_again"},
    }
    assert names(pool_proof.results) == {"draw", "entries", "excluded", "seed"}
    assert {field.name for field in dataclasses.fields(pooldraw.Entry)} == {"citizen_id", "tickets", "band"}


def test_no_route_writes_a_draw_but_the_draw_itself(app: Flask) -> None:
    writing = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if rule.methods and rule.methods & {"POST", "PUT", "PATCH", "DELETE"} and rule.endpoint.startswith(("lottery", "lottery_"))
    }
    assert writing == {"lottery.draw", "lottery_api.draw", "lottery_api.claim"}


def test_no_route_writes_a_pool_draw_but_its_verbs(app: Flask) -> None:
    writing = {
        rule.endpoint for rule in app.url_map.iter_rules() if rule.endpoint.startswith("pool_draws") and "POST" in (rule.methods or ())
    }
    verbs = ("take_input", "draw", "enter_outside", "confirm_outside", "refuse_outside", "substitute")
    assert writing == {f"pool_draws_admin.{name}" for name in verbs}


def test_dice_are_thrown_in_one_place_only() -> None:
    """Randomness of the lottery is the day secrets, made at publication; drawing itself imports none."""
    for module in (
        *MODULES,
        pool_proof,
        pool_rules,
        drawing,
        excluding,
        freezing,
        outside,
        reserves,
        winning,
        draws,
        chain,
        tickets,
        upkeep,
    ):
        source = inspect.getsource(module)
        assert not re.search(r"^(import|from) (random|secrets)\b|os\.urandom|uuid4", source, re.M), module.__name__
