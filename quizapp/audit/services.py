"""Writing the trail."""

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from quizapp.audit.models import AuditEntry
from quizapp.core.clock import utc_now
from quizapp.core.db import db


@dataclass(frozen=True)
class Actor:
    """Who does it: ``kind`` is staff, citizen or system."""

    kind: str
    id: uuid.UUID | None
    name: str
    request_id: str = ""


SYSTEM = Actor("system", None, "系统")


def record(
    action: str,
    *,
    actor: Actor,
    target_type: str,
    target_id: object,
    target_name: str = "",
    organisation_path: str = "/",
    changes: Mapping[str, Any] | None = None,
    now: dt.datetime | None = None,
) -> AuditEntry:
    """Write one entry inside the caller's transaction, so that the deed and its record stand or fall together.

    :param action: dotted code with a Chinese title in ``audit.titles``
    :param changes: JSON values only; no phone numbers, no secrets
    """
    entry = AuditEntry(
        at=now or utc_now(),
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_name=actor.name,
        action=action,
        target_type=target_type,
        target_id=str(target_id),
        target_name=target_name[:200],
        organisation_path=organisation_path,
        changes=dict(changes or {}),
        request_id=actor.request_id,
    )
    db.session.add(entry)
    return entry
