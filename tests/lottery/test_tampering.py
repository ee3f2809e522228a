"""Every way we know to tamper with a ledger of version 2, by the name the checker gives it and the line it points to.

The first part forges lines; the second rebuilds the whole chain with good seals, as an operator could.
"""

import datetime as dt
import json
import re
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from quizapp.lottery import proof
from tests.lottery import independent_verifier
from tests.lottery.scribe import HOUR, Scribe, moment

Values = list[dict[str, Any]]
PRIZES = [
    {"name": "红包", "kind": "cash", "quantity": 12, "odds_ppm": 300_000, "value_fen": 50, "max_fen": 500, "budget_fen": 2400},
    {"name": "保温杯", "kind": "pickup", "quantity": 8, "odds_ppm": 300_000, "value_fen": 900, "release": "paced"},
    {"name": "书签", "kind": "pickup", "quantity": 500, "odds_ppm": 0},
]
DRAW = {"prizes": PRIZES, "fallback": "书签", "wins_total": 3, "wins_per_day": 1, "ticket_hours": 24, "claim_days": 7, "returns": True}
QUOTAS = [{"regions": ["150402"], "quantity": 3}]


@cache
def ledger() -> bytes:
    """Two days revealed, the third still closed; wins, losses, refusals, a fallback, a return, a void, expired tickets."""
    scribe = Scribe({**DRAW, "region_quotas": QUOTAS}, day_count=3, seed=11)
    for day in range(3):
        for turn in range(40):
            at = moment(day, 7 + turn / 3)
            ticket = scribe.grant(f"AAAA-BBBB-{turn % 23:04d}", at, f"{day:x}{turn:x}", "150402" if turn % 23 < 12 else "150403")
            if turn % 9 != 4:
                scribe.take(ticket, at)
            if turn % 8 == 7:
                scribe.list_tickets(at)
            if turn == 20:
                scribe.void(next(iter(scribe.open.values())), at)
        if day == 1:
            scribe.give_back(min(scribe.given), moment(1, 23))
        scribe.settle_days(moment(day, 24.5))
    scribe.settle_days(moment(3, 1))
    return scribe.close()


def _values() -> Values:
    found: Values = [json.loads(line) for line in ledger().splitlines()]
    return found


def _line_of(values: Values, wanted: Callable[[dict[str, Any]], bool]) -> int:
    """The place of a line, from 0."""
    return next(place for place, value in enumerate(values) if wanted(value))


def _a_draw(values: Values, day: int = 0, **fields: Any) -> int:
    return _line_of(values, lambda value: value["kind"] == "draw" and value["day"] == day and fields.items() <= value.items())


def _reseal(values: Values) -> bytes:
    """The chain built again with good seals and numbers."""
    lines, previous = [], ""
    for number, record in enumerate(values[:-1]):
        if number:
            record.update(number=number, previous=previous)
        if record["kind"] == "open":
            record["manifest"] = previous
        lines.append(proof.canonical(record))
        previous = proof.seal(lines[-1])
    lines.append(proof.head_line(values[0]["pool"], len(values) - 2, previous))
    return "".join(line + "\n" for line in lines).encode()


def _found(data: bytes, receipts: list[str] | None = None) -> proof.BadLedger | None:
    try:
        proof.verify(data.splitlines(keepends=True), receipts or [])
    except proof.BadLedger as error:
        return error
    return None


def test_the_ledger_is_whole_and_holds_everything() -> None:
    assert _found(ledger()) is None
    assert independent_verifier.check(ledger()) is None
    values = _values()
    assert {value["kind"] for value in values} >= {"manifest", "open", "tickets", "draw", "void", "expire", "reveal", "return", "head"}
    reasons = {value["reason"] for value in values if value["kind"] == "draw"}
    assert reasons >= {"", "no_prize", "wins_per_day", "not_released", "region_quota"}
    assert _reseal(_values()) == ledger()


# ---- without new seals: the chain itself names the line


def _a_millisecond_later(line: bytes) -> bytes:
    return re.sub(rb'("at":"[^"]*)\dZ"', rb'\g<1>1Z"', line)


