"""A citizen's certificates, the page where anybody checks one, the console's list."""

import uuid
from typing import Any

from flask import Blueprint, Flask, Response, current_app, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from quizapp.accounts import queries as accounts
from quizapp.accounts import services as account_services
from quizapp.certificates import printed, queries, rules
from quizapp.certificates.errors import CertificateNotFound
from quizapp.core.clock import rfc3339
from quizapp.core.errors import AppError
from quizapp.core.pdf import MIMETYPE
from quizapp.web.access import citizen, current_principal, public
from quizapp.web.limits import check_rate

bp = Blueprint("certificates", __name__, template_folder="templates")
blueprints = (bp,)


@bp.get("/me/certificates")
@citizen
def index() -> str:
    """One's own documents."""
    own = queries.list_own(current_principal().user_id)
    return render_template("certificates/index.html", certificates=own, kind_title=rules.kind_title)


@bp.get("/me/certificates/<uuid:certificate_id>/file")
@citizen
def download(certificate_id: uuid.UUID) -> BaseResponse:
    """One of one's own as PDF. Only the owner's copy bears the nickname."""
    principal = current_principal()
    found = queries.get_own(certificate_id, principal.user_id)
    check_rate("certificate-file", str(principal.user_id), 30, 3600)
    try:
        data = printed.write(
            found, nickname=accounts.get_profile(found.citizen_id).nickname, public_url=str(current_app.config["PUBLIC_URL"])
        )
    except AppError as error:
        flash(error.message, "error")
        return redirect(url_for("certificates.index"), 303)
    return Response(data, mimetype=MIMETYPE, headers={"Content-Disposition": f'attachment; filename="{found.number}.pdf"'})


@bp.get("/certificates")
@public
def check() -> str | BaseResponse:
    """Type a number to check it."""
    typed = request.args.get("number", "")[:40]
    number = rules.plain_number(typed)
    if number is not None:
        return redirect(url_for("certificates.show", certificate_number=number))
    return render_template("certificates/check.html", typed=typed)


@bp.get("/certificates/<certificate_number>")
@public
def show(certificate_number: str) -> str | tuple[str, int] | BaseResponse:
    """Whether a document is genuine and still valid: what it says, who issued it, when. Not whose it is."""
    check_rate("certificate", request.remote_addr or "", 120, 60)
    number = rules.plain_number(certificate_number)
    try:
        if number is None:
            raise CertificateNotFound
        found = queries.get_by_number(number)
    except CertificateNotFound:
        return render_template("certificates/show.html", certificate=None, number=certificate_number[:40]), 404
    if number != certificate_number:
        return redirect(url_for("certificates.show", certificate_number=number))
    return render_template("certificates/show.html", certificate=found, number=number, kind_title=rules.kind_title)


def _export(citizen_id: uuid.UUID) -> list[dict[str, Any]]:
    return [
        {
            "number": each.number,
            "kind": each.kind,
            "title": each.title,
            "lines": each.lines,
            "issuer": each.issuer,
            "issued_at": rfc3339(each.issued_at),
            "revoked_at": rfc3339(each.revoked_at),
        }
        for each in queries.list_own(citizen_id)
    ]


def init_app(app: Flask) -> None:
    if ("certificates", _export) not in account_services.export_parts:
        account_services.export_parts.append(("certificates", _export))
