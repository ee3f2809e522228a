"""Import in three steps (file, check, take in) and export: screens of the banks' blueprint."""

import re
import secrets
import uuid
from dataclasses import asdict
from typing import Any

from flask import Response, current_app, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from quizapp.core import themes
from quizapp.core.clock import utc_now
from quizapp.core.db import transaction
from quizapp.core.errors import InvalidInput
from quizapp.questions import queries, services
from quizapp.questions.admin_base import LABELS, bp, find_bank, may, require
from quizapp.questions.errors import BankFileInvalid
from quizapp.questions.exchange import banks, formats, imports, jobs, printed, printed_docx, printed_pdf, sheet_files
from quizapp.questions.exchange.parsed import Problem
from quizapp.questions.exchange.saving import Options
from quizapp.questions.exchange_models import QuestionImport
from quizapp.questions.loader import BankHead, parse_head
from quizapp.questions.models import QuestionBank
from quizapp.questions.owners import owner_of_new
from quizapp.web.access import bureau, current_principal
from quizapp.web.pagination import Page, page_number

SMALL_BYTES = 200 * 1024
"""A file up to this size is looked through at once; a larger one waits for the worker."""
SMALL_COUNT = 300
"""So many questions are taken in at once."""
PASTED_BYTES = 4 * 1024 * 1024
FORM_BYTES = 64 * 1024
"""What a form holds beside its file."""
PER_PAGE = 100
_LARGE_ENDPOINTS = frozenset({"questions_admin.upload"})
_NEW = "+"
_IN_FILE = "-"


@bp.url_value_preprocessor
def allow_large_upload(endpoint: str | None, values: dict[str, Any] | None) -> None:
    """Before the body is read for the CSRF token: this form may carry a file, or much pasted text."""
    if endpoint in _LARGE_ENDPOINTS:
        request.max_content_length = current_app.config["MAX_UPLOAD_BYTES"] + FORM_BYTES
        request.max_form_memory_size = PASTED_BYTES


# ---- 1. the file


def _choices() -> list[tuple[str, str]]:
    found = queries.list_bank_counts(queries.in_scopes(current_principal().scopes("questions.edit")))
    mine = [(bank.slug, bank.title) for bank in found if may("questions.edit", queries.get_bank(bank.slug))]
    return [*mine, (_NEW, _("新建一个题库")), (_IN_FILE, _("文件里写明的题库（从平台导出的 zip）"))]


def _form_page(errors: dict[str, list[str]], status: int = 200) -> tuple[str, int]:
    values = {name: request.values.get(name, "") for name in ("bank", "new_title", "new_slug", "new_theme")}
    page = render_template(
        "questions/import.html",
        choices=_choices(),
        values=values,
        themes=list(themes.TITLES.items()),
        errors=errors,
        accepted=formats.ACCEPTED,
        earlier=imports.list_imports(current_principal().user_id),
        words=_STATE_WORDS,
    )
    return page, status


@bp.get("/import")
@bureau("questions.edit")
def import_form() -> tuple[str, int]:
    return _form_page({})


@bp.get("/import/template.xlsx")
@bureau("questions.edit")
def import_template() -> Response:
    """The table to fill in."""
    return _download(sheet_files.write_template(), "题目导入模板.xlsx", formats.BY_NAME["xlsx"].mimetype)


@bp.post("/import")
@bureau("questions.edit")
def upload() -> BaseResponse | tuple[str, int]:
    """Keep the file and go to what the check says."""
    file = request.files.get("file")
    raw = file.stream.read() if file else b""
    name = (file.filename or "")[-150:] if raw and file else _("粘贴的文字")
    raw = raw or request.form.get("text", "").strip().encode("utf-8", "replace")
    errors: dict[str, list[str]] = {} if raw else {"file": [_("请选一个文件，或者把题目粘贴在下面。")]}
    if len(raw) > current_app.config["MAX_UPLOAD_BYTES"]:
        errors["file"] = [_("文件超过 20 MB，请拆成几个再传。")]
    head = _chosen_bank(errors)
    if errors:
        return _form_page(errors, 422)
    principal = current_principal()
    slug = request.form.get("bank", "")
    with transaction():
        row, replaced = imports.request_check(
            bank_slug="" if slug == _IN_FILE else head.slug if head else slug,
            file_name=name,
            size=len(raw),
            organisation_id=owner_of_new(principal),
            staff_id=principal.user_id,
            new_bank=asdict(head) if head else None,
            now=utc_now(),
        )
        imports.put_bytes(jobs.storage(), imports.source_key(row.id), raw)
    for old in replaced:
        imports.forget_files(jobs.storage(), old)
    if len(raw) <= SMALL_BYTES:
        jobs.work_now(row.id)
    return redirect(url_for(".file_import", import_id=row.id))


