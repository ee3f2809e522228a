"""The console: cases to look at, decisions, appeals, and per campaign the thresholds and the list of who takes no part."""

import re
import uuid
from collections.abc import Callable
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from quizapp.accounts.rules import clean_phone
from quizapp.audit.actors import current_actor
from quizapp.audit.services import record
from quizapp.campaigns import queries as campaign_queries
from quizapp.core import challenges
from quizapp.core.clock import utc_now
from quizapp.core.db import transaction
from quizapp.core.errors import AppError, Forbidden, InvalidInput
from quizapp.integrity import desk_views, queries, rules, services
from quizapp.payouts import rules as payout_rules
from quizapp.web import challenge
from quizapp.web.access import bureau, current_principal
from quizapp.web.pagination import page_number, paginate

bp = Blueprint("integrity_admin", __name__, url_prefix="/admin/integrity", template_folder="templates")
blueprints = (bp, desk_views.bp)

REVIEW = "integrity.review"
MAX_PHONES = 500


def _scopes() -> tuple[str, ...]:
    return current_principal().scopes(REVIEW)


def _campaign_arg() -> uuid.UUID | None:
    try:
        return uuid.UUID(request.args.get("campaign", ""))
    except ValueError:
        return None


def _do(work: Callable[[], Any], done: str, back: str) -> Response:
    """Run one verb in its transaction and say what came of it on the page it came from."""
    try:
        with transaction():
            work()
    except AppError as error:
        flash(error.message, "error")
    else:
        flash(done, "success")
    return redirect(back, 303)


@bp.get("/")
@bureau(REVIEW)
def index() -> str:
    """Cases within the reader's units, those that wait first."""
    paths, state = _scopes(), request.args.get("state", "waiting")
    shown = state if state in rules.STATE_TITLES or state in ("appeals", "answered") else "waiting"
    campaign_id = _campaign_arg()
    is_appeals = shown in ("appeals", "answered")
    statement = (
        queries.select_appeals(paths, "open" if shown == "appeals" else "answered")
        if is_appeals
        else queries.select_cases(paths, state=shown, campaign_id=campaign_id)
    )
    page = paginate(statement, page_number(), is_scalar=False)
    cases = [] if is_appeals else [row[0] for row in page.items]
    codes = {case.id: _codes(case) for case in cases}
    return render_template(
        "integrity/admin_index.html",
        page=page,
        state=shown,
        is_appeals=is_appeals,
        codes=codes,
        counts=queries.count_by_state(paths),
        appeal_count=queries.count_open_appeals(paths),
        campaigns=[(facts.id, facts.title) for facts in queries.list_campaigns(paths)],
        campaign_id=campaign_id,
        rules=rules,
        challenge_mode=challenge.current_mode() if "/" in paths else "",
    )


def _codes(case: Any) -> list[str]:
    found = queries.list_signals(case.campaign_id, [case.citizen_id])[case.citizen_id]
    return list(dict.fromkeys(rules.CODES[row.code] for row in found))


@bp.get("/<uuid:case_id>")
@bureau(REVIEW)
def case(case_id: uuid.UUID) -> str:
    """One case: its signs with their numbers, what is at stake, what was decided. No phone number, no name."""
    found, facts = queries.get_case(case_id, _scopes())
    decisions = queries.list_decisions(found.id)
    return render_template(
        "integrity/admin_case.html",
        case=found,
        facts=facts,
        signals=queries.list_signals(found.campaign_id, [found.citizen_id])[found.citizen_id],
        attempts=queries.list_case_attempts(found),
        payouts=queries.list_case_payouts(found),
        alias=queries.find_alias(found.campaign_id, found.citizen_id),
        decisions=decisions,
        effects=queries.list_effects([decision.id for decision in decisions]),
        standing={decision.id for decision in queries.find_standing(found.id)},
        appeals=queries.list_appeals(found.id),
        policy=queries.get_policy(found.campaign_id),
        voids_person=campaign_queries.get_campaign_by_id(found.campaign_id).terms.sanctions.voids_person,
        me=current_principal().user_id,
        deciders=_deciders(decisions),
        rules=rules,
        state_title=payout_rules.state_title,
    )


def _deciders(decisions: list[Any]) -> dict[uuid.UUID, set[uuid.UUID]]:
    """Who took part in each decision: the reader sees at once what somebody else has to do."""
    by_id = {decision.id: decision for decision in decisions}
    return {
        decision.id: {decision.staff_id, *([by_id[decision.follows_id].staff_id] if decision.follows_id in by_id else [])}
        for decision in decisions
    }


@bp.post("/<uuid:case_id>")
@bureau(REVIEW)
def decide(case_id: uuid.UUID) -> Response:
    """Decide about the version of the case that was on the page."""
    asked = services.Asked(
        kind=request.form.get("kind", ""),
        reason=request.form.get("reason", ""),
        note=request.form.get("note", ""),
        attempt_ids=tuple(_ids(request.form.getlist("attempt"))),
    )
    version = _whole(request.form.get("version", ""))
    found, _facts = queries.get_case(case_id, _scopes())
    may_void = campaign_queries.get_campaign_by_id(found.campaign_id).terms.sanctions.voids_person

    def work() -> None:
        if asked.kind == "exclude_person" and not may_void:
            raise InvalidInput(fields={"kind": _("活动规则没有写明可以取消本人全部成绩，只能剔除答卷。")})
        services.decide(case_id=case_id, version=version, asked=asked, paths=_scopes(), actor=current_actor(), now=utc_now())

    return _do(work, _("记下了。"), url_for("integrity_admin.case", case_id=case_id))


