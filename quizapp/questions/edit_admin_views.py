"""The list of all questions with its filters and changes to many at once, and the editor."""

import uuid
from dataclasses import replace

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from quizapp.audit.actors import current_actor
from quizapp.core.clock import utc_now
from quizapp.core.db import transaction
from quizapp.core.errors import AppError, InvalidInput
from quizapp.core.text import clean_line
from quizapp.questions import queries, services
from quizapp.questions.admin_base import LABELS, bp, find_bank, find_question, may, parse_ids, require
from quizapp.questions.errors import BankFileInvalid
from quizapp.questions.forms import LEAST_CHOICES, SPARE_LAWS, QuestionDraft, draft_of, errors_by_field, read_draft
from quizapp.questions.lint import lint_bank
from quizapp.questions.loader import BankFile, BankHead, parse_entries
from quizapp.questions.models import Question, QuestionBank, QuestionRevision
from quizapp.questions.rules import FLAG_SOURCES, KIND_TITLES, LETTERS, STATUS_TITLES
from quizapp.web.access import bureau, current_principal
from quizapp.web.pagination import page_number, paginate

FILTERS = ("q", "bank", "kind", "difficulty", "law", "tag", "status", "flag")


# ---- the list


def _chosen() -> dict[str, str]:
    chosen = {name: clean_line(request.args.get(name, ""), 100) for name in FILTERS}
    known = {"kind": KIND_TITLES, "status": {**STATUS_TITLES, "waiting": "", "drafted": ""}, "flag": {**FLAG_SOURCES, "any": ""}}
    return {name: "" if name in known and value not in known[name] else value for name, value in chosen.items()}


@bp.get("/all")
@bureau("questions.view")
def questions() -> str:
    """Every question this member of staff sees, filtered."""
    chosen = _chosen()
    scope = queries.in_scopes(current_principal().scopes("questions.view"))
    banks = queries.list_banks(scope)
    by_slug = {bank.slug: bank for bank in banks}
    statement = queries.select_questions(
        by_slug[chosen["bank"]].id if chosen["bank"] in by_slug else None,
        banks=scope,
        text=chosen["q"],
        kind=chosen["kind"],
        difficulty=int(chosen["difficulty"]) if chosen["difficulty"] in ("1", "2", "3", "4", "5") else 0,
        status=chosen["status"],
        law=chosen["law"],
        tag=chosen["tag"],
        flag=chosen["flag"],
    )
    page = paginate(statement, page_number(), is_scalar=False)
    may_edit = {bank.id for bank in banks if may("questions.edit", bank)}
    return render_template(
        "questions/questions.html",
        banks={bank.id: bank for bank in banks},
        bank_choices=[(bank.slug, bank.title) for bank in banks],
        chosen=chosen,
        page=page,
        flags=queries.list_flags([question.id for question, _revision in page.items]),
        targets=[bank for bank in banks if bank.id in may_edit],
        may_edit=may_edit,
        **LABELS,
    )


@bp.post("/bulk")
@bureau("questions.edit")
def bulk() -> Response:
    """Give tags to the ticked questions, take them away, or move the questions to another bank."""
    back = request.form.get("back", "")
    target = back if back.startswith("/admin/questions/") else url_for(".questions")
    ids = parse_ids(request.form.getlist("ids"))
    if not ids:
        flash(_("先勾选要改的题。"), "error")
        return redirect(target)
    for bank_id in {queries.get_question(question_id).bank_id for question_id in ids}:
        require("questions.edit", queries.get_bank_by_id(bank_id))
    try:
        flash(_do_bulk(ids), "success")
    except InvalidInput as refusal:
        flash(refusal.message, "error")
    return redirect(target)


def _do_bulk(ids: list[uuid.UUID]) -> str:
    action, now, actor = request.form.get("action", ""), utc_now(), current_actor()
    tags = [tag.strip() for tag in request.form.get("tags", "").replace("、", "，").replace(",", "，").split("，") if tag.strip()]
    if action == "move":
        bank = find_bank(clean_line(request.form.get("bank", ""), 64))
        require("questions.edit", bank)
        with transaction():
            count = services.move_questions(ids, bank=bank, now=now, actor=actor)
        return str(_("%(count)d 道题移到了“%(bank)s”。", count=count, bank=bank.title))
    if not tags:
        raise InvalidInput(fields={"tags": _("请写标签。")})
    changes: dict[str, list[str]] = {"add" if action == "tag" else "remove": tags}
    with transaction():
        count = services.tag_questions(ids, now=now, actor=actor, **changes)
    return str(_("%(count)d 道题的标签改好了。", count=count))


# ---- the editor


