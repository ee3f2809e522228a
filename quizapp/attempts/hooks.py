"""What this package tells those above it: the campaign pages about the visitor, the accounts about a citizen's attempts."""

import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa
from flask import url_for

from quizapp.accounts import queries as account_queries
from quizapp.accounts import services as account_services
from quizapp.attempts import edge, queries
from quizapp.attempts.queries import AttemptView
from quizapp.attempts.schemas import history_body
from quizapp.campaigns import rules as campaign_rules
from quizapp.campaigns import views as campaign_views
from quizapp.campaigns.rules import CampaignView
from quizapp.campaigns.views import VisitorState
from quizapp.core.clock import shanghai_day, utc_now
from quizapp.core.db import db
from quizapp.core.errors import AppError, NotSignedIn
from quizapp.web.access import Principal

MOST_EXPORTED = 10_000


def find_state(view: CampaignView, principal: Principal, now: dt.datetime) -> VisitorState:
    """Where the visitor stands in a campaign: a paper to go on with, tries left, why nothing can be begun."""
    paper = edge.find_guest_paper(view.id, now)
    paper_url = _url_of(paper, principal, now) if paper else ""
    if not view.terms.is_plain:
        return _season_state(view, principal, paper_url, now)
    if principal.id is None or not principal.is_citizen:
        return VisitorState(open_attempt_url=paper_url, refusal=_refusal(view, None, queries.Tries(0, 0, None), now))
    profile = account_queries.get_profile(principal.id)
    tries = queries.count_tries(principal.id, view.id, shanghai_day(now))
    best = queries.find_best(principal.id, view.id)
    if tries.open_id is not None:
        attempt = queries.get_attempt(tries.open_id)
        if attempt.standing(now) == "open":
            return VisitorState(_question_url(attempt), campaign_rules.tries_left(view.terms, tries.today, tries.total), best_correct=best)
    return VisitorState(
        open_attempt_url=paper_url,
        tries_left=campaign_rules.tries_left(view.terms, tries.today, tries.total),
        refusal=_refusal(view, profile, tries, now),
        best_correct=best,
    )


def _season_state(view: CampaignView, principal: Principal, paper_url: str, now: dt.datetime) -> VisitorState:
    """A campaign of several quizzes: its own page says what can be begun."""
    open_url = paper_url
    if principal.id is not None and principal.is_citizen:
        found = queries.find_open(principal.id, view.id)
        if found is not None and now < found[1]:
            open_url = _question_url(queries.get_attempt(found[0]))
    try:
        campaign_rules.check_is_open(view, now)
    except AppError as refusal:
        return VisitorState(open_url, refusal=refusal.message)
    return VisitorState(open_url, season_url=url_for("seasons.show", slug=view.slug))


def _question_url(attempt: AttemptView) -> str:
    return url_for("attempts.question", attempt_id=attempt.id, position=attempt.first_unanswered)


def _url_of(paper: AttemptView, principal: Principal, now: dt.datetime) -> str:
    """A guest's open paper is gone on with; one handed in waits on its own page and is not what 接着答 means."""
    if paper.standing(now) != "open":
        return ""
    if principal.is_citizen:
        return url_for("attempts.adopt", attempt_id=paper.id)
    return _question_url(paper)


def _refusal(view: CampaignView, profile: account_queries.Profile | None, tries: queries.Tries, now: dt.datetime) -> str:
    try:
        campaign_rules.check_may_start(view, profile, tries.today, tries.total, now)
    except NotSignedIn:
        return ""
    except AppError as refusal:
        return refusal.message
    return ""


def export_attempts(citizen_id: uuid.UUID) -> list[dict[str, Any]]:
    """A citizen's attempts for the export of their data."""
    return [history_body(item) for item in queries.list_attempts(citizen_id, utc_now(), limit=MOST_EXPORTED)]


def give_up_papers(citizen_id: uuid.UUID, now: dt.datetime) -> None:
    """What is still open when a citizen leaves is not graded any more."""
    table = queries.ATTEMPTS
    open_ones = sa.and_(table.c.citizen_id == citizen_id, table.c.state.in_(("open", "handed_in")))
    db.session.execute(sa.update(table).where(open_ones).values(state="lapsed"))


def register() -> None:
    """Put these functions where they are asked for; once, however many applications are made."""
    if find_state not in campaign_views.visitor_state:
        campaign_views.visitor_state.append(find_state)
    if give_up_papers not in account_services.on_delete_first:
        account_services.on_delete_first.append(give_up_papers)
    if ("attempts", export_attempts) not in account_services.export_parts:
        account_services.export_parts.append(("attempts", export_attempts))
