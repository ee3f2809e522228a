"""Citizens: coming in by phone, saying who they are, agreeing, taking their data away, leaving."""

import datetime as dt
import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from quizapp.accounts import queries, rules
from quizapp.accounts.errors import (
    AccountBlocked,
    AgeBandKept,
    BadNickname,
    GuardianConsentRequired,
    GuardianPhoneSame,
    OpenClaims,
    RecentlyDeleted,
    UnknownAgeBand,
    UnknownConsentVersion,
    UnknownGroup,
    UnknownOrganisation,
    UnknownRegion,
)
from quizapp.accounts.models import Citizen, Consent, DailyCounter, Guardian, Identity, Organisation, SmsCode
from quizapp.accounts.services.counters import count_of, count_up
from quizapp.accounts.services.sessions import end_citizen_sessions
from quizapp.audit.services import Actor, record
from quizapp.core.clock import rfc3339, shanghai_day
from quizapp.core.crypto import Vault
from quizapp.core.db import db
from quizapp.core.errors import NotFound
from quizapp.core.ids import new_id
from quizapp.core.statements import Write, run_writes
from quizapp.core.text import clean_line

CONSENT_VERSION = "2026-11"
"""Version of the privacy notice and user agreement in ``templates/accounts``; a change of the text is a new version."""

AGE_BAND_WAIT = dt.timedelta(days=90)
"""Somebody who said to be a minor cannot become an adult sooner: longer than a campaign lasts."""

REREGISTER_AFTER = dt.timedelta(days=30)
"""How long a deleted account's number waits, so that deleting does not renew the caps on prizes."""

UNCONSENTED_KEEP = dt.timedelta(hours=24)
"""How long the number of somebody who signed in but never agreed is kept."""

DELETED_NICKNAME = "已注销"
GONE = "gone-phone"
"""What counts deletions by number."""

on_delete_checks: list[Callable[[uuid.UUID], str | None]] = []
"""Packages below add functions that say, in one Chinese sentence, what they still owe a citizen."""

on_delete_first: list[Callable[[uuid.UUID, dt.datetime], None]] = []
"""The same as :data:`on_delete` for rows that are locked before the citizen's (lock order: attempt, then citizen)."""

on_delete: list[Callable[[uuid.UUID, dt.datetime], None]] = []
"""Packages below add functions that give up what is open when a citizen leaves all the same."""

export_parts: list[tuple[str, Callable[[uuid.UUID], Any]]] = []
"""Packages below add their part of a citizen's data: a name and a function that returns JSON values."""


@dataclass(frozen=True)
class ProfileChange:
    """What a citizen says about themselves; None leaves a field as it is, ``clears_organisation`` empties that one."""

    demographic_group: str | None = None
    region_code: str | None = None
    organisation_id: uuid.UUID | None = None
    clears_organisation: bool = False
    age_band: str | None = None
    nickname: str | None = None
    consent_version: str | None = None


def check_profile(change: ProfileChange) -> None:
    """Refuse values that do not exist, before anything is written.

    :raises UnknownGroup, UnknownRegion, UnknownOrganisation, UnknownAgeBand, BadNickname, UnknownConsentVersion:
    """
    if change.demographic_group is not None and queries.find_group(change.demographic_group) is None:
        raise UnknownGroup
    if change.region_code is not None:
        region = queries.find_region(change.region_code)
        if region is None or region.level not in rules.REGION_LEVELS:
            raise UnknownRegion
    if change.organisation_id is not None:
        organisation = db.session.get(Organisation, change.organisation_id)
        if organisation is None or not organisation.is_active:
            raise UnknownOrganisation
    if change.age_band is not None and not rules.is_age_band(change.age_band):
        raise UnknownAgeBand
    if change.nickname is not None and (problem := rules.nickname_problem(change.nickname)):
        raise BadNickname(problem)
    if change.consent_version is not None and change.consent_version != CONSENT_VERSION:
        raise UnknownConsentVersion


def find_or_create_citizen(vault: Vault, phone: str, now: dt.datetime) -> uuid.UUID:
    """The citizen of this number (eleven digits, just confirmed by a code). Two devices at once make one citizen.

    :raises AccountBlocked: if the bureau stopped the account
    :raises RecentlyDeleted: if an account of this number was deleted in the last 30 days
    """
    citizen_id = queries.find_citizen_by_phone(vault, phone)
    if citizen_id is None:
        citizen_id = _create_citizen(vault, phone, now)
    if db.session.scalar(sa.select(Citizen.status).filter_by(id=citizen_id)) != "active":
        raise AccountBlocked
    return citizen_id


