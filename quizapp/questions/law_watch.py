"""When an article changes: exactly the questions that cite it are listed, kept out of papers where the bureau so sets, and
confirmed or rewritten. Attempts keep the revision they were made with; nothing here touches them.

A question depends on an article if the revision that papers are drawn with, or a newer one that waits, cites it. A document
cited as a whole is touched by a change of any of its articles.
"""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
import sqlalchemy.orm

from quizapp.accounts.queries import find_root_organisation
from quizapp.audit.services import SYSTEM, Actor, record
from quizapp.core.clock import shanghai_day
from quizapp.core.db import db
from quizapp.core.errors import Conflict
from quizapp.questions import queries
from quizapp.questions.law_models import LawReview, LawWatchPolicy, QuestionCitation
from quizapp.questions.models import Question, QuestionBank, QuestionRevision
from quizapp.questions.services.revisions import changed
from quizapp.statutes import services as statute_services
from quizapp.statutes.dependents import ArticleChange, Coverage


@dataclass(frozen=True)
class Dependent:
    """A question and the citation that ties it to a changed article."""

    question_id: uuid.UUID
    law: str
    article: str
    change: ArticleChange


# ---- finding


def _live_citations() -> sa.Select[*tuple[uuid.UUID, str, str]]:
    """Citations of the revision in papers and of the newest one, of questions that are not retired."""
    newer = sa.orm.aliased(QuestionRevision)
    newest = sa.select(sa.func.max(newer.number)).where(newer.question_id == Question.id).correlate(Question).scalar_subquery()
    return (
        sa.select(QuestionCitation.question_id, QuestionCitation.law, QuestionCitation.article)
        .join(Question, Question.id == QuestionCitation.question_id)
        .join(QuestionRevision, QuestionRevision.id == QuestionCitation.revision_id)
        .where(
            Question.status != "retired",
            sa.or_(Question.current_revision_id == QuestionRevision.id, QuestionRevision.number == newest),
        )
        .distinct()
        .order_by(QuestionCitation.question_id, QuestionCitation.law, QuestionCitation.article)
    )


def find_dependents(changes: Sequence[ArticleChange]) -> list[Dependent]:
    """Every question that depends on one of the articles, one line for each of the articles it cites."""
    found: list[Dependent] = []
    by_statute: dict[uuid.UUID, list[ArticleChange]] = defaultdict(list)
    for change in changes:
        by_statute[change.statute_id].append(change)
    for of_one in by_statute.values():
        by_number: dict[str | None, list[ArticleChange]] = defaultdict(list)
        for change in of_one:
            by_number[change.number].append(change)
        statement = _live_citations().where(QuestionCitation.law.in_(of_one[0].names))
        if None not in by_number:
            statement = statement.where(QuestionCitation.article.in_([*by_number, ""]))
        for row in db.session.execute(statement):
            touching = of_one if row.article == "" else [*by_number[row.article], *by_number[None]]
            found += [Dependent(row.question_id, row.law, row.article, change) for change in touching]
    return found


def count_dependents(changes: Sequence[ArticleChange]) -> int:
    """How many questions depend on these articles."""
    return len({dependent.question_id for dependent in find_dependents(changes)})


# ---- listing


def flag_changes(changes: Sequence[ArticleChange], suspend: bool, actor: Actor, now: dt.datetime) -> int:
    """List the questions that depend on these articles, each of them once for each change. Returns how many questions.

    :param suspend: keep them out of papers, from the day of the change on, until somebody has looked at them
    """
    found = find_dependents(changes)
    today = shanghai_day(now)
    for dependent in found:
        change = dependent.change
        review = LawReview(
            question_id=dependent.question_id,
            statute_id=change.statute_id,
            law=dependent.law,
            article=change.number or dependent.article,
            kind=change.kind,
            before_id=change.before_id,
            after_id=change.after_id,
            effective_on=change.effective_on,
            suspends=suspend,
            listed_at=now,
        )
        db.session.add(review)
    db.session.flush()
    codes = dict(_codes({dependent.question_id for dependent in found}))
    for question_id, code in sorted(codes.items(), key=lambda item: item[1]):
        own = [dependent for dependent in found if dependent.question_id == question_id]
        articles = sorted({f"{item.law} {item.change.number or item.article}".strip() for item in own})
        record(
            "question.law_changed",
            actor=actor,
            target_type="question",
            target_id=question_id,
            target_name=code,
            changes={"articles": "、".join(articles), "effective_from": min(item.change.effective_on for item in own).isoformat()},
            now=now,
        )
    if suspend:
        _suspend(_due(today), actor, now)
    return len(codes)


