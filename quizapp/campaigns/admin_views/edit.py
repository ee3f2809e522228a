"""The editor: five steps over one draft. Each step's POST saves; the rule check's findings stand under their inputs."""

import datetime as dt
import random
import uuid
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from quizapp.accounts.queries import group_names, list_counties, list_organisations
from quizapp.audit.actors import current_actor
from quizapp.campaigns import forms, queries, services, wording
from quizapp.campaigns.admin_views.base import bp, find_campaign, steps_of
from quizapp.campaigns.admin_views.review import review_values
from quizapp.campaigns.checklist import step_of
from quizapp.campaigns.errors import CampaignChanged
from quizapp.campaigns.forecast import SHAPES, estimate, forecast_plan
from quizapp.campaigns.models import Campaign
from quizapp.campaigns.reach import may_reach, units
from quizapp.campaigns.starters import Starter, begun, find_starter
from quizapp.campaigns.terms import SCHEMA, Paper, PaperPart, Terms, check_shape, from_dict
from quizapp.core.clock import shanghai_day, utc_now
from quizapp.core.db import transaction
from quizapp.core.errors import InvalidInput, NotFound
from quizapp.core.themes import THEMES
from quizapp.lottery.rules import SERVED_KINDS
from quizapp.questions import queries as questions
from quizapp.questions.errors import PoolTooSmall
from quizapp.questions.rules import KIND_TITLES, draw_paper
from quizapp.web.access import bureau, current_principal

LEAD = dt.timedelta(days=7)
"""A campaign begun from a rule set opens in a week, until somebody says otherwise."""
_ANCHORS = {"band": "bands", "quota": "quotas", "field": "fields"}
REFUSED_CHANGES = ("opens_at", "closes_at", "draw")
"""What a published campaign may not change is said at once, not only after saving."""


def _row_kind(action: str) -> str:
    match = forms.ROW_ACTION.fullmatch(action)
    return match[2] if match else ""


@bp.get("/new")
@bureau("campaigns.edit")
def create() -> str:
    starter = _starter(request.args.get("from", ""))
    if starter is None:
        return _new_page({"theme": "consumer", "kind": "voluntary"}, {})
    head = {"theme": starter.theme or "consumer", "kind": starter.kind, "legal_basis": starter.legal_basis}
    return _new_page(head, {}, starter=starter)


def _starter(key: str) -> Starter | None:
    return find_starter(key, current_principal().scopes("campaigns.edit")) if key else None


@bp.post("/new")
@bureau("campaigns.edit")
def create_posted() -> Response | tuple[str, int]:
    """Step 1 of a new campaign."""
    posted = forms.Posted(request.form)
    head, cohosts = forms.read_head(posted), posted.ids("cohosts")
    host = _host(posted)
    starter = _starter(posted.raw("from"))
    if host is None or posted.errors:
        return _new_page(head, posted.errors, host, cohosts, starter), 422
    try:
        with transaction():
            campaign = services.create_campaign(
                **head,
                host_organisation_id=host,
                cohost_ids=cohosts,
                draft=begun(starter.body, shanghai_day(utc_now()) + LEAD) if starter else forms.new_draft(),
                now=utc_now(),
                actor=current_actor(),
            )
    except InvalidInput as error:
        return _new_page(head, {name: [text] for name, text in error.fields.items()}, host, cohosts, starter), 422
    flash(_("草稿建好了，接着填时间和对象。"), "success")
    return redirect(url_for(".edit", campaign_id=campaign.id, step=2))


def _host(posted: forms.Posted) -> uuid.UUID | None:
    """The hosting unit, one within this member's reach."""
    chosen = posted.ids("host")
    allowed = {unit.id for unit in units()}
    if len(chosen) != 1 or chosen[0] not in allowed:
        posted.wrong("host", _("请选主办单位。"))
        return None
    return chosen[0]