LINES: dict[str, tuple[Callable[[list[bytes], int], list[bytes]], str, int]] = {
    "a record changed": (lambda lines, at: [*lines[:at], _a_millisecond_later(lines[at]), *lines[at + 1 :]], "record_changed", 0),
    "a record missing": (lambda lines, at: lines[:at] + lines[at + 1 :], "record_missing", 0),
    "a record added": (lambda lines, at: [*lines[:at], lines[at - 1], *lines[at:]], "record_added", 0),
    "two records reordered": (lambda lines, at: [*lines[:at], lines[at + 1], lines[at], *lines[at + 2 :]], "record_moved", 0),
    "the manifest changed": (lambda lines, _: [lines[0].replace(b'"quantity":12', b'"quantity":13'), *lines[1:]], "manifest_changed", -1),
    "the end cut off": (lambda lines, _: lines[:-3], "cut_off", -1),
    "the last record missing": (lambda lines, _: [*lines[:-2], lines[-1]], "wrong_head", -1),
    "a line after the end": (lambda lines, _: [*lines, lines[-2]], "record_added", -1),
    "not canonical": (lambda lines, at: [*lines[:at], lines[at].replace(b'"kind":', b'"kind": '), *lines[at + 1 :]], "not_canonical", 0),
}


@pytest.mark.parametrize("name", LINES)
def test_a_forged_line_is_named(name: str) -> None:
    change, code, offset = LINES[name]
    lines, values = ledger().splitlines(keepends=True), _values()
    place = _line_of(values, lambda value: value["kind"] == "draw" and value["serial"] == 20 and "T0" in value["at"])
    forged = change(lines, place)
    error = _found(b"".join(forged))
    assert error is not None
    assert error.code == code, str(error)
    if offset == 0:
        assert error.line == place + 1, str(error)
    assert independent_verifier.check(b"".join(forged)) is not None


# ---- with new seals all along: the rules name the line


def _swap_secret(values: Values) -> int:
    place = _line_of(values, lambda value: value["kind"] == "reveal")
    values[place]["secret"] = "ab" * 32
    return place


def _late_list(values: Values) -> int:
    """A ticket of the first day, slipped in after its secret was public."""
    place = _line_of(values, lambda value: value["kind"] == "tickets" and value["number"] > _reveal(values))
    entry = {**values[place]["tickets"][0], "ticket": "0" * 32, "day": 0, "granted_at": proof.moment_text(moment(0, 9))}
    values[place]["tickets"].insert(0, entry)
    return place


def _reveal(values: Values) -> int:
    found = values[_line_of(values, lambda value: value["kind"] == "reveal")]["number"]
    return int(found)


def _change_odds(values: Values) -> int:
    values[0]["prizes"][0]["odds_ppm"] -= 299_999
    return _line_of(values, lambda value: value["kind"] == "draw" and value["prize"] == 0 and not value["reason"])


def _change_stock(values: Values) -> int:
    """One cup less: shares of the windows shift, and some cup was won that there was not."""
    values[0]["prizes"][1]["quantity"] = 0
    return _line_of(values, lambda value: value["kind"] == "draw" and value["prize"] == 1)


def _change_cap(values: Values) -> int:
    values[0]["wins_per_day"] = None
    return _line_of(values, lambda value: value["kind"] == "draw" and value["reason"] == "wins_per_day")


def _change_quota(values: Values) -> int:
    values[0]["segments"][0]["quantity"] = 99
    return _line_of(values, lambda value: value["kind"] == "draw" and value["reason"] == "region_quota")


def _drop_drawn_ticket(values: Values) -> int:
    """A ticket that was drawn leaves its list."""
    place = _line_of(values, lambda value: value["kind"] == "tickets")
    drawn = {value["ticket"] for value in values if value["kind"] == "draw"}
    values[place]["tickets"] = [entry for entry in values[place]["tickets"] if entry["ticket"] not in drawn] or values[place]["tickets"][:1]
    return place


def _drop_open_ticket(values: Values) -> int:
    """One that was not drawn, but expired, leaves its list."""
    expired = _line_of(values, lambda value: value["kind"] == "expire")
    gone = values[expired]["tickets"][0]
    for value in values[:expired]:
        if value["kind"] == "tickets":
            value["tickets"] = [entry for entry in value["tickets"] if entry["ticket"] != gone]
    return expired


def _grind(values: Values) -> int:
    """Another nonce for a losing draw, one that wins — everything else to match."""
    place = _a_draw(values, reason="no_prize")
    record, secret = values[place], bytes.fromhex(values[_reveal(values)]["secret"])
    for number in range(10_000):
        nonce = f"{number:x}"
        where = proof.position(secret, record["pool"], 0, record["serial"], nonce)
        if where < 300_000:
            break
    record.update(client_nonce=nonce, position=where, outcome="won", prize=0, reason="", amount_fen=60, segment=0)
    return _line_of(
        values, lambda value: value["kind"] == "tickets" and any(entry["ticket"] == record["ticket"] for entry in value["tickets"])
    )


