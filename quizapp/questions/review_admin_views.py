"""Review: what waits, one question with its differences, the steps, and what the bureau sets about them."""

import uuid
from collections.abc import Callable
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from quizapp.accounts import queries as account_queries
from quizapp.audit.actors import current_actor
from quizapp.core import themes
from quizapp.core.clock import utc_now
from quizapp.core.db import transaction
from quizapp.core.errors import InvalidInput, NotFound
from quizapp.core.text import clean_line
from quizapp.questions import queries, rules, services
from quizapp.questions.admin_base import LABELS, bp, find_question, may, may_sign, may_step, parse_ids, require, reviewer_scopes
from quizapp.questions.errors import BankNotFound, SignOffOnly
from quizapp.questions.models import Question, QuestionBank
from quizapp.web.access import bureau, current_principal
from quizapp.web.pagination import page_number, paginate
from quizapp.web.ui import url_if


def question_page(bank: QuestionBank, question: Question, *, back: str) -> str:
    """One question: what it says, what the shown revision changed, where its review stands, and what may be done."""
    revisions = queries.list_revisions(question.id)
    shown = next((row for row in revisions if str(row.number) == request.args.get("revision")), revisions[0])
    before = next((row for row in revisions if row.number == shown.number - 1), None)
    in_use = next((row for row in revisions if row.id == question.current_revision_id), None)
    if shown.id == revisions[0].id and in_use is not None and in_use.number < shown.number - 1:
        before = in_use
    standing = queries.review_standing(question, bank)
    reviews = queries.list_reviews(question.id)
    views = {row.id: queries.as_view(row) for row in (shown, before) if row is not None}
    principal = current_principal()
    return render_template(
        "questions/question.html",
        bank=bank,
        question=question,
        revisions=revisions,
        shown=shown,
        before=before,
        in_use=in_use,
        view=views[shown.id],
        differences=rules.differences(views[before.id], views[shown.id]) if before is not None else (),
        authors=queries.names_of_authors(revisions),
        reviews=reviews,
        reviewers=queries.names_of_staff([review.staff_id for review in reviews if review.staff_id]),
        standing=standing,
        flags=queries.list_flags([question.id]).get(question.id, []),
        fault_count=queries.count_question_faults(question.id),
        may_step=may_step(bank),
        may_sign=may_sign(bank),
        may_edit=may("questions.edit", bank) and principal.may("questions.view"),
        back=back,
        correct_url=url_if("attempts_admin.new_correction", question_id=question.id),
        **LABELS,
    )


def _reviewable(question_id: uuid.UUID) -> tuple[QuestionBank, Question]:
    """A question this member of staff reviews or signs.

    :raises BankNotFound: for one outside, as if it did not exist
    """
    question = queries.get_question(question_id)
    bank = queries.get_bank_by_id(question.bank_id)
    if not (may_step(bank) or may_sign(bank)):
        raise BankNotFound
    return bank, question


@bp.get("/reviews")
@bureau("questions.review")
def reviews() -> str:
    """What waits for this member of staff: a step of review, or the signature of the own unit."""
    banks = queries.list_banks()
    stepping = [bank for bank in banks if may_step(bank)]
    signing = [bank for bank in banks if may_sign(bank)]
    statement = queries.select_for_reviewer(stepping, signing, current_principal().user_id)
    page = paginate(statement, page_number(), is_scalar=False)
    return render_template(
        "questions/reviews.html",
        page=page,
        banks={bank.id: bank for bank in banks},
        steps={bank.id: queries.review_steps(bank) for bank in {*stepping, *signing}},
        is_signer=bool(signing) and not reviewer_scopes(),
        **LABELS,
    )


@bp.get("/reviews/<uuid:question_id>")
@bureau("questions.review")
def review(question_id: uuid.UUID) -> str:
    """One question as its reviewer or signer reads it."""
    bank, question = _reviewable(question_id)
    return question_page(bank, question, back=url_for(".reviews"))


