"""A citizen's points, entry by entry."""

from flask import Blueprint, render_template, request, url_for

from quizapp.ledger import queries
from quizapp.web.access import citizen, current_principal
from quizapp.web.pagination import decode_id_cursor, encode_cursor

bp = Blueprint("ledger", __name__, template_folder="templates")
blueprints = (bp,)
PER_PAGE = 30


@bp.get("/me/points")
@citizen
def points() -> str:
    """The balance and where it comes from, the newest entry first."""
    owner = ("citizen", str(current_principal().user_id))
    entries = queries.list_entries(*owner, "points", before=decode_id_cursor(request.args.get("after")), limit=PER_PAGE + 1)
    shown = entries[:PER_PAGE]
    return render_template(
        "ledger/points.html",
        balance=queries.get_balance(*owner, "points"),
        entries=shown,
        more_url=url_for("ledger.points", after=encode_cursor(str(shown[-1].id))) if len(entries) > PER_PAGE else "",
    )