def _new_page(
    head: dict[str, str],
    errors: dict[str, list[str]],
    host: uuid.UUID | None = None,
    cohosts: Any = (),
    starter: Starter | None = None,
) -> str:
    return render_template(
        "campaigns/admin_edit_1.html",
        campaign=None,
        values=head,
        errors=errors,
        host=host,
        cohosts=set(cohosts),
        starter=starter,
        **_choices(),
    )


def _choices() -> dict[str, Any]:
    return {
        "themes": THEMES,
        "hosts": [(str(unit.id), unit.name) for unit in units()],
        "cohost_units": [unit for unit in list_organisations() if unit.is_host],
        "steps": [],
        "step": 1,
    }


@bp.get("/<uuid:campaign_id>/edit")
@bureau("campaigns.view")
def edit_first(campaign_id: uuid.UUID) -> Response:
    return redirect(url_for(".edit", campaign_id=campaign_id, step=1))


@bp.get("/<uuid:campaign_id>/edit/<int:step>")
@bureau("campaigns.view")
def edit(campaign_id: uuid.UUID, step: int) -> str:
    """One step; whoever may not edit sees the last one, with the rules in words."""
    campaign = find_campaign(campaign_id, "campaigns.view")
    if not 1 <= step <= 5:
        raise NotFound
    if step == 5 or not may_reach(campaign, "campaigns.edit"):
        return render_template("campaigns/admin_edit_5.html", **_common(campaign, 5), **review_values(campaign, utc_now()))
    return _step_page(campaign, step)


@bp.post("/<uuid:campaign_id>/edit/<int:step>")
@bureau("campaigns.edit")
def save(campaign_id: uuid.UUID, step: int) -> Response | tuple[str, int]:
    """Save a step and go on, or come back to it with what is wrong."""
    campaign = find_campaign(campaign_id, "campaigns.edit")
    if not 1 <= step <= 4:
        raise NotFound
    posted = forms.Posted(request.form)
    version = posted.whole("version") or 0
    action = posted.raw("action")
    quiz = _quiz(campaign, posted) if "quizzes" in campaign.draft else None
    try:
        if step == 1:
            _save_head(campaign, posted, version)
        else:
            _save_draft(campaign, posted, step, version, action)
    except CampaignChanged as error:
        return _step_page(campaign, step, posted, notice=error.message), 409
    except InvalidInput as error:
        for name, text in error.fields.items():
            posted.wrong(name, text)
    if posted.errors:
        return _step_page(campaign, step, posted), 422
    if forms.ROW_ACTION.fullmatch(action):
        return redirect(url_for(".edit", campaign_id=campaign_id, step=step, quiz=quiz, _anchor=_ANCHORS.get(_row_kind(action), "rows")))
    if action == "next" and not _open_errors(campaign, step):
        return redirect(url_for(".edit", campaign_id=campaign_id, step=step + 1))
    if action == "next":
        flash(_("草稿已保存，这一步还有要改的地方。"), "warning")
    else:
        flash(_("草稿已保存。"), "success")
    return redirect(url_for(".edit", campaign_id=campaign_id, step=step, checked=1, quiz=quiz))


def _save_head(campaign: Campaign, posted: forms.Posted, version: int) -> None:
    head, cohosts, host = forms.read_head(posted), posted.ids("cohosts"), _host(posted)
    if posted.errors or host is None:
        return
    if campaign.terms_id is not None:
        head = {**head, "slug": campaign.slug, "kind": campaign.kind}
    with transaction():
        services.save_draft(
            campaign.id,
            expected_version=version,
            head=head,
            cohost_ids=cohosts,
            host_organisation_id=host,
            now=utc_now(),
            actor=current_actor(),
        )


def _save_draft(campaign: Campaign, posted: forms.Posted, step: int, version: int, action: str) -> None:
    changes = forms.READERS[step](posted, campaign.draft)
    if posted.errors:
        return
    forms.change_rows(action, changes, campaign.draft, _quiz(campaign, posted))
    with transaction():
        services.save_draft(
            campaign.id,
            expected_version=version,
            draft={**campaign.draft, **changes},
            now=utc_now(),
            actor=current_actor(),
        )


