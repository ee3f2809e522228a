"""Pool draws in the database: publication, freeze, input, draw, reserves, draws held elsewhere."""

import datetime as dt
import json
from collections import Counter
from typing import Any

import pytest
import sqlalchemy as sa

from quizapp.audit.models import AuditEntry
from quizapp.audit.services import SYSTEM
from quizapp.core.db import db, transaction
from quizapp.core.errors import NotFound
from quizapp.ledger.queries import get_balance
from quizapp.lottery import errors, pool_proof, pool_rules, pooldraw, queries, rules
from quizapp.lottery.pool_models import PoolDrawEntry, PoolDrawRecord, PoolDrawRun, PoolManifest, PoolWin
from quizapp.lottery.pooldraw import Entry, OutsideEntry, Plan, Scope, export
from quizapp.lottery.pooldraw import queries as pool_queries
from quizapp.lottery.services.chain import alias_of
from quizapp.lottery.services.pools import vault
from quizapp.payouts import services as payouts
from quizapp.payouts.models import Payout, PayoutItem
from tests.factories.accounts import make_citizen, make_staff
from tests.factories.lottery import NOW, count_rows, make_campaign_row, make_pool
from tests.factories.pool_draws import (
    DUE,
    LATER,
    Draws,
    draw,
    draw_values,
    drawn,
    file_lines,
    freeze,
    make_entries,
    make_pool_draws,
    take_input,
    tier_values,
    verify,
    wins_of,
)
from tests.lottery import independent_pool_verifier

pytestmark = pytest.mark.usefixtures("app")


def _run(draws: Draws, number: int = 0) -> PoolDrawRun:
    db.session.rollback()
    return db.session.get_one(PoolDrawRun, draws.ids[number], populate_existing=True)


# ---- publication


def test_one_manifest_holds_every_draw_with_its_commitment_and_no_secret() -> None:
    days = [Scope(f"2027-03-{day}", DUE + dt.timedelta(days=day)) for day in (15, 16, 17)]
    draws = make_pool_draws(draw_values(per="day"), scopes=days)
    row = db.session.scalars(sa.select(PoolManifest)).one()
    manifest = json.loads(row.manifest)
    slots = manifest["draws"][0]["slots"]
    assert pool_proof.seal(row.manifest) == row.manifest_hash
    assert [slot["scope"] for slot in slots] == ["2027-03-15", "2027-03-16", "2027-03-17"] + [None] * pool_rules.SPARE_SLOTS
    assert len({slot["commitment"] for slot in slots}) == len(slots)
    runs = db.session.scalars(sa.select(PoolDrawRun)).all()
    for run in runs:
        assert run.secret_encrypted is not None
        secret = vault().decrypt_bytes(run.secret_encrypted)
        assert len(secret) == 32
        assert pool_proof.commitment(str(run.id), secret) == run.commitment
        assert secret.hex() not in row.manifest
    assert [verify(draws, number).state for number in range(3)] == ["open"] * 3


def test_a_campaign_publishes_its_draws_once() -> None:
    draws = make_pool_draws()
    with pytest.raises(errors.PoolAlreadyOpen), transaction():
        pooldraw.open_pool_draws(campaign_id=draws.campaign_id, terms_hash="ab" * 32, plans=[Plan(draw_values(), ())], now=NOW)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"tiers": []}, ValueError),
        ({"tiers": [tier_values(quantity=0)]}, ValueError),
        ({"tiers": [tier_values(kind="post")]}, errors.PrizeKindNotServed),
        ({"tiers": [tier_values(kind="points")]}, ValueError),
        ({"tiers": [tier_values(kind="cash")]}, ValueError),
        ({"seed_input": "public_figure"}, ValueError),
    ],
)
def test_draws_that_cannot_be_held_are_refused(change: dict[str, Any], error: type[Exception]) -> None:
    with transaction():
        campaign = make_campaign_row()
    with pytest.raises(error), transaction():
        pooldraw.open_pool_draws(campaign_id=campaign.id, terms_hash="ab" * 32, plans=[Plan(draw_values(**change), ())], now=NOW)