def _slip_in(values: Values) -> int:
    """A draw with a ticket nobody was granted."""
    place = _a_draw(values, reason="no_prize")
    values[place]["ticket"] = "0123456789abcdef" * 2
    return _line_of(values, lambda value: value["kind"] == "tickets" and value["number"] > values[place]["number"] and not value["more"])


def _throw_a_draw_away(values: Values) -> int:
    place = _a_draw(values, reason="no_prize")
    del values[place]
    return _line_of(values, lambda value: value["kind"] == "draw" and value["number"] > place)


def _draw_again(values: Values) -> int:
    """Throw a draw away and count on, as if it had not been: every position behind it is another's."""
    place = _a_draw(values, reason="no_prize")
    del values[place]
    for value in values:
        if value["kind"] == "draw" and value["number"] > place:
            value["serial"] -= 1
    return _line_of(values, lambda value: value["kind"] == "reveal")


def _unnoticed(values: Values, wanted: Callable[[dict[str, Any]], bool], code: str, **changes: Any) -> int:
    """Change the first draw of which nothing else in the file tells: only the secret, or nothing, can."""
    for place, value in enumerate(values):
        if value["kind"] == "draw" and value["day"] < 2 and wanted(value):
            before = dict(value)
            group = value["segment"] if value["segment"] is not None else int(int(value["alias"][-4:]) < 12)
            value.update(changes, segment=group)
            error = _found(_reseal([dict(each) for each in values]))
            if error is None or error.code == code:
                return place
            value.clear()
            value.update(before)
    raise AssertionError("every such change shows elsewhere")


def _give_a_prize(values: Values) -> int:
    """A draw that fell on nothing is moved onto the cup, in accordance with everything but the secret."""
    prize = {"position": 400_000, "outcome": "won", "prize": 1, "reason": "", "amount_fen": 900}
    return _unnoticed(values, lambda value: bool(value["reason"] == "no_prize"), "wrong_position", **prize)


def _raise_amount(values: Values) -> int:
    place = _a_draw(values, prize=0, reason="")
    values[place]["amount_fen"] += 1 if values[place]["amount_fen"] < 200 else -1
    return place


def _refuse(values: Values) -> int:
    """A cup that was out is said not to have been."""
    changes = {"reason": "not_released", "prize": 2, "amount_fen": 0}
    return _unnoticed(values, lambda value: value["prize"] == 1 and not value["reason"], "wrong_release", **changes)


def _give_too_early(values: Values) -> int:
    changes = {"reason": "", "prize": 1, "amount_fen": 900}
    return _unnoticed(values, lambda value: bool(value["reason"] == "not_released"), "wrong_release", **changes)


def _move_to_another_group(values: Values) -> int:
    seen: dict[str, int] = {}
    for place, value in enumerate(values):
        if value["kind"] == "draw" and value["segment"] is not None:
            if value["alias"] in seen:
                value["segment"] = 1 - seen[value["alias"]]
                return place
            seen[value["alias"]] = value["segment"]
    raise AssertionError


def _return_twice(values: Values) -> int:
    place = _line_of(values, lambda value: value["kind"] == "return")
    values.insert(place + 1, dict(values[place]))
    return place + 1


def _reveal_early(values: Values) -> int:
    place = _line_of(values, lambda value: value["kind"] == "reveal")
    record = values.pop(place)
    target = _line_of(values, lambda value: value["kind"] == "expire")
    record["at"] = proof.moment_text(moment(1, 0.1))
    values.insert(target, record)
    return target


def _expire_early(values: Values) -> int:
    place = _line_of(values, lambda value: value["kind"] == "expire")
    values[place]["at"] = proof.moment_text(moment(0, 24.1))
    return place


def _void_for_no_reason(values: Values) -> int:
    place = _line_of(values, lambda value: value["kind"] == "void")
    values[place]["reason"] = "we_did_not_like_it"
    return place


def _backdate(values: Values) -> int:
    """A draw is moved to another hour: its date no longer fits."""
    place = _a_draw(values, day=1)
    values[place]["at"] = proof.moment_text(moment(1, 0) - dt.timedelta(minutes=5))
    return place