def _quiz(campaign: Campaign, posted: forms.Posted | None = None) -> int:
    """Which of several quizzes the step is about, from 1."""
    chosen = posted.raw("quiz") if posted is not None else request.args.get("quiz", "")
    return forms.quiz_number(campaign.draft, int(chosen) if chosen.isascii() and chosen.isdigit() and len(chosen) < 4 else None)


def _open_errors(campaign: Campaign, step: int) -> bool:
    found = services.check_campaign(find_campaign(campaign.id, "campaigns.edit"), utc_now())
    return any(problem.is_error and step_of(problem.field) == step for problem in found)


def _common(campaign: Campaign, step: int) -> dict[str, Any]:
    is_editor = may_reach(campaign, "campaigns.edit")

    def url(number: int) -> str:
        return url_for(".edit", campaign_id=campaign.id, step=number) if is_editor or number == 5 else ""

    return {"campaign": campaign, "steps": steps_of(campaign, url), "step": step, "is_editor": is_editor}


def _step_page(campaign: Campaign, step: int, posted: forms.Posted | None = None, notice: str = "") -> str:
    campaign = find_campaign(campaign.id, "campaigns.edit")
    found = services.check_campaign(campaign, utc_now())
    messages: dict[str, list[str]] = {}
    quiz = _quiz(campaign, posted)
    if posted is None:
        values: dict[str, Any] = forms.shown_values(campaign.draft, quiz)
        for problem in found:
            if step_of(problem.field) == step and (request.args.get("checked") or problem.field in REFUSED_CHANGES):
                messages.setdefault(problem.field.removeprefix(f"quizzes[{quiz}]."), []).append(problem.message)
    else:
        values, messages = _posted_values(posted), dict(posted.errors)
    return render_template(
        f"campaigns/admin_edit_{step}.html",
        **{**_STEP_VALUES[step](campaign, values, quiz), **_common(campaign, step)},
        values=values,
        errors=messages,
        notice=notice,
        quiz=quiz,
        quiz_choices=_quiz_choices(campaign),
        is_published=campaign.terms_id is not None,
    )


def _posted_values(posted: forms.Posted) -> dict[str, Any]:
    names = {*posted.data, *forms.SETS}
    return {name: set(posted.data.getlist(name)) if name in forms.SETS else posted.data.get(name, "") for name in names}


def _quiz_choices(campaign: Campaign) -> list[tuple[str, int]]:
    """The quizzes of a campaign that lists them: title and number."""
    quizzes = campaign.draft.get("quizzes") or ()
    return [(quiz.get("title") or quiz.get("id") or _("第 %(n)d 套题", n=number), number) for number, quiz in enumerate(quizzes, 1)]


# ---- what each step shows besides the inputs


def _head_values(campaign: Campaign, values: dict[str, Any], quiz: int) -> dict[str, Any]:
    for name in ("title", "slug", "summary", "theme", "kind", "legal_basis"):
        values.setdefault(name, getattr(campaign, name))
    cohosts = {organisation.id for _host, organisation in queries.list_hosts(campaign.id)}
    return {**_choices(), "host": campaign.host_organisation_id, "cohosts": cohosts}


def _rows(values: dict[str, Any], prefix: str) -> list[int]:
    """Numbers of the rows that a list's inputs are shown for."""
    return sorted({int(name[len(prefix) + 1 : name.index("]")]) for name in values if name.startswith(f"{prefix}[")})


def _window_values(campaign: Campaign, values: dict[str, Any], quiz: int) -> dict[str, Any]:
    return {
        "counties": [(region.code, region.name) for region in list_counties() if region.code.isdigit()],
        "groups": list(group_names().items()),
        "length": window_length(campaign.draft),
        "field_rows": _rows(values, "entry.fields"),
        "has_entry": bool(campaign.draft.get("entry")),
    }