def flag_for_article_change(law: str, article: str, *, suspend: bool, actor: Actor, now: dt.datetime) -> int:
    """The same for the latest change of one article, by any name of its statute.

    :raises StatuteNotFound, ArticleNotFound: if there is no such article
    """
    return flag_changes([statute_services.describe_change(law, article)], suspend, actor, now)


def _codes(ids: Collection[uuid.UUID]) -> Iterator[tuple[uuid.UUID, str]]:
    for row in db.session.execute(sa.select(Question.id, Question.code).where(Question.id.in_(ids))):
        yield row.id, row.code


def _is_open() -> sa.ColumnElement[bool]:
    """Reviews that still wait: neither decided, nor overtaken by a revision written since or by a review that let the
    question back into papers; :func:`close_overtaken` writes those down."""
    return sa.and_(LawReview.state == "open", Question.status != "retired", ~_is_rewritten(), ~_is_back())


def _is_rewritten() -> sa.ColumnElement[bool]:
    served = sa.orm.aliased(QuestionRevision)
    return sa.exists().where(served.id == Question.current_revision_id, served.created_at > LawReview.listed_at)


def _is_back() -> sa.ColumnElement[bool]:
    return sa.and_(LawReview.suspended_at.is_not(None), Question.status == "published")


def _due(today: dt.date) -> sa.Select[*tuple[LawReview, Question]]:
    return (
        sa.select(LawReview, Question)
        .join(Question, Question.id == LawReview.question_id)
        .where(
            LawReview.suspends,
            LawReview.suspended_at.is_(None),
            LawReview.effective_on <= today,
            Question.status == "published",
            _is_open(),
        )
        .order_by(Question.id)
        .with_for_update(of=Question)
        .execution_options(populate_existing=True)
    )


def _suspend(due: sa.Select[*tuple[LawReview, Question]], actor: Actor, now: dt.datetime) -> int:
    """Take questions out of papers; each comes back when all its changes are looked at."""
    rows = db.session.execute(due).all()
    for review, question in rows:
        review.suspended_at = now
        if question.status == "published":
            question.status = "suspended"
            question.review_round += 1
            changed("question.suspended_by_law", question, actor, now, {"articles": _words([review])})
    db.session.flush()
    return len({question.id for _, question in rows})


# ---- deciding


def confirm(question_id: uuid.UUID, *, seen: Collection[uuid.UUID], note: str, now: dt.datetime, actor: Actor) -> Question:
    """The question still stands under the new text; if the change took it out of papers, it comes back.

    :param seen: the open reviews of the question that the reviewer had before them
    :raises Conflict: if there are others by now
    """
    question = queries.lock_question(question_id)
    reviews = list_open(question_id)
    if not reviews or {review.id for review in reviews} != set(seen):
        raise Conflict
    was_suspended = any(review.suspended_at is not None for review in reviews)
    for review in reviews:
        _decide(review, "confirmed", note, actor, now)
    if was_suspended and question.status == "suspended":
        question.status = "published"
    changes = {"articles": _words(reviews), "note": note, "published": was_suspended}
    changed("question.law_confirmed", question, actor, now, changes)
    return question


def list_open(question_id: uuid.UUID) -> list[LawReview]:
    """What of a question still waits to be looked at, the oldest first."""
    statement = sa.select(LawReview).join(Question, Question.id == LawReview.question_id)
    return list(db.session.scalars(statement.where(LawReview.question_id == question_id, _is_open()).order_by(LawReview.id)))


def _words(reviews: Sequence[LawReview]) -> str:
    return "、".join(f"{review.law} {review.article}".strip() for review in reviews)


def _decide(review: LawReview, state: str, note: str, actor: Actor, now: dt.datetime) -> None:
    review.state, review.note, review.decided_at = state, note[:200], now
    review.decided_by = actor.id if actor.kind == "staff" else None


def close_overtaken(now: dt.datetime) -> int:
    """Write down what has settled itself: a later revision went into papers, or review let the question back in."""
    base = sa.select(LawReview, Question).join(Question, Question.id == LawReview.question_id).where(LawReview.state == "open")
    count = 0
    for state, condition in (("rekeyed", _is_rewritten()), ("confirmed", _is_back())):
        for review, question in db.session.execute(base.where(condition)).all():
            if review.state == "open":
                _decide(review, state, "", SYSTEM, now)
                changed(f"question.law_{state}", question, SYSTEM, now, {"articles": _words([review])})
                count += 1
    return count


def suspend_due(now: dt.datetime) -> int:
    """Take questions out of papers whose change takes effect today. Returns how many."""
    return _suspend(_due(shanghai_day(now)), SYSTEM, now)


