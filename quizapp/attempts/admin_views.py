"""改正答案: propose a corrected key with a look at its effect, confirm it by another person, watch the job."""

import uuid
from typing import Any

from flask import Blueprint, flash, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from quizapp.attempts import remark_queries, trial_views
from quizapp.attempts.models import RemarkRun
from quizapp.audit.actors import current_actor
from quizapp.core.clock import utc_now
from quizapp.core.db import transaction
from quizapp.core.errors import Forbidden, InvalidInput, NotFound
from quizapp.questions import queries as question_queries
from quizapp.questions import rules as question_rules
from quizapp.questions import services as question_services
from quizapp.questions.models import Question, QuestionBank
from quizapp.questions.rules import Accepted, RevisionView
from quizapp.web.access import bureau, current_principal
from quizapp.web.pagination import page_number, paginate

bp = Blueprint("attempts_admin", __name__, url_prefix="/admin/corrections", template_folder="templates")
blueprints = (bp, trial_views.bp)

RUN_TITLES = {"waiting": "等后台开始", "running": "正在重新判分", "settling": "已判完，等还没交的答卷", "done": "全部完成"}
STATUS_TITLES = {"proposed": "等另一位确认", "confirmed": "已确认", "cancelled": "已撤销"}


def _see(question: Question) -> QuestionBank:
    """The bank of a question this member of staff may see.

    :raises NotFound: for one outside
    """
    bank = question_queries.get_bank_by_id(question.bank_id)
    path = question_queries.owner_path(bank)
    if path is not None and not current_principal().covers("questions.view", path):
        raise NotFound
    return bank


def _may(permission: str, bank: QuestionBank) -> bool:
    return question_rules.may_change(current_principal().scopes(permission), question_queries.owner_path(bank))


def _require(permission: str, bank: QuestionBank) -> None:
    if not _may(permission, bank):
        raise NotFound


@bp.get("")
@bureau("questions.view")
def corrections() -> str:
    """Every correction with how far it has come."""
    statement = question_queries.list_corrections(current_principal().scopes("questions.view"))
    page = paginate(statement, page_number(), is_scalar=False)
    runs = remark_queries.find_runs([row.id for row, _question, _bank in page.items])
    return render_template(
        "attempts/corrections.html", page=page, runs=runs, run_titles=RUN_TITLES, correction_titles=STATUS_TITLES, words=key_words
    )


def key_words(accepted: Accepted, view: RevisionView | None = None) -> str:
    """Answers in words: ``B`` or, with the revision, ``B（一倍）``; several are each right, none gives everybody the mark."""
    if not accepted:
        return str(_("送分，人人算对"))
    letters = question_rules.LETTERS

    def word(index: int) -> str:
        return f"{letters[index]}（{view.choices[index]}）" if view else letters[index]

    one = ["、".join(word(index) for index in sorted(answer)) for answer in accepted]
    return str(_(" 或 ")).join(one)


# ---- propose


def _read(view: RevisionView) -> question_services.Proposal:
    """What the form says: a new key, several answers that are each right, or the mark for everybody."""
    mode = request.form.get("mode", request.args.get("mode", ""))
    source = request.form if request.method == "POST" else request.args
    picked = [int(text) for text in source.getlist("answer") if text.isascii() and text.isdigit() and int(text) < len(view.choices)]
    accepted: Accepted = (frozenset(picked),)
    if mode == "either":
        accepted = tuple(frozenset({index}) for index in picked)
    elif mode == "credit":
        accepted = ()
    return question_services.Proposal(
        revision_id=view.id,
        accepted=accepted,
        reason=source.get("reason", ""),
        notice=source.get("notice", ""),
        explanation=source.get("explanation", view.explanation),
        suspends=source.get("suspends", "1" if request.method == "GET" else "") == "1",
    )


def _base(question: Question) -> RevisionView:
    """The revision the form is about: the one asked for, else the one in use."""
    revisions = question_queries.list_revisions(question.id)
    wanted = request.values.get("revision", "")
    in_use = next((row for row in revisions if row.id == question.current_revision_id), revisions[0])
    return question_queries.as_view(next((row for row in revisions if str(row.number) == wanted), in_use))


@bp.get("/new/<uuid:question_id>")
@bureau("questions.edit")
def new_correction(question_id: uuid.UUID) -> str:
    """The form, and with ``preview=1`` what the correction would do now."""
    question = question_queries.get_question(question_id)
    _require("questions.edit", _see(question))
    return _form(question, {})