def window_length(draft: dict[str, Any]) -> str:
    """``14 天 15 小时`` between start and end, empty while they are not both there."""
    try:
        opens, closes = (dt.datetime.fromisoformat(str(draft.get(name)).replace("Z", "+00:00")) for name in ("opens_at", "closes_at"))
    except ValueError:
        return ""
    seconds = int((closes - opens).total_seconds())
    if seconds <= 0:
        return ""
    days, hours = divmod(seconds // 3600, 24)
    return " ".join(part for part in (f"{days} 天" if days else "", f"{hours} 小时" if hours or not days else "") if part)


def terms_or_none(campaign: Campaign) -> Terms | None:
    """The draft as terms, where it is whole."""
    if check_shape(campaign.draft):
        return None
    return from_dict({"schema": SCHEMA, **campaign.draft})


def _paper_values(campaign: Campaign, values: dict[str, Any], quiz: int) -> dict[str, Any]:
    banks = [(bank.slug, f"{bank.title}（{bank.by_status.get('published', 0)}）") for bank in questions.list_bank_counts()]
    rows = _rows(values, "paper.parts")
    known = {slug for slug, _title in banks}
    for number in rows:
        combined = values.get(f"paper.parts[{number}].banks", "")
        if combined and combined not in known:
            banks.append((combined, _("%(n)s 个题库一起", n=combined.count(",") + 1)))
            known.add(combined)
    terms = terms_or_none(campaign)
    parts = (forms.quiz_of(campaign.draft, quiz).get("paper") or {}).get("parts", [])
    available = [_available(part) for part in parts]
    return {
        "rows": rows,
        "banks": banks,
        "kinds": list(KIND_TITLES.items()),
        "difficulties": list(forms.DIFFICULTIES.items()),
        "available": available,
        "question_count": sum(part.get("count") or 0 for part in parts),
        "sample": _sample(terms.quizzes[quiz - 1].paper) if terms else [],
        "kind_titles": KIND_TITLES,
        "bank_owners": _bank_owners(),
    }


def _bank_owners() -> dict[str, str]:
    """Banks that belong to a unit, by slug: a co-host's own questions are marked as theirs."""
    names = {unit.id: unit.name for unit in list_organisations()}
    return {bank.slug: names[bank.organisation_id] for bank in questions.list_banks() if bank.organisation_id in names}


def _available(part: dict[str, Any]) -> int:
    if not part.get("banks"):
        return 0
    return len(
        queries.pool_of(
            PaperPart(
                tuple(part["banks"]),
                1,
                kinds=tuple(part.get("kinds", ())),
                tags=tuple(part.get("tags", ())),
                difficulties=tuple(part.get("difficulties", ())),
            )
        )
    )


def _sample(paper: Paper) -> list[Any]:
    """A paper as somebody might get it."""
    try:
        drawn = draw_paper([(queries.pool_of(part), part.count) for part in paper.parts], random.SystemRandom())
    except PoolTooSmall:
        return []
    views = questions.get_revisions([item.revision_id for item in drawn])
    return [views[item.revision_id] for item in drawn]


def _reward_values(campaign: Campaign, values: dict[str, Any], quiz: int) -> dict[str, Any]:
    terms = terms_or_none(campaign)
    plan = campaign.draft.get("plan") or {}
    draw = terms.draw if terms else None
    values.setdefault("draw_mode", "instant" if campaign.draft.get("draw") else "none")
    return {
        "rows": _rows(values, "draw.prizes"),
        "band_rows": _rows(values, "draw.bands"),
        "quota_rows": _rows(values, "draw.region_quotas"),
        "prize_kinds": [(kind, wording.PRIZE_KINDS[kind]) for kind in SERVED_KINDS],
        "groups": list(group_names().items()),
        "sums": estimate(draw, int(plan.get("expected_draws") or 0)) if draw else None,
        "told": forecast_plan(terms, plan) if terms else None,
        "draw": draw,
        "shapes": list(SHAPES.items()),
        "budget_fen": int(plan.get("budget_fen") or 0),
        "spare_days": draw.spare_days if draw else 14,
    }


_STEP_VALUES = {1: _head_values, 2: _window_values, 3: _paper_values, 4: _reward_values}
