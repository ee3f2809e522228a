"""The bureau's statutes: the list, import with a preview, one article from a day on, documents typed in, reading lists."""

import uuid
from collections.abc import Mapping
from typing import Any, cast

from flask import Blueprint, Flask, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from quizapp.accounts.queries import list_groups
from quizapp.adapters.storage import Storage
from quizapp.audit.actors import current_actor
from quizapp.core.clock import shanghai_day, utc_now
from quizapp.core.db import transaction
from quizapp.core.errors import AppError, InvalidInput, NotFound
from quizapp.core.text import clean_line
from quizapp.statutes import dependents, forms, queries, rules, services, uploads
from quizapp.statutes.errors import ArticleChanged, LawFilesInvalid, NotAtTheTop
from quizapp.statutes.loader import MAX_FILES, Upload, read_uploads
from quizapp.statutes.models import Statute
from quizapp.statutes.views import names_of
from quizapp.web.access import bureau, current_principal
from quizapp.web.pagination import page_number, paginate

bp = Blueprint("statutes_admin", __name__, url_prefix="/admin/statutes", template_folder="templates")
blueprints = (bp,)

Page = str | Response | tuple[str, int]
FORM_BYTES = 256 * 1024
"""What a form of many files holds beside them."""
_UPLOAD_ENDPOINTS = frozenset({"statutes_admin.upload"})
_LABELS: dict[str, Any] = {"kind_titles": rules.KIND_TITLES, "status_titles": rules.STATUS_TITLES, "fact_titles": rules.FACT_TITLES}


@bp.url_value_preprocessor
def allow_large_upload(endpoint: str | None, values: dict[str, Any] | None) -> None:
    """Before the body is read for the CSRF token: this form carries files, a folder of them if need be."""
    if endpoint in _UPLOAD_ENDPOINTS:
        request.max_content_length = current_app.config["MAX_UPLOAD_BYTES"] + FORM_BYTES
        request.max_form_parts = MAX_FILES + 10


def _may_change() -> bool:
    return rules.may_change(current_principal().scopes("statutes.edit"))


def _require_change() -> None:
    """Statutes are shared by everybody, so only the top may change them.

    :raises NotAtTheTop: for staff of a unit below
    """
    if not _may_change():
        raise NotAtTheTop


def _statute(statute_id: uuid.UUID) -> Statute:
    rows = queries.get_by_ids([statute_id])
    if statute_id not in rows:
        raise NotFound
    return rows[statute_id]


@bp.get("")
@bureau("statutes.edit")
def index() -> str:
    """The statutes that are here."""
    q, kind = clean_line(request.args.get("q", ""), rules.MAX_QUERY), request.args.get("kind", "")
    page = paginate(queries.select_statutes(q, kind if kind in rules.KIND_TITLES else ""), page_number(), 50)
    ids = [row.id for row in page.items]
    return render_template(
        "statutes/admin_index.html",
        page=page,
        q=q,
        kind=kind,
        counts=queries.count_by_kind(),
        article_counts=queries.count_articles(ids),
        covered=dict(zip(ids, dependents.cover(list(queries.names_of(ids).values())), strict=True)),
        today=shanghai_day(utc_now()),
        status_on=rules.status_on,
        may_change=_may_change(),
        **_LABELS,
    )


@bp.get("/<uuid:statute_id>")
@bureau("statutes.edit")
def show(statute_id: uuid.UUID) -> str:
    """One statute: facts and every article with its versions."""
    statute, today = _statute(statute_id), shanghai_day(utc_now())
    [coverage] = dependents.cover([queries.names_of([statute_id])[statute_id]])
    versions = queries.versions_by_number(statute_id)
    q = clean_line(request.args.get("q", ""), rules.MAX_QUERY)
    rows = [
        (number, rules.label(number, statute.unit), rules.pick(found, today), len(found))
        for number, found in versions.items()
        if not q or q == number or any(q in (version.text or "") for version in found)
    ]
    number = page_number()
    return render_template(
        "statutes/admin_show.html",
        statute=statute,
        status=rules.status_on(today, effective_on=statute.effective_on, repealed_on=statute.repealed_on, is_repealed=statute.is_repealed),
        rows=rows[(number - 1) * 50 : number * 50],
        total=len(rows),
        number=number,
        coverage=coverage,
        cited=set(coverage.articles),
        q=q,
        may_change=_may_change(),
        **_LABELS,
    )


