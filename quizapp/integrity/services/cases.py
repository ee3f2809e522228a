"""Opening a case and holding what it is about."""

import datetime as dt
import uuid

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from quizapp.audit import services as audit
from quizapp.core.db import db
from quizapp.core.ids import new_id
from quizapp.integrity import queries, rules
from quizapp.integrity.errors import NoteNeeded
from quizapp.integrity.models import Case
from quizapp.payouts import services as payouts


def open_case(
    campaign_id: uuid.UUID, citizen_id: uuid.UUID, score: int, *, host_path: str, actor: audit.Actor, now: dt.datetime, note: str = ""
) -> Case:
    """Have somebody look at a citizen's part in a campaign, and hold what was or will be won there until then. A case that is
    decided is opened again; one that waits is left as it is but for its score."""
    case, is_new = _lock_or_make(campaign_id, citizen_id, score, now)
    if not is_new and case.state in ("waiting", "proposed"):
        case.score = max(case.score, score)
        return case
    if not is_new:
        case.state, case.score, case.opened_at, case.decided_at, case.was_held = "waiting", score, now, None, True
        case.version += 1
    db.session.flush()
    payouts.watch_prizes(citizen_id=citizen_id, campaign_id=campaign_id, actor=actor, now=now)
    audit.record(
        "integrity.case_opened",
        actor=actor,
        target_type="integrity_case",
        target_id=case.id,
        organisation_path=host_path,
        changes={"score": score, **({"note": note} if note else {})},
        now=now,
    )
    return case


def _lock_or_make(campaign_id: uuid.UUID, citizen_id: uuid.UUID, score: int, now: dt.datetime) -> tuple[Case, bool]:
    """The case, locked, and whether it was made now. The citizen's row is not locked: a claim under way holds its payout and may
    still need the citizen's, while we shall want the payout."""
    insert = postgresql.insert if db.engine.dialect.name == "postgresql" else sqlite.insert
    values = {"id": new_id(), "campaign_id": campaign_id, "citizen_id": citizen_id, "score": score, "opened_at": now}
    statement = insert(Case).values(state="waiting", was_held=True, version=1, **values)
    db.session.execute(statement.on_conflict_do_nothing(index_elements=["campaign_id", "citizen_id"]))
    found = sa.select(Case).filter_by(campaign_id=campaign_id, citizen_id=citizen_id)
    case = db.session.scalars(found.with_for_update().execution_options(populate_existing=True)).one()
    return case, case.id == values["id"]


def open_by_hand(
    *, campaign_id: uuid.UUID, citizen_id: uuid.UUID, note: str, facts: queries.CampaignFacts, actor: audit.Actor, now: dt.datetime
) -> Case:
    """Open a case for what a person has noticed: a complaint, a test by staff. It decides nothing.

    :raises NoteNeeded: without a sentence why
    """
    note = check_note(note)
    found = queries.list_signals(campaign_id, [citizen_id])[citizen_id]
    score = rules.score(rules.Sign(row.code, row.points) for row in found)
    return open_case(campaign_id, citizen_id, score, host_path=facts.host_path, actor=actor, now=now, note=note)


def check_note(text: str) -> str:
    """The sentence somebody will read, on its own lines.

    :raises NoteNeeded: for one that says nothing or is too long
    """
    note = text.strip()
    if not 4 <= len(note) <= 500:
        raise NoteNeeded
    return note