def test_an_extension_puts_lists_off_and_gives_spare_slots_to_new_days() -> None:
    days = [Scope(f"2027-03-{day}", DUE + dt.timedelta(days=day)) for day in (15, 16)]
    draws = make_pool_draws(draw_values(per="day"), scopes=days)
    later = [days[0], Scope("2027-03-16", DUE + dt.timedelta(days=30)), Scope("2027-03-17", DUE + dt.timedelta(days=31))]
    with transaction():
        assert pooldraw.bind_scopes(campaign_id=draws.campaign_id, draw_code="grand", scopes=later, now=NOW) == 2
    found = {run.scope: run for run in db.session.scalars(sa.select(PoolDrawRun).filter_by(state="open"))}
    assert set(found) == {scope.key for scope in later}
    assert found["2027-03-16"].due_at == later[1].due_at
    for run in found.values():
        pool_proof.verify(line.encode() for line in _lines(run))
    with transaction():
        assert pooldraw.bind_scopes(campaign_id=draws.campaign_id, draw_code="grand", scopes=later, now=NOW) == 0
    many = [Scope(f"2027-05-{day:02}", DUE + dt.timedelta(days=60)) for day in range(1, 31)]
    with pytest.raises(errors.SpareSlotsUsedUp), transaction():
        pooldraw.bind_scopes(campaign_id=draws.campaign_id, draw_code="grand", scopes=many, now=NOW)


def _lines(run: PoolDrawRun) -> list[str]:
    return list(export.file_lines(pool_queries.get_public(run.id)))


# ---- the list


def test_the_list_is_in_the_order_of_the_numbers_and_its_hash_is_published() -> None:
    draws = make_pool_draws()
    freeze(draws, make_entries(9))
    rows = db.session.scalars(sa.select(PoolDrawEntry).order_by(PoolDrawEntry.serial)).all()
    assert [row.serial for row in rows] == list(range(1, 10))
    assert [row.alias for row in rows] == sorted(row.alias for row in rows)
    texts = [pool_proof.entry_line(row.serial, row.alias, row.tickets, row.band) for row in rows]
    run = _run(draws)
    assert run.list_hash == pool_proof.lines_hash(texts) == verify(draws).list_hash
    assert (run.entry_count, run.ticket_count, run.state) == (9, 9, "frozen")


def test_a_citizen_has_the_same_number_in_the_instant_draw_of_the_campaign() -> None:
    pool = make_pool()
    with transaction():
        plan = Plan(draw_values(), (Scope("campaign", DUE),))
        pooldraw.open_pool_draws(campaign_id=pool.campaign_id, terms_hash="ab" * 32, plans=[plan], now=NOW)
        citizen = make_citizen()
        run = db.session.scalars(sa.select(PoolDrawRun)).one()
        pooldraw.freeze(pool_draw_id=run.id, entries=[Entry(citizen.id)], now=LATER)
    entry = pool_queries.find_own_entry(run.id, citizen.id)
    assert entry is not None
    assert entry.alias == alias_of(pool.id, citizen.id)


def test_both_ways_to_write_a_number_agree() -> None:
    for value in range(200):
        tag = vault().tag("x", str(value))
        assert pool_rules.alias(tag) == rules.alias(tag)


def test_nothing_is_frozen_before_its_moment_or_twice() -> None:
    draws = make_pool_draws()
    with pytest.raises(errors.NotDueYet), transaction():
        pooldraw.freeze(pool_draw_id=draws.id, entries=[], now=DUE - dt.timedelta(seconds=1))
    freeze(draws, make_entries(2))
    with pytest.raises(errors.PoolDrawFrozen):
        freeze(draws, make_entries(2))
    assert _run(draws).entry_count == 2


@pytest.mark.parametrize("statement", ["insert", "update", "delete"])
def test_the_database_lets_nobody_into_or_out_of_a_frozen_list(statement: str) -> None:
    draws = make_pool_draws()
    freeze(draws, make_entries(2))
    late = {"pool_draw_id": draws.id, "serial": 3, "citizen_id": draws.id, "alias": "ZZZZ-ZZZZ-ZZZZ", "tickets": 1, "band": 0}
    statements = {
        "insert": sa.insert(PoolDrawEntry).values(**late),
        "update": sa.update(PoolDrawEntry).values(tickets=9),
        "delete": sa.delete(PoolDrawEntry),
    }
    with pytest.raises(sa.exc.DBAPIError), transaction():
        db.session.execute(statements[statement])


@pytest.mark.parametrize("column", ["list_hash", "public_input", "commitment", "secret_encrypted", "secret_revealed", "drawn_at", "mode"])
def test_the_database_keeps_what_is_settled(column: str) -> None:
    draws = drawn()
    values: dict[str, Any] = {"secret_encrypted": b"other", "drawn_at": NOW, "mode": "outside"}
    with pytest.raises(sa.exc.DBAPIError), transaction():
        db.session.execute(sa.update(PoolDrawRun).filter_by(id=draws.id).values(**{column: values.get(column, "00")}))


