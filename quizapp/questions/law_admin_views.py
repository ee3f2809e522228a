"""法条变化: the questions whose article changed, old and new text side by side, confirmed or sent to the editor."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Flask, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from quizapp.audit.actors import current_actor
from quizapp.core.clock import shanghai_day, utc_now
from quizapp.core.db import db, transaction
from quizapp.core.errors import InvalidInput, NotFound
from quizapp.core.text import clean_line
from quizapp.questions import law_watch, queries, rules
from quizapp.questions.law_models import LawReview
from quizapp.questions.models import Question, QuestionBank
from quizapp.questions.rules import Piece, RevisionView
from quizapp.statutes import dependents
from quizapp.statutes import queries as statute_queries
from quizapp.statutes import rules as statute_rules
from quizapp.web.access import bureau, current_principal
from quizapp.web.pagination import page_number, paginate

bp = Blueprint("law_watch_admin", __name__, url_prefix="/admin/law-changes", template_folder="templates")

PER_PAGE = 10
KIND_WORDS = {"changed": "改了", "removed": "删去了", "repealed": "整部废止"}


@dataclass(frozen=True)
class Comparison:
    """One article that a question cites, before and after. ``pieces`` is empty where one of the texts is not here."""

    review: LawReview
    label: str
    before: str
    after: str
    pieces: Sequence[Piece]


@dataclass(frozen=True)
class Card:
    """A question with everything that changed under it."""

    question: Question
    bank: QuestionBank
    view: RevisionView
    comparisons: Sequence[Comparison]
    may_confirm: bool
    may_edit: bool


def init_app(app: Flask) -> None:
    dependents.register(
        "questions",
        dependents.Dependents(law_watch.flag_changes, law_watch.count_dependents, law_watch.cover, law_watch.suspends),
    )


def _may(permission: str, bank: QuestionBank) -> bool:
    return rules.may_change(current_principal().scopes(permission), queries.owner_path(bank))


def _cards(rows: Sequence[Any]) -> list[Card]:
    reviews = {row.Question.id: law_watch.list_open(row.Question.id) for row in rows}
    wanted = {version for found in reviews.values() for review in found for version in (review.before_id, review.after_id) if version}
    versions = statute_queries.get_versions(wanted)
    views = queries.get_revisions([row.Question.current_revision_id for row in rows])
    return [
        Card(
            question=row.Question,
            bank=row.QuestionBank,
            view=views[row.Question.current_revision_id],
            comparisons=[_compare(review, versions) for review in reviews[row.Question.id]],
            may_confirm=_may("questions.review", row.QuestionBank),
            may_edit=_may("questions.edit", row.QuestionBank),
        )
        for row in rows
    ]


def _compare(review: LawReview, versions: dict[uuid.UUID, statute_rules.Version]) -> Comparison:
    before = versions[review.before_id].text or "" if review.before_id else ""
    after = versions[review.after_id].text or "" if review.after_id else ""
    label = statute_rules.label(review.article) if statute_rules.is_number(review.article) else _("整个文件")
    pieces = rules.text_pieces(before, after) if before and after else ()
    return Comparison(review, label, before, after, pieces)


@bp.get("")
@bureau("questions.view")
def index() -> str:
    """What waits to be looked at, the earliest change first."""
    scopes = current_principal().scopes("questions.view")
    counts = law_watch.count_by_law(scopes)
    law = request.args.get("law", "")
    law = law if law in counts else ""
    page = paginate(law_watch.select_waiting(scopes, law=law), page_number(), PER_PAGE, is_scalar=False)
    return render_template(
        "questions/law_changes.html",
        page=page,
        cards=_cards(page.items),
        law=law,
        counts=counts,
        decided=law_watch.list_decided(scopes, 20),
        suspends=law_watch.suspends(),
        may_set=rules.may_change(current_principal().scopes("questions.review"), None),
        today=shanghai_day(utc_now()),
        kind_words=KIND_WORDS,
        kind_titles=rules.KIND_TITLES,
        letters=rules.LETTERS,
    )


@bp.post("/<uuid:question_id>/confirmation")
@bureau("questions.review")
def confirm(question_id: uuid.UUID) -> Response:
    """The question still stands."""
    question = db.session.get(Question, question_id)
    if question is None or not _may("questions.review", queries.get_bank_by_id(question.bank_id)):
        raise NotFound
    try:
        seen = [uuid.UUID(text) for text in request.form.getlist("review")]
    except ValueError:
        raise InvalidInput(fields={"review": _("请刷新页面再试。")}) from None
    note = clean_line(request.form.get("note", ""), 200)
    with transaction():
        confirmed = law_watch.confirm(question_id, seen=seen, note=note, now=utc_now(), actor=current_actor())
        code, status = confirmed.code, confirmed.status
    flash(_("%(code)s 已确认没有影响。", code=code) + (_("现在可以抽到。") if status == "published" else ""), "success")
    return redirect(url_for(".index", law=request.form.get("law") or None))


@bp.post("/policy")
@bureau("questions.review")
def set_policy() -> Response:
    """Whether questions whose article changes are out of papers at once."""
    if not rules.may_change(current_principal().scopes("questions.review"), None):
        raise NotFound
    with transaction():
        law_watch.set_policy(suspend=request.form.get("suspends") == "1", now=utc_now(), actor=current_actor())
    flash(_("已保存，对以后的变化有效。"), "success")
    return redirect(url_for(".index"))
