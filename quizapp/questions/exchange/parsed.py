"""What readers return: questions that are whole, and problems that say where, what and how to mend."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from quizapp.questions.loader import BankHead, Entry

Severity = Literal["error", "note"]
GAPS = ("explanation", "citations", "difficulty")
"""What a draft may lack. A question without a stated difficulty is kept as 3."""
DEFAULT_DIFFICULTY = 3


@dataclass(frozen=True)
class Problem:
    """One thing to say about a file.

    :param row: row of the sheet, line of the text, paragraph of the document or number of the entry, from 1; 0 is the file
    :param place: the sheet, where a file has several
    :param value: what stands there now
    :param severity: ``error``: the question is not taken; ``note``: it is, but somebody should look
    """

    row: int
    column: str
    reason: str
    mend: str
    place: str = ""
    value: str = ""
    stem: str = ""
    severity: Severity = "error"


@dataclass(frozen=True)
class ParsedQuestion:
    """A whole question. ``entry.code`` is "" where the file gives none; ``gaps`` are what it lacks (:data:`GAPS`)."""

    row: int
    place: str
    entry: Entry
    gaps: tuple[str, ...] = ()


@dataclass
class Parsed:
    """A file that was read. ``head`` is the bank that the file itself names."""

    format: str
    questions: list[ParsedQuestion] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    head: BankHead | None = None

    def add(self, other: "Parsed") -> None:
        self.questions += other.questions
        self.problems += other.problems

    @property
    def errors(self) -> list[Problem]:
        return [problem for problem in self.problems if problem.severity == "error"]

    @property
    def bad_rows(self) -> set[tuple[str, int]]:
        """Places of questions that cannot be taken (the file as a whole counts as one)."""
        return {(problem.place, problem.row) for problem in self.errors}


@dataclass
class Raw:
    """A question as it stands in a file, in words; :func:`reading.build` makes sense of it.

    :param key: indices of the right choices where the format itself marks them; else ``answer`` holds the words
    :param citations: words, ``None`` where the file has no place for them (then they are looked for in the explanation)
    :param is_ours: written by this product: texts are taken to the letter
    :param columns: how the file calls a field, for naming it in a problem
    :param faults: what the reader itself found wrong
    """

    row: int
    place: str = ""
    kind: str = ""
    stem: str = ""
    choices: list[str] = field(default_factory=list)
    answer: str = ""
    key: tuple[int, ...] | None = None
    explanation: str = ""
    citations: str | None = None
    difficulty: str = ""
    tags: str = ""
    topic: str = ""
    code: str = ""
    reviewed_by: str = ""
    reviewed_on: str = ""
    is_ours: bool = False
    columns: Mapping[str, str] = field(default_factory=dict)
    faults: list[Problem] = field(default_factory=list)


def to_json(question: ParsedQuestion) -> dict[str, Any]:
    return asdict(question)


def question_from_json(body: Mapping[str, Any]) -> ParsedQuestion:
    values = dict(body["entry"])
    for name in ("choices", "answer", "tags"):
        values[name] = tuple(values[name])
    values["citations"] = tuple(values["citations"])
    return ParsedQuestion(body["row"], body["place"], Entry(**values), tuple(body["gaps"]))


def file_problem(reason: str, mend: str, value: str = "", severity: Severity = "error") -> Problem:
    """Something about the file as a whole."""
    return Problem(0, "", reason, mend, value=value, severity=severity)


def refused(format: str, reason: str, mend: str) -> Parsed:
    """A file of which nothing can be read."""
    return Parsed(format, problems=[file_problem(reason, mend)])


def shortened(text: str, limit: int = 60) -> str:
    """The beginning of a text, for showing it beside a problem."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def sort_problems(problems: Sequence[Problem]) -> list[Problem]:
    """Errors and notes in the order of the file."""
    return sorted(problems, key=lambda problem: (problem.place, problem.row, problem.severity))
