"""A second checker of pool draws, written from docs/draw-proof-pools.md alone; it shares no code with the product and does
everything the plain way: lists instead of trees, the whole file in memory."""

import hashlib
import hmac
import json
from typing import Any

NAME = "draw-proof-pool/1"


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class Stream:
    def __init__(self, seed: bytes) -> None:
        self.seed, self.counter, self.buffer = seed, 0, b""

    def number(self) -> int:
        if not self.buffer:
            message = NAME.encode() + b"/stream\n" + str(self.counter).encode()
            self.buffer = hmac.new(self.seed, message, hashlib.sha256).digest()
            self.counter += 1
        head, self.buffer = self.buffer[:8], self.buffer[8:]
        return int.from_bytes(head, "big")

    def below(self, n: int) -> int:
        while True:
            word = self.number()
            if word < (1 << 64) // n * n:
                return word % n


def tier_size(tier: dict[str, Any], qualified: int) -> int:
    if tier["ratio_ppm"] is None:
        return int(tier["quantity"])
    size = qualified * tier["ratio_ppm"] // 1_000_000
    return min(size, tier["quantity"]) if tier["quantity"] > 0 else int(size)


def play(draw: dict[str, Any], entries: list[list[Any]], left_out: dict[int, str], seed: bytes) -> list[list[Any]]:
    """The result lines. ``entries`` are [serial, alias, tickets, band]."""
    stream, out = Stream(seed), []
    urn: list[int] = []
    joined = -1

    def join() -> None:
        nonlocal urn, joined
        joined += 1
        if joined:
            out.append(["band", joined])
        new = [serial for serial, _alias, tickets, band in entries if band == joined for _ in range(tickets)]
        urn = sorted(urn + new)

    def pick() -> int | None:
        nonlocal urn
        while True:
            while not urn and joined < draw["cascade"]:
                join()
            if not urn:
                return None
            serial = urn[stream.below(len(urn))]
            if serial in left_out:
                urn = [each for each in urn if each != serial]
                out.append(["skip", serial, entries[serial - 1][1], left_out[serial]])
                continue
            return serial

    join()
    qualified = sum(entry[3] == 0 for entry in entries)
    wins: list[int] = []
    for number, tier in enumerate(draw["tiers"]):
        for place in range(1, tier_size(tier, qualified) + 1):
            serial = pick()
            if serial is None:
                break
            wins.append(serial)
            out.append(["win", number, place, serial, entries[serial - 1][1]])
            if draw["one_win"]:
                urn = [each for each in urn if each != serial]
            else:
                urn.remove(serial)
    urn = [each for each in urn if each not in wins]
    for place in range(1, draw["reserves"] + 1):
        serial = pick()
        if serial is None:
            break
        out.append(["reserve", place, serial, entries[serial - 1][1]])
        urn = [each for each in urn if each != serial]
    return out


def check(lines: list[bytes]) -> list[list[Any]]:
    """The results of a drawn file; assertions say what is wrong with it."""
    values = [json.loads(line) for line in lines]
    manifest, head = values[0], values[-1]
    assert manifest["version"] == NAME
    previous, number = sha(lines[0][:-1]), 0
    entries: list[list[Any]] = []
    results: list[list[Any]] = []
    expected: list[list[Any]] = []
    left_out: dict[int, str] = {}
    draw: dict[str, Any] = {}
    slot: dict[str, Any] = {}
    frozen: dict[str, Any] = {}
    secret, text = b"", ""
    place = 1
    while place < len(values) - 1:
        record, raw = values[place], lines[place][:-1]
        number += 1
        assert record["number"] == number, "number"
        assert record["previous"] == previous, "link"
        previous = sha(raw)
        place += 1
        if record["kind"] == "open":
            assert record["manifest"] == sha(lines[0][:-1])
            draw = next(each for each in manifest["draws"] if each["id"] == record["draw"])
            slot = draw["slots"][record["slot"]]
            assert slot["pool"] == record["pool"]
        elif record["kind"] == "freeze":
            frozen = record
            part = lines[place : place + record["entries"]]
            assert sha(b"".join(part)) == record["list_hash"], "list"
            entries = values[place : place + record["entries"]]
            assert [entry[0] for entry in entries] == list(range(1, len(entries) + 1))
            assert [entry[1] for entry in entries] == sorted({entry[1] for entry in entries})
            place += record["entries"]
        elif record["kind"] == "exclude":
            left_out.update(dict.fromkeys(record["serials"], record["reason"]))
        elif record["kind"] == "input":
            text = record["text"]
        elif record["kind"] == "reveal":
            secret = bytes.fromhex(record["secret"])
            assert sha(f"{NAME}/commit\n{record['pool']}\n".encode() + secret) == slot["commitment"], "commitment"
        elif record["kind"] == "draw":
            seed = hashlib.sha256(f"{NAME}/seed\n".encode() + secret + frozen["list_hash"].encode() + b"\n" + text.encode()).digest()
            assert record["seed"] == seed.hex(), "seed"
            expected = play(draw, entries, left_out, seed)
            part = lines[place : place + record["lines"]]
            assert sha(b"".join(part)) == record["result_hash"], "result hash"
            results = values[place : place + record["lines"]]
            assert results == expected, "results"
            place += record["lines"]
    assert head == {"head": previous, "kind": "head", "pool": slot["pool"], "records": number}
    return results
