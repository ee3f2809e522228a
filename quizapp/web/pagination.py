"""Pages of lists: numbered for the console, ``next`` cursors for the API."""

import base64
import binascii
import uuid
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
from flask import request

from quizapp.core.db import db
from quizapp.core.errors import InvalidInput

T = TypeVar("T")
PER_PAGE = 20


@dataclass(frozen=True)
class Page(Generic[T]):
    """One numbered page. ``number`` from 1; ``total`` counts all items."""

    items: list[T]
    number: int
    total: int
    per_page: int = PER_PAGE

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // self.per_page))


def page_number() -> int:
    """The ``page`` of the query string, 1 when missing or nonsense."""
    text = request.args.get("page", "1")
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 7 else 1


def paginate(statement: sa.Select[Any], number: int, per_page: int = PER_PAGE, *, is_scalar: bool = True) -> Page[Any]:
    """Run ``statement`` for one numbered page."""
    total = db.session.scalar(sa.select(sa.func.count()).select_from(statement.order_by(None).subquery())) or 0
    result = db.session.execute(statement.limit(per_page).offset((number - 1) * per_page))
    items = list(result.scalars() if is_scalar else result)
    return Page(items, number, total, per_page)


def encode_cursor(value: str) -> str:
    return base64.urlsafe_b64encode(value.encode()).decode().rstrip("=")


def decode_cursor(text: str | None) -> str | None:
    """:raises InvalidInput: if it is not one of our cursors"""
    if not text:
        return None
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except (binascii.Error, ValueError):
        raise InvalidInput(fields={"after": "翻页的位置不对，请从头再看。"}) from None


def decode_id_cursor(text: str | None) -> uuid.UUID | None:
    """The id a cursor of a list by id stands for.

    :raises InvalidInput: if it is not one of our cursors
    """
    value = decode_cursor(text)
    try:
        return uuid.UUID(value) if value is not None else None
    except ValueError:
        raise InvalidInput(fields={"after": "翻页的位置不对，请从头再看。"}) from None