def _chosen_bank(errors: dict[str, list[str]]) -> BankHead | None:
    """Check where the questions shall go; the head of a new bank, if it is to be one."""
    slug = request.form.get("bank", "")
    if not slug:
        errors["bank"] = [_("请选导入到哪个题库。")]
    elif slug == _NEW:
        return _new_head(errors)
    elif slug != _IN_FILE:
        require("questions.edit", find_bank(slug))
    return None


def _new_head(errors: dict[str, list[str]]) -> BankHead | None:
    given = {name: request.form.get(f"new_{name}", "").strip() for name in ("title", "slug", "theme")}
    try:
        head = parse_head(given, "bank")
    except BankFileInvalid as error:
        for row in error.rows:
            errors.setdefault(f"new_{row.field}", []).append(row.reason)
        return None
    if queries.find_bank(head.slug) is not None:
        errors["new_slug"] = [_("已经有这个网址名称的题库，换一个，或者在上面选它。")]
    return head


# ---- 2. the check

_STATE_WORDS = {
    "waiting_check": "排队检查",
    "checking": "正在检查",
    "checked": "等您确认",
    "waiting_import": "排队导入",
    "importing": "正在导入",
    "done": "已导入",
    "failed": "没有成功",
}


def _own(import_id: uuid.UUID) -> QuestionImport:
    return imports.get_import(import_id, current_principal().user_id)


def _target(row: QuestionImport) -> QuestionBank | None:
    """The bank a file goes to, if it is there already and this member of staff may change it.

    :raises BankNotFound: if they may not
    """
    bank = queries.find_bank(row.bank_slug) if row.bank_slug else None
    if bank is not None:
        require("questions.edit", bank)
    return bank


@bp.get("/import/<uuid:import_id>")
@bureau("questions.edit")
def file_import(import_id: uuid.UUID) -> str:
    """How far it is, what the check found, or what has become of it."""
    row = _own(import_id)
    common = {"row": row, "state_word": _STATE_WORDS[row.state]}
    if row.state in ("waiting_check", "checking", "waiting_import", "importing"):
        return render_template("questions/import_wait.html", **common)
    bank = _target(row)
    report = imports.read_report(jobs.storage(), row.id) if row.state != "failed" else None
    return render_template(
        "questions/import_check.html" if row.state == "checked" else "questions/import_done.html",
        bank=bank,
        head=report.head if report else None,
        page=_problem_page(report.problems if report else ()),
        chosen=request.args.get("show", ""),
        sample=report.sample[:5] if report else (),
        **common,
        **LABELS,
    )


def _problem_page(problems: tuple[Problem, ...]) -> Page[Problem]:
    severity = {"errors": "error", "notes": "note"}.get(request.args.get("show", ""))
    chosen = [problem for problem in problems if severity in (None, problem.severity)]
    number = page_number()
    return Page(chosen[(number - 1) * PER_PAGE : number * PER_PAGE], number, len(chosen), PER_PAGE)


@bp.get("/import/<uuid:import_id>/status")
@bureau("questions.edit")
def import_status(import_id: uuid.UUID) -> Response:
    """The same for the page's script."""
    row = _own(import_id)
    is_over = row.state in ("checked", "done", "failed")
    return jsonify(state="done" if is_over else row.state, percent=row.progress, message=f"{_STATE_WORDS[row.state]} {row.progress}%")


@bp.get("/import/<uuid:import_id>/problems.xlsx")
@bureau("questions.edit")
def import_problems(import_id: uuid.UUID) -> Response:
    """The list of what to mend, as a table."""
    row = _own(import_id)
    report = imports.read_report(jobs.storage(), row.id)
    return _download(sheet_files.write_problems(report.problems), "要处理的行.xlsx", formats.BY_NAME["xlsx"].mimetype)