def test_results_and_wins_are_only_ever_added_to() -> None:
    drawn()
    for table in ("pool_draw_results", "pool_wins", "pool_draw_records", "pool_manifests", "pool_draws"):
        with pytest.raises(sa.exc.DBAPIError), transaction():
            db.session.execute(sa.text(f"DELETE FROM {table}"))


def test_a_citizen_cannot_stand_in_a_list_twice_or_with_more_tickets_than_allowed() -> None:
    draws = make_pool_draws(draw_values(tickets="awards", max_tickets=3))
    citizen = make_entries(1)[0].citizen_id
    for entries in ([Entry(citizen), Entry(citizen)], [Entry(citizen, tickets=4)], [Entry(citizen, tickets=0)], [Entry(citizen, band=1)]):
        with pytest.raises(ValueError, match=r"twice|does not have"):
            freeze(draws, entries)
    assert _run(draws).state == "open"


# ---- drawing


def test_a_draw_is_whole_for_both_checkers_and_opens_its_prizes() -> None:
    draws = drawn(
        12, tiers=[tier_values("电动车", 1, kind="code"), tier_values("书包", 3)], reserves=2, seed_input="spoken", mode="ceremony"
    )
    lines = file_lines(draws)
    summary = pool_proof.verify(lines)
    results = independent_pool_verifier.check(lines)
    assert (summary.state, summary.win_count, summary.reserve_count, summary.public_input) == ("drawn", 4, 2, "83017264")
    assert Counter(line[0] for line in results) == {"win": 4, "reserve": 2}
    wins = wins_of(draws)
    assert [(win.tier, win.place, win.alias) for win in wins] == [(line[1], line[2], line[4]) for line in results if line[0] == "win"]
    handed = db.session.scalars(sa.select(Payout).filter_by(source_type="pool_win")).all()
    assert {payout.source_id for payout in handed} == {win.id for win in wins}
    assert {(payout.reference, payout.citizen_id) for payout in handed} == {(win.alias, win.citizen_id) for win in wins}
    assert {payout.state for payout in handed} == {"claimable"}
    assert {item.title: item.quantity for item in db.session.scalars(sa.select(PayoutItem))} == {"电动车": 1, "书包": 3}


def test_a_second_press_changes_nothing() -> None:
    draws = drawn()
    before = file_lines(draws)
    draw(draws)
    take_input(draws)
    assert file_lines(draws) == before
    assert count_rows(PoolWin) == 2


def test_points_are_given_at_once() -> None:
    draws = drawn(3, tiers=[tier_values("积分", 2, kind="points", points=50)])
    for win in wins_of(draws):
        assert get_balance("citizen", str(win.citizen_id), "points") == 50


def test_a_share_of_those_who_qualify_wins_and_the_item_knows_how_many() -> None:
    draws = drawn(10, tiers=[tier_values("话费券", 0, kind="code", ratio_ppm=300_000)])
    assert len(wins_of(draws)) == 3
    assert db.session.scalars(sa.select(PayoutItem.quantity)).one() == 3


def test_an_empty_list_is_drawn_and_gives_nothing() -> None:
    draws = drawn(0)
    assert (verify(draws).win_count, _run(draws).state) == (0, "drawn")


def test_input_waits_for_the_list_and_the_draw_for_the_input() -> None:
    draws = make_pool_draws(draw_values(seed_input="spoken", mode="ceremony"))
    with pytest.raises(errors.NotFrozen):
        take_input(draws, "83017264")
    freeze(draws, make_entries(4))
    with pytest.raises(errors.NotReady):
        draw(draws)
    with pytest.raises(errors.InputsDiffer):
        take_input(draws, "83017264", again="83017265")
    for text in ("", "123", "12345x", "1" * 65):
        with pytest.raises(errors.BadPublicInput):
            take_input(draws, text)
    take_input(draws, "８３ 01-7264")
    assert _run(draws).public_input == "83017264"
    with pytest.raises(errors.NotReady):
        take_input(draws, "11112222")
    draw(draws)
    assert verify(draws).public_input == "83017264"


def test_other_digits_give_other_wins() -> None:
    seed = {pool_proof.seed_of(b"s" * 32, "ab" * 32, text) for text in ("1234", "1235", "")}
    assert len(seed) == 3