def _use_a_ticket_twice(values: Values) -> int:
    place = _a_draw(values, reason="no_prize")
    values[place]["ticket"] = values[_a_draw(values)]["ticket"]
    other = values[_a_draw(values)]
    values[place].update({name: other[name] for name in ("alias", "client_nonce", "granted_at")})
    return place


REBUILT: dict[str, tuple[Callable[[Values], int], str]] = {
    "the seed swapped": (_swap_secret, "wrong_secret"),
    "a list that comes late": (_late_list, "late_ticket"),
    "odds changed": (_change_odds, "wrong_outcome"),
    "stock changed": (_change_stock, "wrong_outcome"),
    "a cap changed": (_change_cap, "wrong_outcome"),
    "a region's quota changed": (_change_quota, "wrong_outcome"),
    "a drawn ticket dropped": (_drop_drawn_ticket, "ticket_missing"),
    "an undrawn ticket dropped": (_drop_open_ticket, "ticket_missing"),
    "a ticket ground": (_grind, "ticket_changed"),
    "a ticket slipped in": (_slip_in, "ticket_missing"),
    "a draw thrown away": (_throw_a_draw_away, "draw_missing"),
    "a prize given": (_give_a_prize, "wrong_position"),
    "an amount raised": (_raise_amount, "wrong_amount"),
    "a prize that was out refused": (_refuse, "wrong_release"),
    "a prize given before it was out": (_give_too_early, "wrong_release"),
    "a region group exchanged": (_move_to_another_group, "wrong_segment"),
    "a prize taken back twice": (_return_twice, "wrong_return"),
    "a secret out too early": (_reveal_early, "early_reveal"),
    "a ticket ended too early": (_expire_early, "wrong_time"),
    "a ticket voided for no reason": (_void_for_no_reason, "unknown_reason"),
    "a draw backdated": (_backdate, "wrong_time"),
    "a ticket used twice": (_use_a_ticket_twice, "ticket_twice"),
}


@pytest.mark.parametrize("name", REBUILT)
def test_a_chain_rebuilt_with_good_seals_is_named_all_the_same(name: str) -> None:
    change, code = REBUILT[name]
    values = _values()
    place = change(values)
    forged = _reseal(values)
    assert forged != ledger()
    error = _found(forged)
    assert error is not None
    assert error.code == code, str(error)
    assert error.line == place + 1, (str(error), place + 1)
    assert independent_verifier.check(forged) is not None


def test_a_draw_done_again_is_found_by_every_position_behind_it() -> None:
    values = _values()
    _draw_again(values)
    error = _found(_reseal(values))
    assert error is not None
    assert error.code in ("wrong_position", "wrong_amount", "wrong_outcome", "wrong_return", "ticket_missing", "early_reveal")


def _another_run() -> bytes:
    """The same campaign played again from the start by somebody who knows every secret: whole in itself."""
    scribe = Scribe({**DRAW, "region_quotas": QUOTAS}, day_count=3, seed=11)
    for turn in range(20):
        at = moment(0, 7 + turn / 3)
        scribe.take(scribe.grant(f"AAAA-BBBB-{turn % 23:04d}", at, f"{turn:x}ff", "150403"), at)
    scribe.settle_days(moment(0, 24.5) + HOUR)
    return scribe.close()


def test_a_chain_rebuilt_whole_is_exposed_by_three_receipts() -> None:
    """Nothing in the file is wrong. Three citizens' receipts, whichever three, are not in it."""
    rebuilt = _another_run()
    assert _found(rebuilt) is None
    receipts = [proof.seal(line.decode()) for line in ledger().splitlines() if b'"kind":"draw"' in line]
    assert _found(ledger(), receipts[3:6]) is None
    error = _found(rebuilt, receipts[3:6])
    assert error is not None
    assert (error.code, error.what) == ("rebuilt", "end")
    published = proof.seal(ledger().splitlines()[0].decode())
    assert _found(rebuilt, [published]) is None, "the same manifest: only receipts and heads tell"


def test_a_kept_receipt_can_be_given_as_the_file_it_is(tmp_path: Any) -> None:
    record = next(line.decode() for line in ledger().splitlines() if b'"kind":"draw"' in line)
    kept = tmp_path / "draw-receipt-1.json"
    kept.write_text(json.dumps({"record_text": record}, ensure_ascii=False), encoding="utf-8")
    seals = proof.receipt_seals([str(kept), "07CE 8A31"])
    assert seals == [proof.seal(record), "07ce8a31"]
    assert _found(ledger(), seals[:1]) is None
