"""From the principal of a request to the actor of an audit entry."""

from flask import g

from quizapp.audit.services import Actor
from quizapp.web.access import current_principal


def current_actor() -> Actor:
    principal = current_principal()
    return Actor(principal.kind, principal.id, principal.display_name, g.get("request_id", ""))
