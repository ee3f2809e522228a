"""Taking questions of a file into a bank: each one whole, as a draft, flagged with what it lacks."""

import datetime as dt
import re
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import sqlalchemy as sa

from quizapp.core.db import db
from quizapp.questions import queries, services
from quizapp.questions.exchange.parsed import ParsedQuestion
from quizapp.questions.loader import Entry
from quizapp.questions.models import Question, QuestionBank, QuestionRevision

Fate = Literal["added", "revised", "unchanged", "kept", "skipped"]
FATES: tuple[Fate, ...] = ("added", "revised", "unchanged", "kept", "skipped")
_MADE_CODE = re.compile(r"n-(\d{1,9})")


@dataclass(frozen=True)
class Options:
    """What the member of staff chose.

    :param takes_all: nothing unless every question of the file is good; else all that are
    :param submits: questions that lack nothing go straight to review; the others are drafts all the same
    :param replaces: the file wins over revisions that staff made since
    :param adds_doubles: questions whose stem and choices the bank already has are added again, not skipped
    """

    takes_all: bool = False
    submits: bool = False
    replaces: bool = False
    adds_doubles: bool = False

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> "Options":
        return cls(**body)


@dataclass
class _Known:
    question_id: uuid.UUID | None
    """None for one that is being added."""
    content_hash: bytes
    origin: str


def _sameness(stem: str, choices: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """What makes two questions the same to a reader: letters and digits of the stem, and the choices in any order."""
    return re.sub(r"[\W_]+", "", stem), tuple(sorted(choices))


class Bank:
    """What a bank holds, as far as deciding needs it; kept up to date while questions are taken in."""

    def __init__(self, bank_id: uuid.UUID | None) -> None:
        self.by_code: dict[str, _Known] = {}
        self.by_text: dict[tuple[str, tuple[str, ...]], str] = {}
        self.moved: frozenset[str] | set[str] = set()
        self.made = 0
        if bank_id is not None:
            self._read(bank_id)

    def _read(self, bank_id: uuid.UUID) -> None:
        newest = (
            sa.select(sa.func.max(QuestionRevision.number))
            .where(QuestionRevision.question_id == Question.id)
            .correlate(Question)
            .scalar_subquery()
        )
        columns = (
            Question.code,
            Question.id,
            QuestionRevision.content_hash,
            QuestionRevision.origin,
            QuestionRevision.stem,
            QuestionRevision.choices,
        )
        statement = (
            sa.select(*columns)
            .join(QuestionRevision, sa.and_(QuestionRevision.question_id == Question.id, QuestionRevision.number == newest))
            .where(Question.bank_id == bank_id)
        )
        for code, question_id, content_hash, origin, stem, choices in db.session.execute(statement):
            self.by_code[code] = _Known(question_id, bytes(content_hash), origin)
            self.by_text.setdefault(_sameness(stem, choices), code)
        self.moved = queries.list_aliases(bank_id)
        numbers = (_MADE_CODE.fullmatch(code) for code in (*self.by_code, *self.moved))
        self.made = max((int(match[1]) for match in numbers if match), default=0)

    def fate(self, entry: Entry, options: Options) -> Fate:
        """What becomes of a question."""
        known = self.by_code.get(entry.code) if entry.code else None
        if known is not None:
            if known.content_hash == entry.content_hash():
                return "unchanged"
            return "kept" if known.origin == "staff" and not options.replaces else "revised"
        if entry.code in self.moved:
            return "kept"
        if not options.adds_doubles and _sameness(entry.stem, entry.choices) in self.by_text:
            return "skipped"
        return "added"

    def double_of(self, entry: Entry) -> str | None:
        """The id of a question of the bank that says the same, unless it is this very one."""
        code = self.by_text.get(_sameness(entry.stem, entry.choices))
        return code if code != entry.code else None

    def new_code(self) -> str:
        self.made += 1
        return f"n-{self.made:04d}"

    def note(self, entry: Entry, question_id: uuid.UUID | None) -> None:
        self.by_code[entry.code] = _Known(question_id, entry.content_hash(), "file")
        self.by_text.setdefault(_sameness(entry.stem, entry.choices), entry.code)


def plan(bank: Bank, questions: Sequence[ParsedQuestion], options: Options) -> Counter[str]:
    """How many questions would come to which fate. ``bank`` is used up: doubles within the file count too."""
    counts: Counter[str] = Counter()
    for place, question in enumerate(questions):
        entry = question.entry
        fate = bank.fate(entry, options)
        counts[fate] += 1
        if fate == "added":
            bank.note(entry if entry.code else replace(entry, code=f"?{place}"), None)
    return counts


def take_in(
    row: QuestionBank,
    bank: Bank,
    questions: Sequence[ParsedQuestion],
    options: Options,
    *,
    now: dt.datetime,
    created_by: uuid.UUID | None,
) -> Counter[str]:
    """Write these questions. The caller holds the transaction; ``bank`` knows them afterwards.

    New questions without an id get the next free one. A question in use keeps its reviewed revision until the new one is
    reviewed.
    """
    counts: Counter[str] = Counter()
    new: list[tuple[Entry, bool]] = []
    for question in questions:
        fate = bank.fate(question.entry, options)
        is_draft = not (options.submits and not {"explanation", "citations"} & set(question.gaps))
        if fate == "added":
            entry = question.entry if question.entry.code else replace(question.entry, code=bank.new_code())
            bank.note(entry, None)
            new.append((entry, is_draft))
        elif fate == "revised":
            fate = _revise(bank, question.entry, is_draft=is_draft, options=options, now=now, created_by=created_by)
        counts[fate] += 1
    db.session.flush()
    services.add_questions(row, new, now=now, created_by=created_by)
    return counts


def _revise(bank: Bank, entry: Entry, *, is_draft: bool, options: Options, now: dt.datetime, created_by: uuid.UUID | None) -> Fate:
    """A further revision, decided again on the locked row: somebody may have saved meanwhile."""
    question_id = bank.by_code[entry.code].question_id
    if question_id is None:
        return "kept"
    question = queries.lock_question(question_id)
    newest = queries.list_revisions(question.id)[0]
    bank.by_code[entry.code] = _Known(question.id, bytes(newest.content_hash), newest.origin)
    fate = bank.fate(entry, options)
    if fate == "revised" and question.status == "retired":
        return "kept"
    if fate == "revised":
        revision = services.add_revision(question, entry, number=newest.number + 1, now=now, created_by=created_by)
        services.serve(question, revision.id, publish=False, is_draft=is_draft)
        bank.note(entry, question.id)
    return fate
