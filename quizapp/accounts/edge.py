"""Signing in, as pages and the API call it: what reads without a lock and writes under guards, and begins again when it was stale."""

import datetime as dt
from collections.abc import Callable
from typing import TypeVar

from flask import current_app

from quizapp.accounts import services
from quizapp.core.crypto import Vault
from quizapp.core.db import transaction
from quizapp.core.errors import AppError
from quizapp.core.statements import Stale, can_write_alone, run_writes, run_writes_alone

T = TypeVar("T")
_ROUNDS = 10
"""A code changes six times at most: five wrong tries and its use. Who was stale that often is answered."""


def vault() -> Vault:
    box: Vault = current_app.extensions["vault"]
    return box


def guarded(work: Callable[[Callable[..., None]], T]) -> T:
    """Run ``work(write)``: on PostgreSQL without a transaction around its two statements, again while its guards find somebody
    was quicker; on SQLite in a transaction, which lets nobody between.

    :raises Stale: if somebody was quicker every time
    """
    for _ in range(_ROUNDS - 1):
        try:
            return _run(work)
        except Stale:
            continue
    return _run(work)


def _run(work: Callable[[Callable[..., None]], T]) -> T:
    if can_write_alone():
        return work(run_writes_alone)
    with transaction():
        return work(run_writes)


def issue_code(*, phone: str, purpose: str, device: str | None, address: str, now: dt.datetime) -> services.IssuedCode:
    """Make a code and keep it. See :func:`quizapp.accounts.services.issue_code`."""
    return guarded(
        lambda write: services.issue_code(vault(), phone=phone, purpose=purpose, device=device, address=address, now=now, write=write)
    )


def enter(
    *, phone: str, code: str, now: dt.datetime, is_bearer: bool = False, device_label: str, takes_newcomers: bool = True
) -> services.Entered | None:
    """Begin a session. See :func:`quizapp.accounts.services.enter`; refusals of the code are raised."""
    entered = guarded(
        lambda write: services.enter(
            vault(),
            phone=phone,
            code=code,
            now=now,
            is_bearer=is_bearer,
            device_label=device_label,
            takes_newcomers=takes_newcomers,
            write=write,
        )
    )
    if isinstance(entered, AppError):
        raise entered
    return entered
