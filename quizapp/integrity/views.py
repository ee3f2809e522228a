"""What a citizen sees of it: one's own reviews and appeals, the published totals, complaints and their answers."""

import uuid
from typing import Any

from flask import Blueprint, Flask, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from quizapp.accounts import queries as accounts
from quizapp.accounts import services as account_services
from quizapp.core.clock import rfc3339, utc_now
from quizapp.core.db import transaction
from quizapp.core.errors import AppError
from quizapp.integrity import complaint_queries, queries, rules, services
from quizapp.payouts import queries as payout_queries
from quizapp.web.access import citizen, current_principal, guest, public
from quizapp.web.limits import check_rate
from quizapp.web.security import client_ip

bp = Blueprint("integrity", __name__, template_folder="templates")
blueprints = (bp,)


# ---- one's own


@bp.get("/me/reviews")
@citizen
def mine() -> str:
    """What of one's own is looked into, what was decided and why, and where to say that it is wrong."""
    citizen_id = current_principal().user_id
    shown = []
    for case, title, slug in queries.list_own_cases(citizen_id):
        decisions = queries.list_decisions(case.id)
        in_force = {decision.id for decision in queries.find_standing(case.id)}
        shown.append(
            {
                "case": case,
                "title": title,
                "slug": slug,
                "decisions": [
                    d for d in decisions if d.kind in ("exclude_attempts", "exclude_person") and d.step in ("decided", "confirmed")
                ],
                "in_force": in_force,
                "restored": {d.follows_id: d for d in decisions if d.kind == "restore"},
                "appeals": queries.list_appeals(case.id),
                "effects": queries.list_effects([d.id for d in decisions]),
            }
        )
    return render_template("integrity/mine.html", cases=shown, rules=rules)


@bp.get("/me/prizes/<uuid:payout_id>/appeal")
@citizen
def appeal(payout_id: uuid.UUID) -> Response:
    """From a prize that is kept back to where something can be said about it."""
    payout = payout_queries.get_own_payout(payout_id, current_principal().user_id)
    case = queries.find_case(payout.campaign_id, payout.citizen_id) if payout.campaign_id else None
    standing = queries.find_standing(case.id) if case else []
    if standing:
        return redirect(url_for("integrity.appeal_form", decision_id=standing[-1].id))
    return redirect(url_for("integrity.feedback", kind="limited", reference=payout.reference))


@bp.get("/me/reviews/<uuid:decision_id>")
@citizen
def appeal_form(decision_id: uuid.UUID) -> str:
    """One decision against the citizen, and the form to appeal."""
    return _appeal_page(decision_id, "", "")


def _appeal_page(decision_id: uuid.UUID, text: str, error: str) -> str:
    decision, case, title = queries.get_own_decision(decision_id, current_principal().user_id)
    return render_template(
        "integrity/appeal.html",
        decision=decision,
        title=title,
        effects=queries.list_effects([decision.id])[decision.id],
        appeal=queries.list_appeals(case.id).get(decision.id),
        is_in_force=decision.id in {standing.id for standing in queries.find_standing(case.id)},
        text=text,
        error=error,
        rules=rules,
    )


@bp.post("/me/reviews/<uuid:decision_id>")
@citizen
def file_appeal(decision_id: uuid.UUID) -> str | Response | tuple[str, int]:
    text = request.form.get("text", "")
    try:
        with transaction():
            services.file_appeal(decision_id=decision_id, citizen_id=current_principal().user_id, text=text, now=utc_now())
    except AppError as error:
        return _appeal_page(decision_id, text, error.message), error.http_status
    flash(_("收到了您的申诉，由另一位工作人员答复。"), "success")
    return redirect(url_for("integrity.appeal_form", decision_id=decision_id), 303)


# ---- published totals


@bp.get("/campaigns/<slug>/integrity")
@public
def totals(slug: str) -> str:
    """How many were held, excluded and restored in one campaign, and why."""
    facts = queries.find_published_facts(slug)
    return render_template("integrity/totals.html", facts=facts, figures=public_totals(facts.id), now=utc_now(), rules=rules)


