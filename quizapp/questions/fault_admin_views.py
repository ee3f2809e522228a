"""纠错: what citizens report about questions, and the answers."""

import uuid

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from quizapp.audit.actors import current_actor
from quizapp.core.clock import utc_now
from quizapp.core.db import transaction
from quizapp.core.errors import InvalidInput
from quizapp.questions import queries, services
from quizapp.questions.admin_base import LABELS, bp, may, require
from quizapp.questions.errors import BankNotFound
from quizapp.questions.models import FaultReport, Question, QuestionBank
from quizapp.questions.rules import FAULT_STATES
from quizapp.web.access import bureau, current_principal
from quizapp.web.pagination import page_number, paginate
from quizapp.web.ui import url_if


@bp.get("/faults")
@bureau("questions.view")
def faults() -> str:
    """Reports that wait for an answer, or those that have one."""
    state = "answered" if request.args.get("state") == "answered" else "open"
    scopes = current_principal().scopes("questions.view")
    page = paginate(queries.select_faults(scopes, state=state), page_number(), is_scalar=False)
    waiting = queries.count_open_faults(scopes)
    return render_template("questions/faults.html", page=page, state=state, waiting=waiting, fault_states=FAULT_STATES, **LABELS)


def _find(fault_id: uuid.UUID) -> tuple[FaultReport, Question, QuestionBank]:
    fault = queries.get_fault(fault_id)
    question = queries.get_question(fault.question_id)
    bank = queries.get_bank_by_id(question.bank_id)
    path = queries.owner_path(bank)
    if path is not None and not current_principal().covers("questions.view", path):
        raise BankNotFound
    return fault, question, bank


@bp.get("/faults/<uuid:fault_id>")
@bureau("questions.view")
def fault(fault_id: uuid.UUID) -> str:
    """One report with the question as the citizen met it."""
    return _page(fault_id, {})


def _page(fault_id: uuid.UUID, errors: dict[str, list[str]]) -> str:
    found, question, bank = _find(fault_id)
    same = queries.select_faults(current_principal().scopes("questions.view"), state="", question_id=question.id)
    others = paginate(same, 1, is_scalar=False)
    return render_template(
        "questions/fault.html",
        fault=found,
        question=question,
        bank=bank,
        view=queries.get_revisions([found.revision_id])[found.revision_id],
        others=[row for row in others.items if row[0].id != found.id],
        answered_by=queries.names_of_staff([found.answered_by]).get(found.answered_by) if found.answered_by else "",
        may_answer=may("questions.edit", bank),
        errors=errors,
        correct_url=url_if("attempts_admin.new_correction", question_id=question.id),
        fault_states=FAULT_STATES,
        **LABELS,
    )


@bp.post("/faults/<uuid:fault_id>")
@bureau("questions.edit")
def answer_fault(fault_id: uuid.UUID) -> Response | tuple[str, int]:
    """Answer the citizen; with ``all`` everybody who reported the same question and waits."""
    found, question, bank = _find(fault_id)
    require("questions.edit", bank)
    ids = [found.id]
    values = {"state": request.form.get("state", ""), "answer": request.form.get("answer", "")}
    try:
        with transaction():
            if request.form.get("all") == "1":
                ids = queries.list_open_faults(question.id) or ids
            for one in ids:
                services.answer_fault(one, now=utc_now(), actor=current_actor(), **values)
    except InvalidInput as refusal:
        return _page(fault_id, {name: [text] for name, text in refusal.fields.items()}), 422
    flash(_("答复存好了，市民在答题结果里能看到。"), "success")
    return redirect(url_for(".faults"))
