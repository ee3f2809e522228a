"""The arithmetic, the two checkers on one whole ledger, and every way we know to tamper with it."""

import datetime as dt
import hashlib
import hmac
import json
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quizapp.accounts.models import Citizen
from quizapp.audit.services import SYSTEM
from quizapp.core.db import db, transaction
from quizapp.lottery import jobs, proof, queries, services
from quizapp.lottery.proof import bundle
from tests.conftest import sqlite_only
from tests.factories.accounts import make_citizen
from tests.factories.lottery import NOW, Pool, draw, grant, ledger_lines, make_pool, win
from tests.lottery import independent_verifier

DAY = dt.timedelta(days=1)
SECRET = bytes(range(32))
POOL = "01a20438-2266-7f88-a204-868b44166f6d"


# ---- arithmetic


def test_the_worked_example_of_a_position() -> None:
    for version in (b"draw-proof/1", b"draw-proof/2"):
        message = b'["' + version + b'/outcome","' + POOL.encode() + b'",3,7,"5d90e3a718c266f4"]'
        x = int.from_bytes(hmac.new(SECRET, message, hashlib.sha256).digest()[:16], "big")
        assert proof.draw_number(SECRET, POOL, 3, 7, "5d90e3a718c266f4", version.decode()) == x
        assert proof.position(SECRET, POOL, 3, 7, "5d90e3a718c266f4", version.decode()) == x * 1_000_000 // 2**128


@pytest.mark.parametrize("change", [{"pool": POOL[::-1]}, {"day": 4}, {"serial": 8}, {"nonce": ""}, {"secret": SECRET[::-1]}])
def test_each_input_changes_the_number(change: dict[str, Any]) -> None:
    inputs: dict[str, Any] = {"secret": SECRET, "pool": POOL, "day": 3, "serial": 7, "nonce": "5d90e3a718c266f4"}
    assert proof.draw_number(**inputs) != proof.draw_number(**{**inputs, **change})


@pytest.mark.parametrize(("where", "tier"), [(0, 0), (999, 0), (1000, 1), (20_999, 1), (21_000, None), (999_999, None)])
def test_positions_fall_on_stretches_in_the_manifests_order(where: int, tier: int | None) -> None:
    assert proof.tier_at([1000, 20_000], where) == tier
    assert proof.tier_at([1000, 0, 20_000], where) == (2 if tier == 1 else tier)


def test_two_hundred_thousand_draws_fit_the_odds_of_each_tier() -> None:
    """Chi-square with four degrees of freedom: 23.5 is passed once in ten thousand honest secrets; this secret is fixed."""
    odds, draws = [1000, 20_000, 10_000, 200_000], 200_000
    counts = Counter(proof.tier_at(odds, proof.position(SECRET, POOL, 0, serial, f"{serial:x}")) for serial in range(1, draws + 1))
    expected = {index: draws * share / proof.PPM for index, share in enumerate(odds)} | {None: draws * (1 - sum(odds) / proof.PPM)}
    assert sum((counts[tier] - want) ** 2 / want for tier, want in expected.items()) < 23.5


def test_positions_are_even_over_the_million() -> None:
    cells = Counter(proof.position(SECRET, POOL, 1, serial, "") // 10_000 for serial in range(1, 100_001))
    assert sum((cells[cell] - 1000) ** 2 / 1000 for cell in range(100)) < 161


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x), max_leaves=8)
)
def test_canonical_text_is_stable_and_read_back(value: Any) -> None:
    try:
        text = proof.canonical(value)
        text.encode()
    except UnicodeEncodeError:
        return
    assert proof.canonical(json.loads(text)) == text


def test_a_fraction_has_no_place_in_a_proof() -> None:
    for value in (1.5, [float("nan")], {"a": {"b": 0.0}}):
        with pytest.raises(ValueError):
            proof.canonical(value)


