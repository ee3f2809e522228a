"""What the editor of questions sends, as the entry of a bank file and back."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from werkzeug.datastructures import MultiDict

from quizapp.questions.errors import RowError
from quizapp.questions.loader import DOCUMENT_FIELDS, Entry
from quizapp.questions.rules import JUDGE_CHOICES, LETTERS

LEAST_CHOICES = 4
SPARE_LAWS = 2


@dataclass(frozen=True)
class QuestionDraft:
    """A question as it stands in the editor: possibly incomplete, kept as it was typed."""

    code: str = ""
    kind: str = "single"
    stem: str = ""
    choices: tuple[str, ...] = ("",) * LEAST_CHOICES
    answer: frozenset[int] = frozenset()
    judge: str = ""
    explanation: str = ""
    laws: tuple[tuple[str, str], ...] = (("", ""),)
    documents: tuple[Mapping[str, str], ...] = ()
    order: str = ""
    """How laws (L) and documents (D) took turns in what is edited, so that saving changes nothing of it by itself."""
    difficulty: str = "2"
    tags: str = ""
    errors: Mapping[str, list[str]] = field(default_factory=dict)

    def to_raw(self) -> dict[str, Any]:
        """The entry as a bank file would hold it; empty choices and citations are left out, and the key moves with them."""
        raw: dict[str, Any] = {
            "kind": self.kind,
            "stem": self.stem,
            "explanation": self.explanation,
            "difficulty": self.difficulty,
            "tags": [tag for part in re.split(r"[,，、;；\n]", self.tags) if (tag := part.strip())],
            "citations": self._citations(),
        }
        if self.code:
            raw["id"] = self.code
        if self.kind == "judge":
            raw["answer"] = self.judge or None
            return raw
        kept = [index for index, text in enumerate(self.choices) if text]
        raw["choices"] = [self.choices[index] for index in kept]
        raw["answer"] = [LETTERS[kept.index(index)] for index in sorted(self.answer) if index in kept]
        return raw

    def _citations(self) -> list[dict[str, str]]:
        """Both kinds in the order they had, new ones behind; empty rows are left out."""
        laws = [{"law": law, "article": article} for law, article in self.laws]
        waiting = {"L": laws, "D": [dict(document) for document in self.documents]}
        ordered = [waiting[letter].pop(0) for letter in self.order if waiting.get(letter)]
        return [citation for citation in (*ordered, *waiting["L"], *waiting["D"]) if any(citation.values())]


def read_draft(form: MultiDict[str, str], code: str = "") -> QuestionDraft:
    """What the browser sent. Line ends become spaces: a stem is one paragraph."""
    documents = tuple(
        dict(zip(DOCUMENT_FIELDS, values, strict=True))
        for values in zip(*(_texts(form, f"doc_{name}") for name in DOCUMENT_FIELDS), strict=False)
    )
    return QuestionDraft(
        code=code or form.get("code", "").strip()[:64],
        kind=form.get("kind", "single")[:16],
        stem=_paragraph(form.get("stem", "")),
        choices=tuple(_texts(form, "choice"))[: len(LETTERS)],
        answer=frozenset(int(text) for text in form.getlist("answer") if text.isascii() and text.isdigit() and len(text) < 2),
        judge=form.get("judge", "")[:1],
        explanation=_paragraph(form.get("explanation", "")),
        laws=tuple(zip(_texts(form, "law"), _texts(form, "article"), strict=False)),
        documents=documents,
        order=form.get("order", "")[:50],
        difficulty=form.get("difficulty", "")[:1],
        tags=form.get("tags", "")[:2000],
    )


def _paragraph(text: str) -> str:
    return " ".join(text.split())


def _texts(form: MultiDict[str, str], name: str) -> list[str]:
    return [_paragraph(text) for text in form.getlist(name)[:50]]


def draft_of(entry: Entry) -> QuestionDraft:
    """A saved question in the editor."""
    is_judge = entry.kind == "judge"
    return QuestionDraft(
        code=entry.code,
        kind=entry.kind,
        stem=entry.stem,
        choices=("",) * LEAST_CHOICES if is_judge else entry.choices,
        answer=frozenset() if is_judge else frozenset(entry.answer),
        judge=JUDGE_CHOICES[entry.answer[0]] if is_judge else "",
        explanation=entry.explanation,
        laws=tuple((citation["law"], citation["article"]) for citation in entry.citations if "law" in citation),
        documents=tuple(citation for citation in entry.citations if "law" not in citation),
        order="".join("L" if "law" in citation else "D" for citation in entry.citations),
        difficulty=str(entry.difficulty),
        tags="，".join(entry.tags),
    )


def errors_by_field(rows: Sequence[RowError]) -> dict[str, list[str]]:
    """Mistakes under the fields of the editor: ``citations[2].article`` stands under the citations."""
    found: dict[str, list[str]] = {}
    for row in rows:
        name = re.split(r"[\[.]", row.field)[0] or "stem"
        found.setdefault("code" if name == "id" else name, []).append(_with_place(row))
    return found


def _with_place(row: RowError) -> str:
    place = re.search(r"\[(\w+)\]", row.field)
    return f"第 {place[1]} 条：{row.reason}" if place and place[1].isdigit() else f"{place[1]}：{row.reason}" if place else row.reason
