"""The winners' notices in public: who has won, by 抽奖号; objecting, and reading the answer."""

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from quizapp.accounts import queries as accounts
from quizapp.core.clock import utc_now
from quizapp.core.db import transaction
from quizapp.core.errors import InvalidInput
from quizapp.core.text import has_forbidden_characters
from quizapp.payouts import queries, rules, services
from quizapp.payouts.blueprint import bp
from quizapp.payouts.errors import ObjectionOver
from quizapp.payouts.queries import notices as found_notices
from quizapp.web.access import public
from quizapp.web.limits import check_rate
from quizapp.web.pagination import page_number, paginate
from quizapp.web.ui import url_if

PER_PAGE = 20
PER_PRINTED_PAGE = 500


@bp.get("/notices")
@public
def notices() -> str | Response:
    """The notices that are up; with one alone, that one."""
    found = found_notices.list_notices(utc_now())
    if len(found) == 1:
        return redirect(_address("payouts.notice", found[0].campaign.slug, found[0].row.draw_key))
    return render_template("payouts/notices.html", notices=found, home_url=url_if("campaigns.home") or "/", address=_address)


def _address(endpoint: str, slug: str, draw_key: str) -> str:
    return url_for(endpoint, slug=slug, draw=draw_key or None)


def _asked(slug: str) -> found_notices.Notice:
    """The notice of the address; ``?draw=`` names a pool draw.

    :raises NotFound: if there is none, or it has been taken down
    """
    return found_notices.get_notice(slug, utc_now(), request.args.get("draw", "")[:64])


@bp.get("/notices/<slug>")
@public
def notice(slug: str) -> str:
    """Who has won: the 抽奖号 and the prize; a masked phone only where its owner agreed."""
    now = utc_now()
    found = _asked(slug)
    is_printed = request.args.get("print") == "1"
    word = request.args.get("q", "")[:20]
    statement = found_notices.select_notice_rows(found.row, now, rules.plain_reference(word))
    page = paginate(statement, page_number(), PER_PRINTED_PAGE if is_printed else PER_PAGE, is_scalar=False)
    rows = [(payout, accounts.find_masked_phone(queries.vault(), payout.citizen_id) if is_open else None) for payout, is_open in page.items]
    return render_template(
        "payouts/notice_printed.html" if is_printed else "payouts/notice.html",
        notice=found,
        rows=rows,
        page=page,
        q=word,
        totals=found_notices.list_tier_totals(found.row, now),
        least=rules.LEAST_SHOWN,
        may_object=now < found.row.objection_until,
        reply_days=rules.OBJECTION_REPLY_DAYS,
        now=now,
        print_url=url_for("payouts.notice", slug=slug, draw=found.row.draw_key or None, print=1),
        back_url=url_if("campaigns.show", slug=slug) or url_for("payouts.notices"),
    )


@bp.get("/notices/<slug>/objection")
@public
def objection_form(slug: str) -> str:
    return _form_page(slug, "", "")


def _form_page(slug: str, reason: str, error: str) -> str:
    found = _asked(slug)
    return render_template(
        "payouts/objection.html",
        notice=found,
        reference=request.values.get("reference", "")[:20],
        reason=reason,
        error=error,
        is_over=utc_now() >= found.row.objection_until,
        reply_days=rules.OBJECTION_REPLY_DAYS,
        limits=rules.OBJECTION_LENGTH,
        back_url=_address("payouts.notice", slug, found.row.draw_key),
        draw=found.row.draw_key,
    )


@bp.post("/notices/<slug>/objection")
@public
def object_to(slug: str) -> Response | tuple[str, int]:
    """Take an objection; nobody has to say who they are."""
    check_rate("objection", request.remote_addr or "", 10, 3600)
    found, reason = _asked(slug), request.form.get("reason", "")[:600]
    try:
        if has_forbidden_characters(reason.replace("\r", "").replace("\n", "")):
            raise InvalidInput(fields={"reason": _("有不能用的字符。")})
        with transaction():
            number = services.object_to(
                notice=found.row, reference=request.form.get("reference", ""), reason=reason.replace("\r\n", "\n"), now=utc_now()
            ).number
    except ObjectionOver as error:
        flash(error.message, "error")
        return redirect(_address("payouts.notice", slug, found.row.draw_key), 303)
    except InvalidInput:
        return _form_page(slug, reason, _("请写明理由，4 到 500 个字。")), 422
    return redirect(url_for("payouts.objection", objection_number=number), 303)


@bp.get("/objections/<objection_number>")
@public
def objection(objection_number: str) -> str:
    """Where an objection stands. Whoever has the number may read it; it cannot be guessed."""
    check_rate("objection-page", request.remote_addr or "", 120, 60)
    found, replies = found_notices.get_objection_by_number(objection_number.strip().upper()[:16])
    return render_template("payouts/objection_state.html", objection=found, replies=replies, home_url=url_if("campaigns.home") or "/")
