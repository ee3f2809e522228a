"""Three programs, two of them written from docs/draw-proof.md alone, find the same in a thousand random campaigns."""

import json
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from quizapp.lottery import proof
from tests.lottery import independent_verifier
from tests.lottery.scribe import random_ledger

CAMPAIGNS = 1000
PAGE = Path(__file__).resolve().parents[2] / "quizapp" / "lottery" / "checker" / "draw-check.html"


@pytest.fixture(scope="module")
def page(browser: Any) -> Iterator[Any]:
    """The page as a citizen opens it from disk, without a network."""
    context = browser.new_context(offline=True)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(PAGE.as_uri())
    yield page
    assert errors == []
    context.close()


def in_browser(page: Any, ledgers: list[bytes], seals: list[str] | None = None) -> list[dict[str, Any]]:
    """What the page says of each ledger."""
    code = "([texts, seals]) => Promise.all(texts.map(text => drawCheck.verify(new Blob([text]), seals)))"
    found: list[dict[str, Any]] = page.evaluate(code, [[data.decode() for data in ledgers], seals or []])
    return found


def test_the_browsers_sha256_is_sha256(page: Any) -> None:
    rng = random.Random(1)
    texts = [
        "",
        "abc",
        "红包",
        *("x" * length for length in (55, 56, 63, 64, 65, 119, 120, 1000)),
        *(f"{rng.getrandbits(900):x}" for _ in range(40)),
    ]
    assert page.evaluate("texts => texts.map(drawCheck.sha)", texts) == [proof.seal(text) for text in texts]


def test_a_thousand_random_campaigns_have_the_same_winners_in_all_three(page: Any) -> None:
    seen: Counter[str] = Counter()
    for start in range(0, CAMPAIGNS, 100):
        ledgers = [random_ledger(seed, steps=25) for seed in range(start, start + 100)]
        for data, theirs in zip(ledgers, in_browser(page, ledgers), strict=True):
            ours = proof.verify(data.splitlines(keepends=True))
            assert theirs["ok"], theirs
            assert independent_verifier.wins_seal(data) == ours.wins_seal == theirs["winsSeal"]
            assert (theirs["head"], theirs["manifest"], theirs["draws"]) == (ours.head, ours.manifest_seal, ours.draw_count)
            assert (theirs["recomputed"], tuple(theirs["hidden"])) == (ours.recomputed_count, ours.hidden_days)
            for line in data.splitlines():
                if b'"kind":"draw"' in line:
                    record = json.loads(line)
                    seen[f"{record['outcome']} {record['reason']}"] += 1
    reasons = set(proof.REASONS) - {"no_prize"}
    assert {f"none {reason}" for reason in proof.REASONS} <= set(seen)
    assert {f"won {reason}" for reason in reasons} | {"won "} <= set(seen)


def _change_a_number(rng: random.Random, data: bytes) -> bytes:
    """One random value of one random record changed, and the chain built again with good seals."""
    values = [json.loads(line) for line in data.splitlines()[:-1]]
    for _ in range(50):
        record = rng.choice(values)
        names = [
            name for name, value in record.items() if name not in ("number", "previous", "pool", "kind", "manifest") and value is not True
        ]
        name = rng.choice(names)
        value = record[name]
        if type(value) is int:
            record[name] = value + rng.choice((-1, 1, 1000))
            break
        if name in ("outcome", "reason", "alias", "on", "at", "granted_at", "client_nonce", "secret") and value:
            other = rng.choice(values)
            if type(other.get(name)) is str and other[name] != value:
                record[name] = other[name]
                break
    lines, previous = [], ""
    for number, record in enumerate(values):
        if number:
            record.update(number=number, previous=previous)
        if record["kind"] == "open":
            record["manifest"] = previous
        lines.append(proof.canonical(record))
        previous = proof.seal(lines[-1])
    lines.append(proof.head_line(values[0]["pool"], len(values) - 1, previous))
    return "".join(line + "\n" for line in lines).encode()


def test_three_hundred_forged_ledgers_are_judged_alike_by_all_three(page: Any) -> None:
    rng = random.Random(7)
    forged = [_change_a_number(rng, random_ledger(seed, steps=25)) for seed in range(300)]
    found = 0
    for data, theirs in zip(forged, in_browser(page, forged), strict=True):
        ours = None
        try:
            proof.verify(data.splitlines(keepends=True))
        except proof.BadLedger as error:
            ours = error
        assert (independent_verifier.check(data) is None) == (ours is None), (ours, independent_verifier.check(data))
        assert theirs["ok"] == (ours is None), (ours, theirs)
        if ours is not None:
            found += 1
            assert theirs["line"] == ours.line, (str(ours), theirs)
    assert found > 200
