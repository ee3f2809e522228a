"""The console's list of certificates: find one by its number, revoke one."""

import uuid

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from quizapp.audit.actors import current_actor
from quizapp.certificates import queries, rules, services
from quizapp.certificates.errors import ReasonNeeded
from quizapp.core.clock import utc_now
from quizapp.core.db import transaction
from quizapp.web.access import bureau, current_principal
from quizapp.web.pagination import page_number, paginate

bp = Blueprint("certificates_admin", __name__, url_prefix="/admin/certificates", template_folder="templates")
blueprints = (bp,)


@bp.get("")
@bureau("certificates.manage")
def index() -> str:
    typed = request.args.get("q", "")[:40]
    number = (rules.plain_number(typed) or "-") if typed else ""
    statement = queries.select_certificates(current_principal().scopes("certificates.manage"), number)
    return render_template("certificates/admin_index.html", page=paginate(statement, page_number()), q=typed, kind_title=rules.kind_title)


@bp.get("/<uuid:certificate_id>")
@bureau("certificates.manage")
def show(certificate_id: uuid.UUID) -> str:
    return _page(certificate_id, "", "")


def _page(certificate_id: uuid.UUID, reason: str, error: str) -> str:
    found = queries.get_certificate(certificate_id, current_principal().scopes("certificates.manage"))
    return render_template(
        "certificates/admin_show.html",
        certificate=found,
        reason=reason,
        error=error,
        kind_title=rules.kind_title,
        limits=rules.REASON_LENGTH,
    )


@bp.post("/<uuid:certificate_id>/revocation")
@bureau("certificates.manage")
def revoke(certificate_id: uuid.UUID) -> Response | tuple[str, int]:
    principal, reason = current_principal(), request.form.get("reason", "")[:200]
    try:
        with transaction():
            services.revoke(
                certificate_id=certificate_id,
                reason=reason,
                staff_id=principal.user_id,
                paths=principal.scopes("certificates.manage"),
                actor=current_actor(),
                now=utc_now(),
            )
    except ReasonNeeded as error:
        return _page(certificate_id, reason, error.fields["reason"]), 422
    flash(_("这份证书撤销了，查证的人会看到。"), "success")
    return redirect(url_for("certificates_admin.show", certificate_id=certificate_id), 303)
