"""Pages of campaigns with several quizzes: what can be begun and was earned; the campaign's own registration."""

from collections.abc import Mapping

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from quizapp.accounts import queries as account_queries
from quizapp.attempts import boards, edge, services
from quizapp.attempts.errors import EntryClosed, TeamFull, TeamNotFound, TrackFixed
from quizapp.attempts.seasons import season_of
from quizapp.campaigns import queries as campaign_queries
from quizapp.campaigns import rules as campaign_rules
from quizapp.campaigns.errors import NotEligible
from quizapp.campaigns.rules import CampaignView
from quizapp.core.clock import utc_now
from quizapp.core.errors import InvalidInput, NotFound
from quizapp.web.access import citizen, current_principal, guest

bp = Blueprint("seasons", __name__, template_folder="templates")
Page = str | Response | tuple[str, int]
_REFUSALS = (EntryClosed, TeamFull, TeamNotFound, TrackFixed, NotEligible)


@bp.get("/campaigns/<slug>/season")
@guest
def show(slug: str) -> Page:
    """The quizzes of a campaign with what this visitor can begin, and what awards have given."""
    now, view = utc_now(), campaign_queries.get_campaign(slug)
    if view.terms.is_plain:
        return redirect(url_for("campaigns.show", slug=slug))
    principal = current_principal()
    profile = account_queries.get_profile(principal.user_id) if principal.is_citizen else None
    return render_template(
        "attempts/season.html",
        campaign=view,
        phase=campaign_rules.phase(view.status, view.terms, now),
        season=season_of(view, profile, now, edge.channel()),
    )


@bp.get("/campaigns/<slug>/boards/<board_id>")
@guest
def board(slug: str, board_id: str) -> str:
    """One board from the top, with the visitor's own line marked."""
    view = campaign_queries.get_campaign(slug)
    found = next((item for item in view.terms.boards if item.id == board_id), None)
    if found is None:
        raise NotFound
    principal = current_principal()
    own_id = principal.user_id if principal.is_citizen and found.of == "person" else None
    return render_template(
        "attempts/board.html",
        campaign=view,
        board=found,
        lines=boards.list_lines(view, found, own_id, found.places),
        computed_at=boards.find_computed_at(view.id, found.id),
        is_frozen=boards.is_frozen(view, found, utc_now()),
    )


@bp.get("/campaigns/<slug>/entry")
@citizen
def entry(slug: str) -> Page:
    """The form of a campaign's own registration, with what was told before."""
    view = _asking(slug)
    kept = services.find_entry(view.id, current_principal().user_id)
    answers = services.read_answers(kept) if kept else {}
    return _form(view, answers, {}, track=kept.track if kept else "", is_on_boards=bool(kept and kept.is_on_boards))


@bp.post("/campaigns/<slug>/entry")
@citizen
def enter(slug: str) -> Page:
    """Register, or correct it."""
    view = _asking(slug)
    answers = {name.removeprefix("f-"): value for name, value in request.form.items() if name.startswith("f-")}
    track, team = request.form.get("track", ""), request.form.get("team", "")
    is_on_boards = request.form.get("is_on_boards") == "1"
    try:
        edge.enter(
            view, current_principal().user_id, track=track, team_name=team, answers=answers, is_on_boards=is_on_boards, now=utc_now()
        )
    except InvalidInput as refused:
        return _form(view, answers, refused.fields, track=track, team=team, is_on_boards=is_on_boards), 422
    except _REFUSALS as refusal:
        return _form(view, answers, {"": refusal.message}, track=track, team=team, is_on_boards=is_on_boards), refusal.http_status
    flash(_("报名信息已保存。"))
    return redirect(url_for("seasons.show", slug=slug), 303)


def _asking(slug: str) -> CampaignView:
    view = campaign_queries.get_campaign(slug)
    if not services.needs_entry(view.terms):
        raise NotFound
    return view


def _form(
    view: CampaignView,
    answers: dict[str, str],
    errors: Mapping[str, str],
    *,
    track: str = "",
    team: str = "",
    is_on_boards: bool = False,
) -> str:
    fields = view.terms.entry.fields if view.terms.entry else ()
    tracks = [item for item in view.terms.tracks if not item.is_paper]
    return render_template(
        "attempts/entry.html",
        campaign=view,
        fields=fields,
        choice_items={item.id: [(choice, choice) for choice in item.choices] for item in fields},
        tracks=tracks,
        track_items=[(item.id, item.title) for item in tracks],
        has_teams=any(item.kind == "team" for item in tracks),
        answers=answers,
        errors=errors,
        track=track,
        team=team,
        is_on_boards=is_on_boards,
        has_boards=any(board.of == "person" for board in view.terms.boards),
    )