@bp.get("/banks/<slug>/new")
@bureau("questions.edit")
def new_question(slug: str) -> str:
    bank = find_bank(slug)
    require("questions.edit", bank)
    return _editor(bank, QuestionDraft())


@bp.post("/banks/<slug>/new")
@bureau("questions.edit")
def create_question(slug: str) -> Response | str | tuple[str, int]:
    bank = find_bank(slug)
    require("questions.edit", bank)
    draft = read_draft(request.form)
    if _asks_for_room():
        return _editor(bank, draft)
    is_submitting = request.form.get("action") == "submit"
    try:
        with transaction():
            question = services.create_question(bank, draft.to_raw(), now=utc_now(), actor=current_actor(), submit=is_submitting)
    except AppError as refusal:
        return _editor(bank, replace(draft, errors=_errors(refusal))), 422
    flash(_("新题已经送复核。") if is_submitting else _("草稿存好了，写完再送复核。"), "success")
    return redirect(url_for(".question", slug=slug, code=question.code))


@bp.get("/banks/<slug>/q/<code>/edit")
@bureau("questions.edit")
def edit_question(slug: str, code: str) -> str:
    bank, question = find_question(slug, code)
    require("questions.edit", bank)
    newest = queries.list_revisions(question.id)[0]
    return _editor(bank, draft_of(services.as_entry(question, newest)), question, newest)


@bp.post("/banks/<slug>/q/<code>/edit")
@bureau("questions.edit")
def save_question(slug: str, code: str) -> Response | str | tuple[str, int]:
    """A new revision, as a draft or sent to review."""
    bank, question = find_question(slug, code)
    require("questions.edit", bank)
    draft = read_draft(request.form, code)
    newest = queries.list_revisions(question.id)[0]
    if _asks_for_room():
        return _editor(bank, draft, question, newest)
    is_submitting = request.form.get("action") == "submit"
    based_on = (parse_ids([request.form.get("revision", "")]) or [newest.id])[0]
    try:
        with transaction():
            saved = services.save_question(
                question.id, draft.to_raw(), based_on=based_on, now=utc_now(), actor=current_actor(), submit=is_submitting
            )
            if saved is None and is_submitting and (question.status == "draft" or question.has_draft):
                services.submit_question(question.id, revision_id=newest.id, now=utc_now(), actor=current_actor())
    except (BankFileInvalid, InvalidInput) as refusal:
        return _editor(bank, replace(draft, errors=_errors(refusal)), question, newest), 422
    if saved is None and not is_submitting:
        flash(_("内容没有变化，没有存成新版本。"), "message")
    else:
        flash(_("已经送复核，复核通过后才会抽到这一版。") if is_submitting else _("草稿存好了，写完再送复核。"), "success")
    return redirect(url_for(".question", slug=slug, code=code))


def _asks_for_room() -> bool:
    """Without JavaScript, one more row is asked of the server."""
    return request.form.get("action") in ("more_choices", "more_laws", "more_documents", "check")


def _errors(refusal: AppError) -> dict[str, list[str]]:
    if isinstance(refusal, BankFileInvalid):
        return errors_by_field(refusal.rows)
    if isinstance(refusal, InvalidInput):
        return {"code" if name == "id" else name: [text] for name, text in refusal.fields.items()}
    raise refusal


def _editor(bank: QuestionBank, draft: QuestionDraft, question: Question | None = None, newest: QuestionRevision | None = None) -> str:
    action = request.form.get("action", "")
    choices = list(draft.choices) + [""] * max(0, LEAST_CHOICES - len(draft.choices))
    if action == "more_choices" and len(choices) < len(LETTERS):
        choices.append("")
    spare = SPARE_LAWS if action == "more_laws" else 0 if draft.laws else 1
    return render_template(
        "questions/edit.html",
        bank=bank,
        question=question,
        newest=newest,
        draft=draft,
        choices=choices,
        laws=[*draft.laws, *[("", "")] * spare],
        documents=[*draft.documents, *([{}] if action == "more_documents" else [])],
        findings=_findings(bank, draft) if question or action == "check" else [],
        steps=queries.review_steps(bank),
        signer=queries.sign_off_unit(bank),
        is_checked=action == "check",
        **LABELS,
    )


def _findings(bank: QuestionBank, draft: QuestionDraft) -> list[str]:
    """What a script has to say about the question as it stands; nothing while its shape is not right yet."""
    try:
        entries = parse_entries([{**draft.to_raw(), "id": draft.code or "n-0001"}])
    except BankFileInvalid as refusal:
        return [f"{row.field}：{row.reason}" for row in refusal.rows]
    head = BankHead(bank.slug, bank.title, bank.theme, bank.description or "-", bank.licence or "-")
    return [finding.message for finding in lint_bank(BankFile(head, entries)) if finding.entry]
