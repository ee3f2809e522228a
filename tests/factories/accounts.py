"""Citizens, staff, organisations and ways to be signed in as them.

Each opens its own transaction unless one is open, so that a test can call them anywhere.
"""

import datetime as dt
import itertools
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from argon2 import PasswordHasher
from flask import current_app
from flask.testing import FlaskClient

from quizapp.accounts import seeds, services
from quizapp.accounts.models import Citizen, Consent, Identity, Organisation, StaffAccount, StaffRole
from quizapp.accounts.queries import ACCOUNT, find_root_organisation
from quizapp.core.clock import utc_now
from quizapp.core.crypto import Vault
from quizapp.core.db import db, in_transaction, transaction

PASSWORD = "correct horse battery"
_QUICK_HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
_numbers = itertools.count(1)


@contextmanager
def _writing() -> Iterator[None]:
    if in_transaction():
        yield
        return
    with transaction():
        yield


def reference_data() -> Organisation:
    """Groups, Chifeng's regions and one root organisation; only the first call of a test writes."""
    root = find_root_organisation()
    if root is None:
        with _writing():
            root = seeds.load_reference_data()
    return root


def make_organisation(name: str | None = None, parent: Organisation | None = None, **kw: object) -> Organisation:
    """A unit below ``parent``, by default below the root."""
    root = reference_data()
    with _writing():
        return seeds.add_organisation(name or f"单位{next(_numbers)}", parent or root, now=utc_now(), **kw)  # type: ignore[arg-type]


def make_phone() -> str:
    """A number nobody else in the test has."""
    return f"139{next(_numbers):08d}"


def make_citizen(
    group: str | None = "resident",
    region: str | None = "150402",
    age_band: str | None = "18_59",
    *,
    nickname: str = "草原学友",
    organisation: Organisation | None = None,
    phone: str | None = None,
    has_consent: bool = True,
    status: str = "active",
    now: dt.datetime | None = None,
) -> Citizen:
    """A citizen with consent; with a phone number only when one is given."""
    reference_data()
    now = now or utc_now()
    with _writing():
        citizen = Citizen(
            nickname=nickname,
            demographic_group=group,
            region_code=region,
            organisation_id=organisation.id if organisation else None,
            age_band=age_band,
            status=status,
            created_at=now,
            guardian_confirmed_at=now if age_band == "under_14" else None,
        )
        db.session.add(citizen)
        db.session.flush()
        if has_consent:
            given_by = "guardian" if age_band == "under_14" else "self"
            db.session.add(Consent(citizen_id=citizen.id, purpose=ACCOUNT, version="test", given_by=given_by, given_at=now))
        if phone:
            vault: Vault = current_app.extensions["vault"]
            db.session.add(
                Identity(
                    citizen_id=citizen.id,
                    kind="phone",
                    subject_tag=vault.tag("phone", phone),
                    subject_encrypted=vault.encrypt(phone),
                    verified_at=now,
                )
            )
        db.session.flush()
    return citizen


def make_staff(
    role: str | None = "campaign_manager",
    organisation: Organisation | None = None,
    *,
    username: str | None = None,
    display_name: str | None = None,
    must_change_password: bool = False,
    has_totp: bool = False,
) -> StaffAccount:
    """Somebody of the bureau whose password is ``PASSWORD``; the role is held at the root unless a unit is given."""
    root = reference_data()
    now = utc_now()
    number = next(_numbers)
    with _writing():
        account = StaffAccount(
            username=username or f"staff{number}",
            display_name=display_name or f"工作人员{number}",
            password_hash=_QUICK_HASH,
            must_change_password=must_change_password,
            totp_confirmed_at=now if has_totp else None,
            created_at=now,
        )
        db.session.add(account)
        db.session.flush()
        if role is not None:
            db.session.add(StaffRole(staff_id=account.id, role=role, organisation_id=(organisation or root).id, granted_at=now))
            db.session.flush()
    return account


def add_role(account: StaffAccount, role: str, organisation: Organisation | None = None) -> None:
    """One more role for a staff account."""
    root = reference_data()
    with _writing():
        db.session.add(StaffRole(staff_id=account.id, role=role, organisation_id=(organisation or root).id, granted_at=utc_now()))
        db.session.flush()


def bearer_for(person: Citizen | StaffAccount | uuid.UUID) -> str:
    """A bearer token of a citizen or of staff."""
    person_id = person if isinstance(person, uuid.UUID) else person.id
    with _writing():
        return services.issue_bearer(person_id, utc_now())


def headers_for(person: Citizen | StaffAccount | uuid.UUID) -> dict[str, str]:
    """Request headers with a bearer token of this person."""
    return {"Authorization": f"Bearer {bearer_for(person)}"}


def sign_in(client: FlaskClient, person: Citizen | StaffAccount) -> FlaskClient:
    """Give the client the session cookie of a citizen, or of staff on the bureau's side."""
    is_staff = isinstance(person, StaffAccount)
    with _writing():
        token = services.open_session(
            now=utc_now(),
            citizen_id=None if is_staff else person.id,
            staff_id=person.id if is_staff else None,
        )
    with client.session_transaction("/admin/" if is_staff else "/") as session:
        session["_user_id"] = token
    return client


def count_citizens() -> int:
    db.session.rollback()
    return db.session.scalar(sa.select(sa.func.count()).select_from(Citizen)) or 0
