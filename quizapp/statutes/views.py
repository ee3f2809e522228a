"""The law reader for everybody: finding a statute or words in one, its text of a day, what a group should know."""

import datetime as dt
from typing import Any

from flask import Blueprint, Flask, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from quizapp.accounts.queries import group_names
from quizapp.core.clock import parse_shanghai, shanghai_day, utc_now
from quizapp.core.errors import NotFound
from quizapp.core.text import clean_line, has_forbidden_characters
from quizapp.statutes import dependents, queries, reader, rules
from quizapp.statutes.errors import StatuteNotFound
from quizapp.statutes.registry import load_registry
from quizapp.web.access import public
from quizapp.web.limits import check_rate
from quizapp.web.pagination import page_number
from quizapp.web.security import client_ip

bp = Blueprint("statutes", __name__, template_folder="templates")
blueprints = (bp,)

PER_PAGE = 20
SEARCHES_PER_ADDRESS = (600, 60)
_LABELS: dict[str, Any] = {"kind_titles": rules.KIND_TITLES, "status_titles": rules.STATUS_TITLES}


def init_app(app: Flask) -> None:
    app.jinja_env.globals["citation_url"] = reader.citation_url
    app.jinja_env.globals["article_url"] = reader.article_url
    app.jinja_env.filters["long_day"] = _long_day


def _long_day(day: dt.date | None) -> str:
    """A day of a statute, always with its year."""
    return f"{day.year}年{day.month}月{day.day}日" if day else "—"


def _day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None


def _moment(text: str) -> dt.datetime | None:
    try:
        moment = parse_shanghai(text) if 10 < len(text) <= 40 else None
    except (ValueError, OverflowError):
        return None
    return moment if moment and 2000 <= moment.year < 2200 else None


@bp.get("/laws")
@public
def index() -> str:
    """Find a statute by name, or words in the articles in force today."""
    today, number = shanghai_day(utc_now()), page_number()
    text = clean_line(request.args.get("q", ""), rules.MAX_QUERY)
    kind = request.args.get("kind", "")
    kind = kind if kind in rules.KIND_TITLES else ""
    if text:
        check_rate("law-search", client_ip(), *SEARCHES_PER_ADDRESS)
    query = rules.parse_query(text)
    can_search = any(len(term) > 1 for term in query.terms)
    hits = queries.search_articles(query.terms, today, limit=PER_PAGE + 1, offset=(number - 1) * PER_PAGE) if can_search else []
    found = queries.list_found(text, kind, today, limit=PER_PAGE + 1, offset=0 if text else (number - 1) * PER_PAGE)
    return render_template(
        "statutes/index.html",
        q=text,
        kind=kind,
        counts=queries.count_by_kind(),
        statutes=found[:PER_PAGE] if number == 1 or not text else [],
        hits=hits[:PER_PAGE],
        direct=_direct(query, today) if number == 1 else None,
        terms=query.terms,
        snippet=rules.snippet,
        number=number,
        has_more=len(hits) > PER_PAGE if text else len(found) > PER_PAGE,
        has_lists=bool(queries.list_reading_lists(shown_only=True)),
        facts=[] if found or not text else _facts(text, today),
        **_LABELS,
    )


def _direct(query: rules.Query, today: dt.date) -> queries.ArticleText | None:
    """The one article that a search such as 民法典 1064 asks for."""
    return queries.get_article(query.name, query.number, today) if query.number else None


def _facts(text: str, today: dt.date) -> list[reader.Head]:
    """A statute of which only facts are shipped."""
    facts = load_registry().find(text, today)
    return [reader.head_of_facts(facts)] if facts else []


@bp.get("/laws/<short_title>")
@public
def show(short_title: str) -> str | Response:
    """The text in force on a day, or as it was shown at a moment; where only facts are known, where to read it."""
    today = shanghai_day(utc_now())
    at = _moment(request.args.get("at", ""))
    on = reader.day_of(at) if at else _day(request.args.get("on", "")) or today
    found = None if has_forbidden_characters(short_title) else reader.find_head(short_title, on)
    if found is None:
        raise StatuteNotFound
    head, statute = found
    if head.short_title != short_title:
        kept: dict[str, Any] = {name: request.args[name] for name in ("on", "at", "article", "page") if name in request.args}
        return redirect(url_for(".show", short_title=head.short_title, **kept))
    article = request.args.get("article", "").strip()[:16]
    if "go" in request.args and rules.is_number(article):
        return redirect(reader.article_url(short_title, article, on=None if at or on == today else on, at=at))
    articles = queries.articles_of(statute, on, at) if statute else []
    return render_template(
        "statutes/show.html",
        head=head,
        statute=statute,
        page=reader.page_of(articles, page_number(), article),
        count=sum(item.number != rules.PREAMBLE for item in articles),
        article=article,
        article_label=rules.label(article, statute.unit if statute else "article") if rules.is_number(article) else "",
        has_article=any(item.number == article for item in articles),
        on=on,
        at=at,
        today=today,
        days=queries.list_change_days(statute.id) if statute else [],
        status=head.status_on(on),
        place=rules.where_to_read(head.kind),
        args={name: value for name, value in request.args.items() if name in ("on", "at")},
        **_LABELS,
    )


# ---- what a group should know


@bp.get("/laws/lists")
@public
def lists() -> str:
    """The lists that are shown."""
    return render_template("statutes/lists.html", lists=queries.list_reading_lists(shown_only=True))


@bp.get("/laws/lists/<group>")
@public
def reading_list(group: str) -> str:
    """What people of a group should know, and how many questions there are about it."""
    found = None if has_forbidden_characters(group) else queries.find_reading_list(group)
    if found is None or not found.is_shown:
        raise NotFound(_("这一类人群还没有应知应会清单。"))
    items = queries.list_items(found.id)
    return render_template(
        "statutes/reading_list.html",
        list=found,
        group=group_names().get(group, group),
        rows=list(zip(items, dependents.cover([names_of(item) for item in items]), strict=True)),
        is_known=reader.is_known,
        **_LABELS,
    )


def names_of(item: queries.ListItem) -> frozenset[str]:
    """Every name that questions may cite a list's statute by."""
    if item.statute is None:
        return frozenset({item.law})
    return frozenset({item.law, item.statute.short_title, item.statute.title, *item.statute.aliases})
