"""规则文件: the whole draft as text. Everything the steps do not show is edited here, and what they show can be too."""

import uuid
from dataclasses import dataclass
from typing import Any

from flask import current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from quizapp.audit.actors import current_actor
from quizapp.campaigns import queries, rule_files, rules, services
from quizapp.campaigns.admin_views.base import bp, find_campaign, steps_of
from quizapp.campaigns.checks import Problem
from quizapp.campaigns.errors import CampaignChanged
from quizapp.campaigns.files import MAX_FILE_BYTES, CampaignFile
from quizapp.campaigns.forms import Posted
from quizapp.campaigns.models import Campaign
from quizapp.campaigns.terms import check_draft
from quizapp.core.clock import utc_now
from quizapp.core.db import transaction
from quizapp.core.errors import InvalidInput
from quizapp.web.access import bureau


@dataclass(frozen=True)
class Finding:
    """What the check says of a place in the file; ``line`` 0 is nowhere in it."""

    line: int
    problem: Problem


@bp.get("/<uuid:campaign_id>/rule-file")
@bureau("campaigns.edit")
def rule_file(campaign_id: uuid.UUID) -> str:
    """The draft as YAML in a text area, with what the check finds."""
    campaign = find_campaign(campaign_id, "campaigns.edit")
    text = rule_files.write(campaign.draft)
    return _page(campaign, text, _findings(campaign, rule_files.read(text.encode())))


@bp.get("/<uuid:campaign_id>/rule-file.yaml")
@bureau("campaigns.view")
def download_rule_file(campaign_id: uuid.UUID) -> Any:
    campaign = find_campaign(campaign_id, "campaigns.view")
    headers = {"Content-Disposition": f'attachment; filename="{campaign.slug}.yaml"'}
    return current_app.response_class(rule_files.write(campaign.draft), mimetype="application/yaml", headers=headers)


@bp.post("/<uuid:campaign_id>/rule-file")
@bureau("campaigns.edit")
def save_rule_file(campaign_id: uuid.UUID) -> Response | tuple[str, int]:
    """Check, or check and save. What has the wrong shape is not saved; whatever happens the text stays in the area."""
    campaign = find_campaign(campaign_id, "campaigns.edit")
    posted = Posted(request.form)
    upload = request.files.get("file")
    raw = upload.read(MAX_FILE_BYTES + 1) if upload is not None and upload.filename else _typed().encode()
    text = raw.decode("utf-8-sig", errors="replace")
    file = rule_files.read(raw)
    findings = _findings(campaign, file)
    if file.body is None or check_draft(file.body):
        return _page(campaign, text, findings, notice=_("还有写得不对的地方，没有保存。"), version=posted.whole("version")), 422
    if posted.raw("action") == "check":
        return _page(campaign, text, findings, version=posted.whole("version"), is_checked=True), 200
    try:
        with transaction():
            services.save_draft(
                campaign.id, expected_version=posted.whole("version") or 0, draft=file.body, now=utc_now(), actor=current_actor()
            )
    except CampaignChanged as error:
        return _page(campaign, text, findings, notice=error.message, version=posted.whole("version")), 409
    except InvalidInput as error:
        return _page(campaign, text, findings, notice=error.message, version=posted.whole("version")), 422
    flash(_("草稿已保存。"), "success")
    return redirect(url_for(".rule_file", campaign_id=campaign_id))


def _typed() -> str:
    return request.form.get("text", "").replace("\r\n", "\n")


def _findings(campaign: Campaign, file: CampaignFile) -> list[Finding]:
    """Shape first; then, where that is right, what the parts mean together."""
    if file.body is None:
        found = list(file.mistakes)
    else:
        found = rules.problems(
            file.body, kind=campaign.kind, legal_basis=campaign.legal_basis, now=utc_now(), find_pool=queries.pool_of
        ) + services.change_problems(campaign, file.body, utc_now())
    rows = [Finding(file.line_of(problem.field) or 0, problem) for problem in found]
    return sorted(rows, key=lambda row: (not row.problem.is_error, row.line or 10**6))


def _page(
    campaign: Campaign, text: str, findings: list[Finding], notice: str = "", version: int | None = None, is_checked: bool = False
) -> str:
    campaign = find_campaign(campaign.id, "campaigns.edit")
    return render_template(
        "campaigns/admin_rule_file.html",
        campaign=campaign,
        steps=steps_of(campaign, lambda number: url_for(".edit", campaign_id=campaign.id, step=number)),
        text=text,
        rows=min(40, max(16, text.count("\n") + 2)),
        findings=findings,
        error_count=sum(row.problem.is_error for row in findings),
        notice=notice,
        is_checked=is_checked,
        version=campaign.version if version is None else version,
        is_published=campaign.terms_id is not None,
    )
