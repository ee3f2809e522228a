"""Granting tickets. It locks no pool; the worker chains what was granted."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from quizapp.core.clock import shanghai_day
from quizapp.core.ids import new_id
from quizapp.core.statements import Write, run_many, run_writes
from quizapp.lottery import rules

_INSERT = (
    "INSERT INTO draw_tickets (id, campaign_id, citizen_id, source_type, source_id, sequence, client_nonce, "
    "granted_at, granted_on, expires_at, state, void_reason) VALUES {}"
)
_ROW = (
    "(:{0}_id{1}, :{0}_campaign, :{0}_citizen, :{0}_source_type, :{0}_source, {1}, :{0}_nonce, "
    ":{0}_at, :{0}_on, :{0}_expires, 'granted', '')"
)


def ticket_writes(
    *,
    prefix: str,
    campaign_id: uuid.UUID,
    citizen_id: uuid.UUID,
    source_type: str,
    source_id: uuid.UUID,
    count: int,
    client_nonce: str,
    ticket_hours: int,
    now: dt.datetime,
) -> tuple[Write, ...]:
    """The writes that grant ``count`` tickets, sequences from 1, for hot paths (``core.db.run_writes``).

    :param client_nonce: what the citizen's device sent when the attempt started, at most 64 hex digits; may be empty
    :param ticket_hours: how long the tickets live, as the pool's manifest says; should they differ, the manifest decides
    A source that has tickets already is refused by the database (unique source and sequence).

    :raises ValueError: for a nonce that is not hexadecimal: the ledger has no place for free text
    """
    if count < 1:
        return ()
    if not rules.is_nonce(client_nonce):
        raise ValueError("a client nonce is at most 64 hexadecimal digits")
    rows = ", ".join(_ROW.format(prefix, sequence) for sequence in range(1, count + 1))
    params: dict[str, object] = {
        f"{prefix}_campaign": campaign_id,
        f"{prefix}_citizen": citizen_id,
        f"{prefix}_source_type": source_type,
        f"{prefix}_source": source_id,
        f"{prefix}_nonce": client_nonce.lower(),
        f"{prefix}_at": now,
        f"{prefix}_on": shanghai_day(now),
        f"{prefix}_expires": now + dt.timedelta(hours=ticket_hours),
        **{f"{prefix}_id{sequence}": new_id() for sequence in range(1, count + 1)},
    }
    return (Write(_INSERT.format(rows), params),)


def grant_tickets(
    *,
    campaign_id: uuid.UUID,
    citizen_id: uuid.UUID,
    source_type: str,
    source_id: uuid.UUID,
    count: int,
    client_nonce: str,
    ticket_hours: int,
    now: dt.datetime,
    prefix: str = "ticket",
) -> None:
    """Grant ``count`` tickets at once; the same refusals as :func:`ticket_writes`."""
    run_writes(
        *ticket_writes(
            prefix=prefix,
            campaign_id=campaign_id,
            citizen_id=citizen_id,
            source_type=source_type,
            source_id=source_id,
            count=count,
            client_nonce=client_nonce,
            ticket_hours=ticket_hours,
            now=now,
        )
    )


@dataclass(frozen=True)
class Grant:
    """One ticket to be granted later than its source's first ones: ``sequence`` goes on where they ended."""

    campaign_id: uuid.UUID
    citizen_id: uuid.UUID
    source_type: str
    source_id: uuid.UUID
    sequence: int
    client_nonce: str
    ticket_hours: int


_ONE = (
    "INSERT INTO draw_tickets (id, campaign_id, citizen_id, source_type, source_id, sequence, client_nonce, "
    "granted_at, granted_on, expires_at, state, void_reason) VALUES (:g_id, :g_campaign, :g_citizen, :g_source_type, :g_source, "
    ":g_sequence, :g_nonce, :g_at, :g_on, :g_expires, 'granted', '')"
)


def grant_many(grants: Sequence[Grant], now: dt.datetime) -> None:
    """Grant tickets of many sources, for jobs that work in batches; each belongs to the day of ``now``, whose secret draws
    it. The same refusals as :func:`ticket_writes`."""
    if not all(rules.is_nonce(grant.client_nonce) for grant in grants):
        raise ValueError("a client nonce is at most 64 hexadecimal digits")
    run_many(
        _ONE,
        [
            {
                "g_id": new_id(),
                "g_campaign": grant.campaign_id,
                "g_citizen": grant.citizen_id,
                "g_source_type": grant.source_type,
                "g_source": grant.source_id,
                "g_sequence": grant.sequence,
                "g_nonce": grant.client_nonce.lower(),
                "g_at": now,
                "g_on": shanghai_day(now),
                "g_expires": now + dt.timedelta(hours=grant.ticket_hours),
            }
            for grant in grants
        ],
    )