def public_totals(campaign_id: uuid.UUID) -> dict[str, Any]:
    """What may be published about a campaign: people whose part was looked at, each in one row. A count below five is None, and
    so is a sum that would give one away."""
    found = queries.count_totals(campaign_id)
    rows, everybody = rules.publish({"waiting": found.waiting_people, "cleared": found.cleared_people, **found.people_by_reason})
    counts = {row.code: row.count for row in rows}
    reasons = [{"code": code, "name": rules.REASONS.get(code, code), "people": counts[code]} for code in found.people_by_reason]
    can_add_up = all(row["people"] is not None for row in reasons)
    single = {name: rules.publish({name: getattr(found, name)})[0][0].count for name in ("restored_people", "appeals", "granted_appeals")}
    return {
        "people": everybody,
        "waiting_people": counts["waiting"],
        "cleared_people": counts["cleared"],
        "excluded_people": found.excluded_people if can_add_up else None,
        "excluded_attempts": found.excluded_attempts if can_add_up else None,
        **single,
        "by_reason": reasons,
    }


# ---- complaints


@bp.get("/feedback")
@guest
def feedback() -> str:
    """The form for complaints and suggestions, and one's own ones."""
    return _feedback_page(request.args.get("kind", "prize"), request.args.get("reference", "")[:64], "", "")


def _feedback_page(kind: str, reference: str, text: str, error: str) -> str:
    principal = current_principal()
    return render_template(
        "integrity/feedback.html",
        kind=kind if kind in rules.COMPLAINT_KINDS else "prize",
        reference=reference,
        text=text,
        error=error,
        own=complaint_queries.list_own(principal.user_id) if principal.is_citizen else [],
        rules=rules,
    )


@bp.post("/feedback")
@guest
def file_complaint() -> str | tuple[str, int]:
    """Take a complaint; somebody who is not signed in gets a word to look the answer up with."""
    check_rate("feedback", client_ip(), 60, 3600)
    principal = current_principal()
    kind, text = request.form.get("kind", ""), request.form.get("text", "")
    reference = request.form.get("reference", "")[:64]
    try:
        with transaction():
            filed = services.file_complaint(
                kind=kind,
                text=text,
                reference=reference,
                source="page",
                citizen_id=principal.id if principal.is_citizen else None,
                actor_name=_("本人"),
                now=utc_now(),
            )
    except AppError as error:
        return _feedback_page(kind, reference, text, error.message), error.http_status
    return render_template("integrity/feedback_done.html", filed=filed, rules=rules)


@bp.post("/feedback/answer")
@guest
def look_up() -> str:
    """The state of a complaint by its number and word, or by its number for its own citizen."""
    check_rate("feedback-look", client_ip(), 300, 3600)
    principal = current_principal()
    found = complaint_queries.get_by_word(
        request.form.get("number", ""), request.form.get("word", ""), principal.id if principal.is_citizen else None
    )
    return render_template("integrity/feedback_state.html", complaint=found, rules=rules)


# ---- what the account package is told


def _review_words(citizen_id: uuid.UUID) -> str:
    count = sum(case.state in ("waiting", "proposed") for case, _title, _slug in queries.list_own_cases(citizen_id))
    return _("%(n)s 件核查中", n=count) if count else ""


def _export(citizen_id: uuid.UUID) -> dict[str, Any]:
    return {
        "reviews": [
            {
                "campaign": title,
                "state": case.state,
                "opened_at": rfc3339(case.opened_at),
                "decisions": [
                    {"kind": d.kind, "reason": d.reason, "note": d.note, "decided_at": rfc3339(d.decided_at)}
                    for d in queries.list_decisions(case.id)
                ],
            }
            for case, title, _slug in queries.list_own_cases(citizen_id)
        ],
        "complaints": [
            {"number": row.number, "kind": row.kind, "text": row.text, "filed_at": rfc3339(row.filed_at), "reply": row.reply}
            for row in complaint_queries.list_own(citizen_id)
        ],
    }


def init_app(app: Flask) -> None:
    accounts.me_counts["integrity.mine"] = _review_words
    if ("integrity", _export) not in account_services.export_parts:
        account_services.export_parts.append(("integrity", _export))
