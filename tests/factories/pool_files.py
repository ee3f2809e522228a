"""Files of pool draws made from a seed without a database: random terms, lists, exclusions, drawn by the product's arithmetic."""

import datetime as dt
import random
import uuid
from typing import Any

from quizapp.lottery import pool_proof

AT = dt.datetime(2027, 4, 1, 2, 0, tzinfo=dt.UTC)
_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def make_alias(rng: random.Random) -> str:
    return "-".join("".join(rng.choice(_LETTERS) for _ in range(4)) for _ in range(3))


def make_id(rng: random.Random) -> str:
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def random_draw(rng: random.Random) -> dict[str, Any]:
    tiers = [
        {
            "kind": "pickup",
            "name": f"奖{number}",
            "points": 0,
            "quantity": rng.choice((0, 1, 2, 3, 8)),
            "ratio_ppm": rng.choice((None, None, rng.randint(1, 1_000_000))),
            "tier": "",
            "value_fen": 0,
        }
        for number in range(rng.randint(1, 4))
    ]
    return {
        "allows_minors": False,
        "cascade": rng.choice((0, 0, 1, 3)),
        "claim_days": 15,
        "id": "spring",
        "max_tickets": None,
        "mode": "ceremony",
        "one_win": rng.random() < 0.75,
        "one_win_per_campaign": False,
        "per": "campaign",
        "public_figure": "",
        "reserves": rng.choice((0, 0, 2, 9)),
        "seed_input": rng.choice(("spoken", "none", "public_figure")),
        "sponsor": "",
        "tickets": rng.choice(("one", "awards")),
        "tiers": tiers,
        "title": "春季摇号",
        "witness": "公证处",
    }


INPUTS = {"spoken": "83017264", "none": "", "public_figure": "3245.67"}


class Maker:
    """Builds one file; ``lines`` is whole after :meth:`finish`. Fields may be changed between the steps to tamper."""

    def __init__(self, rng: random.Random, draw: dict[str, Any] | None = None) -> None:
        self.rng = rng
        self.draw = draw or random_draw(rng)
        self.pool, self.secret = make_id(rng), rng.randbytes(32)
        commitment = None if self.draw["mode"] == "outside" else pool_proof.commitment(self.pool, self.secret)
        slot = {"commitment": commitment, "due_at": pool_proof.moment_text(AT), "pool": self.pool, "scope": "campaign"}
        self.manifest = {
            "campaign": make_id(rng),
            "draws": [{**self.draw, "slots": [slot]}],
            "kind": "manifest",
            "published_at": pool_proof.moment_text(AT - dt.timedelta(days=30)),
            "terms_hash": "ab" * 32,
            "version": pool_proof.VERSION,
        }
        self.lines: list[str] = [pool_proof.canonical(self.manifest)]
        self.manifest_hash = self.head = pool_proof.seal(self.lines[0])
        self.count = 0
        self.entries: list[tuple[str, int, int]] = []
        self.excluded: dict[int, str] = {}

    def record(self, kind: str, **fields: Any) -> None:
        self.count += 1
        at = pool_proof.moment_text(AT + dt.timedelta(minutes=self.count))
        text = pool_proof.canonical({**fields, "at": at, "kind": kind, "number": self.count, "pool": self.pool, "previous": self.head})
        self.head = pool_proof.seal(text)
        self.lines.append(text)

    def open(self) -> None:
        due_at = pool_proof.moment_text(AT)
        self.record("open", draw=self.draw["id"], due_at=due_at, manifest=self.manifest_hash, scope="campaign", slot=0)

    def random_entries(self, count: int) -> None:
        rng, aliases = self.rng, set()
        while len(aliases) < count:
            aliases.add(make_alias(rng))
        most = 6 if self.draw["tickets"] == "awards" else 1
        self.entries = [(alias, rng.randint(1, most), rng.randint(0, self.draw["cascade"])) for alias in sorted(aliases)]

    def freeze(self) -> None:
        texts = [pool_proof.entry_line(serial, *entry) for serial, entry in enumerate(self.entries, 1)]
        self.list_hash = pool_proof.lines_hash(texts)
        bands = [sum(entry[2] == band for entry in self.entries) for band in range(self.draw["cascade"] + 1)]
        tickets = sum(entry[1] for entry in self.entries)
        self.record("freeze", bands=bands, entries=len(texts), list_hash=self.list_hash, tickets=tickets)
        self.lines += texts

    def exclude(self, share: float) -> None:
        serials = [serial for serial in range(1, len(self.entries) + 1) if self.rng.random() < share]
        if serials:
            self.record("exclude", reason="excluded_person", serials=serials)
            self.excluded = dict.fromkeys(serials, "excluded_person")

    def input(self) -> None:
        self.text = INPUTS[self.draw["seed_input"]]
        self.record("input", input=self.draw["seed_input"], text=self.text)

    def run(self) -> None:
        self.record("reveal", secret=self.secret.hex())
        seed = pool_proof.seed_of(self.secret, self.list_hash, self.text)
        entries = pool_proof.FrozenList(*(list(column) for column in zip(*self.entries, strict=True)) if self.entries else ((), (), ()))
        self.results = list(pool_proof.results(self.draw, entries, self.excluded, seed))
        texts = [pool_proof.result_line(result) for result in self.results]
        self.record("draw", lines=len(texts), result_hash=pool_proof.lines_hash(texts), seed=seed.hex())
        self.lines += texts

    def finish(self) -> list[bytes]:
        head = pool_proof.canonical({"head": self.head, "kind": "head", "pool": self.pool, "records": self.count})
        return [f"{line}\n".encode() for line in (*self.lines, head)]


def random_file(seed: int, most_entries: int = 40) -> tuple[Maker, list[bytes]]:
    """A whole drawn file."""
    rng = random.Random(seed)
    maker = Maker(rng)
    maker.open()
    maker.random_entries(rng.randint(0, most_entries))
    maker.freeze()
    maker.exclude(rng.choice((0.0, 0.0, 0.2)))
    maker.input()
    maker.run()
    return maker, maker.finish()
