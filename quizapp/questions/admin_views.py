"""The bureau's question banks: lists, a question with its history, review, import."""

import io
import json
import tempfile
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

from flask import Blueprint, Flask, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from quizapp.adapters.storage import Storage
from quizapp.audit.actors import current_actor
from quizapp.audit.wording import value_names
from quizapp.core.clock import utc_now
from quizapp.core.db import transaction
from quizapp.core.errors import InvalidInput, NotFound
from quizapp.core.ids import new_id
from quizapp.questions import queries, rules, services
from quizapp.questions.errors import BankFileInvalid, BankNotFound
from quizapp.questions.lint import lint_bank
from quizapp.questions.loader import BankFile, BankHead
from quizapp.questions.models import Question, QuestionBank
from quizapp.questions.owners import owner_of_new
from quizapp.questions.uploads import Upload, read_upload
from quizapp.web.access import bureau, current_principal
from quizapp.web.pagination import page_number, paginate

bp = Blueprint("questions_admin", __name__, url_prefix="/admin/questions", template_folder="templates")
blueprints = (bp,)

_UPLOAD_ENDPOINTS = frozenset({"questions_admin.upload"})
_LABELS: dict[str, Any] = {
    "kind_titles": rules.KIND_TITLES,
    "status_titles": rules.STATUS_TITLES,
    "difficulty_titles": rules.DIFFICULTY_TITLES,
    "citation_words": rules.citation_words,
}


@bp.url_value_preprocessor
def allow_large_upload(endpoint: str | None, values: dict[str, Any] | None) -> None:
    """Before the body is read for the CSRF token: this form may carry a file."""
    if endpoint in _UPLOAD_ENDPOINTS:
        request.max_content_length = current_app.config["MAX_UPLOAD_BYTES"]


def _bank(slug: str) -> QuestionBank:
    """A bank this member of staff may see."""
    bank = queries.get_bank(slug)
    path = queries.owner_path(bank)
    if path is not None and not current_principal().covers("questions.view", path):
        raise BankNotFound
    return bank


def _may(permission: str, bank: QuestionBank) -> bool:
    return rules.may_change(current_principal().scopes(permission), queries.owner_path(bank))


def _require(permission: str, bank: QuestionBank) -> None:
    if not _may(permission, bank):
        raise BankNotFound


def _question(slug: str, code: str) -> tuple[QuestionBank, Question]:
    bank = _bank(slug)
    question = queries.find_question(bank.id, code)
    if question is None:
        raise NotFound
    return bank, question


@bp.get("")
@bureau("questions.view")
def index() -> str:
    """The banks with their counts."""
    banks = queries.list_bank_counts(queries.in_scopes(current_principal().scopes("questions.view")))
    live = sum(item.by_status.get("published", 0) for item in banks)
    return render_template("questions/banks.html", banks=banks, live=live, **_LABELS)


@bp.get("/banks/<slug>")
@bureau("questions.view")
def bank(slug: str) -> str:
    """The questions of a bank, filtered."""
    found = _bank(slug)
    chosen = {name: request.args.get(name, "")[:100].strip() for name in ("q", "kind", "difficulty", "status")}
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
        may_review=_may("questions.review", found),
        may_edit=_may("questions.edit", found),
        **_LABELS,
    )


@bp.get("/banks/<slug>/q/<code>")
@bureau("questions.view")
def question(slug: str, code: str) -> str:
    """One question as it looks on a phone, with its revisions."""
    found, item = _question(slug, code)
    revisions = queries.list_revisions(item.id)
    shown = next((row for row in revisions if str(row.number) == request.args.get("revision")), revisions[0])
    return render_template(
        "questions/question.html",
        bank=found,
        question=item,
        revisions=revisions,
        shown=shown,
        view=queries.as_view(shown),
        letters=rules.LETTERS,
        authors=queries.names_of_authors(revisions),
        is_waiting=item.status in ("draft", "in_review") or item.current_revision_id != revisions[0].id,
        may_review=_may("questions.review", found),
        **_LABELS,
    )


@bp.post("/banks/<slug>/q/<code>/approval")
@bureau("questions.review")
def approve(slug: str, code: str) -> Response:
    found, item = _question(slug, code)
    _require("questions.review", found)
    try:
        revision_id = uuid.UUID(request.form.get("revision", ""))
    except ValueError:
        raise InvalidInput(fields={"revision": _("请刷新页面再试。")}) from None
    with transaction():
        services.approve_question(item.id, revision_id=revision_id, now=utc_now(), actor=current_actor())
    flash(_("复核通过，这一版从现在起可以抽到。"), "success")
    return redirect(url_for(".question", slug=slug, code=code))


@bp.post("/banks/<slug>/q/<code>/suspension")
@bureau("questions.review")
def suspend(slug: str, code: str) -> Response:
    found, item = _question(slug, code)
    _require("questions.review", found)
    reason = request.form.get("reason", "").strip()
    if not reason:
        flash(_("请写明停用的原因。"), "error")
        return redirect(url_for(".question", slug=slug, code=code))
    with transaction():
        services.suspend_question(item.id, reason=reason, now=utc_now(), actor=current_actor())
    flash(_("已停用，新的答卷不会再抽到它。"), "success")
    return redirect(url_for(".question", slug=slug, code=code))