def test_an_excluded_citizen_is_skipped_on_the_record() -> None:
    draws = make_pool_draws(draw_values(tiers=[tier_values(quantity=3)]))
    entries = make_entries(4)
    freeze(draws, entries)

    def exclude() -> int:
        with transaction():
            return pooldraw.exclude_entries(
                pool_draw_id=draws.id,
                citizen_ids=[entries[0].citizen_id],
                reason="excluded_attempts",
                actor=SYSTEM,
                organisation_path="/",
                now=LATER,
            )

    assert [exclude(), exclude()] == [1, 0]
    take_input(draws)
    with pytest.raises(errors.InputTaken):
        exclude()
    draw(draws)
    assert {win.citizen_id for win in wins_of(draws)} == {entry.citizen_id for entry in entries[1:]}
    verify(draws)


def test_who_won_in_another_draw_is_left_out_where_the_terms_say_so() -> None:
    first, second = draw_values(), draw_values(id="second", one_win_per_campaign=True, tiers=[tier_values(quantity=9)])
    draws = make_pool_draws(first, second)
    entries = make_entries(5)
    for number in (0, 1):
        freeze(draws, entries, number)
    take_input(draws)
    with pytest.raises(errors.OtherDrawRunning):
        take_input(draws, number=1)
    draw(draws)
    take_input(draws, number=1)
    draw(draws, 1)
    assert not {win.citizen_id for win in wins_of(draws)} & {win.citizen_id for win in wins_of(draws, 1)}
    assert len(wins_of(draws, 1)) == 3
    independent_pool_verifier.check(file_lines(draws, 1))


# ---- reserves


def _substitute(draws: Draws, place: int = 1, reason: str = "given_up") -> Any:
    with transaction():
        return pooldraw.substitute(
            pool_draw_id=draws.id, tier=0, place=place, reason=reason, actor=SYSTEM, organisation_path="/", now=LATER
        )


def _give_up(win: PoolWin) -> None:
    with transaction():
        payouts.forfeit_payouts(citizen_id=win.citizen_id, now=LATER)


def test_substitutes_come_from_the_reserve_list_in_order_and_only_for_prizes_that_are_free() -> None:
    draws = drawn(6, reserves=2)
    reserves = [result.alias for result in pool_queries.list_results(draws.id, ("reserve",))]
    with pytest.raises(errors.PlaceStillHeld):
        _substitute(draws)
    with pytest.raises(errors.UnknownPlace):
        _substitute(draws, place=9)
    _give_up(wins_of(draws)[0])
    _substitute(draws)
    substitute = wins_of(draws)[1]
    assert (substitute.place, substitute.turn, substitute.alias, substitute.reserve) == (1, 1, reserves[0], 1)
    assert substitute.substitute_of == wins_of(draws)[0].id
    _give_up(substitute)
    _substitute(draws)
    assert wins_of(draws)[2].alias == reserves[1]
    _give_up(wins_of(draws)[2])
    with pytest.raises(errors.NoReserveLeft):
        _substitute(draws)
    assert verify(draws).substitute_count == 2


def test_somebody_passed_over_is_on_the_record() -> None:
    draws = drawn(6, reserves=2)
    with transaction():
        values = {"reason": "excluded_person", "actor": SYSTEM, "organisation_path": "/", "now": LATER}
        assert pooldraw.pass_reserve(pool_draw_id=draws.id, **values) == 1  # type: ignore[arg-type]
    _give_up(wins_of(draws)[0])
    _substitute(draws)
    assert wins_of(draws)[1].reserve == 2
    verify(draws)


def test_a_citizen_finds_a_pool_win_among_the_own_and_claims_it() -> None:
    draws = drawn(4)
    win = wins_of(draws)[0]
    [own] = queries.list_own_wins(win.citizen_id)
    assert (own.win_id, own.draw_id, own.pool_draw_id, own.alias) == (win.id, None, draws.id, win.alias)
    assert queries.get_own_win(win.id, win.citizen_id).payout.state == "claimable"
    with pytest.raises(NotFound):
        queries.get_own_win(win.id, wins_of(draws)[1].citizen_id)


# ---- held elsewhere


def _outside(draws: Draws, drawn_aliases: list[list[str]], **changes: Any) -> OutsideEntry:
    values = {
        "place": "市民广场",
        "witness": "公证处",
        "held_at": LATER,
        "document_hash": "cd" * 32,
        "document_name": "公证书.pdf",
        **changes,
    }
    return OutsideEntry(drawn=drawn_aliases, **values)


def _frozen_outside(**values: Any) -> tuple[Draws, list[str]]:
    draws = make_pool_draws(draw_values(mode="outside", **values))
    freeze(draws, make_entries(5))
    return draws, [row[1] for row in pool_queries.iterate_entries(draws.id)]