# ---- facts and documents typed in


def _facts_page(template: str, sent: Mapping[str, Any], errors: Mapping[str, str], **more: Any) -> str:
    shown = {name: [message] for name, message in errors.items()}
    return render_template(template, sent=sent, errors=shown, suspends=dependents.suspends(), **more, **_LABELS)


@bp.get("/new")
@bureau("statutes.edit")
def new() -> str:
    _require_change()
    return _facts_page("statutes/admin_new.html", {"kind": "interpretation"}, {})


@bp.post("/new")
@bureau("statutes.edit")
def create() -> Page:
    """Add a document that was typed or pasted."""
    _require_change()
    try:
        sent = forms.read_new(request.form)
        with transaction():
            statute = services.create_statute(sent.facts, sent.articles, unit=sent.unit, now=utc_now(), actor=current_actor())
            statute_id = statute.id
    except InvalidInput as error:
        return _facts_page("statutes/admin_new.html", request.form, error.fields), 422
    except AppError as error:
        return _facts_page("statutes/admin_new.html", request.form, {"short_title": error.message}), error.http_status
    flash(_("已加入法条库，认出 %(n)d 条。", n=len(sent.articles)), "success")
    return redirect(url_for(".show", statute_id=statute_id))


@bp.get("/<uuid:statute_id>/facts")
@bureau("statutes.edit")
def facts(statute_id: uuid.UUID) -> str:
    _require_change()
    statute = _statute(statute_id)
    return _facts_page("statutes/admin_facts.html", _sent_of(statute), {}, statute=statute)


def _sent_of(statute: Statute) -> dict[str, Any]:
    columns = (
        *("title", "kind", "issuer", "number", "adopted_on", "effective_on", "last_amended_on"),
        *("is_repealed", "repealed_on", "repealed_by", "is_outdated", "note"),
    )
    sent = {name: getattr(statute, name) for name in columns}
    return {**sent, "aliases": "\n".join(statute.aliases)}


@bp.post("/<uuid:statute_id>/facts")
@bureau("statutes.edit")
def save_facts(statute_id: uuid.UUID) -> Page:
    _require_change()
    statute = _statute(statute_id)
    try:
        wanted = forms.read_facts(request.form, statute)
        with transaction():
            suspend = request.form.get("suspend") == "1"
            listed = services.save_facts(statute_id, wanted, suspend=suspend, now=utc_now(), actor=current_actor())
    except InvalidInput as error:
        return _facts_page("statutes/admin_facts.html", request.form, error.fields, statute=_statute(statute_id)), 422
    flash(_listed(_("已保存。"), listed), "success")
    return redirect(url_for(".show", statute_id=statute_id))


def _listed(words: str, listed: int) -> str:
    return words + (_("有 %(n)d 道题引用它，已列入“法条变化”等人看。", n=listed) if listed else "")


# ---- one article


@bp.get("/<uuid:statute_id>/articles/<number>")
@bureau("statutes.edit")
def article(statute_id: uuid.UUID, number: str) -> str:
    """An article with its history, and the form that lets it read otherwise from a day on."""
    return _article_page(_statute(statute_id), number, None, {})


@bp.get("/<uuid:statute_id>/articles")
@bureau("statutes.edit")
def new_article(statute_id: uuid.UUID) -> Response:
    """To the page of an article that is not there yet."""
    number = request.args.get("number", "").strip()
    if not rules.is_number(number):
        flash(_("条号写数字，例如 25 或 133-1。"), "error")
        return redirect(url_for(".show", statute_id=statute_id))
    return redirect(url_for(".article", statute_id=statute_id, number=number))


