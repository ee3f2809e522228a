"""``/api/v1/statutes``: the law reader for mini-programs and other systems."""

import datetime as dt
from typing import Any

from quizapp.core.clock import shanghai_day, utc_now
from quizapp.core.text import clean_line, has_forbidden_characters
from quizapp.statutes import queries, reader, rules
from quizapp.statutes.errors import ArticleNotFound, StatuteNotFound
from quizapp.statutes.schemas import ArticleSchema, DaySchema, SearchSchema, StatutePageSchema, StatuteSchema
from quizapp.web.access import public
from quizapp.web.api import Blueprint
from quizapp.web.limits import check_rate
from quizapp.web.pagination import decode_cursor, encode_cursor
from quizapp.web.security import client_ip

blp = Blueprint("statutes_api", __name__, url_prefix="/api/v1/statutes", description="法条")
blueprints = (blp,)

PER_PAGE = 50
REQUESTS_PER_ADDRESS = (1200, 60)


def _body(head: reader.Head, has_text: bool, on: dt.date) -> dict[str, Any]:
    status = head.status_on(on)
    return {
        "short_title": head.short_title,
        "title": head.title,
        "kind": {"code": head.kind, "name": rules.KIND_TITLES[head.kind]},
        "status": {"code": status, "name": rules.STATUS_TITLES[status]},
        "issuer": head.issuer,
        "number": head.number,
        "adopted_on": head.adopted_on,
        "effective_on": head.effective_on,
        "last_amended_on": head.last_amended_on,
        "repealed_on": head.repealed_on,
        "repealed_by": head.repealed_by,
        "has_text": has_text,
        "read_at": rules.where_to_read(head.kind)[0],
    }


def _day(query: dict[str, Any]) -> tuple[dt.date, dt.datetime | None]:
    at = query["at"]
    return (shanghai_day(at), at) if at else (query["on"] or shanghai_day(utc_now()), None)


def _find(name: str, on: dt.date) -> tuple[reader.Head, Any]:
    found = None if has_forbidden_characters(name) else reader.find_head(name, on)
    if found is None:
        raise StatuteNotFound
    return found


@blp.route("", methods=["GET"])
@blp.arguments(SearchSchema, location="query")
@blp.response(200, StatutePageSchema)
@public
def list_statutes(query: dict[str, Any]) -> dict[str, Any]:
    """List statutes, those in force first; ``q`` narrows by words of their names."""
    check_rate("statutes-api", client_ip(), *REQUESTS_PER_ADDRESS)
    start = decode_cursor(query["after"]) or "0"
    offset = int(start) if start.isascii() and start.isdigit() and len(start) < 7 else 0
    kind = query["kind"] if query["kind"] in rules.KIND_TITLES else ""
    today = shanghai_day(utc_now())
    rows = queries.list_found(clean_line(query["q"], rules.MAX_QUERY), kind, today, limit=PER_PAGE + 1, offset=offset)
    return {
        "items": [_body(reader.head_of(row), row.text_from is not None, today) for row in rows[:PER_PAGE]],
        "next": encode_cursor(str(offset + PER_PAGE)) if len(rows) > PER_PAGE else None,
    }


@blp.route("/<short_title>", methods=["GET"])
@blp.arguments(DaySchema, location="query")
@blp.response(200, StatuteSchema)
@blp.alt_response(404, description="没有这部法律或文件")
@public
def get_statute(query: dict[str, Any], short_title: str) -> dict[str, Any]:
    """Tell what is known of a statute, by any of its names."""
    on, _at = _day(query)
    head, statute = _find(short_title, on)
    return _body(head, statute is not None and statute.text_from is not None, on)


@blp.route("/<short_title>/articles/<number>", methods=["GET"])
@blp.arguments(DaySchema, location="query")
@blp.response(200, ArticleSchema)
@blp.alt_response(404, description="没有这一条，或者这里没有它那一天的文本")
@public
def get_article(query: dict[str, Any], short_title: str, number: str) -> dict[str, Any]:
    """Give an article's text in force on a day, or as it was shown at a moment."""
    on, at = _day(query)
    _head, statute = _find(short_title, on)
    article = queries.article_of(statute, number, on, at) if statute and rules.is_number(number) else None
    if article is None:
        raise ArticleNotFound
    names = ("law", "number", "label", "text", "effective_from", "effective_to")
    return {name: getattr(article, name) for name in names}
