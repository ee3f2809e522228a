"""The check of a whole ledger, line by line (docs/draw-proof.md §11)."""

import json
import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from quizapp.lottery.proof.basics import BadLedger, Shape, Wrong, canonical, need, need_shape, seal
from quizapp.lottery.proof.book import Book, BrokenLink
from quizapp.lottery.proof.manifests import TEXT, WHOLE, read_manifest

_HEAD: Shape = {"head": TEXT, "kind": TEXT, "pool": TEXT, "records": WHOLE}
_MALFORMED = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError)


@dataclass(frozen=True)
class Summary:
    """What a whole ledger holds. ``recomputed_count`` draws were made again from revealed secrets; ``wins_seal`` is the SHA-256
    of all wins (§11), by which two checkers compare what they found."""

    pool: str
    version: str
    record_count: int
    ticket_count: int
    draw_count: int
    win_count: int
    recomputed_count: int
    hidden_days: tuple[int, ...]
    head: str
    manifest_seal: str
    wins_seal: str


def _summary(book: Book) -> Summary:
    return Summary(
        pool=book.pool,
        version=book.rules.version,
        record_count=book.record_count,
        ticket_count=len(book.tickets),
        draw_count=book.draw_count,
        win_count=len(book.win_lines),
        recomputed_count=book.recomputed_count,
        hidden_days=book.hidden_days(),
        head=book.head,
        manifest_seal=book.manifest_seal,
        wins_seal=seal("".join(book.win_lines)),
    )


def open_book(text: str, manifest: dict[str, Any]) -> Book:
    """A book before its first record.

    :raises Wrong: if the manifest is none
    """
    book = Book(manifest, read_manifest(manifest), seal(text), seal(text))
    book.day_on = {index: day["on"] for index, day in enumerate(manifest["days"]) if day["on"] is not None}
    return book


def _parse(raw: bytes) -> tuple[str, dict[str, Any]]:
    need(raw.endswith(b"\n"), "malformed", "it does not end with a newline")
    text = raw[:-1].decode()
    value = json.loads(text)
    need(type(value) is dict, "malformed", "not a JSON object")
    need(canonical(value) == text, "not_canonical", "not in canonical form")
    return text, value


def _what(raw: bytes) -> str:
    """The kind of a broken line, as far as it can be told."""
    try:
        return str(json.loads(raw)["kind"])[:20]
    except (ValueError, TypeError, KeyError, RecursionError):
        return "unreadable"


def _value(raw: bytes | None) -> dict[str, Any]:
    """The next line, if it can be read."""
    try:
        return _parse(raw or b"")[1]
    except (Wrong, *_MALFORMED):
        return {}


def _pairs(lines: Iterable[bytes]) -> Iterator[tuple[int, bytes, bytes | None]]:
    """Each line with its number from 1 and the line after it."""
    iterator = iter(lines)
    raw = next(iterator, None)
    number = 1
    while raw is not None:
        after = next(iterator, None)
        yield number, raw, after
        raw, number = after, number + 1


class _Reader:
    """Takes the lines of a file one by one."""

    def __init__(self, receipts: Collection[str]) -> None:
        self.book: Book | None = None
        self.is_closed = False
        self.missing = set(receipts)

    def take(self, line: int, raw: bytes, after: bytes | None) -> None:
        need(not self.is_closed, "record_added", "a line after the head")
        text, value = _parse(raw)
        if self.book is None:
            self.book = open_book(text, value)
            self.missing.discard(self.book.manifest_seal)
        elif value.get("kind") == "head":
            self._close(value)
        else:
            self._read(self.book, line, text, value, after)

    def _close(self, value: dict[str, Any]) -> None:
        book = self.book
        need_shape(value, _HEAD)
        said = (value["pool"], value["records"], value["head"])
        is_head = book is not None and said == (book.pool, book.record_count, book.head)
        why = "it is not the head of the records above: the last one, or this line, was changed, added or removed"
        need(is_head, "wrong_head", why)
        self.is_closed = True

    def _read(self, book: Book, line: int, text: str, value: dict[str, Any], after: bytes | None) -> None:
        try:
            book.read(line, text, value)
        except BrokenLink as error:
            if seal(text) in (_value(after).get("previous"), _value(after).get("head")):
                why = "it was changed: the record after it carries another seal"
                what, code = ("manifest", "manifest_changed") if line == 2 else ("the record before", error.code)
                raise BadLedger(line - 1, what, why, code) from None
            raise
        except Wrong as error:
            if error.code == "record_missing" and _value(after).get("number") == book.record_count + 1:
                raise Wrong("record_moved", "it stands before the record it follows") from None
            raise
        self.missing.discard(book.head)


