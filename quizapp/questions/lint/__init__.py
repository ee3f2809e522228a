"""What a script can say about the quality of question banks, beyond their shape.

Whether the key is right only people can tell; this catches lengths and give-away patterns, repeated questions, explanations
without a reason, and whatever no longer fits the statutes cited. Errors must be mended; warnings are for a person to judge.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from quizapp.core.clock import shanghai_day, utc_now
from quizapp.questions.lint import balance, citations, figures, form, overlap, readings, similarity
from quizapp.questions.lint.findings import Context, Finding, Remark
from quizapp.questions.lint.readings import SecondPass
from quizapp.questions.loader import BankFile
from quizapp.statutes.registry import load_registry

__all__ = ["Context", "Finding", "SecondPass", "lint_bank", "lint_banks", "load_texts", "make_context"]


def make_context(texts: Mapping[str, Mapping[str, str]] | None = None) -> Context:
    """The shipped registry and today."""
    return Context(load_registry(), shanghai_day(utc_now()), texts or {})


def load_texts(folder: Path) -> dict[str, dict[str, str]]:
    """The articles of a folder of statutes as data, by short title and number.

    :raises OSError: if a file cannot be read
    :raises ValueError: if one is no JSON
    """
    index = json.loads((folder / "index.json").read_text(encoding="utf-8"))
    laws = (json.loads((folder / entry["file"]).read_text(encoding="utf-8")) for entry in index)
    return {law["short_title"]: law["articles"] for law in laws}


def lint_bank(
    bank: BankFile, context: Context | None = None, reading: SecondPass | None = None, *, is_shipped: bool = False
) -> list[Finding]:
    """Everything to say about one bank whose shape is right.

    :param reading: what the second reader answered, where there is such
    :param is_shipped: one of the banks the registry is made for: every article must be in it, every question read a second time
    """
    context = context or make_context()
    slug = bank.head.slug
    found = [
        Finding("error", slug, "", "bank-head", f"bank.yaml 没有填 {name}")
        for name in ("description", "licence")
        if not getattr(bank.head, name)
    ]

    def say(code: str, remarks: Iterable[Remark]) -> None:
        found.extend(Finding(remark.severity, slug, code, remark.rule, remark.message) for remark in remarks)

    for entry in bank.entries:
        say(entry.code, form.remarks(entry))
        say(entry.code, citations.remarks(entry, context, reading.read_on if reading else None, is_shipped=is_shipped))
        say(entry.code, figures.remarks(entry, context))
        remark = readings.entry_remark(entry, reading) if reading else None
        say(entry.code, [remark] if remark else [])
    for pair in similarity.alike(bank.entries):
        first, second = bank.entries[pair.first], bank.entries[pair.second]
        say(second.code, [_alike(pair, first.code)])
    say("", balance.remarks(bank.entries))
    if is_shipped:
        say("", readings.bank_remarks(bank, reading))
    return found


def _alike(pair: similarity.Pair, other: str) -> Remark:
    if pair.is_same:
        return Remark("same-stem", f"题干和 {other} 几乎一样（{pair.percent:.0f}%）")
    return Remark("near-stem", f"题干和 {other} 很像（{pair.percent:.0f}%）", "warning")


def lint_banks(banks: Sequence[BankFile], context: Context) -> list[Finding]:
    """What only shows when banks are seen together: questions asked twice, one document cited in two ways, stems that repeat a
    statute's words."""
    places = [(bank.head.slug, entry) for bank in banks for entry in bank.entries]
    found = []
    for pair in similarity.alike([entry for _, entry in places]):
        (slug, entry), (other_slug, other) = places[pair.second], places[pair.first]
        if slug != other_slug:
            remark = _alike(pair, f"{other_slug} 的 {other.code}")
            found.append(Finding(remark.severity, slug, entry.code, remark.rule, remark.message))
    return found + _documents(banks) + (_repeats(banks, context) if context.texts else [])


def _repeats(banks: Sequence[BankFile], context: Context) -> list[Finding]:
    """Stems that repeat a statute's words; few in a bank are no fault, many are."""
    places = [(bank, entry) for bank in banks for entry in bank.entries]
    runs = overlap.repeated_runs([entry for _, entry in places], context.texts)
    found = [
        Finding("warning", places[place][0].head.slug, places[place][1].code, "statute-words", f"题干照抄了法条：“{run}”")
        for place, run in sorted(runs.items())
    ]
    for bank in banks:
        count = sum(finding.bank == bank.head.slug for finding in found)
        if count > overlap.MAX_SHARE * len(bank.entries):
            message = f"{len(bank.entries)} 道题里有 {count} 道的题干照抄法条 {overlap.RUN} 个字以上"
            found.append(Finding("error", bank.head.slug, "", "statute-words", message))
    return found


def _documents(banks: Sequence[BankFile]) -> list[Finding]:
    first: dict[str, tuple[str, dict[str, str]]] = {}
    found = []
    for bank in banks:
        for entry in bank.entries:
            for citation in entry.citations:
                if "document" not in citation:
                    continue
                said = {name: citation[name] for name in ("issuer", "number", "date")}
                code, before = first.setdefault(citation["document"], (entry.code, said))
                wrong = [name for name in said if said[name] != before[name]]
                if wrong:
                    message = f"《{citation['document']}》的 {wrong[0]} 和 {code} 写的不一样：{said[wrong[0]]}、{before[wrong[0]]}"
                    found.append(Finding("error", bank.head.slug, entry.code, "document-differs", message))
    return found