def _article_page(statute: Statute, number: str, sent: Mapping[str, Any] | None, errors: Mapping[str, str]) -> str:
    if not rules.is_number(number):
        raise NotFound
    versions = queries.list_versions(statute.id, number)
    today = shanghai_day(utc_now())
    current = rules.pick(versions, today) or (versions[-1] if versions else None)
    newest = services.newest_id(versions)
    return render_template(
        "statutes/admin_article.html",
        statute=statute,
        number=number,
        label=rules.label(number, statute.unit),
        versions=versions[::-1],
        current=current,
        authors=queries.names_of_authors(versions),
        sent=sent or {"text": current.text if current else "", "effective_from": "", "seen": newest or ""},
        errors={name: [message] for name, message in errors.items()},
        suspends=dependents.suspends() if sent is None else sent.get("suspend") == "1",
        dependent_count=_count_dependents(statute, number),
        may_change=_may_change(),
        today=today,
    )


def _count_dependents(statute: Statute, number: str) -> int:
    names = queries.names_of([statute.id])[statute.id]
    change = dependents.ArticleChange(statute.id, statute.short_title, names, number, None, None, shanghai_day(utc_now()), "changed")
    return dependents.count([change])


@bp.post("/<uuid:statute_id>/articles/<number>")
@bureau("statutes.edit")
def save_article(statute_id: uuid.UUID, number: str) -> Page:
    _require_change()
    statute = _statute(statute_id)
    if not rules.is_number(number):
        raise NotFound
    try:
        edit = forms.read_article(request.form)
        with transaction():
            done = services.change_article(
                statute_id,
                number,
                edit.text,
                effective_from=edit.effective_from,
                seen_id=_id(edit.seen),
                note=edit.note,
                suspend=edit.suspend,
                now=utc_now(),
                actor=current_actor(),
            )
    except InvalidInput as error:
        fields = error.fields or {"text": error.message}
        return _article_page(_statute(statute_id), number, request.form, fields), 422
    except ArticleChanged:
        newest = services.newest_id(queries.list_versions(statute_id, number))
        sent = {**request.form.to_dict(), "seen": newest or ""}
        told = {"text": _("这一条刚刚有人改过，最新的一版在下面。核对以后还要存，再点一次。")}
        return _article_page(_statute(statute_id), number, sent, told), 409
    flash(_listed(_("已存成新的一版，以前的文本还在。"), done.listed), "success")
    return redirect(url_for(".article", statute_id=statute.id, number=number))


def _id(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text) if text else None
    except ValueError:
        raise InvalidInput(fields={"text": _("请刷新页面再试。")}) from None


# ---- import in three steps: upload, check, take in


def _storage() -> Storage:
    return cast(Storage, current_app.extensions["storage"])


@bp.get("/import")
@bureau("statutes.edit")
def import_form() -> str:
    _require_change()
    return render_template("statutes/admin_import.html", errors={})


@bp.post("/import")
@bureau("statutes.edit")
def upload() -> Response | str:
    """Keep the files and go to what the check says."""
    _require_change()
    sent = [file for name in ("files", "folder") for file in request.files.getlist(name)]
    files = [Upload((file.filename or "")[-200:], file.stream.read()) for file in sent if file.filename]
    if not any(file.raw for file in files):
        return render_template("statutes/admin_import.html", errors={"files": [_("请选文件：一个或几个 .json，一个文件夹，或者 zip。")]})
    upload_id = uploads.keep(_storage(), current_principal().user_id, files)
    return redirect(url_for(".check_upload", upload_id=upload_id))


@bp.get("/import/<uuid:upload_id>")
@bureau("statutes.edit")
def check_upload(upload_id: uuid.UUID) -> str:
    """What an import would change, or every mistake of the files."""
    _require_change()
    files = uploads.kept(_storage(), current_principal().user_id, upload_id)
    shown = {"upload_id": upload_id, "file_count": len(files), "size": sum(len(file.raw) for file in files), "label": rules.label}
    try:
        laws = read_uploads(files)
    except LawFilesInvalid as error:
        return render_template("statutes/admin_import_check.html", rows=error.rows, plan=None, **shown)
    plan = services.plan_import(laws, now=utc_now())
    return render_template(
        "statutes/admin_import_check.html",
        rows=(),
        plan=plan,
        dependent_count=dependents.count(plan.changes),
        suspends=dependents.suspends(),
        **shown,
        **_LABELS,
    )


