"""Reads about certificates."""

import uuid
from collections.abc import Sequence

import sqlalchemy as sa

from quizapp.certificates.errors import CertificateNotFound
from quizapp.certificates.models import Certificate
from quizapp.core.db import db


def find_by_source(kind: str, source_type: str, source_id: uuid.UUID) -> Certificate | None:
    return db.session.scalar(sa.select(Certificate).filter_by(kind=kind, source_type=source_type, source_id=source_id))


def get_by_number(number: str) -> Certificate:
    """:raises CertificateNotFound: if there is none"""
    found = db.session.scalar(sa.select(Certificate).filter_by(number=number))
    if found is None:
        raise CertificateNotFound
    return found


def list_own(citizen_id: uuid.UUID) -> list[Certificate]:
    """Certificates of a citizen, the newest first."""
    own = sa.select(Certificate).filter_by(citizen_id=citizen_id)
    return list(db.session.scalars(own.order_by(Certificate.issued_at.desc(), Certificate.id.desc())))


def get_own(certificate_id: uuid.UUID, citizen_id: uuid.UUID) -> Certificate:
    """:raises CertificateNotFound: if it is somebody else's"""
    found = db.session.get(Certificate, certificate_id)
    if found is None or found.citizen_id != citizen_id:
        raise CertificateNotFound
    return found


def _within(paths: Sequence[str]) -> sa.ColumnElement[bool]:
    return sa.or_(sa.false(), *(Certificate.organisation_path.startswith(path, autoescape=True) for path in paths))


def select_certificates(paths: Sequence[str], number: str = "") -> sa.Select[Certificate]:
    """Certificates issued within these subtrees, the newest first, for ``web.pagination.paginate``."""
    statement = sa.select(Certificate).where(_within(paths))
    if number:
        statement = statement.where(Certificate.number == number)
    return statement.order_by(Certificate.id.desc())


def get_certificate(certificate_id: uuid.UUID, paths: Sequence[str]) -> Certificate:
    """:raises CertificateNotFound: for one outside these subtrees"""
    found = db.session.scalar(sa.select(Certificate).where(Certificate.id == certificate_id, _within(paths)))
    if found is None:
        raise CertificateNotFound
    return found
