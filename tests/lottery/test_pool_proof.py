"""The arithmetic of pool draws: agreement of two implementations, chance, limits, and every kind of tampering."""

import json
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quizapp.lottery import pool_proof
from tests.factories.pool_files import Maker, make_alias, random_draw, random_file
from tests.lottery import independent_pool_verifier


def _tier(quantity: int, **values: Any) -> dict[str, Any]:
    return {"kind": "pickup", "name": "奖", "points": 0, "quantity": quantity, "ratio_ppm": None, "tier": "", "value_fen": 0, **values}


def _draw(**values: Any) -> dict[str, Any]:
    draw = {**random_draw(random.Random(1)), "cascade": 0, "one_win": True, "reserves": 0, "tickets": "one", "seed_input": "spoken"}
    return {**draw, "tiers": [_tier(1)], **values}


def _list(tickets: list[int], bands: list[int] | None = None) -> pool_proof.FrozenList:
    rng = random.Random(3)
    aliases = sorted({make_alias(rng) for _ in tickets})
    return pool_proof.FrozenList(aliases, tickets, bands or [0] * len(tickets))


def _wins(draw: dict[str, Any], entries: pool_proof.FrozenList, seed: bytes, excluded: dict[int, str] | None = None) -> list[Any]:
    return list(pool_proof.results(draw, entries, excluded or {}, seed))


def test_a_thousand_random_draws_agree_with_the_independent_implementation() -> None:
    seen: Counter[str] = Counter()
    for seed in range(1000):
        maker, lines = random_file(seed)
        results = independent_pool_verifier.check(lines)
        assert [tuple(line) for line in results] == maker.results
        summary = pool_proof.verify(lines)
        assert summary.win_count == sum(line[0] == "win" for line in results)
        seen.update({line[0] for line in results})
        seen["ratio"] += any(tier["ratio_ppm"] for tier in maker.draw["tiers"])
        seen["tickets"] += any(entry[1] > 1 for entry in maker.entries)
    assert min(seen[kind] for kind in ("win", "reserve", "skip", "band", "ratio", "tickets")) > 100


# ---- chance (seeds fixed: these either always pass or never)


def _chi_square(counts: list[int], shares: list[float]) -> float:
    total = sum(counts)
    return sum((count - total * share) ** 2 / (total * share) for count, share in zip(counts, shares, strict=True))


def test_every_line_is_as_likely_and_the_first_place_as_the_last() -> None:
    draw, entries = _draw(tiers=[_tier(1), _tier(4)], reserves=1), _list([1] * 20)
    by_place = [Counter[int]() for _ in range(6)]
    for number in range(10_000):
        for place, result in enumerate(_wins(draw, entries, number.to_bytes(32, "big"))):
            by_place[place][result[-2]] += 1
    for counter in by_place:
        assert _chi_square([counter[serial] for serial in range(1, 21)], [1 / 20] * 20) < 54.0  # p = 1e-5 at 19 degrees


def test_chances_are_proportional_to_tickets() -> None:
    tickets = [1, 2, 3, 5, 8, 1, 20]
    counter = Counter(_wins(_draw(), _list(tickets), number.to_bytes(32, "big"))[0][3] for number in range(20_000))
    shares = [count / sum(tickets) for count in tickets]
    assert _chi_square([counter[serial] for serial in range(1, 8)], shares) < 33.1  # p = 1e-5 at 6 degrees


def test_words_beyond_the_last_whole_multiple_are_left_out() -> None:
    bound = 3
    limit = 2**64 - 2**64 % bound
    assert pool_proof.below(iter([2**64 - 1, limit, limit - 1]), bound) == (limit - 1) % bound
    assert pool_proof.below(iter([2**64 - 1]), 2**32) == 2**32 - 1


# ---- limits


_ENTRIES = st.lists(st.tuples(st.integers(1, 5), st.integers(0, 2)), max_size=30)
_TIERS = st.lists(st.tuples(st.integers(0, 6), st.none() | st.integers(1, 1_000_000)), min_size=1, max_size=5)