def verify(lines: Iterable[bytes], receipts: Collection[str] = ()) -> Summary:
    """Check a ledger, line by line: manifest, records, head.

    :param lines: with their newlines, as a file opened in binary mode gives them
    :param receipts: seals from citizens' receipts, published heads, the manifest's seal from the rules page: each must be the
        seal of a line of this chain
    :raises BadLedger: naming the first line that is wrong and why
    """
    reader, line = _Reader(receipts), 0
    for line, raw, after in _pairs(lines):
        try:
            reader.take(line, raw, after)
        except Wrong as error:
            raise BadLedger(line, _what(raw), str(error), error.code) from None
        except _MALFORMED as error:
            raise BadLedger(line, _what(raw), f"malformed: {error}") from None
    if reader.book is None or not reader.is_closed:
        raise BadLedger(line + 1, "end", "the file ends without its head", "cut_off")
    if reader.missing:
        why = f"the seal {min(reader.missing)} of a receipt is not in this chain: it has been rebuilt"
        raise BadLedger(line + 1, "end", why, "rebuilt")
    return _summary(reader.book)


def head_line(pool: str, records: int, head: str) -> str:
    """The last line of an exported ledger."""
    return canonical({"head": head, "kind": "head", "pool": pool, "records": records})


def describe(summary: Summary) -> str:
    """A whole ledger in a few lines of English and Chinese."""
    lines = [
        f"OK / 账本完好: pool {summary.pool} ({summary.version})",
        f"  records / 记录 {summary.record_count} · tickets / 抽奖机会 {summary.ticket_count}",
        f"  draws / 抽奖 {summary.draw_count} · wins / 中奖 {summary.win_count}",
        f"  recomputed from revealed secrets / 用已公布的密钥重算 {summary.recomputed_count}",
        f"  manifest / 规则清单 {summary.manifest_seal}",
        f"  head / 链头 {summary.head}",
        f"  wins / 中奖名单 {summary.wins_seal}",
    ]
    if summary.hidden_days:
        hidden = ", ".join(map(str, summary.hidden_days))
        lines.append(f"  days not revealed yet, positions not recomputed / 密钥还没公布的日序号: {hidden}")
    return "\n".join(lines)


def receipt_seals(arguments: Iterable[str]) -> list[str]:
    """Seals as they are typed, or read from receipts that were kept as files."""
    seals = []
    for argument in arguments:
        if argument.endswith(".json"):
            with open(argument, encoding="utf-8") as file:
                receipt = json.load(file)
            seals.append(seal(receipt["record_text"]))
        else:
            seals.append(argument.replace(" ", "").lower())
    return seals


def main(arguments: Sequence[str]) -> int:
    """Check a file: 0 when whole, 1 when not."""
    if not arguments:
        sys.stderr.write("usage: python3 draw_check.py LEDGER.jsonl [SEAL OR draw-receipt-….json FROM A RECEIPT ...]\n")
        return 2
    try:
        with open(arguments[0], "rb") as file:
            sys.stdout.write(describe(verify(file, receipt_seals(arguments[1:]))) + "\n")
    except BadLedger as error:
        sys.stdout.write(f"BAD / 账本不对: {error}\n")
        return 1
    return 0