# ---- 3. taking in


@bp.post("/import/<uuid:import_id>")
@bureau("questions.edit")
def take_in(import_id: uuid.UUID) -> BaseResponse:
    """Take in what is good, or nothing unless all is; or forget the file."""
    row = _own(import_id)
    staff_id = current_principal().user_id
    if request.form.get("action") == "cancel":
        with transaction():
            imports.cancel_import(row.id, staff_id=staff_id)
        imports.forget_files(jobs.storage(), row.id)
        return redirect(url_for(".index"))
    _target(row)
    options = Options(
        takes_all=request.form.get("mode") == "all",
        submits=request.form.get("submits") == "1",
        replaces=request.form.get("replaces") == "1",
        adds_doubles=request.form.get("adds_doubles") == "1",
    )
    with transaction():
        row = imports.confirm_import(import_id, options, staff_id=staff_id)
    if row.counts["good"] <= SMALL_COUNT:
        jobs.work_now(row.id)
    return redirect(url_for(".file_import", import_id=row.id))


# ---- out


def _download(raw: bytes, name: str, mimetype: str) -> Response:
    response = current_app.response_class(raw, mimetype=mimetype)
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response


@bp.get("/banks/<slug>/exports")
@bureau("questions.view")
def export(slug: str) -> str:
    """The formats, with what each cannot carry; and papers to print."""
    bank = find_bank(slug)
    entries = services.export_bank(bank.slug).entries
    pool = queries.list_pool(banks=[bank.slug])
    return render_template(
        "questions/export.html",
        bank=bank,
        total=len(entries),
        formats=[(format, sum(not format.can_hold(entry) for entry in entries)) for format in formats.FORMATS],
        counts=[(kind, sum(item.kind == kind for item in pool)) for kind in printed.ORDER],
        serial=secrets.token_hex(3).upper(),
        **LABELS,
    )


@bp.get("/banks/<slug>/exports/<name>/file")
@bureau("questions.view")
def export_file(slug: str, name: str) -> Response:
    """The newest revision of every question of a bank, in one format; ``zip`` is the bank's own."""
    bank_file = services.export_bank(find_bank(slug).slug)
    if name == "zip":
        return _download(banks.write_zip(bank_file), f"{slug}.zip", "application/zip")
    format = formats.BY_NAME.get(name)
    if format is None:
        raise InvalidInput(fields={"name": _("没有这种格式。")})
    return _download(format.write(bank_file.entries), f"{slug}.{format.extension}", format.mimetype)


@bp.get("/banks/<slug>/paper/file")
@bureau("questions.view")
def paper(slug: str) -> Response:
    """A paper of questions in use, to print."""
    bank = find_bank(slug)
    counts = {kind: _whole(f"count_{kind}") for kind in printed.ORDER}
    if not 0 < sum(counts.values()) <= printed.MAX_QUESTIONS:
        raise InvalidInput(fields={"count": _("一张卷子 1 到 %(most)d 道题。", most=printed.MAX_QUESTIONS)})
    serial = re.sub(r"[^0-9A-Za-z]", "", request.args.get("serial", ""))[:12] or secrets.token_hex(3).upper()
    drawn = printed.draw_for_paper(queries.list_pool(banks=[bank.slug]), counts, serial)
    if not drawn:
        raise InvalidInput(fields={"count": _("这个题库里还没有在用的题，先复核几道。")})
    views = queries.get_revisions([item.revision_id for item in drawn])
    title = " ".join(request.args.get("title", "").split())[:60] or bank.title
    made = printed.make_paper(title, serial, [views[item.revision_id] for item in drawn], has_key=request.args.get("key") == "1")
    if request.args.get("format") == "docx":
        return _download(printed_docx.write(made), f"{slug}-{serial}.docx", formats.BY_NAME["docx"].mimetype)
    return _download(printed_pdf.write(made), f"{slug}-{serial}.pdf", "application/pdf")


def _whole(name: str) -> int:
    text = request.args.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 5 else 0
