"""Campaigns of several quizzes, rounds or tracks as JSON: where one stands, and the campaign's own registration."""

from typing import Any

from quizapp.accounts import queries as account_queries
from quizapp.attempts import edge, services
from quizapp.attempts.schemas import ENTRY_BODY, body_doc
from quizapp.attempts.season_schemas import CampaignEntrySchema, SeasonSchema, entry_body, season_body
from quizapp.attempts.seasons import season_of
from quizapp.campaigns import queries as campaign_queries
from quizapp.core.clock import utc_now
from quizapp.core.errors import InvalidInput, NotFound
from quizapp.core.text import has_forbidden_characters
from quizapp.web.access import citizen, current_principal
from quizapp.web.api import Blueprint, json_body

blp = Blueprint("seasons_api", __name__, url_prefix="/api/v1", description="多关、多阶段的活动")


@blp.route("/campaigns/<string:slug>/season", methods=["GET"])
@blp.response(200, SeasonSchema)
@blp.alt_response(404, description="not_found")
@citizen
def get(slug: str) -> dict[str, Any]:
    """我在一场活动里的位置：哪些关能答、报名信息、已经得到的奖励"""
    view = campaign_queries.get_campaign(slug)
    profile = account_queries.get_profile(current_principal().user_id)
    season = season_of(view, profile, utc_now(), edge.channel())
    return season_body(season, services.read_answers(season.entry) if season.entry else {})


@blp.route("/campaigns/<string:slug>/entry", methods=["PUT"])
@blp.doc(**body_doc(ENTRY_BODY, required=True))
@blp.response(200, CampaignEntrySchema)
@blp.alt_response(404, description="not_found")
@blp.alt_response(409, description="entry_closed, track_fixed, team_full")
@blp.alt_response(422, description="invalid_input")
@citizen
def put(slug: str) -> dict[str, Any]:
    """报名，或者更正报名信息

    赛道和队伍选好以后不能再换。
    """
    view, body = campaign_queries.get_campaign(slug), json_body()
    if not services.needs_entry(view.terms):
        raise NotFound
    track, team, answers = body.get("track", ""), body.get("team", ""), body.get("answers", {})
    is_on_boards = body.get("is_on_boards", False)
    if not (isinstance(track, str) and isinstance(team, str) and isinstance(is_on_boards, bool)):
        raise InvalidInput(fields={"track": "格式不对。"})
    texts = isinstance(answers, dict) and all(isinstance(text, str) for text in (*answers, *answers.values()))
    if not texts or any(has_forbidden_characters(text) for text in (*answers.values(), track, team)):
        raise InvalidInput(fields={"answers": "按代号填文字。"})
    citizen_id = current_principal().user_id
    entry = edge.enter(view, citizen_id, track=track, team_name=team, answers=answers, is_on_boards=is_on_boards, now=utc_now())
    return entry_body(entry, services.team_name_of(entry), services.read_answers(entry))
