"""Writing questions: new ones, new revisions, and tags or another bank for many at once."""

import datetime as dt
import re
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from quizapp.audit.services import Actor, record
from quizapp.core.db import db, on_commit
from quizapp.core.errors import InvalidInput
from quizapp.core.text import N_, clean_line
from quizapp.questions import queries
from quizapp.questions.errors import QuestionChanged
from quizapp.questions.loader import MAX_TAG, MAX_TAGS, Entry, parse_entries
from quizapp.questions.models import Question, QuestionAlias, QuestionBank, QuestionRevision
from quizapp.questions.services.revisions import add_question, add_revision, as_entry, changed, serve

MAX_AT_ONCE = 500


def create_question(bank: QuestionBank, raw: Mapping[str, Any], *, now: dt.datetime, actor: Actor, submit: bool = False) -> Question:
    """A new question of a bank, as a draft or at once sent to review.

    :param raw: the fields of a bank file's entry; without ``id`` it gets the next free number
    :raises BankFileInvalid: with every mistake, by field
    :raises InvalidInput: if the id is taken
    """
    queries.lock_bank(bank.slug)
    code = str(raw.get("id") or "") or _free_code(bank.id)
    (entry,) = parse_entries([{**raw, "id": code}])
    if queries.find_question(bank.id, code) is not None or code in queries.list_aliases(bank.id):
        raise InvalidInput(fields={"id": N_("这个题库里已经有这个编号，换一个，或者留空自动编号。")})
    question = add_question(bank, entry, now=now, publish=False, created_by=actor.id, origin="staff", is_draft=not submit)
    changed("question.created", question, actor, now, {"bank": bank.slug, "status": question.status})
    return question


def _free_code(bank_id: uuid.UUID) -> str:
    taken = set(db.session.scalars(sa.select(Question.code).filter_by(bank_id=bank_id))) | queries.list_aliases(bank_id)
    number = max((int(code[2:]) for code in taken if re.fullmatch(r"n-\d{1,9}", code)), default=0) + 1
    return f"n-{number:04d}"


def save_question(
    question_id: uuid.UUID, raw: Mapping[str, Any], *, based_on: uuid.UUID, now: dt.datetime, actor: Actor, submit: bool = False
) -> QuestionRevision | None:
    """A new revision of a question, as a draft or at once sent to review. A question in use keeps its reviewed revision
    until the new one is through. Nothing is written where nothing differs.

    :param based_on: the revision the editor began with; must still be the newest
    :raises QuestionChanged: if somebody else has saved since, or the question is retired
    :raises BankFileInvalid: with every mistake, by field
    """
    question = queries.lock_question(question_id)
    newest = queries.list_revisions(question_id)[0]
    if newest.id != based_on or question.status == "retired":
        raise QuestionChanged
    (entry,) = parse_entries([{**raw, "id": question.code}])
    if entry.content_hash() == bytes(newest.content_hash):
        return None
    revision = add_revision(question, entry, number=newest.number + 1, now=now, created_by=actor.id, origin="staff")
    serve(question, revision.id, publish=False, is_draft=not submit)
    changed("question.revised", question, actor, now, {"revision": revision.number, "submitted": submit})
    return revision


# ---- many at once


def _lock_all(question_ids: Collection[uuid.UUID]) -> list[Question]:
    if len(question_ids) > MAX_AT_ONCE:
        raise InvalidInput(N_("一次最多改 500 道题。"))
    return [queries.lock_question(question_id) for question_id in sorted(set(question_ids))]


def tag_questions(
    question_ids: Collection[uuid.UUID], *, add: Sequence[str] = (), remove: Sequence[str] = (), now: dt.datetime, actor: Actor
) -> int:
    """Give tags to questions or take them away. What a question asks stays the same, so a revision in use needs no new
    review; one that waits goes on waiting. Returns how many questions changed.

    :raises InvalidInput: for a tag too long, or a question with too many
    """
    wanted = tuple(dict.fromkeys(clean_line(tag, MAX_TAG + 1) for tag in add if tag.strip()))
    if any(len(tag) > MAX_TAG for tag in wanted):
        raise InvalidInput(fields={"tags": N_("一个标签最多 64 个字。")})
    count = 0
    for question in _lock_all(question_ids):
        newest = queries.list_revisions(question.id)[0]
        tags = tuple(dict.fromkeys([*(tag for tag in newest.tags if tag not in remove), *wanted]))
        if len(tags) > MAX_TAGS:
            raise InvalidInput(fields={"tags": N_("一道题最多 20 个标签。")})
        if tags == tuple(newest.tags):
            continue
        revision = _retagged(question, newest, tags, now, actor)
        changed("question.tagged", question, actor, now, {"revision": revision.number, "tags": [list(newest.tags), list(tags)]})
        count += 1
    return count


def _retagged(question: Question, newest: QuestionRevision, tags: tuple[str, ...], now: dt.datetime, actor: Actor) -> QuestionRevision:
    entry: Entry = replace(as_entry(question, newest), tags=tags)
    revision = add_revision(question, entry, number=newest.number + 1, now=now, created_by=actor.id, origin="staff")
    if question.current_revision_id == newest.id:
        question.current_revision_id = revision.id
    return revision


def move_questions(question_ids: Collection[uuid.UUID], *, bank: QuestionBank, now: dt.datetime, actor: Actor) -> int:
    """Move questions to another bank; a taken id gets a number behind it. Returns how many moved. Past attempts are not
    touched, and a file of the old bank does not bring them back."""
    count = 0
    titles = queries.bank_titles()
    for question in _lock_all(question_ids):
        if question.bank_id == bank.id:
            continue
        before = queries.get_bank_by_id(question.bank_id)
        old_code = question.code
        _leave_alias(before.id, old_code, question.id)
        db.session.execute(sa.delete(QuestionAlias).filter_by(bank_id=bank.id, question_id=question.id))
        question.code = _code_in(bank.id, old_code)
        question.bank_id = bank.id
        db.session.flush()
        record(
            "question.moved",
            actor=actor,
            target_type="question",
            target_id=question.id,
            target_name=question.code,
            changes={"bank": [titles.get(before.slug, before.slug), bank.title], "code": [old_code, question.code]},
            now=now,
        )
        count += 1
    on_commit(queries.forget_pools)
    return count


def _leave_alias(bank_id: uuid.UUID, code: str, question_id: uuid.UUID) -> None:
    known = db.session.get(QuestionAlias, (bank_id, code))
    if known is None:
        db.session.add(QuestionAlias(bank_id=bank_id, code=code, question_id=question_id))
    else:
        known.question_id = question_id


def _code_in(bank_id: uuid.UUID, code: str) -> str:
    taken = set(db.session.scalars(sa.select(Question.code).filter_by(bank_id=bank_id))) | queries.list_aliases(bank_id)
    if code not in taken:
        return code
    return next(text for number in range(2, 100_000) if (text := f"{code[:57]}-{number}") not in taken)