def check_may_return(vault: Vault, phone: str, now: dt.datetime) -> None:
    """:raises RecentlyDeleted: if an account of this number was deleted in the last 30 days"""
    if count_of(GONE, vault.tag("phone", phone).hex(), since=shanghai_day(now - REREGISTER_AFTER)):
        raise RecentlyDeleted


def _create_citizen(vault: Vault, phone: str, now: dt.datetime) -> uuid.UUID:
    """Insert the citizen, then claim the number; who comes second waits for the first and takes theirs."""
    check_may_return(vault, phone, now)
    newcomer, *writes = newcomer_writes(vault, phone, now)
    run_writes(*writes)
    found = queries.find_citizen_by_phone(vault, phone)
    if found is None:
        raise NotFound
    if found != newcomer.citizen_id:
        db.session.execute(sa.delete(Citizen).filter_by(id=newcomer.citizen_id))
    return found


_INSERT = "INSERT INTO citizens (id, nickname, status, created_at) VALUES (:n_citizen, :n_nickname, 'active', :n_now)"
_CLAIM = (
    "INSERT INTO identities (id, citizen_id, kind, subject_tag, subject_encrypted, block_tag, verified_at) "
    "VALUES (:i_id, :i_citizen, 'phone', :i_tag, :i_encrypted, :i_block, :i_now) ON CONFLICT (kind, subject_tag) DO NOTHING"
)


def block_tag(vault: Vault, phone: str) -> bytes:
    """What a number shares with the ninety-nine beside it; another key purpose than the number's own tag."""
    return vault.tag("phone-block", phone[:-2])


def fill_block_tags(vault: Vault, limit: int = 1000) -> int:
    """Write the tag for numbers registered before there was one; returns how many."""
    missing = sa.select(Identity).filter_by(kind="phone", block_tag=None).order_by(Identity.id).limit(limit)
    rows = db.session.scalars(missing.with_for_update(skip_locked=True)).all()
    for row in rows:
        row.block_tag = block_tag(vault, vault.decrypt(row.subject_encrypted))
    db.session.flush()
    return len(rows)


def newcomer_writes(vault: Vault, phone: str, now: dt.datetime, *, is_guarded: bool = False) -> tuple[queries.Profile, Write, Write]:
    """A citizen of this number as they begin, and the rows that say so.

    :param is_guarded: nothing may be written if somebody has the number already
    """
    citizen_id, nickname = new_id(), rules.default_nickname(secrets.randbelow(10_000))
    identity = {
        "i_id": new_id(),
        "i_citizen": citizen_id,
        "i_tag": vault.tag("phone", phone),
        "i_encrypted": vault.encrypt(phone),
        "i_block": block_tag(vault, phone),
        "i_now": now,
    }
    return (
        queries.Profile(citizen_id, nickname),
        Write(_INSERT, {"n_citizen": citizen_id, "n_nickname": nickname, "n_now": now}),
        Write(_CLAIM, identity, is_guarded=is_guarded),
    )


def update_profile(citizen_id: uuid.UUID, change: ProfileChange, now: dt.datetime, *, only_blanks: bool = False) -> None:
    """Write what a citizen says about themselves. Attempts keep the values they were handed in with.

    :param only_blanks: keep what is already there (somebody known fills in a newcomer's form)
    :raises GuardianConsentRequired: if an age band under 14 is given and no guardian has confirmed
    :raises AgeBandKept: if a minor's band should become an adult's too soon
    """
    check_profile(change)
    queries.lock_citizen(citizen_id)
    citizen = db.session.get(Citizen, citizen_id, populate_existing=True)
    if citizen is None or citizen.status != "active":
        raise NotFound

    def may_set(current: object) -> bool:
        return not only_blanks or current is None

    if change.demographic_group is not None and may_set(citizen.demographic_group):
        citizen.demographic_group = change.demographic_group
    if change.region_code is not None and may_set(citizen.region_code):
        citizen.region_code = change.region_code
    if (change.organisation_id is not None or change.clears_organisation) and may_set(citizen.organisation_id):
        citizen.organisation_id = change.organisation_id
    if change.nickname is not None and not only_blanks:
        citizen.nickname = clean_line(change.nickname, 24)
    if change.age_band is not None and may_set(citizen.age_band):
        _set_age_band(citizen, change.age_band, now)
    if change.consent_version is not None:
        given_by = "guardian" if rules.is_under_14(citizen.age_band) else "self"
        give_consent(citizen_id, queries.ACCOUNT, change.consent_version, now, given_by=given_by)
    db.session.flush()