def test_moments_are_cut_and_days_are_shanghais() -> None:
    late = dt.datetime(2027, 3, 15, 15, 59, 59, 999_999, dt.UTC)
    assert proof.moment_text(late) == "2027-03-15T15:59:59.999Z"
    assert proof.day_of("2027-03-15T15:59:59.999Z") == "2027-03-15"
    assert proof.day_of("2027-03-15T16:00:00.000Z") == "2027-03-16"
    with pytest.raises(ValueError):
        proof.read_moment("2027-03-15T16:00:00Z")


# ---- a ledger with everything in it


def _draw_until(pool: Pool, seen: Callable[[dict[str, Any]], bool], *, citizen: Citizen | None = None, now: dt.datetime = NOW) -> None:
    """Draw until the ledger ends with a draw like that; secrets are random, so how many it takes is not known."""
    for _ in range(200):
        win(pool, citizen, now=now)
        if seen(json.loads(ledger_lines()[-2])):
            return
    pytest.fail("two hundred draws without it")


def _everything() -> None:
    """All kinds of record: wins, losses of every reason, voids, expiries, a spare day, reveals, days still closed."""
    prizes = [
        {"name": "红包“大”", "kind": "cash", "quantity": 2, "odds_ppm": 400_000, "value_fen": 200, "tier": "一等奖"},
        {"name": "帆布袋", "kind": "pickup", "quantity": 400, "odds_ppm": 300_000},
    ]
    pool = make_pool(prizes, wins_total=3, wins_per_day=2, day_count=2)
    regular = make_citizen()
    for reason in ("wins_per_day", "stock", "no_prize", ""):
        _draw_until(pool, lambda draw: draw["reason"] == reason, citizen=regular if reason == "wins_per_day" else None)  # noqa: B023
    for index in range(4):
        citizen = make_citizen()
        attempt = grant(pool, citizen, count=2, nonce=f"{index:x}" * index)
        draw(citizen, attempt)
    jobs.chain_grants(NOW)
    _draw_until(pool, lambda draw: draw["reason"] == "wins_total", citizen=regular, now=NOW + DAY)
    with transaction():
        ticket = queries.list_tickets("attempt", attempt)[1]
        services.void_tickets(
            campaign_id=pool.campaign_id, ticket_ids=[ticket.id], reason="duplicate", actor=SYSTEM, organisation_path="/", now=NOW + DAY
        )
    win(pool, now=NOW + 2 * DAY)
    jobs.expire_tickets(NOW + 2 * DAY)
    jobs.reveal_secrets(NOW + 2 * DAY)
    win(pool, now=NOW + 3 * DAY)


_kept: list[list[bytes]] = []


@pytest.fixture
def lines(app: Flask) -> list[bytes]:
    """One ledger for the whole module: it is only read, so SQLite and PostgreSQL may share it."""
    if not _kept:
        _everything()
        _kept.append(ledger_lines())
        db.session.rollback()
    return list(_kept[0])


def _ours(lines: list[bytes]) -> proof.BadLedger | None:
    try:
        proof.verify(lines)
    except proof.BadLedger as error:
        return error
    return None


def _both_find(lines: list[bytes]) -> bool:
    return _ours(lines) is not None and independent_verifier.check(b"".join(lines)) is not None


def test_both_checkers_find_the_ledger_whole(lines: list[bytes]) -> None:
    kinds = Counter(json.loads(line)["kind"] for line in lines)
    reasons = Counter(json.loads(line)["reason"] for line in lines if b'"kind":"draw"' in line)
    assert set(kinds) == {"manifest", "open", "tickets", "draw", "void", "expire", "day", "reveal", "head"}
    assert set(reasons) == {"", "no_prize", "stock", "wins_total", "wins_per_day"}
    assert proof.verify(lines).recomputed_count > 0
    assert proof.verify(lines).hidden_days != ()
    assert independent_verifier.check(b"".join(lines)) is None


