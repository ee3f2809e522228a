"""The verbs of the banks: take in, write, review, let into papers or out of them, answer citizens, correct keys."""

from quizapp.questions.services.corrections import Proposal, affected_revisions, cancel_correction, confirm_correction, propose_correction
from quizapp.questions.services.editing import create_question, move_questions, save_question, tag_questions
from quizapp.questions.services.feedback import answer_fault, report_fault
from quizapp.questions.services.flags import find_lint_flags, replace_flags
from quizapp.questions.services.importing import ImportResult, export_bank, import_bank, import_entries
from quizapp.questions.services.reviewing import (
    approve_bank,
    approve_question,
    retire_question,
    return_question,
    set_review_steps,
    set_theme_owner,
    sign_off_question,
    submit_question,
    suspend_question,
)
from quizapp.questions.services.revisions import add_question, add_questions, add_revision, as_entry, serve

__all__ = [
    "ImportResult",
    "Proposal",
    "add_question",
    "add_questions",
    "add_revision",
    "affected_revisions",
    "answer_fault",
    "approve_bank",
    "approve_question",
    "as_entry",
    "cancel_correction",
    "confirm_correction",
    "create_question",
    "export_bank",
    "find_lint_flags",
    "import_bank",
    "import_entries",
    "move_questions",
    "propose_correction",
    "replace_flags",
    "report_fault",
    "retire_question",
    "return_question",
    "save_question",
    "serve",
    "set_review_steps",
    "set_theme_owner",
    "sign_off_question",
    "submit_question",
    "suspend_question",
    "tag_questions",
]
