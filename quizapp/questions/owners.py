"""Whose a bank is that a member of staff brings."""

import uuid

from quizapp.questions.rules import may_change
from quizapp.web.access import Principal


def owner_of_new(principal: Principal) -> uuid.UUID | None:
    """A new bank is shared (None) when somebody at the top brings it, else it belongs to the unit of whoever does."""
    grants = [grant for grant in principal.grants if "questions.edit" in grant.permissions]
    if not grants or may_change([grant.path for grant in grants], None):
        return None
    return grants[0].organisation_id
