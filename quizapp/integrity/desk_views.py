"""The complaint desk: take, look up, answer; find somebody's whole story and print it as one page.

Whoever looks somebody up says why, and every look is in the audit trail; numbers go in the body of a request, never in an
address that a log would keep.
"""

import re
import secrets
import uuid
from collections.abc import Callable
from typing import Any, cast

from flask import Blueprint, Response, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from quizapp.accounts import queries as accounts
from quizapp.audit import services as audit
from quizapp.audit.actors import current_actor
from quizapp.core.clock import shanghai_day, utc_now
from quizapp.core.crypto import Vault
from quizapp.core.db import transaction
from quizapp.core.errors import AppError, InvalidInput
from quizapp.integrity import complaint_queries, evidence_pdf, queries, rules, services
from quizapp.integrity.evidence import Evidence, get_evidence
from quizapp.payouts.rules import is_reason
from quizapp.web.access import bureau, current_principal
from quizapp.web.limits import check_rate
from quizapp.web.pagination import page_number, paginate

bp = Blueprint("complaints_admin", __name__, url_prefix="/admin/complaints", template_folder="templates")
HANDLE = "complaints.handle"


def _scopes() -> tuple[str, ...]:
    return current_principal().scopes(HANDLE)


def _vault() -> Vault:
    return cast(Vault, current_app.extensions["vault"])


@bp.get("/")
@bureau(HANDLE)
def index() -> str:
    return _desk_page("", "", "")


def _desk_page(word: str, reason: str, error: str, parts: list[Any] | None = None) -> str:
    paths, state = _scopes(), request.args.get("state", "open")
    shown = state if state in rules.COMPLAINT_STATES else "open"
    now = utc_now()
    phones = {part.citizen_id: accounts.find_masked_phone(_vault(), part.citizen_id) for part in parts or ()}
    return render_template(
        "integrity/admin_desk.html",
        page=paginate(complaint_queries.select_complaints(paths, shown), page_number()),
        state=shown,
        counts=complaint_queries.count_by_state(paths),
        late_count=complaint_queries.count_late(paths, shanghai_day(now)),
        today=shanghai_day(now),
        word=word,
        reason=reason,
        error=error,
        parts=parts,
        phones=phones,
        may_review=current_principal().may("integrity.review"),
        rules=rules,
    )


@bp.post("/search")
@bureau(HANDLE)
def search() -> str | tuple[str, int]:
    """Find somebody by whole phone number, 抽奖号 or number of an attempt, for a reason."""
    principal = current_principal()
    check_rate("desk-search", str(principal.user_id), 120, 3600)
    word, reason = request.form.get("word", "").strip()[:64], request.form.get("reason", "").strip()[:100]
    if not is_reason(reason):
        return _desk_page(word, reason, _("请写明事由，至少 4 个字，会记入操作日志。")), 422
    try:
        parts = complaint_queries.find_parts(_vault(), word, _scopes())
    except AppError as error:
        _record_search(reason, 0)
        return _desk_page(word, reason, error.message), error.http_status
    _record_search(reason, len(parts))
    return _desk_page("", reason, "", parts)


def _record_search(reason: str, count: int) -> None:
    """The reason and how much was found, never what was looked for: that may be a phone number."""
    with transaction():
        audit.record(
            "evidence.searched",
            actor=current_actor(),
            target_type="desk",
            target_id="",
            organisation_path=_scopes()[0],
            changes={"reason": reason, "count": count},
        )


@bp.post("/evidence")
@bureau(HANDLE)
def evidence() -> Response | str:
    """The evidence file of one attempt, as a page to print or as PDF. Each has its number in the audit trail."""
    check_rate("evidence", str(current_principal().user_id), 120, 3600)
    try:
        attempt_id = uuid.UUID(request.form.get("attempt", ""))
    except ValueError:
        raise InvalidInput(fields={"attempt": _("答卷编号不对。")}) from None
    reason = request.form.get("reason", "").strip()[:100]
    if not is_reason(reason):
        raise InvalidInput(fields={"reason": _("请写明事由，至少 4 个字，会记入操作日志。")})
    file = _make(attempt_id, reason)
    if request.form.get("format") == "pdf":
        headers = {"Content-Disposition": f'attachment; filename="{file.number}.pdf"'}
        return Response(evidence_pdf.write(file), mimetype="application/pdf", headers=headers)
    return render_template("integrity/evidence.html", file=file, parts=evidence_pdf.parts_of(file), reason=reason)


