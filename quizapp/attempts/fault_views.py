"""纠错: a citizen says that a question of the own graded paper is wrong."""

import uuid

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from quizapp.attempts import edge
from quizapp.attempts.errors import AttemptNotFound
from quizapp.attempts.papers import result_of
from quizapp.attempts.rules import Asker
from quizapp.core.clock import utc_now
from quizapp.core.errors import InvalidInput
from quizapp.questions import queries as question_queries
from quizapp.questions.errors import AlreadyReported, TooManyReports
from quizapp.questions.rules import FAULT_REASONS, FAULT_STATES
from quizapp.web.access import citizen, current_principal

bp = Blueprint("faults", __name__, template_folder="templates")


@bp.get("/attempts/<uuid:attempt_id>/<int:position>/report")
@citizen
def report(attempt_id: uuid.UUID, position: int) -> str | tuple[str, int]:
    """What is wrong with this question; once reported, what came of it."""
    return _page(attempt_id, position, {})


def _page(attempt_id: uuid.UUID, position: int, errors: dict[str, str], status: int = 200) -> tuple[str, int]:
    citizen_id = current_principal().user_id
    attempt = edge.read_attempt(attempt_id, Asker(citizen_id=citizen_id))
    if attempt.state != "graded" or not 1 <= position <= attempt.question_count:
        raise AttemptNotFound
    question = result_of(attempt, utc_now()).questions[position - 1]
    mine = question_queries.list_own_faults(citizen_id, [question.question_id])
    page = render_template(
        "attempts/fault.html",
        attempt=attempt,
        question=question,
        mine=mine[0] if mine else None,
        reasons=FAULT_REASONS,
        states=FAULT_STATES,
        chosen=request.form.get("reason", ""),
        text=request.form.get("text", ""),
        errors=errors,
    )
    return page, status


@bp.post("/attempts/<uuid:attempt_id>/<int:position>/report")
@citizen
def send(attempt_id: uuid.UUID, position: int) -> Response | tuple[str, int]:
    """Keep it; a second one about the same question shows the first."""
    try:
        edge.report_fault(
            attempt_id,
            current_principal().user_id,
            position,
            reason=request.form.get("reason", ""),
            text=request.form.get("text", ""),
            now=utc_now(),
        )
    except InvalidInput as refusal:
        return _page(attempt_id, position, dict(refusal.fields), refusal.http_status)
    except TooManyReports as refusal:
        return _page(attempt_id, position, {"text": refusal.message}, refusal.http_status)
    except AlreadyReported as refusal:
        flash(refusal.message, "message")
    else:
        flash(_("收到了，谢谢您。我们核对以后，答复会显示在这里和答题结果里。"), "success")
    return redirect(url_for(".report", attempt_id=attempt_id, position=position))


@bp.get("/me/reports")
@citizen
def mine() -> str:
    """What this citizen has reported, with the answers."""
    items = question_queries.list_own_faults(current_principal().user_id)
    return render_template("attempts/faults.html", items=items, reasons=FAULT_REASONS, states=FAULT_STATES)