def _set_age_band(citizen: Citizen, age_band: str, now: dt.datetime) -> None:
    if age_band == citizen.age_band:
        return
    if rules.is_under_14(age_band) and citizen.guardian_confirmed_at is None:
        raise GuardianConsentRequired
    said_at = citizen.age_band_set_at or citizen.created_at
    if rules.is_minor(citizen.age_band) and not rules.is_minor(age_band) and now - said_at < AGE_BAND_WAIT:
        raise AgeBandKept
    citizen.age_band = age_band
    citizen.age_band_set_at = now


def confirm_guardian(vault: Vault, citizen_id: uuid.UUID, guardian_phone: str, now: dt.datetime) -> None:
    """Record the guardian whose own phone has just been confirmed by a code.

    :raises GuardianPhoneSame: if it is the child's own number
    """
    tag = vault.tag("phone", guardian_phone)
    own = sa.select(Identity.id).filter_by(citizen_id=citizen_id, kind="phone", subject_tag=tag)
    if db.session.scalar(own) is not None:
        raise GuardianPhoneSame
    queries.lock_citizen(citizen_id)
    citizen = db.session.get_one(Citizen, citizen_id, populate_existing=True)
    guardian = db.session.get(Guardian, citizen_id) or Guardian(citizen_id=citizen_id)
    guardian.phone_tag, guardian.phone_encrypted, guardian.confirmed_at = tag, vault.encrypt(guardian_phone), now
    citizen.guardian_confirmed_at = now
    db.session.add(guardian)
    db.session.flush()


def register_citizen(vault: Vault, phone: str, change: ProfileChange, now: dt.datetime, *, guardian_phone: str | None = None) -> uuid.UUID:
    """Take somebody in with everything at once: number, profile, consent and, under 14, the guardian. Somebody known
    keeps what is there; only blanks are filled.

    :raises GuardianConsentRequired: if the band is under 14 and ``guardian_phone`` is missing; nothing is stored then
    """
    check_profile(change)
    if rules.is_under_14(change.age_band) and guardian_phone == phone:
        raise GuardianPhoneSame
    citizen_id = find_or_create_citizen(vault, phone, now)
    if guardian_phone is not None:
        confirm_guardian(vault, citizen_id, guardian_phone, now)
    is_known = queries.get_profile(citizen_id).is_registered
    update_profile(citizen_id, change, now, only_blanks=is_known)
    return citizen_id


def needs_guardian(vault: Vault, phone: str, age_band: str | None) -> bool:
    """Whether somebody with this number who gives this band has to bring a guardian first."""
    if not rules.is_under_14(age_band):
        return False
    citizen_id = queries.find_citizen_by_phone(vault, phone)
    if citizen_id is None:
        return True
    profile = queries.get_profile(citizen_id)
    return profile.guardian_confirmed_at is None and not (profile.is_registered and profile.age_band is not None)


# ---- consent


def give_consent(citizen_id: uuid.UUID, purpose: str, version: str, now: dt.datetime, *, given_by: str = "self") -> None:
    """Record consent to one purpose; the same version twice is one consent."""
    current = sa.select(Consent.version).filter_by(citizen_id=citizen_id, purpose=purpose).where(Consent.withdrawn_at.is_(None))
    if db.session.scalar(current.order_by(Consent.given_at.desc(), Consent.id.desc()).limit(1)) == version:
        return
    db.session.add(Consent(citizen_id=citizen_id, purpose=purpose, version=version, given_by=given_by, given_at=now))
    db.session.flush()


def withdraw_consent(citizen_id: uuid.UUID, purpose: str, now: dt.datetime) -> None:
    """Withdraw consent to one purpose. The account's own consent is withdrawn by deleting the account."""
    if purpose == queries.ACCOUNT:
        raise ValueError("consent to the account ends with the account")
    withdrawn = sa.update(Consent).where(Consent.citizen_id == citizen_id, Consent.purpose == purpose, Consent.withdrawn_at.is_(None))
    db.session.execute(withdrawn.values(withdrawn_at=now).execution_options(synchronize_session=False))


# ---- taking one's data away, leaving


