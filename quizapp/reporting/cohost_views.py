"""A co-host's own page: its campaigns, figures, sign-off, notice, money, and the sheet it takes away."""

import uuid

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from quizapp.audit import services as audit
from quizapp.audit.actors import current_actor
from quizapp.core import pdf
from quizapp.core.clock import utc_now
from quizapp.core.db import transaction
from quizapp.payouts.queries.notices import list_notices
from quizapp.reporting import cohosts, exports, rules
from quizapp.web.access import bureau, current_principal

bp = Blueprint("cohost_admin", __name__, url_prefix="/admin/cohost", template_folder="templates")


def _paths() -> tuple[str, ...]:
    return current_principal().scopes("cohost.view")


@bp.get("")
@bureau("cohost.view")
def index() -> str:
    """Campaigns one's unit co-hosts."""
    return render_template("reporting/cohost_index.html", hosted=cohosts.list_cohosted(_paths()))


@bp.get("/<slug>/<uuid:organisation_id>")
@bureau("cohost.view")
def show(slug: str, organisation_id: uuid.UUID) -> str:
    now = utc_now()
    view = cohosts.get_overview(slug, organisation_id, _paths(), now)
    return render_template(
        "reporting/cohost.html",
        view=view,
        campaign=view.hosted.campaign,
        groups=cohosts.group_rows(view),
        figure_names=[rules.FIGURE_NAMES[name] for name in cohosts.SHEET_FIGURES],
        prizes=cohosts.prize_rows(view),
        notices=[notice for notice in list_notices(now) if notice.campaign.slug == slug],
        definitions=[(word[3:], sentence) for word, sentence in exports.facts(view.by_group) if word.startswith("口径")],
        excluded=rules.exclusion_sentence(view.by_group.exclusions),
        now=now,
    )


@bp.post("/<slug>/<uuid:organisation_id>/file")
@bureau("cohost.view")
def export(slug: str, organisation_id: uuid.UUID) -> BaseResponse:
    """The result sheet as xlsx or PDF."""
    chosen = "pdf" if request.form.get("format") == "pdf" else "xlsx"
    view = cohosts.get_overview(slug, organisation_id, _paths(), utc_now())
    try:
        data = cohosts.as_pdf(view) if chosen == "pdf" else cohosts.as_xlsx(view)
    except pdf.NoChineseFont as error:
        flash(error.message, "error")
        return redirect(url_for(".show", slug=slug, organisation_id=organisation_id), 303)
    with transaction():
        audit.record(
            "cohost.sheet_exported",
            actor=current_actor(),
            target_type="campaign",
            target_id=view.hosted.campaign.id,
            target_name=view.hosted.campaign.title,
            organisation_path=view.hosted.unit.path,
            changes={"format": chosen, "organisation": view.hosted.unit.name},
            now=view.now,
        )
    mimetype = pdf.MIMETYPE if chosen == "pdf" else exports.MEDIA_TYPES["xlsx"]
    name = f"result-{view.hosted.campaign.slug}.{chosen}"
    return Response(data, mimetype=mimetype, headers={"Content-Disposition": f'attachment; filename="{name}"'})