@sqlite_only
def test_every_flipped_byte_is_found_and_named(lines: list[bytes]) -> None:
    """Sixty bytes of every line, each with one of its bits turned; the first bad line is the one that was changed or, at the
    file's end, the head behind it."""
    rng = random.Random(5)
    for index, line in enumerate(lines):
        places = range(len(line)) if len(line) < 80 else sorted(rng.sample(range(len(line)), 60))
        for place in places:
            broken = bytearray(line)
            broken[place] ^= 1 << rng.randrange(8)
            changed = [*lines[:index], bytes(broken), *lines[index + 1 :]]
            found = _ours(b"".join(changed).splitlines(keepends=True) if broken[place] in b"\r\n" else changed)
            assert found is not None, (index, place)
            assert found.line in (index + 1, index + 2), (index, place, found)


@sqlite_only
def test_the_second_checker_finds_flipped_bytes_too(lines: list[bytes]) -> None:
    whole, rng = b"".join(lines), random.Random(6)
    for place in rng.sample(range(len(whole)), 600):
        broken = bytearray(whole)
        broken[place] ^= 1 << rng.randrange(8)
        assert independent_verifier.check(bytes(broken)) is not None, place


@sqlite_only
def test_a_changed_record_in_the_middle_is_named(lines: list[bytes]) -> None:
    for index, line in enumerate(lines[:-2]):
        if b'"at":"2027-03-15T01:42' not in line:
            continue
        changed = [*lines[:index], line.replace(b'"at":"2027-03-15T01:42', b'"at":"2027-03-15T01:41'), *lines[index + 1 :]]
        found = _ours(changed)
        assert found is not None
        assert found.line == index + 1
        assert independent_verifier.check(b"".join(changed)) is not None


@sqlite_only
def test_a_removed_added_or_moved_record_is_found(lines: list[bytes]) -> None:
    for index in range(len(lines)):
        assert _both_find(lines[:index] + lines[index + 1 :])
        assert _both_find([*lines[:index], lines[index], *lines[index:]])
        if index + 1 < len(lines):
            assert _both_find([*lines[:index], lines[index + 1], lines[index], *lines[index + 2 :]])
        assert _both_find(lines[:index])


def test_files_that_are_no_ledgers_are_refused_and_break_nothing(lines: list[bytes]) -> None:
    nonsense = [
        [],
        [b"\n"],
        [b"{}\n"],
        [b"[]\n"],
        [b"null\n"],
        [b"\xff\xfe\n"],
        [b"[" * 5000 + b"\n"],
        [b"[" * 200_000 + b"\n"],
        lines[1:],
        [line.replace(b"\n", b"\r\n") for line in lines],
        [line.rstrip(b"\n") for line in lines],
        [*lines, b"\n"],
        [lines[0], lines[-1]],
        [b'{"kind":"manifest"}\n', *lines[1:]],
        [lines[0].replace(b'"days":[', b'"days":[7,'), *lines[1:]],
    ]
    for each in nonsense:
        assert _ours(each) is not None
        assert independent_verifier.check(b"".join(each)) is not None


# ---- an operator who can compute hashes


def _rebuild(lines: list[bytes], change: Any) -> list[bytes]:
    """The chain built again, with good seals, after ``change`` had its way with the values."""
    values = [json.loads(line) for line in lines[:-1]]
    values = change(values) or values
    manifest = proof.canonical(values[0])
    previous, out = proof.seal(manifest), [manifest]
    for number, record in enumerate(values[1:], 1):
        record.update(number=number, previous=previous)
        if record["kind"] == "open":
            record["manifest"] = previous
        out.append(proof.canonical(record))
        previous = proof.seal(out[-1])
    out.append(proof.head_line(values[0]["pool"], len(values) - 1, previous))
    return [text.encode() + b"\n" for text in out]


def _first(values: list[dict[str, Any]], kind: str, **fields: Any) -> dict[str, Any]:
    return next(v for v in values if v["kind"] == kind and all(v[name] == value for name, value in fields.items()))