def export_citizen(vault: Vault, citizen_id: uuid.UUID, now: dt.datetime) -> dict[str, Any]:
    """Everything kept about a citizen as JSON values, parts of other packages included. The number stays masked."""
    profile = queries.get_profile(citizen_id)
    citizen = db.session.get_one(Citizen, citizen_id)
    organisation = db.session.get(Organisation, profile.organisation_id) if profile.organisation_id else None
    return {
        "exported_at": rfc3339(now),
        "account": {
            "id": str(citizen_id),
            "nickname": profile.nickname,
            "phone": queries.find_masked_phone(vault, citizen_id),
            "demographic_group": profile.demographic_group,
            "region": profile.region_code,
            "organisation": organisation.name if organisation else None,
            "age_band": profile.age_band,
            "created_at": rfc3339(citizen.created_at),
            "guardian_confirmed_at": rfc3339(citizen.guardian_confirmed_at),
        },
        "consents": [
            {
                "purpose": consent.purpose,
                "version": consent.version,
                "given_by": consent.given_by,
                "given_at": rfc3339(consent.given_at),
                "withdrawn_at": rfc3339(consent.withdrawn_at),
            }
            for consent in queries.list_consents(citizen_id)
        ],
        **{name: part(citizen_id) for name, part in export_parts},
    }


def list_open_claims(citizen_id: uuid.UUID) -> list[str]:
    """What other packages still owe a citizen, one sentence each."""
    sentences = (check(citizen_id) for check in dict.fromkeys(on_delete_checks))
    return [sentence for sentence in sentences if sentence]


def delete_citizen(citizen_id: uuid.UUID, now: dt.datetime, *, gives_up: bool = False) -> None:
    """Remove everything personal. The row stays as a pseudonym for attempts and ledger; open claims are settled first
    or given up.

    :param gives_up: the citizen knows what is open and leaves all the same
    :raises OpenClaims: if something is open and not given up
    """
    for settle in dict.fromkeys(on_delete_first):
        settle(citizen_id, now)
    if queries.lock_citizen(citizen_id).status == "deleted":
        raise NotFound
    reasons = list_open_claims(citizen_id)
    if reasons and not gives_up:
        raise OpenClaims(reasons)
    for settle in dict.fromkeys(on_delete):
        settle(citizen_id, now)
    record("citizen.deleted", actor=Actor("citizen", citizen_id, ""), target_type="citizen", target_id=citizen_id, now=now)
    for tag in _phone_tags(citizen_id):
        count_up(GONE, tag.hex(), shanghai_day(now))
    _forget_person(citizen_id, now)


def _phone_tags(citizen_id: uuid.UUID) -> list[bytes]:
    return list(db.session.scalars(sa.select(Identity.subject_tag).filter_by(citizen_id=citizen_id, kind="phone")))


def _forget_person(citizen_id: uuid.UUID, now: dt.datetime) -> None:
    tags = _phone_tags(citizen_id)
    db.session.execute(sa.delete(SmsCode).where(SmsCode.phone_tag.in_(tags)))
    sent = DailyCounter.scope == "sms-phone"
    db.session.execute(
        sa.delete(DailyCounter).where(
            sent, DailyCounter.subject.in_([tag.hex() for tag in tags]), DailyCounter.counted_on < shanghai_day(now)
        )
    )
    for table in (Identity, Guardian):
        db.session.execute(sa.delete(table).where(table.citizen_id == citizen_id))
    db.session.execute(sa.update(Consent).where(Consent.citizen_id == citizen_id, Consent.withdrawn_at.is_(None)).values(withdrawn_at=now))
    citizen = db.session.get_one(Citizen, citizen_id, populate_existing=True)
    citizen.status, citizen.deleted_at, citizen.nickname = "deleted", now, DELETED_NICKNAME
    citizen.demographic_group = citizen.region_code = citizen.organisation_id = citizen.age_band = None
    citizen.age_band_set_at = citizen.guardian_confirmed_at = None
    end_citizen_sessions(citizen_id, now)
    db.session.flush()


def delete_unconsented(now: dt.datetime) -> int:
    """Forget those who signed in, never agreed and have not come back to it within a day; returns how many."""
    agreed = sa.exists().where(Consent.citizen_id == Citizen.id)
    found = sa.select(Citizen.id).where(Citizen.status == "active", Citizen.created_at < now - UNCONSENTED_KEEP, ~agreed)
    stale = list(db.session.scalars(found.limit(1000)))
    for citizen_id in stale:
        _forget_person(citizen_id, now)
    return len(stale)
