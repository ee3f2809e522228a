"""The verbs of an attempt: start it, save an answer, hand it in, adopt a guest's, close what is overdue.

A service that keeps something although it refuses (a late answer is kept as an event, a guest's hand-in is kept for the
registration) returns the refusal with its result; the edge raises it after the commit (``attempts.edge.settle``).
"""

from quizapp.attempts.services.acting import (
    enter_campaign,
    find_entry,
    forget_answers,
    needs_entry,
    read_answers,
    record_action,
    team_name_of,
)
from quizapp.attempts.services.adopting import adopt_attempt
from quizapp.attempts.services.answering import SavedAnswer, save_answer
from quizapp.attempts.services.closing import Closed, close_overdue, delete_forgotten_papers
from quizapp.attempts.services.handing_in import HandedIn, submit_at_once, submit_attempt
from quizapp.attempts.services.starting import Started, start_attempt

__all__ = [
    "Closed",
    "HandedIn",
    "SavedAnswer",
    "Started",
    "adopt_attempt",
    "close_overdue",
    "delete_forgotten_papers",
    "enter_campaign",
    "find_entry",
    "forget_answers",
    "needs_entry",
    "read_answers",
    "record_action",
    "save_answer",
    "start_attempt",
    "submit_at_once",
    "submit_attempt",
    "team_name_of",
]
