"""The trail as the audit administrator reads it. Nothing here changes an entry; taking a copy is an entry itself."""

import datetime as dt
import tempfile
from pathlib import Path

from flask import Blueprint, Response, render_template, request
from flask_babel import gettext as _

from quizapp.audit import queries
from quizapp.audit.actors import current_actor
from quizapp.audit.models import AuditEntry
from quizapp.audit.services import record
from quizapp.audit.titles import TITLES
from quizapp.audit.wording import change_lines
from quizapp.core.clock import SHANGHAI, shanghai_day, utc_now
from quizapp.core.db import transaction
from quizapp.core.spreadsheets import Column, Table, write_csv
from quizapp.core.text import clean_line
from quizapp.web.access import bureau, current_principal
from quizapp.web.pagination import page_number, paginate

bp = Blueprint("audit_admin", __name__, url_prefix="/admin/audit", template_folder="templates")
blueprints = (bp,)


def _day(name: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(request.args.get(name, ""))
    except ValueError:
        return None


def _filter() -> queries.Filter:
    action = request.args.get("action", "")
    return queries.Filter(
        action=action if action in TITLES else "",
        q=clean_line(request.args.get("q", ""), 64),
        from_day=_day("from"),
        to_day=_day("to"),
    )


def _paths() -> tuple[str, ...]:
    return current_principal().scopes("audit.view")


@bp.get("")
@bureau("audit.view")
def entries() -> str:
    """Who did what, by kind, person and day."""
    wanted = _filter()
    page = paginate(queries.entries_in(_paths(), wanted), page_number())
    return render_template(
        "audit/entries.html",
        page=page,
        wanted=wanted,
        titles=TITLES,
        title_of=queries.title_of,
        change_lines=change_lines,
        day_time=day_time,
    )


def day_time(moment: dt.datetime) -> str:
    """``2026-11-22 09:41:02`` on the Shanghai clock: the trail shows seconds."""
    return moment.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")


def _row(entry: AuditEntry) -> tuple[str, ...]:
    return (
        day_time(entry.at),
        entry.actor_name,
        queries.title_of(entry.action),
        entry.action,
        entry.target_name or entry.target_id,
        "；".join(change_lines(entry.changes)),
        entry.request_id,
    )


@bp.get("/entries.csv")
@bureau("audit.view")
def download() -> Response:
    """The filtered entries as CSV; that somebody took them is recorded."""
    wanted, now = _filter(), utc_now()
    with transaction():
        filter_words = {"action": wanted.action, "q": wanted.q, "from": str(wanted.from_day or ""), "to": str(wanted.to_day or "")}
        record("audit.exported", actor=current_actor(), target_type="audit", target_id="entries", changes=filter_words, now=now)
    columns = [Column(title) for title in (_("时间"), _("操作人"), _("做了什么"), _("代码"), _("对象"), _("改动前后"), _("请求编号"))]
    facts = [
        (_("筛选"), "，".join(word for word in filter_words.values() if word) or _("全部")),
        (_("数据时间"), day_time(now)),
        (_("口径"), _("最多 %(n)s 行，最近的在前", n=queries.MOST_EXPORTED)),
    ]
    rows = (_row(entry) for entry in queries.stream_entries(_paths(), wanted))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "entries.csv"
        write_csv(path, Table(_("操作日志"), facts, columns, rows))
        body = path.read_bytes()
    name = f"audit-{shanghai_day(now).isoformat()}.csv"
    return Response(body, mimetype="text/csv; charset=utf-8", headers={"Content-Disposition": f'attachment; filename="{name}"'})