def _ids(texts: list[str]) -> list[uuid.UUID]:
    found = []
    for text in texts[:1000]:
        try:
            found.append(uuid.UUID(text))
        except ValueError:
            continue
    return found


def _whole(text: str) -> int:
    return int(text) if re.fullmatch(r"-?\d{1,9}", text) else -1


@bp.post("/decisions/<uuid:decision_id>")
@bureau(REVIEW)
def follow(decision_id: uuid.UUID) -> Response:
    """Confirm or send back a proposal, or take an exclusion back."""
    step, note, version = request.form.get("step", ""), request.form.get("note", ""), _whole(request.form.get("version", ""))
    case_id = queries.get_decision(decision_id).case_id
    queries.get_case(case_id, _scopes())
    given: dict[str, Any] = {"decision_id": decision_id, "note": note, "paths": _scopes(), "actor": current_actor(), "now": utc_now()}
    verbs: dict[str, Callable[[], Any]] = {
        "confirm": lambda: services.confirm(version=version, **given),
        "return": lambda: services.send_back(version=version, **given),
        "restore": lambda: services.restore(**given),
    }
    if step not in verbs:
        raise InvalidInput(fields={"step": _("不认识这一步。")})
    return _do(verbs[step], _("记下了。"), url_for("integrity_admin.case", case_id=case_id))


@bp.post("/appeals/<uuid:appeal_id>")
@bureau(REVIEW)
def answer(appeal_id: uuid.UUID) -> Response:
    """Answer an appeal; granting it restores in the same step."""

    def work() -> None:
        services.answer_appeal(
            appeal_id=appeal_id,
            is_granted=request.form.get("result") == "granted",
            reply=request.form.get("reply", ""),
            paths=_scopes(),
            actor=current_actor(),
            now=utc_now(),
        )

    back = url_for("integrity_admin.index", state="appeals")
    return _do(work, _("已经答复。"), back)


@bp.post("/challenge")
@bureau(REVIEW)
def set_challenge() -> Response:
    """Whether a little work is asked for before a guest's start and a text message: by load, always or never."""
    if "/" not in _scopes():
        raise Forbidden

    def work() -> None:
        mode = request.form.get("mode", "")
        if mode not in challenges.MODES:
            raise InvalidInput(fields={"mode": _("请选一项。")})
        now = utc_now()
        before = challenges.set_mode(mode, now)
        record("system.challenge_set", actor=current_actor(), target_type="system", target_id="challenge", changes={"mode": [before, mode]})

    answer = _do(work, _("改好了，几秒内生效。"), url_for("integrity_admin.index"))
    challenge.forget_mode()
    return answer


# ---- per campaign


@bp.get("/campaigns/<uuid:campaign_id>")
@bureau(REVIEW)
def campaign(campaign_id: uuid.UUID) -> str:
    """Thresholds of a campaign and who takes no part in its chances."""
    facts = queries.get_campaign_facts(campaign_id, _scopes())
    return render_template(
        "integrity/admin_campaign.html",
        facts=facts,
        policy=queries.get_policy(campaign_id),
        page=paginate(queries.select_bars(campaign_id), page_number()),
        totals=queries.count_totals(campaign_id),
        rules=rules,
    )


@bp.post("/campaigns/<uuid:campaign_id>/policy")
@bureau(REVIEW)
def set_policy(campaign_id: uuid.UUID) -> Response:
    facts = queries.get_campaign_facts(campaign_id, _scopes())
    yuan = request.form.get("second_above", "").strip()

    def work() -> None:
        if not re.fullmatch(r"-1|\d{1,6}", yuan):
            raise InvalidInput(fields={"second_above": _("金额写整元，-1 表示不用第二人。")})
        above = -1 if yuan == "-1" else int(yuan) * 100
        score = _whole(request.form.get("hold_score", ""))
        services.set_policy(facts=facts, hold_score=score, second_above_fen=above, actor=current_actor(), now=utc_now())

    return _do(work, _("门槛改好了，已经登记的核查不受影响。"), url_for("integrity_admin.campaign", campaign_id=campaign_id))


@bp.post("/campaigns/<uuid:campaign_id>/bars")
@bureau(REVIEW)
def add_bars(campaign_id: uuid.UUID) -> Response:
    """Put phone numbers on the list, one a line."""
    facts = queries.get_campaign_facts(campaign_id, _scopes())
    lines = [line.strip() for line in request.form.get("phones", "").splitlines() if line.strip()][: MAX_PHONES + 1]

    def work() -> None:
        phones = [phone for line in lines if (phone := clean_phone(line)) is not None]
        if not phones or len(phones) < len(lines) or len(lines) > MAX_PHONES:
            raise InvalidInput(fields={"phones": _("每行一个 11 位手机号，一次最多 500 个。有一行不对，都没有加入。")})
        reason, note = request.form.get("reason", ""), request.form.get("note", "")
        services.bar_people(facts=facts, phones=phones, reason=reason, note=note, actor=current_actor(), now=utc_now())

    return _do(work, _("加入了名单。已经中了奖的，登记成核查，由人来决定。"), url_for("integrity_admin.campaign", campaign_id=campaign_id))


@bp.post("/campaigns/<uuid:campaign_id>/bars/<uuid:bar_id>")
@bureau(REVIEW)
def end_bar(campaign_id: uuid.UUID, bar_id: uuid.UUID) -> Response:
    facts = queries.get_campaign_facts(campaign_id, _scopes())

    def work() -> None:
        services.end_bar(facts=facts, bar_id=bar_id, actor=current_actor(), now=utc_now())

    return _do(work, _("移出了名单。"), url_for("integrity_admin.campaign", campaign_id=campaign_id))