def _enter(draws: Draws, entry: OutsideEntry, staff_id: Any) -> None:
    with transaction():
        pooldraw.enter_outside(
            pool_draw_id=draws.id, entry=entry, staff_id=staff_id, actor=SYSTEM, organisation_path="/", now=LATER + dt.timedelta(hours=1)
        )


def test_a_draw_held_elsewhere_is_entered_by_one_and_confirmed_by_another() -> None:
    draws, aliases = _frozen_outside(reserves=1)
    with transaction():
        first, second = make_staff().id, make_staff().id
    _enter(draws, _outside(draws, [[aliases[3], aliases[0]]], reserves=[aliases[1]]), first)
    assert count_rows(PoolWin) == 0
    decide = {"pool_draw_id": draws.id, "actor": SYSTEM, "organisation_path": "/", "now": LATER + dt.timedelta(hours=2)}
    with pytest.raises(errors.SameHand), transaction():
        pooldraw.confirm_outside(staff_id=first, **decide)  # type: ignore[arg-type]
    with transaction():
        pooldraw.confirm_outside(staff_id=second, **decide)  # type: ignore[arg-type]
    assert [(win.alias, win.is_outside) for win in wins_of(draws)] == [(aliases[3], True), (aliases[0], True)]
    summary = verify(draws)
    assert (summary.state, summary.win_count, summary.reserve_count) == ("outside", 2, 1)
    assert "场外" in pool_proof.describe(summary)
    assert _run(draws).is_outside
    with pytest.raises(errors.NotFrozen):
        _enter(draws, _outside(draws, [[aliases[4]]]), first)


@pytest.mark.parametrize(
    ("aliases", "changes", "words"),
    [
        (["0000-0000-0000"], {}, "不在冻结的名单里"),
        ([0, 0], {}, "不止一次"),
        ([0, 1, 2], {}, "超过了公布的数量"),
        ([0], {"held_at": LATER - dt.timedelta(days=1)}, "摇号时间"),
        ([0], {"document_hash": "zz"}, "证明文件"),
        ([0], {"witness": " "}, "谁见证"),
        ([], {}, "请录入"),
        ([0], {"reserves": [0]}, "候补人数"),
    ],
)
def test_a_record_that_does_not_fit_the_list_is_refused(aliases: list[Any], changes: dict[str, Any], words: str) -> None:
    draws, names = _frozen_outside()
    chosen = [names[each] if isinstance(each, int) else each for each in aliases]
    if "reserves" in changes:
        changes = {"reserves": [names[1]]}
    with transaction():
        staff_id = make_staff().id
    with pytest.raises(errors.BadOutsideRecord, match=words):
        _enter(draws, _outside(draws, [chosen], **changes), staff_id)


def test_a_refused_record_stays_on_file_and_makes_room() -> None:
    draws, names = _frozen_outside()
    with transaction():
        staff_id = make_staff().id
    _enter(draws, _outside(draws, [[names[0]]]), staff_id)
    with pytest.raises(errors.WaitsForConfirmation):
        _enter(draws, _outside(draws, [[names[1]]]), staff_id)
    with transaction():
        pooldraw.refuse_outside(pool_draw_id=draws.id, staff_id=staff_id, actor=SYSTEM, organisation_path="/", now=LATER)
    _enter(draws, _outside(draws, [[names[1]]]), staff_id)


def test_results_of_a_draw_held_here_cannot_be_entered_and_the_other_way_round() -> None:
    draws = make_pool_draws(draw_values(mode="ceremony"))
    freeze(draws, make_entries(3))
    names = [row[1] for row in pool_queries.iterate_entries(draws.id)]
    with transaction():
        staff_id = make_staff().id
    with pytest.raises(errors.NotHeldElsewhere):
        _enter(draws, _outside(draws, [[names[0]]]), staff_id)
    outside = make_pool_draws(draw_values(mode="outside"), slug="elsewhere", host=draws.host)
    freeze(outside, make_entries(3))
    with pytest.raises(errors.HeldElsewhere):
        take_input(outside)


def test_everything_is_audited_with_a_title() -> None:
    from quizapp.audit.titles import TITLES

    draws = drawn(6, reserves=2)
    _give_up(wins_of(draws)[0])
    _substitute(draws)
    actions = set(db.session.scalars(sa.select(AuditEntry.action).where(AuditEntry.action.startswith("pool_draw."))))
    assert actions == {"pool_draw.frozen", "pool_draw.input_taken", "pool_draw.drawn", "pool_draw.substituted"}
    assert actions <= set(TITLES)
    assert count_rows(PoolDrawRecord, kind="reveal") == 1
