"""The verbs of accounts, by theme in the modules beside."""

from quizapp.accounts.services.sessions import (
    CITIZEN_LIMITS,
    SEEN_EVERY,
    STAFF_LIMITS,
    end_citizen_session,
    end_citizen_sessions,
    end_session,
    end_staff_sessions,
    issue_bearer,
    open_session,
    touch_session,
)

__all__ = [
    "CITIZEN_LIMITS",
    "SEEN_EVERY",
    "STAFF_LIMITS",
    "end_citizen_session",
    "end_citizen_sessions",
    "end_session",
    "end_staff_sessions",
    "issue_bearer",
    "open_session",
    "touch_session",
]
