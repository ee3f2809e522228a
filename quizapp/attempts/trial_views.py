"""The pages of a test run: pick whom to play, answer, see what would have come of it. Only that it was made is recorded."""

import random
import uuid

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from quizapp.accounts.queries import group_names
from quizapp.accounts.rules import AGE_BAND_TITLES
from quizapp.attempts import trial
from quizapp.attempts.errors import InvalidChoice, TrialOver
from quizapp.attempts.papers import shown_questions
from quizapp.attempts.trial import Trial
from quizapp.audit.actors import current_actor
from quizapp.audit.services import record
from quizapp.campaigns import queries as campaign_queries
from quizapp.campaigns.errors import CampaignNotFound
from quizapp.campaigns.models import Campaign
from quizapp.campaigns.preview import draft_view
from quizapp.campaigns.reach import may_reach
from quizapp.campaigns.rules import CampaignView
from quizapp.core.clock import utc_now
from quizapp.core.db import transaction
from quizapp.questions.errors import PoolTooSmall
from quizapp.web.access import bureau

bp = Blueprint("trials_admin", __name__, url_prefix="/admin/campaigns", template_folder="templates")
Page = str | tuple[str, int] | Response


def _find(campaign_id: uuid.UUID) -> tuple[Campaign, CampaignView | None]:
    campaign = campaign_queries.find_campaign(campaign_id)
    if campaign is None or not may_reach(campaign, "campaigns.edit"):
        raise CampaignNotFound
    return campaign, draft_view(campaign)


def _key() -> str:
    return str(current_app.config["SECRET_KEY"])


@bp.get("/<uuid:campaign_id>/trial")
@bureau("campaigns.edit")
def intro(campaign_id: uuid.UUID) -> str:
    """Whom to play, and which of several quizzes."""
    campaign, view = _find(campaign_id)
    return render_template(
        "attempts/trial_intro.html",
        campaign=campaign,
        quizzes=[(quiz.id, quiz.title or quiz.id) for quiz in view.terms.quizzes] if view else [],
        groups=list(group_names().items()),
        ages=list(AGE_BAND_TITLES.items()),
        is_ready=view is not None,
    )


@bp.post("/<uuid:campaign_id>/trial")
@bureau("campaigns.edit")
def begin(campaign_id: uuid.UUID) -> Page:
    """Draw a paper; the trail keeps that a test run was made."""
    campaign, view = _find(campaign_id)
    if view is None:
        return redirect(url_for(".intro", campaign_id=campaign_id))
    chosen = request.form.get("quiz", "")
    quiz = next((quiz for quiz in view.terms.quizzes if quiz.id == chosen), view.terms.main)
    age = request.form.get("age_band", "")
    begun = None
    try:
        with transaction():
            begun = trial.begin(
                view,
                quiz,
                group=request.form.get("group", "")[:32],
                age_band=age if age in AGE_BAND_TITLES else "18_59",
                is_large=request.form.get("large") == "1",
                rng=random.SystemRandom(),
                now=utc_now(),
            )
            record(
                "campaign.tried",
                actor=current_actor(),
                target_type="campaign",
                target_id=campaign.id,
                target_name=campaign.title,
                organisation_path=campaign_queries.host_path(campaign),
                changes={"terms_hash": view.terms_hash},
            )
    except PoolTooSmall as refusal:
        flash(refusal.message, "error")
        return redirect(url_for(".intro", campaign_id=campaign_id))
    return _question_page(view, begun, 1)


@bp.post("/<uuid:campaign_id>/trial/answers")
@bureau("campaigns.edit")
def answer(campaign_id: uuid.UUID) -> Page:
    """Keep this answer in the page and go where the button says."""
    _campaign, view = _find(campaign_id)
    try:
        if view is None:
            raise TrialOver
        begun = trial.unseal(request.form.get("state", ""), _key(), view)
    except TrialOver as refusal:
        flash(refusal.message, "error")
        return redirect(url_for(".intro", campaign_id=campaign_id))
    count = len(begun.questions)
    position = _position(count)
    now, end = utc_now(), trial.deadline(begun, view)
    if end is not None and now >= end:
        return _result_page(view, begun, is_automatic=True)
    letters = [letter for letter in request.form.getlist("ans") if letter][:8]
    try:
        kind = shown_questions(begun.questions)[position - 1].kind
        begun = trial.answered(begun, position, letters, kind)
    except InvalidChoice as refusal:
        return _question_page(view, begun, position, refusal.message), 422
    step = request.form.get("go", "next")
    if step == "hand_in":
        return _result_page(view, begun)
    return _question_page(view, begun, max(1, position - 1) if step == "previous" else min(count, position + 1))


def _position(count: int) -> int:
    text = request.form.get("position", "1")
    return min(max(int(text), 1), count) if text.isascii() and text.isdigit() and len(text) < 4 else 1


def _question_page(view: CampaignView, begun: Trial, position: int, error: str = "") -> str:
    return render_template(
        "attempts/trial_question.html",
        campaign=view,
        trial=begun,
        question=shown_questions(begun.questions)[position - 1],
        total=len(begun.questions),
        state=trial.seal(begun, _key()),
        deadline=trial.deadline(begun, view),
        now=utc_now(),
        error=error,
        is_large=begun.is_large,
    )


def _result_page(view: CampaignView, begun: Trial, is_automatic: bool = False) -> str:
    return render_template(
        "attempts/trial_result.html",
        campaign=view,
        trial=begun,
        outcome=trial.finish(begun, view, random.SystemRandom(), utc_now()),
        terms=view.terms,
        quiz=view.terms.quiz(begun.quiz_id),
        group=group_names().get(begun.group, ""),
        age=AGE_BAND_TITLES[begun.age_band],
        is_automatic=is_automatic,
        is_large=begun.is_large,
    )