@settings(max_examples=300, deadline=None)
@given(entries=_ENTRIES, tiers=_TIERS, reserves=st.integers(0, 8), one_win=st.booleans(), seed=st.binary(min_size=32, max_size=32))
def test_quantities_hold_nobody_wins_twice_and_reserves_are_others(
    entries: list[tuple[int, int]], tiers: list[tuple[int, int | None]], reserves: int, one_win: bool, seed: bytes
) -> None:
    draw = _draw(tiers=[_tier(q, ratio_ppm=ratio) for q, ratio in tiers], cascade=2, reserves=reserves, one_win=one_win, tickets="awards")
    frozen = _list([tickets for tickets, _ in entries], [band for _, band in entries])
    excluded = {serial: "excluded_person" for serial in range(1, len(entries) + 1) if serial % 5 == 0}
    found = _wins(draw, frozen, seed, excluded)
    wins, spare = [each for each in found if each[0] == "win"], [each for each in found if each[0] == "reserve"]
    qualified = frozen.bands.count(0)
    most = [pool_proof.quantity_of(tier, qualified) for tier in draw["tiers"]]
    per_tier = Counter(each[1] for each in wins)
    assert all(per_tier[number] <= count for number, count in enumerate(most))
    times = Counter(each[3] for each in wins)
    assert all(count <= (1 if one_win else frozen.tickets[serial - 1]) for serial, count in times.items())
    assert len({each[2] for each in spare}) == len(spare) <= reserves
    assert not {each[2] for each in spare} & set(times)
    assert not (set(times) | {each[2] for each in spare}) & set(excluded)
    may_win = [count for serial, count in enumerate(frozen.tickets, 1) if serial not in excluded]
    assert len(wins) == min(sum(most), len(may_win) if one_win else sum(may_win))
    assert all(frozen.aliases[each[-2] - 1] == each[-1] for each in (*wins, *spare))


def test_a_lower_band_joins_only_when_the_one_above_is_used_up() -> None:
    found = _wins(_draw(tiers=[_tier(4)], cascade=1), _list([1] * 6, [0, 1, 0, 1, 1, 1]), bytes(32))
    assert [each[0] for each in found] == ["win", "win", "band", "win", "win"]
    assert {each[3] for each in found[:2]} == {1, 3}


def test_a_ratio_counts_the_lines_of_the_first_band_and_a_quantity_beside_it_is_the_most() -> None:
    assert pool_proof.quantity_of(_tier(0, ratio_ppm=100_000), 99) == 9
    assert pool_proof.quantity_of(_tier(5, ratio_ppm=100_000), 99) == 5
    assert pool_proof.quantity_of(_tier(5), 3) == 5


# ---- tampering


def _maker() -> Maker:
    rng = random.Random(11)
    maker = Maker(rng, _draw(tiers=[_tier(3, name="一等奖"), _tier(5, name="二等奖")], reserves=4, cascade=1, tickets="awards"))
    maker.open()
    maker.random_entries(30)
    maker.freeze()
    maker.exclude(0.1)
    maker.input()
    maker.run()
    return maker


def _is_list(line: bytes) -> bool:
    return line.startswith(b"[")


def _index(lines: list[bytes], kind: str) -> int:
    return next(place for place, line in enumerate(lines) if not _is_list(line) and json.loads(line)["kind"] == kind)


def _results_at(lines: list[bytes]) -> int:
    return _index(lines, "draw") + 1


def _resealed(lines: list[bytes]) -> list[bytes]:
    """The chain made anew over changed records, as an operator would: numbers, links, hashes of lists, head."""
    values = [json.loads(line) for line in lines]
    manifest = pool_proof.canonical(values[0])
    out, previous, number, place = [manifest], pool_proof.seal(manifest), 0, 1
    while place < len(values):
        record = values[place]
        following = place + 1
        while following < len(values) and isinstance(values[following], list):
            following += 1
        part = [pool_proof.canonical(value) for value in values[place + 1 : following]]
        number += 1
        if record["kind"] == "head":
            out.append(pool_proof.canonical({**record, "head": previous, "records": number - 1}))
            break
        if record["kind"] == "open":
            record["manifest"] = pool_proof.seal(manifest)
        if record["kind"] == "freeze":
            bands = [sum(value[3] == band for value in values[place + 1 : following]) for band in range(len(record["bands"]))]
            tickets = sum(value[2] for value in values[place + 1 : following])
            record.update(entries=len(part), list_hash=pool_proof.lines_hash(part), bands=bands, tickets=tickets)
        if record["kind"] == "draw":
            record.update(lines=len(part), result_hash=pool_proof.lines_hash(part))
        text = pool_proof.canonical({**record, "number": number, "previous": previous})
        previous = pool_proof.seal(text)
        out += [text, *part]
        place = following
    return [f"{text}\n".encode() for text in out]


def _edit(lines: list[bytes], place: int, change: Callable[[Any], Any]) -> None:
    value = json.loads(lines[place])
    lines[place] = f"{pool_proof.canonical(change(value) or value)}\n".encode()


def _bad(lines: list[bytes], known: tuple[str, ...] = ()) -> str:
    with pytest.raises(pool_proof.BadPoolDraw) as found:
        pool_proof.verify(lines, known)
    return str(found.value)


def _swap(lines: list[bytes], first: int, second: int) -> None:
    lines[first], lines[second] = lines[second], lines[first]