def _swap_outcome(values: list[dict[str, Any]]) -> None:
    _first(values, "draw", outcome="none").update(outcome="won", prize=1, reason="")


def _move_position(values: list[dict[str, Any]]) -> None:
    record = _first(values, "draw", reason="no_prize")
    record.update(position=999_999 if record["position"] != 999_999 else 999_998)


def _let_somebody_win(values: list[dict[str, Any]]) -> None:
    """A losing draw of a revealed day, moved onto a prize in full accordance with everything but the secret."""
    record = _first(values, "draw", reason="no_prize", day=0)
    record.update(position=500_000, outcome="won", prize=1, reason="")


def _other_nonce(values: list[dict[str, Any]]) -> None:
    record = _first(values, "draw", serial=3)
    for value in values:
        for entry in value.get("tickets", []) if value["kind"] == "tickets" else []:
            if entry["ticket"] == record["ticket"]:
                entry["client_nonce"] = "abcd"
    record["client_nonce"] = "abcd"


def _drop_draw(values: list[dict[str, Any]]) -> list[dict[str, Any]]:
    gone = _first(values, "draw", serial=4)
    for value in values:
        if value["kind"] == "draw" and value["serial"] > 4:
            value["serial"] -= 1
    return [value for value in values if value is not gone]


def _drop_ticket(values: list[dict[str, Any]]) -> None:
    drawn = {value["ticket"] for value in values if value["kind"] == "draw"}
    listed = _first(values, "tickets")
    listed["tickets"] = [entry for entry in listed["tickets"] if entry["ticket"] not in drawn][:1] or listed["tickets"][:1]


def _list_twice(values: list[dict[str, Any]]) -> None:
    listed = _first(values, "tickets")
    listed["tickets"].append(listed["tickets"][0])


def _other_secret(values: list[dict[str, Any]]) -> None:
    _first(values, "reveal")["secret"] = "ab" * 32


def _raise_odds(values: list[dict[str, Any]]) -> None:
    values[0]["prizes"][0]["odds_ppm"] = 900_000


def _more_stock(values: list[dict[str, Any]]) -> None:
    values[0]["prizes"][0]["quantity"] = 0


def _looser_caps(values: list[dict[str, Any]]) -> None:
    values[0]["wins_per_day"] = 1


def _expire_early(values: list[dict[str, Any]]) -> None:
    _first(values, "expire")["at"] = "2027-03-15T01:43:00.000Z"


def _reveal_early(values: list[dict[str, Any]]) -> None:
    _first(values, "reveal")["at"] = "2027-03-15T15:43:00.000Z"


def _wrong_day(values: list[dict[str, Any]]) -> None:
    record = values[-1]
    assert record["kind"] == "draw"
    record["day"] = 0


def _draw_twice(values: list[dict[str, Any]]) -> list[dict[str, Any]]:
    last = dict(next(value for value in reversed(values) if value["kind"] == "draw"))
    last["serial"] += 1
    return [*values, last]


def _void_a_drawn_one(values: list[dict[str, Any]]) -> None:
    _first(values, "void")["ticket"] = _first(values, "draw")["ticket"]


def _strange_reason(values: list[dict[str, Any]]) -> None:
    _first(values, "void")["reason"] = "we did not like it"


def _extra_field(values: list[dict[str, Any]]) -> None:
    _first(values, "draw")["vip"] = True


def _truth_for_one(values: list[dict[str, Any]]) -> None:
    _first(values, "draw", serial=1)["serial"] = True


def _spare_day_out_of_turn(values: list[dict[str, Any]]) -> None:
    _first(values, "day")["day"] += 1


