"""What a campaign can begin from: the rule sets shipped with the program, and those staff kept."""

import datetime as dt
import functools
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from quizapp.accounts.models import Organisation
from quizapp.campaigns.files import read_file
from quizapp.campaigns.models import CampaignTemplate
from quizapp.campaigns.rules import moment_of
from quizapp.campaigns.terms.mapping import moved, normal
from quizapp.core.clock import shanghai_day
from quizapp.core.db import db
from quizapp.questions.queries import list_banks

FOLDER = Path(__file__).parent / "data"


@dataclass(frozen=True)
class Starter:
    """``key`` is the file's name, or the id of a kept one; ``owner`` is the unit that keeps it (empty: shipped)."""

    key: str
    title: str
    about: str
    kind: str
    theme: str
    legal_basis: str
    body: Mapping[str, Any]
    owner: str = ""


@functools.cache
def shipped() -> tuple[Starter, ...]:
    """The rule sets of the program, in the order of their files."""
    found = []
    for path in sorted(FOLDER.glob("*.yaml")):
        file = read_file(path)
        head = {name: str(file.head.get(name) or "") for name in ("title", "summary", "kind", "theme", "legal_basis")}
        found.append(
            Starter(path.stem, head["title"], head["summary"], head["kind"], head["theme"], head["legal_basis"], normal(file.body))
        )
    return tuple(found)


def list_kept(paths: Sequence[str]) -> list[Starter]:
    """Rule sets kept by units within these subtrees, and by the units above them, newest first."""
    conditions = [
        sa.or_(Organisation.path.startswith(path, autoescape=True), sa.literal(path).startswith(Organisation.path)) for path in paths
    ]
    rows = db.session.execute(
        sa.select(CampaignTemplate, Organisation.name)
        .join(Organisation, Organisation.id == CampaignTemplate.organisation_id)
        .where(sa.or_(sa.false(), *conditions))
        .order_by(CampaignTemplate.created_at.desc())
    )
    return [Starter(str(row.id), row.title, row.about, row.kind, "", "", row.body, name) for row, name in rows]


def find_starter(key: str, paths: Sequence[str]) -> Starter | None:
    """A rule set by its key, within somebody's reach."""
    return next((one for one in (*shipped(), *list_kept(paths)) if one.key == key), None)


def begun(body: Mapping[str, Any], first: dt.date) -> dict[str, Any]:
    """A rule set as the draft of a campaign that opens on that Shanghai day, at the hour the rule set says; banks that this
    installation does not have are left to be chosen."""
    draft: dict[str, Any] = _with_banks(on_day(body, first), {bank.slug for bank in list_banks()})
    return draft


def on_day(body: Mapping[str, Any], first: dt.date) -> dict[str, Any]:
    """A body with all its moments moved by whole days, so that it opens on that Shanghai day."""
    text = body.get("opens_at")
    if not isinstance(text, str):
        return dict(body)
    return moved(body, dt.timedelta(days=(first - shanghai_day(moment_of(text))).days))


def _with_banks(part: Any, known: set[str]) -> Any:
    if isinstance(part, Mapping):
        return {
            name: [slug for slug in value if slug in known] if name == "banks" and isinstance(value, list) else _with_banks(value, known)
            for name, value in part.items()
        }
    return [_with_banks(item, known) for item in part] if isinstance(part, list) else part


def find_kept(template_id: uuid.UUID) -> CampaignTemplate | None:
    return db.session.get(CampaignTemplate, template_id)
