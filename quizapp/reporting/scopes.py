"""Who may see the figures of what."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, scoped_session

from quizapp.accounts.models import Organisation
from quizapp.campaigns.queries import in_scopes
from quizapp.core.db import db
from quizapp.questions.queries import in_scopes as banks_in_scopes

AnySession = Session | scoped_session[Any]
EVERYTHING = ("/",)
"""Scope of somebody who sees every campaign: the command line and the demo."""


def campaigns_in_scope(scope_paths: Sequence[str]) -> sa.ColumnElement[bool]:
    """Campaigns that a unit of these subtrees hosts or co-hosts; ``/`` is all without looking."""
    return sa.true() if "/" in scope_paths else in_scopes(scope_paths)


def banks_in_scope(scope_paths: Sequence[str]) -> sa.ColumnElement[bool]:
    """Shared banks and those of units of these subtrees; ``/`` is all without looking."""
    return sa.true() if "/" in scope_paths else banks_in_scopes(scope_paths)


def is_whole(scope_paths: Sequence[str], session: AnySession | None = None) -> bool:
    """Whether these subtrees are everything: the bureau itself, which runs the campaigns, and not a unit of people's employment."""
    if "/" in scope_paths:
        return True
    roots = sa.select(Organisation.path).where(Organisation.parent_id.is_(None))
    return any(path in scope_paths for path in (session or db.session).scalars(roots))