# ---- reading


@dataclass(frozen=True)
class Waiting:
    """A question that waits to be looked at, with its bank."""

    question: Question
    bank: QuestionBank
    effective_on: dt.date


def select_waiting(scopes: Sequence[str], *, law: str = "") -> sa.Select[*tuple[Any, ...]]:
    """Questions with an open review in banks that these subtrees may see, the earliest change first."""
    day = sa.func.min(LawReview.effective_on)
    statement = (
        sa.select(Question, QuestionBank, day.label("effective_on"))
        .join(LawReview, LawReview.question_id == Question.id)
        .join(QuestionBank, QuestionBank.id == Question.bank_id)
        .where(_is_open(), queries.in_scopes(scopes))
        .group_by(Question.id, QuestionBank.id)
        .order_by(day, QuestionBank.slug, Question.code)
    )
    return statement.where(LawReview.law == law) if law else statement


def count_waiting(scopes: Sequence[str]) -> int:
    statement = select_waiting(scopes).with_only_columns(Question.id).order_by(None)
    return db.session.scalar(sa.select(sa.func.count()).select_from(statement.subquery())) or 0


def count_by_law(scopes: Sequence[str]) -> dict[str, int]:
    """Questions that wait, by the statute they cite."""
    statement = (
        sa.select(LawReview.law, sa.func.count(LawReview.question_id.distinct()))
        .join(Question, Question.id == LawReview.question_id)
        .join(QuestionBank, QuestionBank.id == Question.bank_id)
        .where(_is_open(), queries.in_scopes(scopes))
        .group_by(LawReview.law)
        .order_by(LawReview.law)
    )
    return {row[0]: row[1] for row in db.session.execute(statement)}


def list_decided(scopes: Sequence[str], limit: int = 50) -> list[tuple[LawReview, Question, QuestionBank]]:
    """What was decided last."""
    statement = (
        sa.select(LawReview, Question, QuestionBank)
        .join(Question, Question.id == LawReview.question_id)
        .join(QuestionBank, QuestionBank.id == Question.bank_id)
        .where(LawReview.state != "open", queries.in_scopes(scopes))
        .order_by(LawReview.decided_at.desc(), LawReview.id)
        .limit(limit)
    )
    return [(row[0], row[1], row[2]) for row in db.session.execute(statement)]


def cover(statutes: Sequence[Collection[str]]) -> list[Coverage]:
    """How far questions in use ask about each statute, given by its names."""
    wanted = {name for names in statutes for name in names}
    statement = (
        sa.select(QuestionCitation.law, QuestionCitation.article, QuestionCitation.question_id, QuestionBank.title)
        .join(Question, Question.current_revision_id == QuestionCitation.revision_id)
        .join(QuestionBank, QuestionBank.id == Question.bank_id)
        .where(QuestionCitation.law.in_(wanted), Question.status == "published")
    )
    rows = db.session.execute(statement).all()
    return [_coverage([row for row in rows if row.law in names]) for names in statutes]


def _coverage(rows: Sequence[sa.Row[*tuple[str, str, uuid.UUID, str]]]) -> Coverage:
    banks: dict[str, set[uuid.UUID]] = defaultdict(set)
    for row in rows:
        banks[row.title].add(row.question_id)
    articles = {row.article for row in rows if row.article}
    return Coverage(
        question_count=len({row.question_id for row in rows}),
        articles=tuple(sorted(articles, key=lambda number: tuple(map(int, number.split("-"))))),
        banks={title: len(ids) for title, ids in sorted(banks.items())},
    )


# ---- what the bureau sets


def suspends() -> bool:
    """Whether questions whose article changes are out of papers at once: unless the bureau has set otherwise, yes."""
    root = find_root_organisation()
    policy = db.session.get(LawWatchPolicy, root.id) if root else None
    return policy.suspends if policy else True


def set_policy(*, suspend: bool, now: dt.datetime, actor: Actor) -> None:
    """Set it for changes from now on; what is listed already stays as it is."""
    root = find_root_organisation()
    if root is None or suspends() == suspend:
        return
    policy = db.session.get(LawWatchPolicy, root.id)
    if policy is None:
        policy = LawWatchPolicy(organisation_id=root.id)
        db.session.add(policy)
    policy.suspends, policy.changed_at, policy.changed_by = suspend, now, actor.id
    db.session.flush()
    record(
        "questions.law_policy_set",
        actor=actor,
        target_type="organisation",
        target_id=root.id,
        target_name=root.name,
        organisation_path=root.path,
        changes={"suspends": [not suspend, suspend]},
        now=now,
    )
