"""Signing in by phone and code: one statement reads all there is to know, one writes."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

import sqlalchemy as sa

from quizapp.accounts import queries
from quizapp.accounts.errors import AccountBlocked, RecentlyDeleted
from quizapp.accounts.models import Identity
from quizapp.accounts.services.citizens import GONE, REREGISTER_AFTER, newcomer_writes
from quizapp.accounts.services.codes import NEWEST_CODE, PHONE_TAG, SIGN_IN, check_shape, judge_code
from quizapp.accounts.services.counters import counted_on, total
from quizapp.accounts.services.sessions import session_write
from quizapp.core.clock import shanghai_day
from quizapp.core.crypto import Vault, new_token
from quizapp.core.errors import AppError
from quizapp.core.statements import fetch_alone, run_writes

_code = NEWEST_CODE.subquery("code")
_identities, _citizens = cast(sa.Table, Identity.__table__), queries.CITIZENS
_is_phones = sa.and_(_identities.c.kind == "phone", _identities.c.subject_tag == PHONE_TAG)
_owned_code = _code.outerjoin(_identities, _is_phones).outerjoin(_citizens, _citizens.c.id == _identities.c.citizen_id)
_ENTRANT = sa.select(
    *_code.c,
    total(GONE, sa.bindparam("subject", type_=sa.String), counted_on >= sa.bindparam("since", type_=sa.Date)).label("gone"),
    *queries.ME_COLUMNS,
).select_from(queries.with_names(_owned_code))
"""The newest code of a phone, the citizen of this number if there is one, and how often it left of late."""


@dataclass(frozen=True)
class Entered:
    """A session that has begun, and whose."""

    token: str = field(repr=False)
    me: queries.Me
    is_new: bool


def enter(
    vault: Vault,
    *,
    phone: str,
    code: str,
    now: dt.datetime,
    is_bearer: bool = False,
    device_label: str = "",
    takes_newcomers: bool = True,
    write: Callable[..., None] = run_writes,
) -> Entered | AppError | None:
    """Use up the code and begin a session of the number's citizen. A refusal of the code is returned, not raised, so that the
    failed try is kept; raise it afterwards.

    :param phone: eleven digits
    :param takes_newcomers: make a citizen of an unknown number; else None is returned and only the code is used up
    :raises AccountBlocked, RecentlyDeleted: and the code is not used up
    :raises Stale: if the code or the number's owner changed since the read; begin again
    """
    refusal = check_shape(code)
    if refusal is not None:
        return refusal
    tag = vault.tag("phone", phone)
    since = shanghai_day(now - REREGISTER_AFTER)
    rows = fetch_alone(_ENTRANT, {"phone_tag": tag, "purpose": SIGN_IN, "subject": tag.hex(), "since": since})
    row = rows[0] if rows else None
    refusal, writes = judge_code(vault, row, phone_tag=tag, purpose=SIGN_IN, code=code, now=now)
    if row is None or refusal is not None:
        if writes:
            write(*writes)
        return refusal
    is_new = row.profile_citizen_id is None
    if not is_new:
        me = queries.as_me(row)
        if me.profile.status != "active":
            raise AccountBlocked
    elif takes_newcomers:
        if row.gone:
            raise RecentlyDeleted
        profile, *made = newcomer_writes(vault, phone, now, is_guarded=True)
        me, writes = queries.Me(profile), (*writes, *made)
    else:
        write(*writes)
        return None
    token = new_token()
    write(*writes, session_write(token, now=now, citizen_id=me.profile.citizen_id, is_bearer=is_bearer, device_label=device_label))
    return Entered(token, me, is_new)
