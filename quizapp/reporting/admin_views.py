"""参与统计: figures on the page, exports by the worker."""

import uuid
from typing import Any

from flask import Blueprint, Response, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from quizapp.core.clock import utc_now
from quizapp.core.errors import InvalidInput, NotFound
from quizapp.reporting import charts, cohost_views, downloads, forms, items_views, queries, rules, services
from quizapp.reporting.queries import Filter, ParticipationTable
from quizapp.web.access import bureau, current_principal, staff

bp = Blueprint("reporting_admin", __name__, url_prefix="/admin/reports", template_folder="templates")

VIEWS = ("demographic_group", "region", "organisation", "day", "campaign")


def _count(chosen: Filter, by: tuple[str, ...], region_level: str = "county") -> ParticipationTable:
    return queries.participation(
        campaigns=chosen.campaigns,
        first_day=chosen.first_day,
        last_day=chosen.last_day,
        by=by,
        region_level=region_level,
        scope_paths=downloads.scope(),
        region=chosen.region,
        demographic_group=chosen.demographic_group,
        now=utc_now(),
    )


def _choices() -> dict[str, Any]:
    """What the filter offers."""
    return {
        "campaigns": [(campaign.slug, campaign.title) for campaign in queries.list_campaigns(downloads.scope())],
        "counties": queries.list_regions_at("county"),
        "groups": queries.list_groups(),
    }


def _common(view: str) -> dict[str, Any]:
    """What every report page needs besides its figures."""
    return {
        **_choices(),
        "view": view,
        "args": request.args,
        "rules": rules,
        "requests": services.list_reports(current_principal().user_id, "participation"),
        "downloads": downloads,
    }


@bp.get("")
@bureau("reports.view")
def participation() -> str | tuple[str, int]:
    """Figures of a filter by one dimension, by day, and by how many answers were right."""
    view = request.args.get("view", "")
    view = view if view in VIEWS else VIEWS[0]
    try:
        chosen = forms.read_filter(request.args)
        table = _count(chosen, (view,))
        by_day = table if view == "day" else _count(chosen, ("day",))
        correct = queries.count_by_correct(chosen=chosen, scope_paths=downloads.scope()) if table.figures.has_results else []
    except InvalidInput as refusal:
        return render_template("reporting/participation.html", table=None, errors=refusal.fields, kept={}, **_common(view)), 422
    return render_template(
        "reporting/participation.html",
        table=table,
        by_day=by_day,
        day_chart=charts.by_day(by_day),
        correct=correct,
        correct_chart=charts.by_correct(correct),
        errors={},
        kept=forms.filter_values(chosen),
        **_common(view),
    )


@bp.get("/region")
@bureau("reports.view")
def region() -> str:
    """One county: its towns in the order of their codes, its groups, its share of the whole."""
    chosen = forms.read_filter(request.args)
    place = queries.find_region(chosen.region) if chosen.region else None
    if place is None:
        raise NotFound
    towns = _count(chosen, ("region",), "town")
    whole = _count(Filter(chosen.campaigns, chosen.first_day, chosen.last_day, None, chosen.demographic_group), ())
    return render_template(
        "reporting/region.html",
        place=place,
        towns=towns,
        whole=whole,
        groups_table=_count(chosen, ("demographic_group",)),
        kept=forms.filter_values(chosen),
        **_common("region"),
    )


@bp.post("")
@bureau("reports.view")
def request_report() -> BaseResponse:
    """Ask for an export; the page of the request says how far it is."""
    chosen = forms.read_filter(request.form)
    by = tuple(name for name in request.form.getlist("by") if name)
    values = {
        "format": request.form.get("format", "xlsx"),
        "is_public": request.form.get("is_public") == "1",
        "campaign": chosen.campaigns,
        "first_day": chosen.first_day,
        "last_day": chosen.last_day,
        "region": chosen.region,
        "demographic_group": chosen.demographic_group,
        "by": tuple(dict.fromkeys(by)),
        "region_level": request.form.get("region_level") or "county",
    }
    asked = downloads.ask(downloads.order_of(values))
    return redirect(url_for("reporting_admin.report", request_id=asked.id), 303)


@bp.get("/<uuid:request_id>")
@staff
def report(request_id: uuid.UUID) -> str:
    """Where an export stands, whatever it is of; the page asks again by itself while it is being built."""
    asked = downloads.own_request(request_id)
    order = services.order_of(asked)
    return render_template("reporting/request.html", asked=asked, order=order, sentence=order.sentence(), downloads=downloads)


@bp.get("/<uuid:request_id>/status")
@staff
def status(request_id: uuid.UUID) -> Response:
    """The same for the page's script."""
    asked = downloads.own_request(request_id)
    return jsonify(state=asked.state, percent=asked.progress, message=downloads.message(asked))


@bp.get("/<uuid:request_id>/file")
@staff
def file(request_id: uuid.UUID) -> Response:
    """The finished file; the download is recorded."""
    return downloads.send(request_id)


blueprints = (bp, cohost_views.bp, items_views.bp)