@bp.post("/reviews/<uuid:question_id>")
@bureau("questions.review")
def decide(question_id: uuid.UUID) -> Response:
    """Pass, sign, or send back."""
    bank, question = _reviewable(question_id)
    sent = parse_ids([request.form.get("revision", "")])
    if not sent:
        raise InvalidInput(fields={"revision": _("请刷新页面再试。")})
    note = clean_line(request.form.get("note", ""), 400)
    values: dict[str, Any] = {"revision_id": sent[0], "now": utc_now(), "actor": current_actor(), "note": note}
    decision = request.form.get("decision", "")
    if decision == "return" and not note:
        flash(_("退回时请写一句要改什么。"), "error")
        return redirect(url_for(".review", question_id=question_id))
    with transaction():
        flash(_decide(bank, question, decision, values), "success")
    return redirect(url_for(".reviews"))


def _decide(bank: QuestionBank, question: Question, decision: str, values: dict[str, Any]) -> str:
    if decision == "return":
        services.return_question(question.id, **values)
        return str(_("已退回给编辑。"))
    if decision == "sign":
        if not may_sign(bank):
            raise BankNotFound
        changed = services.sign_off_question(question.id, **values)
    else:
        if not may_step(bank):
            raise SignOffOnly
        changed = services.approve_question(question.id, **values)
    is_in_use = changed.status == "published" and changed.current_revision_id == values["revision_id"]
    return str(_("通过，这一版从现在起可以抽到。") if is_in_use else _("这一道通过了，接下来等下一道。"))


@bp.post("/banks/<slug>/q/<code>/submission")
@bureau("questions.edit")
def submit(slug: str, code: str) -> Response:
    """Send a draft to review."""
    bank, question = find_question(slug, code)
    require("questions.edit", bank)
    revision_id = (parse_ids([request.form.get("revision", "")]) or [uuid.UUID(int=0)])[0]
    with transaction():
        services.submit_question(question.id, revision_id=revision_id, now=utc_now(), actor=current_actor())
    flash(_("已经送复核。"), "success")
    return redirect(url_for(".question", slug=slug, code=code))


@bp.post("/banks/<slug>/q/<code>/retirement")
@bureau("questions.review")
def retire(slug: str, code: str) -> Response:
    """Take a question out for good."""
    return take_out(slug, code, services.retire_question, _("这道题不再使用。旧答卷和统计不受影响。"))


def take_out(slug: str, code: str, service: Callable[..., Question], said: str) -> Response:
    """Suspend or retire a question, with the reason the form gives."""
    bank, question = find_question(slug, code)
    require("questions.review", bank)
    reason = clean_line(request.form.get("reason", ""), 200)
    if reason:
        with transaction():
            service(question.id, reason=reason, now=utc_now(), actor=current_actor())
        flash(said, "success")
    else:
        flash(_("请写明原因。"), "error")
    return redirect(url_for(".question", slug=slug, code=code))


# ---- settings


@bp.get("/settings")
@bureau("system.settings")
def settings() -> str:
    """How many steps of review, and who signs which theme."""
    principal = current_principal()
    organisations = account_queries.list_organisations(principal.scopes("system.settings"))
    policies = queries.list_policies()
    roots = [unit for unit in organisations if unit.parent_id is None]
    return render_template(
        "questions/settings.html",
        roots=[(unit, policies[unit.id].steps if unit.id in policies else 1) for unit in roots],
        themes=[(theme, themes.TITLES.get(theme, theme)) for theme in queries.list_themes()],
        owners=queries.list_theme_owners(),
        units=[(str(unit.id), unit.name) for unit in organisations if unit.parent_id is not None and unit.is_active],
    )


@bp.post("/settings")
@bureau("system.settings")
def save_settings() -> Response:
    """Keep both; each change is an entry of the trail."""
    principal = current_principal()
    units = {unit.id: unit for unit in account_queries.list_organisations(principal.scopes("system.settings"))}
    now, actor = utc_now(), current_actor()
    with transaction():
        for unit in units.values():
            steps = request.form.get(f"steps-{unit.id}", "")
            if unit.parent_id is None and steps in ("1", "2", "3"):
                services.set_review_steps(unit, steps=int(steps), now=now, actor=actor)
        for theme in queries.list_themes():
            if f"owner-{theme}" in request.form:
                chosen = parse_ids([request.form[f"owner-{theme}"]])
                if chosen and chosen[0] not in units:
                    raise NotFound
                services.set_theme_owner(theme, organisation=units[chosen[0]] if chosen else None, now=now, actor=actor)
    flash(_("设置存好了，从现在起按这个复核。"), "success")
    return redirect(url_for(".settings"))
