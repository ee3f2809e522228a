"""Reads of the trail."""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from quizapp.audit.models import AuditEntry
from quizapp.audit.titles import TITLES
from quizapp.core.clock import day_end, day_start
from quizapp.core.db import db

MOST_EXPORTED = 50_000
"""Rows of one file; a longer stretch is exported in parts."""


@dataclass(frozen=True)
class Filter:
    """What is looked for; days are Shanghai days, both included."""

    action: str = ""
    q: str = ""
    from_day: dt.date | None = None
    to_day: dt.date | None = None


def entries_in(paths: Sequence[str], wanted: Filter) -> sa.Select[AuditEntry]:
    """Entries about these organisation subtrees, the newest first; ``/`` is everything, also what concerns no unit."""
    statement = sa.select(AuditEntry).order_by(AuditEntry.at.desc(), AuditEntry.id.desc())
    if "/" not in paths:
        below = [AuditEntry.organisation_path.startswith(path, autoescape=True) for path in paths]
        statement = statement.where(sa.or_(*below) if below else sa.false())
    if wanted.action:
        statement = statement.where(AuditEntry.action == wanted.action)
    if wanted.q:
        columns = (AuditEntry.actor_name, AuditEntry.target_name)
        statement = statement.where(sa.or_(*(column.contains(wanted.q, autoescape=True) for column in columns)))
    if wanted.from_day:
        statement = statement.where(AuditEntry.at >= day_start(wanted.from_day))
    if wanted.to_day:
        statement = statement.where(AuditEntry.at < day_end(wanted.to_day))
    return statement


def stream_entries(paths: Sequence[str], wanted: Filter) -> Iterator[AuditEntry]:
    """The same, one after the other, for a file."""
    yield from db.session.scalars(entries_in(paths, wanted).limit(MOST_EXPORTED).execution_options(yield_per=500))


def title_of(action: str) -> str:
    """The Chinese title of a code; the code itself where it has none."""
    return TITLES.get(action, action)
