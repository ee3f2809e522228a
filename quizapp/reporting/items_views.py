"""题目分析: what the answers say about the questions. For who may see the questions; keys are on these pages."""

import uuid
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from quizapp.core.errors import InvalidInput
from quizapp.questions import rules as question_rules
from quizapp.reporting import downloads, items_charts, items_exports, items_queries, items_rules, rules, services
from quizapp.reporting.items_queries import DataState, ItemFilter
from quizapp.reporting.orders import ItemOrder
from quizapp.reporting.scopes import is_whole
from quizapp.web.access import bureau, current_principal
from quizapp.web.pagination import page_number, paginate

bp = Blueprint("reporting_items", __name__, url_prefix="/admin/items", template_folder="templates")

FIELDS = {"q": "text", "bank": "bank", "kind": "kind", "campaign": "campaign", "flag": "flag", "revisions": "revisions", "order": "order"}
"""Field of the form to that of the filter."""


def read_filter(values: Mapping[str, str]) -> ItemFilter:
    """The filter of a query string or form; empty fields narrow nothing."""
    given = {field: values.get(name, "").strip()[:100] for name, field in FIELDS.items()}
    return ItemFilter(**{field: value for field, value in given.items() if value})


def _withholds() -> bool:
    return not is_whole(downloads.item_scope())


def _definitions(withholds: bool) -> list[tuple[str, str]]:
    """(word, sentence) to print under the tables. Translated here: a template's ``_`` would take their per cents for
    places to fill in."""
    terms = [(_(items_exports.FIGURE_TITLES[name]), _(sentence)) for name, sentence in items_rules.DEFINITIONS.items()]
    return [*terms, (_(rules.WITHHELD_FEW), _(items_rules.WITHHOLDING))] if withholds else terms


def _excluded(state: DataState) -> str:
    return rules.exclusion_sentence([(rules.exclusion_name(reason), count) for reason, count in state.exclusions])


_COMMON: dict[str, Any] = {
    "rules": rules,
    "items_rules": items_rules,
    "kind_titles": question_rules.KIND_TITLES,
    "difficulty_titles": question_rules.DIFFICULTY_TITLES,
    "letters": question_rules.LETTERS,
    "excluded": _excluded,
    "downloads": downloads,
}


@bp.get("")
@bureau("questions.view")
def index() -> str | tuple[str, int]:
    """The questions with their figures, filtered and in the chosen order."""
    scopes, withholds = downloads.item_scope(), _withholds()
    chosen = read_filter(request.args)
    common = {
        **_COMMON,
        "chosen": chosen,
        "banks": items_queries.list_bank_choices(scopes),
        "campaigns": items_queries.list_campaign_choices(scopes),
        "orders": items_queries.ORDERS,
        "revisions": items_queries.REVISIONS,
        "definitions": _definitions(withholds),
        "requests": services.list_reports(current_principal().user_id, "items"),
    }
    try:
        statement = items_queries.select_items(chosen, scopes, withholds=withholds)
    except InvalidInput as refusal:
        return render_template("reporting/items.html", page=None, errors=refusal.fields, **common), 422
    page = paginate(statement, page_number(), is_scalar=False)
    return render_template(
        "reporting/items.html",
        page=page,
        lines=[items_queries.as_line(row, withholds=withholds) for row in page.items],
        state=items_queries.get_state(items_queries.find_scope(chosen.campaign, scopes)),
        sentence=items_queries.filter_sentence(chosen),
        errors={},
        **common,
    )


@bp.get("/<uuid:question_id>")
@bureau("questions.view")
def show(question_id: uuid.UUID) -> str:
    """One question: who took which choice, by the rest of their papers."""
    scopes, withholds = downloads.item_scope(), _withholds()
    campaign = request.args.get("campaign", "")[:64]
    item = items_queries.item_statistics(question_id, campaign=campaign, scope_paths=scopes, withholds=withholds)
    number = request.args.get("revision", "")
    shown = item.revision(int(number) if number.isascii() and number.isdigit() and len(number) < 7 else None)
    return render_template(
        "reporting/item.html",
        item=item,
        shown=shown,
        figures=shown.figures,
        third_chart=items_charts.by_third(shown.figures),
        curve_chart=items_charts.by_rest(shown.figures),
        shares=items_queries.list_campaign_shares(shown.view.id, scopes, withholds=withholds),
        campaign=campaign,
        campaigns=items_queries.list_campaign_choices(scopes),
        definitions=_definitions(withholds),
        sentence=items_queries.filter_sentence(ItemFilter(campaign=campaign, bank=item.bank, revisions="all")),
        **_COMMON,
    )


@bp.post("/exports")
@bureau("questions.view")
def export() -> Response:
    """Ask for the list as a file; the page of the request says how far it is."""
    order = ItemOrder(request.form.get("format", "xlsx"), read_filter(request.form), downloads.item_scope())
    asked = downloads.ask(order)
    return redirect(url_for("reporting_admin.report", request_id=asked.id), 303)