REBUILDS = [
    _swap_outcome,
    _move_position,
    _let_somebody_win,
    _other_nonce,
    _drop_draw,
    _drop_ticket,
    _list_twice,
    _other_secret,
    _raise_odds,
    _more_stock,
    _looser_caps,
    _expire_early,
    _reveal_early,
    _wrong_day,
    _draw_twice,
    _void_a_drawn_one,
    _strange_reason,
    _extra_field,
    _truth_for_one,
    _spare_day_out_of_turn,
]


def test_rebuilding_without_a_change_gives_the_same_file(lines: list[bytes]) -> None:
    assert _rebuild(lines, lambda values: None) == lines


@pytest.mark.parametrize("change", REBUILDS)
def test_a_rebuilt_chain_with_good_seals_is_found_by_both(lines: list[bytes], change: Any) -> None:
    forged = _rebuild(lines, change)
    assert forged != lines
    assert _both_find(forged)


def test_a_consistent_rebuild_is_exposed_by_a_receipt(lines: list[bytes]) -> None:
    """Cutting the chain and going on is consistent in itself; the seal on a receipt of the part cut off shows it."""
    cut = [*lines[:6], proof.head_line(json.loads(lines[0])["pool"], 5, proof.seal(lines[5][:-1].decode())).encode() + b"\n"]
    early, late = (proof.seal(lines[index][:-1].decode()) for index in (4, 9))
    assert _ours(cut) is None
    assert proof.verify(cut, [early]).record_count == 5
    with pytest.raises(proof.BadLedger, match="rebuilt"):
        proof.verify(cut, [early, late])
    proof.verify(lines, [early, late])


# ---- commands


@pytest.fixture
def ledger_file(lines: list[bytes], tmp_path: Path) -> Path:
    path = tmp_path / "draws.jsonl"
    path.write_bytes(b"".join(lines))
    return path


def test_the_command_verifies_a_file_and_names_the_bad_record(app: Flask, ledger_file: Path, lines: list[bytes]) -> None:
    runner = app.test_cli_runner()
    good = runner.invoke(args=["draws", "verify", str(ledger_file)])
    assert (good.exit_code, "OK" in good.output) == (0, True)
    broken = bytearray(ledger_file.read_bytes())
    broken[len(lines[0]) + len(lines[1]) + 40] ^= 1
    ledger_file.write_bytes(bytes(broken))
    bad = runner.invoke(args=["draws", "verify", str(ledger_file)])
    assert (bad.exit_code, "line 3" in bad.output) == (1, True)


def test_the_downloaded_checker_runs_alone(ledger_file: Path, tmp_path: Path) -> None:
    """As a citizen would: the one file, an empty environment, no project on the path."""
    script = tmp_path / "draw_check.py"
    script.write_text(bundle.checker(), encoding="utf-8")

    def run(*arguments: str) -> int:
        command = [sys.executable, "-I", str(script), *arguments]
        return subprocess.run(command, cwd=tmp_path, env={"PYTHONIOENCODING": "utf-8"}, capture_output=True, check=False).returncode

    assert run(str(ledger_file)) == 0
    assert run(str(ledger_file), "00" * 32) == 1
    assert run() == 2
    ledger_file.write_bytes(ledger_file.read_bytes().replace(b'"serial":2,', b'"serial":3,'))
    assert run(str(ledger_file)) == 1


def test_the_command_exports_what_it_verifies(app: Flask, tmp_path: Path) -> None:
    win(make_pool())
    runner, path = app.test_cli_runner(), tmp_path / "out.jsonl"
    db.session.rollback()
    assert runner.invoke(args=["draws", "export", "--campaign", "draws", "--output", str(path)]).exit_code == 0
    assert path.read_bytes() == b"".join(ledger_lines())
    shown = runner.invoke(args=["draws", "export", "--campaign", "draws"])
    assert shown.output.encode() == path.read_bytes()
    assert runner.invoke(args=["draws", "verify", str(path)]).exit_code == 0
    assert runner.invoke(args=["draws", "export", "--campaign", "nowhere"]).exit_code == 1
