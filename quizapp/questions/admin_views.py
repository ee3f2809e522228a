"""The bureau's question banks: lists, a question with its history, review, import."""

from flask import Flask, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from quizapp.audit.actors import current_actor
from quizapp.audit.wording import value_names
from quizapp.core.clock import utc_now
from quizapp.core.db import transaction
from quizapp.core.text import clean_line
from quizapp.questions import edit_admin_views, exchange_views, fault_admin_views, law_admin_views, queries, review_admin_views, services
from quizapp.questions.admin_base import LABELS, bp, find_bank, find_question, may, may_step
from quizapp.questions.errors import BankNotFound
from quizapp.questions.models import QuestionBank
from quizapp.web.access import bureau, current_principal
from quizapp.web.pagination import page_number, paginate

blueprints = (bp, law_admin_views.bp)
SCREENS = (edit_admin_views, review_admin_views, fault_admin_views, exchange_views)
"""Where the rest of this blueprint's screens are."""


@bp.get("")
@bureau("questions.view")
def index() -> str:
    """The banks with their counts."""
    banks = queries.list_bank_counts(queries.in_scopes(current_principal().scopes("questions.view")))
    live = sum(item.by_status.get("published", 0) for item in banks)
    return render_template("questions/banks.html", banks=banks, live=live, **LABELS)


@bp.get("/banks/<slug>")
@bureau("questions.view")
def bank(slug: str) -> str:
    """The questions of a bank, filtered."""
    found = find_bank(slug)
    chosen = {name: clean_line(request.args.get(name, ""), 100) for name in ("q", "kind", "difficulty", "status")}
    statement = queries.select_questions(
        found.id,
        text=chosen["q"],
        kind=chosen["kind"],
        difficulty=int(chosen["difficulty"]) if chosen["difficulty"] in ("1", "2", "3", "4", "5") else 0,
        status=chosen["status"],
    )
    page = paginate(statement, page_number(), is_scalar=False)
    counts = next(item for item in queries.list_bank_counts(QuestionBank.id == found.id))
    return render_template(
        "questions/bank.html",
        bank=found,
        counts=counts,
        page=page,
        chosen=chosen,
        may_review=may_step(found),
        may_edit=may("questions.edit", found),
        **LABELS,
    )


@bp.get("/banks/<slug>/q/<code>")
@bureau("questions.view")
def question(slug: str, code: str) -> str:
    """One question as it looks on a phone, with its revisions."""
    found, item = find_question(slug, code)
    return review_admin_views.question_page(found, item, back=url_for(".bank", slug=slug))


@bp.post("/banks/<slug>/q/<code>/suspension")
@bureau("questions.review")
def suspend(slug: str, code: str) -> Response:
    """Take a question out of new papers until somebody has looked at it."""
    return review_admin_views.take_out(slug, code, services.suspend_question, _("已停用，新的答卷不会再抽到它。"))


@bp.post("/banks/<slug>/approval")
@bureau("questions.review")
def approve_all(slug: str) -> Response:
    """Review everything that waits in this bank."""
    found = find_bank(slug)
    if not may_step(found):
        raise BankNotFound
    with transaction():
        count = services.approve_bank(found, now=utc_now(), actor=current_actor())
    flash(_("您这一道通过了 %(count)d 道题。", count=count), "success")
    return redirect(url_for(".bank", slug=slug))


def init_app(app: Flask) -> None:
    law_admin_views.init_app(app)
    value_names["banks"] = queries.bank_titles