def _make(attempt_id: uuid.UUID, reason: str) -> Evidence:
    principal, now = current_principal(), utc_now()
    number = f"E-{shanghai_day(now):%Y%m%d}-{secrets.token_hex(3).upper()}"
    with transaction():
        file = get_evidence(
            attempt_id,
            paths=_scopes(),
            grants=principal.grants,
            vault=_vault(),
            number=number,
            made_by=principal.display_name,
            now=now,
        )
        audit.record(
            "evidence.made",
            actor=current_actor(),
            target_type="attempt",
            target_id=attempt_id,
            target_name=number,
            organisation_path=file.campaign.host_path,
            changes={"reason": reason},
            now=now,
        )
    return file


@bp.post("/cases")
@bureau("integrity.review")
def open_case() -> BaseResponse:
    """Have somebody's part in a campaign looked at, for what a person has noticed."""
    try:
        citizen_id, campaign_id = uuid.UUID(request.form.get("citizen", "")), uuid.UUID(request.form.get("campaign", ""))
    except ValueError:
        raise InvalidInput(fields={"citizen": _("没有找到。")}) from None
    facts = queries.get_campaign_facts(campaign_id, current_principal().scopes("integrity.review"))
    with transaction():
        case = services.open_by_hand(
            campaign_id=campaign_id,
            citizen_id=citizen_id,
            note=request.form.get("note", ""),
            facts=facts,
            actor=current_actor(),
            now=utc_now(),
        )
    return redirect(url_for("integrity_admin.case", case_id=case.id), 303)


# ---- complaints


@bp.post("/")
@bureau(HANDLE)
def register() -> BaseResponse:
    """Write down a call or a visit."""
    source = request.form.get("source", "")
    principal = current_principal()

    def work() -> None:
        filed = services.file_complaint(
            kind=request.form.get("kind", ""),
            text=request.form.get("text", ""),
            reference=request.form.get("reference", ""),
            source=source if source in ("phone", "visit") else "phone",
            citizen_id=None,
            actor_name=principal.display_name,
            now=utc_now(),
            staff=current_actor(),
        )
        flash(_("登记好了，受理号 %(number)s，查询码 %(word)s，请告诉来人。", number=filed.number, word=filed.word), "success")

    return _do(work, url_for("complaints_admin.index"))


def _do(work: Callable[[], Any], back: str) -> BaseResponse:
    try:
        with transaction():
            work()
    except AppError as error:
        flash(error.message, "error")
    return redirect(back, 303)


@bp.get("/<uuid:complaint_id>")
@bureau(HANDLE)
def complaint(complaint_id: uuid.UUID) -> str:
    found = complaint_queries.get_complaint(complaint_id, _scopes())
    return render_template(
        "integrity/admin_complaint.html",
        complaint=found,
        events=complaint_queries.list_events(found.id),
        me=current_principal().user_id,
        rules=rules,
    )


@bp.post("/<uuid:complaint_id>")
@bureau(HANDLE)
def handle(complaint_id: uuid.UUID) -> BaseResponse:
    """Answer, note, agree to somebody else's answer or send it back."""
    step, text = request.form.get("step", ""), request.form.get("text", "")
    given: dict[str, Any] = {"complaint_id": complaint_id, "paths": _scopes(), "actor": current_actor(), "now": utc_now()}
    verbs: dict[str, Callable[[], Any]] = {
        "answer": lambda: services.answer_complaint(reply=text, **given),
        "note": lambda: services.note_complaint(note=text, **given),
        "confirm": lambda: services.confirm_answer(is_agreed=True, note=text, **given),
        "return": lambda: services.confirm_answer(is_agreed=False, note=text, **given),
    }
    if not re.fullmatch("answer|note|confirm|return", step):
        raise InvalidInput(fields={"step": _("不认识这一步。")})

    def work() -> None:
        verbs[step]()
        flash(_("记下了。"), "success")

    return _do(work, url_for("complaints_admin.complaint", complaint_id=complaint_id))