@bp.post("/import/<uuid:upload_id>")
@bureau("statutes.edit")
def take_in(upload_id: uuid.UUID) -> Response:
    """Take in checked files."""
    _require_change()
    staff_id = current_principal().user_id
    files = uploads.kept(_storage(), staff_id, upload_id)
    if request.form.get("action") == "cancel":
        uploads.forget(_storage(), staff_id)
        return redirect(url_for(".index"))
    try:
        laws = read_uploads(files)
    except LawFilesInvalid:
        return redirect(url_for(".check_upload", upload_id=upload_id))
    with transaction():
        done = services.import_statutes(
            laws,
            now=utc_now(),
            actor=current_actor(),
            suspend=request.form.get("suspend") == "1",
            replace=request.form.get("replace") == "1",
        )
    uploads.forget(_storage(), staff_id)
    words = _(
        "导入完成：%(statutes)d 部，新增 %(added)d 条，改了 %(changed)d 条，删去 %(removed)d 条，保留后台改过的 %(kept)d 条。",
        statutes=done.statutes,
        added=done.added,
        changed=done.changed,
        removed=done.removed,
        kept=done.kept,
    )
    if done.differing:
        words += str(_("有 %(n)d 条和出题时核对的不一样。", n=len(done.differing)))
    flash(_listed(words, done.listed), "success")
    return redirect(url_for(".index"))


# ---- reading lists


@bp.get("/lists")
@bureau("statutes.edit")
def lists() -> str:
    """The groups with their lists."""
    known = {row[0].demographic_group: (row[0], row[2]) for row in queries.list_reading_lists()}
    return render_template("statutes/admin_lists.html", groups=list_groups(), known=known)


@bp.get("/lists/<group>")
@bureau("statutes.edit")
def edit_list(group: str) -> str:
    """A group's list and how far the banks ask about it."""
    return _list_page(group, None, {})


def _list_page(group: str, sent: Mapping[str, Any] | None, errors: Mapping[str, str]) -> str:
    name = next((item.name for item in list_groups() if item.code == group), None)
    if name is None:
        raise NotFound
    found = queries.find_reading_list(group)
    items = queries.list_items(found.id) if found else []
    lines = "\n".join(f"{item.law} | {item.note}" if item.note else item.law for item in items)
    saved = {"title": found.title if found else _("%(group)s应知应会清单", group=name), "note": found.note if found else ""}
    return render_template(
        "statutes/admin_list.html",
        group=group,
        name=name,
        list=found,
        rows=list(zip(items, dependents.cover([names_of(item) for item in items]), strict=True)),
        sent=sent or {**saved, "laws": lines, "is_shown": "1" if found and found.is_shown else ""},
        errors={field: [message] for field, message in errors.items()},
        may_change=_may_change(),
    )


@bp.post("/lists/<group>")
@bureau("statutes.edit")
def save_list(group: str) -> Page:
    _require_change()
    if group not in {item.code for item in list_groups()}:
        raise NotFound
    try:
        edit = forms.read_list(request.form)
    except InvalidInput as error:
        return _list_page(group, request.form, error.fields), 422
    with transaction():
        services.save_reading_list(
            group,
            title=edit.title,
            note=edit.note,
            is_shown=edit.is_shown,
            entries=edit.entries,
            now=utc_now(),
            actor=current_actor(),
        )
    flash(_("清单已保存，共 %(n)d 部。", n=len(edit.entries)), "success")
    return redirect(url_for(".edit_list", group=group))


def init_app(app: Flask) -> None:
    app.jinja_env.globals["article_label"] = rules.label
