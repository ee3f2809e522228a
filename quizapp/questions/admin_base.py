"""What the screens of the banks share: the blueprint, words, and finding what somebody may see or change."""

import uuid
from typing import Any

from flask import Blueprint

from quizapp.core.errors import NotFound
from quizapp.questions import queries, rules
from quizapp.questions.errors import BankNotFound
from quizapp.questions.models import Question, QuestionBank
from quizapp.web.access import current_principal

bp = Blueprint("questions_admin", __name__, url_prefix="/admin/questions", template_folder="templates")

LABELS: dict[str, Any] = {
    "kind_titles": rules.KIND_TITLES,
    "status_titles": rules.STATUS_TITLES,
    "difficulty_titles": rules.DIFFICULTY_TITLES,
    "citation_words": rules.citation_words,
    "flag_sources": rules.FLAG_SOURCES,
    "fault_reasons": rules.FAULT_REASONS,
    "letters": rules.LETTERS,
}


def find_bank(slug: str) -> QuestionBank:
    """A bank this member of staff may see.

    :raises BankNotFound: for one outside, as if it did not exist
    """
    bank = queries.get_bank(slug)
    path = queries.owner_path(bank)
    if path is not None and not current_principal().covers("questions.view", path):
        raise BankNotFound
    return bank


def may(permission: str, bank: QuestionBank) -> bool:
    return rules.may_change(current_principal().scopes(permission), queries.owner_path(bank))


def require(permission: str, bank: QuestionBank) -> None:
    """:raises BankNotFound: unless this member of staff may change the bank"""
    if not may(permission, bank):
        raise BankNotFound


def find_question(slug: str, code: str) -> tuple[QuestionBank, Question]:
    """A question of a bank this member of staff may see.

    :raises NotFound: if there is none
    """
    bank = find_bank(slug)
    question = queries.find_question(bank.id, code)
    if question is None:
        raise NotFound
    return bank, question


def reviewer_scopes() -> list[str]:
    """Subtrees in which this member of staff takes steps of review: where they review and see the banks. A co-host only
    signs."""
    principal = current_principal()
    return [grant.path for grant in principal.grants if {"questions.review", "questions.view"} <= grant.permissions]


def may_step(bank: QuestionBank) -> bool:
    """Whether this member of staff may take a step of review in a bank."""
    return rules.may_change(reviewer_scopes(), queries.owner_path(bank))


def may_sign(bank: QuestionBank) -> bool:
    """Whether this member of staff may sign for the unit whose signature publishing in a bank needs."""
    signer = queries.sign_off_unit(bank)
    return signer is not None and rules.may_sign(current_principal().scopes("questions.review"), signer.path)


def parse_ids(texts: list[str]) -> list[uuid.UUID]:
    """Ids as a form sends them; what is none is left out."""
    found = []
    for text in texts:
        try:
            found.append(uuid.UUID(text))
        except ValueError:
            continue
    return found
