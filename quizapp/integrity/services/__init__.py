"""The verbs: look for signs, decide, reverse, answer appeals, keep the list of who takes no part, handle complaints.

No verb here takes or changes an outcome of a draw, an answer or a mark: what is drawn stays in the ledger as it is, and the
most a decision can do is to keep back or give back what follows from it.
"""

from quizapp.integrity.services.appeals import answer_appeal, file_appeal
from quizapp.integrity.services.bars import bar_people, end_bar, set_policy
from quizapp.integrity.services.cases import open_by_hand
from quizapp.integrity.services.complaints import Filed, answer_complaint, confirm_answer, file_complaint, note_complaint
from quizapp.integrity.services.deciding import Asked, confirm, decide, exclude_later_attempts, finish, restore, send_back
from quizapp.integrity.services.scanning import scan_campaign

__all__ = [
    "Asked",
    "Filed",
    "answer_appeal",
    "answer_complaint",
    "bar_people",
    "confirm",
    "confirm_answer",
    "decide",
    "end_bar",
    "exclude_later_attempts",
    "file_appeal",
    "file_complaint",
    "finish",
    "note_complaint",
    "open_by_hand",
    "restore",
    "scan_campaign",
    "send_back",
    "set_policy",
]