def _set(**values: Any) -> Callable[[Any], Any]:
    return lambda record: {**record, **values}


def test_the_untouched_file_is_whole() -> None:
    lines = _maker().finish()
    assert _resealed(lines) == lines
    assert pool_proof.verify(lines).state == "drawn"


def test_a_changed_line_of_the_list_is_named() -> None:
    lines = _maker().finish()
    start = _index(lines, "freeze") + 1
    _edit(lines, start + 4, lambda line: [*line[:2], line[2] + 1, line[3]])
    assert f"list, lines {start + 1} to {start + 30}" in _bad(lines)
    assert "the seed does not follow" in _bad(_resealed(lines))


def test_a_dropped_line_of_the_list_is_named() -> None:
    lines = _maker().finish()
    start = _index(lines, "freeze") + 1
    del lines[start + 4]
    assert f"line {start + 5} (list 5)" in _bad(lines)
    lines = _maker().finish()
    del lines[start + 29]
    assert "the list ends 1 lines early" in _bad(lines)


def test_a_line_added_late_is_named() -> None:
    lines = _maker().finish()
    end = _index(lines, "freeze") + 31
    lines.insert(end, b'[31,"ZZZZ-ZZZZ-ZZZZ",1,0]\n')
    assert f"line {end + 1} (line): a line after the end of the frozen list: it was added late" in _bad(lines)


def test_moved_lines_of_the_list_are_named() -> None:
    lines = _maker().finish()
    start = _index(lines, "freeze") + 1
    _swap(lines, start + 6, start + 7)
    assert f"line {start + 7} (list 7)" in _bad(lines)
    for place, serial in ((start + 6, 7), (start + 7, 8)):
        _edit(lines, place, lambda line, serial=serial: [serial, *line[1:]])
    assert "not behind the one before" in _bad(_resealed(lines))


RECORD_TAMPERINGS: dict[str, tuple[str, Callable[[Any], Any], str]] = {
    "another seed": ("draw", _set(seed="00" * 32), "the seed does not follow"),
    "other digits": ("input", _set(text="99999999"), "the seed does not follow"),
    "another secret": ("reveal", _set(secret="11" * 32), "not the secret that was committed to"),
    "another input than announced": ("input", _set(input="none", text=""), "not the input the manifest names"),
    "frozen too early": ("freeze", _set(at="2027-03-31T00:00:00.000Z"), "frozen before the moment"),
    "more exclusions": ("exclude", _set(serials=list(range(1, 31))), "the draw gives here"),
    "a reason nobody knows": ("exclude", _set(reason="unlucky"), "a reason that version 1 does not know"),
}


@pytest.mark.parametrize("name", RECORD_TAMPERINGS)
def test_changed_records_are_named_even_in_a_chain_made_anew(name: str) -> None:
    kind, change, why = RECORD_TAMPERINGS[name]
    lines = _maker().finish()
    _edit(lines, _index(lines, kind), change)
    assert "was changed" in _bad(lines) or why in _bad(lines)
    assert why in _bad(_resealed(lines))


def test_a_swapped_win_is_named() -> None:
    lines = _maker().finish()
    start = _results_at(lines)
    places = [place for place in range(start, len(lines) - 1) if lines[place].startswith(b'["win"')]
    first, second = json.loads(lines[places[0]]), json.loads(lines[places[1]])
    _edit(lines, places[0], lambda line: [*line[:3], *second[3:]])
    _edit(lines, places[1], lambda line: [*line[:3], *first[3:]])
    found = _bad(_resealed(lines))
    assert found.startswith(f"line {places[0] + 1} (result)")
    assert "the draw gives here" in found


def test_an_outsider_put_into_the_results_is_named() -> None:
    lines = _maker().finish()
    place = next(place for place, line in enumerate(lines) if line.startswith(b'["win"'))
    _edit(lines, place, lambda line: [*line[:3], 1, "0000-0000-0000"])
    assert f"line {place + 1} (result)" in _bad(_resealed(lines))


def test_tiers_drawn_in_another_order_are_named() -> None:
    lines = _maker().finish()
    _edit(lines, 0, lambda manifest: manifest["draws"][0]["tiers"].reverse())
    assert "it names another manifest: the manifest was changed" in _bad(lines)
    assert "the draw gives here" in _bad(_resealed(lines))


def test_a_changed_quantity_is_named() -> None:
    lines = _maker().finish()
    _edit(lines, 0, lambda manifest: manifest["draws"][0]["tiers"][0].update(quantity=2))
    assert "the manifest was changed" in _bad(lines)
    assert "the draw gives here" in _bad(_resealed(lines))