def _form(question: Question, errors: dict[str, str]) -> str:
    view = _base(question)
    proposal = _read(view)
    before = question_services.affected_revisions(view)
    is_looking = request.values.get("preview") == "1"
    problem = question_rules.answer_problem(view.kind, len(view.choices), proposal.accepted) if is_looking else ""
    return render_template(
        "attempts/correction_new.html",
        question=question,
        bank=question_queries.get_bank_by_id(question.bank_id),
        view=view,
        revisions=question_queries.list_revisions(question.id),
        proposal=proposal,
        mode=request.values.get("mode", "rekey"),
        picked=frozenset().union(*proposal.accepted),
        before=before[view.id],
        affected_count=len(before),
        effect=remark_queries.preview(proposal.accepted, before) if is_looking and not problem else None,
        problem=problem,
        errors=errors,
        words=key_words,
        letters=question_rules.LETTERS,
        kind_titles=question_rules.KIND_TITLES,
    )


@bp.post("/new/<uuid:question_id>")
@bureau("questions.edit")
def propose(question_id: uuid.UUID) -> Response | str | tuple[str, int]:
    """Keep the proposal; ``preview=1`` only looks."""
    question = question_queries.get_question(question_id)
    _require("questions.edit", _see(question))
    if request.form.get("preview") == "1":
        return _form(question, {})
    try:
        with transaction():
            row = question_services.propose_correction(_read(_base(question)), now=utc_now(), actor=current_actor())
    except InvalidInput as refusal:
        return _form(question, dict(refusal.fields)), 422
    flash(_("方案存好了。要另一位同事确认后才开始重新判分。"), "success")
    return redirect(url_for(".correction", correction_id=row.id))


# ---- one correction


def _find(correction_id: uuid.UUID) -> tuple[question_queries.CorrectionView, Question, QuestionBank]:
    correction = question_queries.get_correction(correction_id)
    question = question_queries.get_question(correction.row.question_id)
    return correction, question, _see(question)


@bp.get("/<uuid:correction_id>")
@bureau("questions.view")
def correction(correction_id: uuid.UUID) -> str:
    """Who, why, the old and the new key, the effect, and the job's progress."""
    found, question, bank = _find(correction_id)
    row, principal = found.row, current_principal()
    views = question_queries.get_revisions(found.revisions)
    base = max(views.values(), key=lambda view: view.number)
    run = remark_queries.find_run(row.id)
    is_proposed = row.status == "proposed"
    return render_template(
        "attempts/correction.html",
        correction=found,
        row=row,
        question=question,
        bank=bank,
        view=base,
        before=found.revisions[base.id],
        numbers=sorted(view.number for view in views.values()),
        effect=remark_queries.preview(found.accepted, found.revisions) if is_proposed else None,
        run=run,
        percent=_percent(run),
        names=question_queries.names_of_staff([who for who in (row.proposed_by, row.confirmed_by) if who]),
        may_confirm=is_proposed and _may("questions.review", bank) and row.proposed_by != principal.id,
        is_own=row.proposed_by == principal.id,
        may_cancel=is_proposed and (_may("questions.edit", bank) or _may("questions.review", bank)),
        words=key_words,
        run_titles=RUN_TITLES,
        correction_titles=STATUS_TITLES,
    )


def _percent(run: RemarkRun | None) -> int:
    if run is None or run.state == "waiting":
        return 0
    return min(99, run.seen * 100 // max(1, run.total)) if run.state == "running" else 100


@bp.get("/<uuid:correction_id>/progress")
@bureau("questions.view")
def progress(correction_id: uuid.UUID) -> Response:
    """How far the job has come, for the page that asks again."""
    found, _question, _bank = _find(correction_id)
    run = remark_queries.find_run(found.row.id)
    body: dict[str, Any] = {"state": "running", "percent": _percent(run), "message": _progress_words(run)}
    if run is not None and run.state in ("settling", "done"):
        body = {**body, "state": "ready", "location": url_for(".correction", correction_id=correction_id)}
    return jsonify(body)


def _progress_words(run: RemarkRun | None) -> str:
    if run is None or run.state == "waiting":
        return str(_("等后台开始，一般几秒钟"))
    return str(_("已看 %(seen)s 份，共 %(total)s 份", seen=f"{run.seen:,}", total=f"{run.total:,}"))


@bp.post("/<uuid:correction_id>/confirmation")
@bureau("questions.review")
def confirm(correction_id: uuid.UUID) -> Response:
    """The second person decides."""
    found, _question, bank = _find(correction_id)
    _require("questions.review", bank)
    with transaction():
        question_services.confirm_correction(found.row.id, now=utc_now(), actor=current_actor())
    flash(_("已确认。后台马上开始重新判分，这一页会显示进度。"), "success")
    return redirect(url_for(".correction", correction_id=correction_id))


@bp.post("/<uuid:correction_id>/cancellation")
@bureau("questions.view")
def cancel(correction_id: uuid.UUID) -> Response:
    """Drop a proposal that nobody has confirmed."""
    found, _question, bank = _find(correction_id)
    if not (_may("questions.edit", bank) or _may("questions.review", bank)):
        raise Forbidden
    with transaction():
        question_services.cancel_correction(found.row.id, now=utc_now(), actor=current_actor())
    flash(_("方案撤销了，什么都没有改。"), "success")
    return redirect(url_for(".correction", correction_id=correction_id))
