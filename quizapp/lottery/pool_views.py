"""Pages of pool draws for everybody: what was published, the list, the result, one's own line, and how to check."""

import uuid
from pathlib import Path

from flask import Blueprint, Response, current_app, render_template, request
from flask_babel import gettext as _

from quizapp.core.clock import utc_now
from quizapp.core.errors import NotFound
from quizapp.lottery import pool_proof, pool_rules
from quizapp.lottery.pool_api import file_url
from quizapp.lottery.pooldraw import queries
from quizapp.lottery.pooldraw.queries import PublicDraw
from quizapp.web.access import current_principal, public
from quizapp.web.ui import url_if

bp = Blueprint("pool_draws", __name__, template_folder="templates")
SHOWN = 60
"""Numbers of a tier on the page; all stand in the file."""
HERE = Path(__file__).parent


@bp.get("/campaigns/<slug>/pool-draws")
@public
def index(slug: str) -> str:
    """The draws of a campaign by the moment their lists are due."""
    found = queries.list_public(slug)
    if not found:
        raise NotFound
    return render_template(
        "lottery/pool_draws.html",
        draws=found,
        campaign=found[0].campaign,
        manifest_hash=found[0].manifest_hash,
        state_titles=pool_rules.STATE_TITLES,
        mode_titles=pool_rules.MODE_TITLES,
        campaign_url=url_if("campaigns.show", slug=slug) or "/",
    )


@bp.get("/campaigns/<slug>/pool-draws/<uuid:pool_draw_id>")
@public
def show(slug: str, pool_draw_id: uuid.UUID) -> str:
    """One draw with everything that anybody needs to check it, and one's own line."""
    found = queries.get_public_of(slug, pool_draw_id)
    principal = current_principal()
    entry = queries.find_own_entry(pool_draw_id, principal.user_id) if principal.is_citizen and principal.id else None
    counts = queries.count_tiers(pool_draw_id)
    return render_template(
        "lottery/pool_draw.html",
        found=found,
        run=found.run,
        terms=found.terms,
        campaign=found.campaign,
        entry=entry,
        is_citizen=principal.is_citizen,
        own=queries.list_own_results(pool_draw_id, entry.serial) if entry else [],
        tiers=[_tier(found, number, counts) for number in range(len(found.terms["tiers"]))],
        reserves=queries.list_tier(pool_draw_id, None, SHOWN),
        reserve_count=counts.get(None, 0),
        substitutions=queries.list_substitutions(pool_draw_id) if found.run.state == "drawn" else [],
        outside=queries.find_confirmed_outside(pool_draw_id) if found.run.is_outside else None,
        reasons=pool_rules.REASONS,
        input_word=input_word(found),
        mode_titles=pool_rules.MODE_TITLES,
        file_url=file_url(found),
        list_url=file_url(found, "list"),
        now=utc_now(),
    )


def _tier(found: PublicDraw, number: int, counts: dict[int | None, int]) -> dict[str, object]:
    shown = queries.list_tier(found.run.id, number, SHOWN) if counts.get(number) else []
    return {"terms": found.terms["tiers"][number], "count": counts.get(number, 0), "shown": shown}


def input_word(found: PublicDraw) -> str:
    """What enters the draw beside the secret, as the manifest announced it."""
    terms = found.terms
    if found.run.mode == "outside":
        return str(_("场外摇号，不用平台的密钥"))
    if terms["seed_input"] == "spoken":
        return str(_("现场念出的数字"))
    return terms["public_figure"] if terms["seed_input"] == "public_figure" else str(_("没有"))


@bp.get("/draws/pool_check.py")
@public
def checker() -> Response:
    """The checker: one file for Python's standard library, the very functions the server draws with."""
    text = Path(pool_proof.__file__).read_text(encoding="utf-8")
    return Response(text, mimetype="text/x-python", headers={"Content-Disposition": 'attachment; filename="pool_check.py"'})


@bp.get("/draws/pool_check.html")
@public
def offline_page() -> Response:
    """The checker for a browser: one page to be saved, which computes everything without a network."""
    text = (HERE / "offline" / "pool_check.html").read_text(encoding="utf-8")
    return Response(text, mimetype="text/html", headers={"Content-Disposition": 'attachment; filename="pool_check.html"'})


@bp.get("/draws/pool-specification")
@public
def specification() -> Response:
    """The specification the checkers follow, to the byte."""
    path = Path(current_app.root_path).parent / "docs" / "draw-proof-pools.md"
    if not path.exists():
        raise NotFound
    return Response(path.read_text(encoding="utf-8"), mimetype="text/plain")


def asked_tier() -> int:
    """Which tier a ceremony shows, from 0; what is no number is the first."""
    text = request.args.get("tier", "0")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 0