def test_a_reserve_list_in_another_order_is_named() -> None:
    lines = _maker().finish()
    places = [place for place, line in enumerate(lines) if line.startswith(b'["reserve"')]
    _swap(lines, places[0], places[1])
    assert f"line {places[0] + 1} (result)" in _bad(_resealed(lines))


def test_dropped_results_and_a_cut_file_are_named() -> None:
    lines = _maker().finish()
    assert "a result was dropped" in _bad(_resealed([*lines[:-2], lines[-1]]))
    assert "the results end 1 lines early" in _bad([*lines[:-2], lines[-1]])
    assert "the file ends without a head" in _bad(lines[:-1])
    assert "the file was cut" in _bad([*lines[:-1], lines[-1][:-1]])


def test_records_dropped_added_or_moved_are_named() -> None:
    for kind in ("exclude", "input", "reveal"):
        lines = _maker().finish()
        place = _index(lines, kind)
        assert "a record is missing" in _bad([*lines[:place], *lines[place + 1 :]])
        assert "a record is missing, added or moved" in _bad([*lines[:place], lines[place], *lines[place:]])
    lines = _maker().finish()
    _swap(lines, _index(lines, "exclude"), _index(lines, "input"))
    assert "exclusions come after the list and before the public input" in _bad(_resealed(lines))


def test_a_list_made_anew_after_the_hash_was_shown_is_named_by_the_hash() -> None:
    maker = _maker()
    shown = maker.list_hash
    again = Maker(random.Random(12), maker.draw)
    again.open()
    again.random_entries(31)
    again.freeze()
    again.input()
    again.run()
    assert pool_proof.verify(again.finish()).state == "drawn"
    assert f"{shown} was written down before and is not in this file" in _bad(again.finish(), (shown,))


def test_substitutes_come_from_the_reserve_list_in_order() -> None:
    maker = _maker()
    maker.record("substitute", place=1, reason="given_up", reserve=1, tier=0)
    maker.record("pass", reason="excluded_person", reserve=2)
    maker.record("substitute", place=2, reason="expired", reserve=3, tier=1)
    assert pool_proof.verify(maker.finish()).substitute_count == 2
    maker.record("substitute", place=1, reason="given_up", reserve=3, tier=0)
    assert "not the next of the reserve list, which is 4" in _bad(maker.finish())


def test_a_draw_held_elsewhere_is_checked_against_the_list_and_said_to_be_one() -> None:
    maker = Maker(random.Random(5), _draw(mode="outside", tiers=[_tier(2)], reserves=1))
    maker.open()
    maker.random_entries(9)
    maker.freeze()
    names = [entry[0] for entry in maker.entries]
    texts = [pool_proof.canonical(line) for line in (["win", 0, 1, 4, names[3]], ["win", 0, 2, 9, names[8]], ["reserve", 1, 2, names[1]])]

    def told(lines: list[str]) -> list[bytes]:
        again = Maker(random.Random(5), maker.draw)
        again.open()
        again.entries = maker.entries
        again.freeze()
        fields = {"document": "cd" * 32, "held_at": "2027-04-01T02:02:30.000Z", "place": "市民广场", "witness": "公证处"}
        again.record("outside", lines=len(lines), result_hash=pool_proof.lines_hash(lines), **fields)
        again.lines += lines
        return again.finish()

    summary = pool_proof.verify(told(texts))
    assert summary.state == "outside"
    assert "场外" in pool_proof.describe(summary)
    assert "not in the frozen list" in _bad(told([texts[0].replace(names[3], names[4])]))
    assert "drawn twice" in _bad(told([texts[0], pool_proof.canonical(["win", 0, 2, 4, names[3]])]))
    assert "more than the tier has" in _bad(told([*texts[:2], pool_proof.canonical(["win", 0, 3, 1, names[0]])]))


def test_every_byte_of_a_record_counts() -> None:
    lines = _maker().finish()
    records = [place for place, line in enumerate(lines) if not _is_list(line)]
    rng = random.Random(4)
    for place in records:
        for _ in range(20):
            broken = bytearray(lines[place])
            spot = rng.randrange(len(broken))
            broken[spot] ^= 1 << rng.randrange(7)
            _bad([*lines[:place], bytes(broken), *lines[place + 1 :]])


def test_the_checker_runs_alone(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "draw.jsonl"
    lines = _maker().finish()
    path.write_bytes(b"".join(lines))
    assert pool_proof.main([str(path)]) == 0
    path.write_bytes(b"".join(lines[:-1]))
    assert pool_proof.main([str(path)]) == 1
    assert pool_proof.main([str(tmp_path / "nothing")]) == 2
    assert pool_proof.main([]) == 2
    assert "BAD / 对不上" in capsys.readouterr().out
