"""Issuing a certificate, once per source; revoking one, with a reason everybody who checks it reads."""

import datetime as dt
import secrets
import uuid
from collections.abc import Sequence

import sqlalchemy as sa

from quizapp.audit import services as audit
from quizapp.certificates import queries, rules
from quizapp.certificates.errors import ReasonNeeded
from quizapp.certificates.models import KINDS, Certificate
from quizapp.core.clock import shanghai_day
from quizapp.core.db import db


def issue(
    kind: str,
    source_type: str,
    source_id: uuid.UUID,
    citizen_id: uuid.UUID,
    title: str,
    lines: Sequence[str],
    now: dt.datetime,
    *,
    issuer: str,
    organisation_path: str,
) -> Certificate:
    """Issue a document; a second call for the same source gives the same one. No names: none are asked for.

    :param lines: what it says, line by line; whoever checks the number reads them too
    :param issuer: the unit that stands behind it, with its path
    :raises ValueError: for an unknown kind, or lines that do not fit on a page
    """
    if kind not in KINDS or not title.strip() or len(lines) > rules.MAX_LINES or any(len(line) > rules.LINE_LENGTH for line in lines):
        raise ValueError("not a certificate")
    found = queries.find_by_source(kind, source_type, source_id)
    if found is not None:
        return found
    characters = "".join(secrets.choice(rules.ALPHABET) for _ in range(rules.RANDOM_CHARACTERS))
    made = Certificate(
        number=rules.make_number(shanghai_day(now).year, characters),
        kind=kind,
        source_type=source_type,
        source_id=source_id,
        citizen_id=citizen_id,
        title=title.strip()[:60],
        lines=list(lines),
        issuer=issuer[:100],
        organisation_path=organisation_path,
        issued_at=now,
    )
    try:
        with db.session.begin_nested():
            db.session.add(made)
    except sa.exc.IntegrityError:
        again = queries.find_by_source(kind, source_type, source_id)
        if again is None:
            raise
        return again
    return made


def revoke(
    *, certificate_id: uuid.UUID, reason: str, staff_id: uuid.UUID, paths: Sequence[str], actor: audit.Actor, now: dt.datetime
) -> Certificate:
    """Revoke a certificate. It stays, and whoever checks it reads that it is void and why. A second time changes nothing.

    :raises CertificateNotFound: for one outside these subtrees
    :raises ReasonNeeded: for a reason that says nothing
    """
    if not rules.is_reason(reason):
        raise ReasonNeeded
    found = queries.get_certificate(certificate_id, paths)
    locked = db.session.scalars(
        sa.select(Certificate).filter_by(id=found.id).with_for_update().execution_options(populate_existing=True)
    ).one()
    if locked.revoked_at is None:
        _revoke(locked, reason.strip(), staff_id, actor, now)
    return locked


def revoke_source(*, source_type: str, source_id: uuid.UUID, reason: str, actor: audit.Actor, now: dt.datetime) -> int:
    """Revoke what was issued for something that has been voided. Returns how many documents."""
    issued = sa.select(Certificate).filter_by(source_type=source_type, source_id=source_id, revoked_at=None).with_for_update()
    found = db.session.scalars(issued).all()
    for certificate in found:
        _revoke(certificate, reason, actor.id if actor.kind == "staff" else None, actor, now)
    return len(found)


def _revoke(certificate: Certificate, reason: str, staff_id: uuid.UUID | None, actor: audit.Actor, now: dt.datetime) -> None:
    certificate.revoked_at, certificate.revoke_reason, certificate.revoked_by = now, reason, staff_id
    db.session.flush()
    audit.record(
        "certificate.revoked",
        actor=actor,
        target_type="certificate",
        target_id=certificate.id,
        target_name=certificate.number,
        organisation_path=certificate.organisation_path,
        changes={"reason": reason},
        now=now,
    )
