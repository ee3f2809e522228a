"""What lint says, and what it knows while it looks."""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Literal

from quizapp.statutes.registry import Registry

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Finding:
    """One remark. ``rule`` is a stable code; ``entry`` is the question's id, empty for the bank as a whole."""

    severity: Severity
    bank: str
    entry: str
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.severity} {self.bank} {self.entry or '-'} [{self.rule}] {self.message}"

    def as_dict(self) -> dict[str, str]:
        return asdict(self)


@dataclass(frozen=True)
class Remark:
    """A finding before it is known whose it is."""

    rule: str
    message: str
    severity: Severity = "error"


Remarks = Iterator[Remark]


@dataclass(frozen=True)
class Context:
    """What is known beyond the bank itself.

    ``today`` is a Shanghai day. ``texts`` (short title to number to text) are there only where a folder of statutes was
    given; they say what the registry's facts cannot.
    """

    registry: Registry
    today: dt.date
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