@bp.post("/banks/<slug>/approval")
@bureau("questions.review")
def approve_all(slug: str) -> Response:
    """Review everything that waits in this bank."""
    found = _bank(slug)
    _require("questions.review", found)
    with transaction():
        count = services.approve_bank(found, now=utc_now(), actor=current_actor())
    flash(_("复核通过 %(count)d 道题。", count=count), "success")
    return redirect(url_for(".bank", slug=slug))


# ---- import in three steps: upload, check, take in


def _storage() -> Storage:
    return cast(Storage, current_app.extensions["storage"])


def _key() -> str:
    """Where an upload is kept until it is taken in: one place per member of staff, so that forgotten ones do not pile up."""
    return f"bank-{current_principal().user_id.hex}"


def _keep(upload: Upload, slug: str) -> uuid.UUID:
    upload_id = new_id()
    head = json.dumps({"id": upload_id.hex, "name": upload.name, "slug": slug}).encode()
    with tempfile.NamedTemporaryFile() as file:
        file.write(len(head).to_bytes(4) + head + upload.raw)
        file.flush()
        _storage().put(_key(), Path(file.name))
    return upload_id


def _kept(upload_id: uuid.UUID) -> tuple[Upload, str]:
    """The upload with this id, if it is this member's latest.

    :raises NotFound: if it was taken in, cancelled or followed by another
    """
    with suppress(FileNotFoundError), _storage().open(_key()) as file:
        head = json.loads(file.read(int.from_bytes(file.read(4))))
        if head["id"] == upload_id.hex:
            return Upload(head["name"], file.read()), head["slug"]
    raise NotFound(_("这次上传的文件已经处理过，或者后来又传了别的，请重新上传。"))


def _read(upload: Upload, slug: str) -> BankFile:
    """Check an upload, and that its bank is one this member of staff may change."""
    head = None
    if slug:
        known = _bank(slug)
        head = BankHead(known.slug, known.title, known.theme, known.description, known.licence)
    bank_file = read_upload(upload, head)
    existing = queries.find_bank(bank_file.head.slug)
    if existing is not None:
        _require("questions.edit", existing)
    return bank_file


def _choices() -> list[tuple[str, str]]:
    banks = queries.list_bank_counts(queries.in_scopes(current_principal().scopes("questions.edit")))
    return [(bank.slug, bank.title) for bank in banks]


@bp.get("/import")
@bureau("questions.edit")
def import_form() -> str:
    return render_template("questions/import.html", choices=_choices(), slug=request.args.get("bank", ""), errors={})


@bp.post("/import")
@bureau("questions.edit")
def upload() -> Response | str:
    """Keep the file and go to what the check says."""
    file = request.files.get("file")
    raw = file.stream.read() if file else b""
    if file is None or not raw:
        errors = {"file": [_("请选一个文件：zip，或者 questions.yaml。")]}
        return render_template("questions/import.html", choices=_choices(), slug=request.form.get("bank", ""), errors=errors)
    upload_id = _keep(Upload((file.filename or "questions.yaml")[-100:], raw), request.form.get("bank", ""))
    return redirect(url_for(".check_upload", upload_id=upload_id))


@bp.get("/import/<uuid:upload_id>")
@bureau("questions.edit")
def check_upload(upload_id: uuid.UUID) -> str:
    """What is in the file, or every mistake of it."""
    sent, slug = _kept(upload_id)
    try:
        bank_file = _read(sent, slug)
    except BankFileInvalid as error:
        return render_template("questions/import_check.html", upload_id=upload_id, name=sent.name, size=len(sent.raw), rows=error.rows)
    return render_template(
        "questions/import_check.html",
        upload_id=upload_id,
        name=sent.name,
        size=len(sent.raw),
        rows=(),
        head=bank_file.head,
        preview=services.preview_import(bank_file),
        findings=lint_bank(bank_file),
        **_LABELS,
    )


@bp.post("/import/<uuid:upload_id>")
@bureau("questions.edit")
def take_in(upload_id: uuid.UUID) -> Response:
    """Take in a checked upload. New questions wait for review, in the demo they can be drawn at once."""
    sent, slug = _kept(upload_id)
    if request.form.get("action") == "cancel":
        _storage().delete(_key())
        return redirect(url_for(".index"))
    try:
        bank_file = _read(sent, slug)
    except BankFileInvalid:
        return redirect(url_for(".check_upload", upload_id=upload_id))
    principal = current_principal()
    with transaction():
        result = services.import_entries(
            bank_file,
            now=utc_now(),
            actor=current_actor(),
            publish=current_app.config["IS_DEMO"],
            replace=request.form.get("replace") == "1",
            organisation_id=owner_of_new(principal),
            created_by=principal.user_id,
        )
    _storage().delete(_key())
    flash(
        _(
            "导入完成：新增 %(added)d 道，改了 %(revised)d 道，没有变化 %(same)d 道，保留后台改过的 %(kept)d 道。",
            added=len(result.added),
            revised=len(result.revised),
            same=result.unchanged,
            kept=len(result.kept),
        ),
        "success",
    )
    return redirect(url_for(".bank", slug=result.slug))


@bp.get("/banks/<slug>/questions.zip")
@bureau("questions.view")
def export(slug: str) -> Response:
    """The bank as a zip that can be imported again."""
    found = _bank(slug)
    raw = io.BytesIO(services.zip_bank(services.export_bank(found.slug)))
    headers = {"Content-Disposition": f'attachment; filename="{found.slug}.zip"'}
    return current_app.response_class(raw.getvalue(), mimetype="application/zip", headers=headers)


def init_app(app: Flask) -> None:
    value_names["banks"] = queries.bank_titles
