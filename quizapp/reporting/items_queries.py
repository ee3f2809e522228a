"""Reading item statistics: the list, one question, and of when they are. Everything was computed by ``items_fold``."""

import datetime as dt
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from quizapp.campaigns.models import Campaign
from quizapp.core.db import db
from quizapp.core.errors import InvalidInput, NotFound
from quizapp.core.text import N_
from quizapp.questions.models import KINDS, Question, QuestionBank, QuestionRevision
from quizapp.questions.queries import as_view, list_key_changes
from quizapp.questions.rules import KIND_TITLES, Accepted, RevisionView
from quizapp.reporting import items_rules
from quizapp.reporting.items_fold import ALL, FLAG_COLUMNS, figures_of
from quizapp.reporting.items_rules import FLAG_TITLES, FLAGS, MINIMUM_ANSWERS, ItemFigures, Tally
from quizapp.reporting.models import ItemFold, ItemStatistic
from quizapp.reporting.scopes import EVERYTHING, banks_in_scope, campaigns_in_scope

ORDERS: Mapping[str, str] = {
    "shown": N_("出现次数从多到少"),
    "facility": N_("答对率从低到高"),
    "facility_desc": N_("答对率从高到低"),
    "discrimination": N_("区分度从低到高"),
    "seconds": N_("用时从长到短"),
    "bank": N_("题库和题号"),
}
REVISIONS: Mapping[str, str] = {"current": N_("现在用的一版"), "all": N_("出现过的每一版")}


@dataclass(frozen=True)
class ItemFilter:
    """What the list is narrowed to; empty narrows nothing. ``bank`` and ``campaign`` are slugs; ``flag`` is one of
    ``items_rules.FLAGS`` or ``any``; ``revisions`` and ``order`` are codes of :data:`REVISIONS` and :data:`ORDERS`."""

    bank: str = ""
    kind: str = ""
    campaign: str = ""
    flag: str = ""
    text: str = ""
    revisions: str = "current"
    order: str = "shown"


@dataclass(frozen=True)
class ItemLine:
    """One revision in the list. Figures are None where they cannot be computed or may not be seen (``is_withheld``)."""

    question_id: uuid.UUID
    revision_id: uuid.UUID
    bank: str
    bank_title: str
    code: str
    number: int
    is_current: bool
    view: RevisionView
    shown_count: int
    answered_count: int
    correct_count: int | None
    facility: float | None
    discrimination: float | None
    timed_count: int
    median_seconds: float | None
    flags: tuple[str, ...]
    is_withheld: bool


@dataclass(frozen=True)
class DataState:
    """What must be printed beside any of it. ``as_of`` is None before anything was counted."""

    as_of: dt.datetime | None
    paper_count: int
    exclusions: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class RevisionStatistics:
    """One revision with what its answers say; ``accepted`` is the key in force (none: everybody got the mark)."""

    view: RevisionView
    is_current: bool
    accepted: Accepted
    figures: ItemFigures


@dataclass(frozen=True)
class CampaignShare:
    """The same revision in one campaign alone."""

    slug: str
    title: str
    figures: ItemFigures


@dataclass(frozen=True)
class ItemStatistics:
    """One question: its revisions, the newest first."""

    question_id: uuid.UUID
    bank: str
    bank_title: str
    code: str
    status: str
    revisions: tuple[RevisionStatistics, ...]
    state: DataState

    @property
    def current(self) -> RevisionStatistics:
        """The revision papers are drawn with; of a question that never was in use, the newest."""
        return next((item for item in self.revisions if item.is_current), self.revisions[0])

    def revision(self, number: int | None) -> RevisionStatistics:
        """The one with this number, else the current one."""
        return next((item for item in self.revisions if item.view.number == number), self.current)


# ---- scope


def find_scope(campaign: str, scope_paths: Sequence[str]) -> uuid.UUID:
    """The scope of a campaign's slug; that of all campaigns for none.

    :raises InvalidInput: for a campaign that does not exist or is not in these subtrees (the two look alike)
    """
    if not campaign:
        return ALL
    found = db.session.scalar(sa.select(Campaign.id).where(Campaign.slug == campaign, campaigns_in_scope(scope_paths)))
    if found is None:
        raise InvalidInput(fields={"campaign": N_("没有找到这个活动，或者您看不到它。")})
    return found


def list_bank_choices(scope_paths: Sequence[str]) -> list[tuple[str, str]]:
    """(slug, title) of the banks that may be seen."""
    statement = sa.select(QuestionBank.slug, QuestionBank.title).where(banks_in_scope(scope_paths)).order_by(QuestionBank.slug)
    return [(slug, title) for slug, title in db.session.execute(statement)]


def list_campaign_choices(scope_paths: Sequence[str]) -> list[tuple[str, str]]:
    """(slug, title) of the campaigns in scope that were counted, the latest first."""
    counted = sa.select(ItemFold.scope)
    statement = sa.select(Campaign.slug, Campaign.title).where(campaigns_in_scope(scope_paths), Campaign.id.in_(counted))
    return [(slug, title) for slug, title in db.session.execute(statement.order_by(Campaign.opens_at.desc(), Campaign.slug))]


def get_state(scope: uuid.UUID = ALL) -> DataState:
    """Of when the figures of a scope are: of all campaigns, the moment at which all of them held."""
    folds = sa.select(ItemFold).where(ItemFold.scope != ALL if scope == ALL else ItemFold.scope == scope)
    rows = db.session.scalars(folds.execution_options(populate_existing=True)).all()
    exclusions: dict[str, int] = {}
    for row in rows:
        for reason, count in row.exclusions:
            exclusions[reason] = exclusions.get(reason, 0) + count
    as_of = min((row.checked_at for row in rows), default=None)
    return DataState(as_of, sum(row.paper_count for row in rows), tuple(sorted(exclusions.items())))


# ---- the list


def check_filter(chosen: ItemFilter, scope_paths: Sequence[str]) -> None:
    """:raises InvalidInput: naming each field that cannot be asked for"""
    fields: dict[str, str] = {}
    if chosen.bank and chosen.bank not in dict(list_bank_choices(scope_paths)):
        fields["bank"] = N_("没有找到这个题库，或者您看不到它。")
    if chosen.kind and chosen.kind not in KINDS:
        fields["kind"] = N_("没有这种题型。")
    if chosen.flag and chosen.flag not in (*FLAGS, "any"):
        fields["flag"] = N_("没有这种标记。")
    if chosen.revisions not in REVISIONS:
        fields["revisions"] = N_("版本只能是 current 或 all。")
    if chosen.order not in ORDERS:
        fields["order"] = N_("没有这种排序。")
    if fields:
        raise InvalidInput(fields=fields)
    find_scope(chosen.campaign, scope_paths)


def _orders(seen: Mapping[str, sa.ColumnElement[Any]]) -> dict[str, sa.ColumnElement[Any]]:
    return {
        "shown": sa.func.coalesce(ItemStatistic.shown_count, 0).desc(),
        "facility": seen["facility"].asc().nulls_last(),
        "facility_desc": seen["facility"].desc().nulls_last(),
        "discrimination": seen["discrimination"].asc().nulls_last(),
        "seconds": seen["median_seconds"].desc().nulls_last(),
        "bank": QuestionBank.slug.asc(),
    }


def select_items(chosen: ItemFilter, scope_paths: Sequence[str] = EVERYTHING, *, withholds: bool = False) -> sa.Select[*tuple[Any, ...]]:
    """Revisions with their question, bank and statistics: those in use, also if never shown, or all that were shown.

    :param withholds: figures of few answers are not seen, so that they do not sort the list either
    :raises InvalidInput: for what cannot be asked (:func:`check_filter`)
    """
    check_filter(chosen, scope_paths)
    scope = find_scope(chosen.campaign, scope_paths)
    enough = ItemStatistic.answered_count >= MINIMUM_ANSWERS if withholds else sa.true()
    names = ("facility", "discrimination", "median_seconds")
    seen = {name: sa.case((enough, getattr(ItemStatistic, name))) for name in names}
    statement = (
        sa.select(QuestionRevision, Question, QuestionBank, ItemStatistic)
        .join(Question, Question.id == QuestionRevision.question_id)
        .join(QuestionBank, QuestionBank.id == Question.bank_id)
        .outerjoin(ItemStatistic, sa.and_(ItemStatistic.revision_id == QuestionRevision.id, ItemStatistic.scope == scope))
        .where(banks_in_scope(scope_paths), *_conditions(chosen, scope))
    )
    return statement.order_by(_orders(seen)[chosen.order], QuestionBank.slug, Question.code, QuestionRevision.number)


def _conditions(chosen: ItemFilter, scope: uuid.UUID) -> list[sa.ColumnElement[bool]]:
    is_current = QuestionRevision.id == Question.current_revision_id
    was_shown = ItemStatistic.scope.is_not(None)
    conditions = [is_current if chosen.revisions == "current" else sa.or_(is_current, was_shown)]
    if scope != ALL:
        conditions.append(was_shown)
    if chosen.bank:
        conditions.append(QuestionBank.slug == chosen.bank)
    if chosen.kind:
        conditions.append(QuestionRevision.kind == chosen.kind)
    if chosen.text:
        conditions.append(sa.or_(*(column.icontains(chosen.text, autoescape=True) for column in (QuestionRevision.stem, Question.code))))
    if chosen.flag == "any":
        conditions.append(sa.or_(*FLAG_COLUMNS.values()))
    elif chosen.flag:
        conditions.append(FLAG_COLUMNS[chosen.flag].is_(True))
    return conditions


def as_line(row: Any, *, withholds: bool = False) -> ItemLine:
    """A row of :func:`select_items`."""
    revision, question, bank, found = row
    shown, answered = (found.shown_count, found.answered_count) if found else (0, 0)
    is_withheld = withholds and answered < MINIMUM_ANSWERS
    seen = None if is_withheld else found
    return ItemLine(
        question_id=question.id,
        revision_id=revision.id,
        bank=bank.slug,
        bank_title=bank.title,
        code=question.code,
        number=revision.number,
        is_current=question.current_revision_id == revision.id,
        view=as_view(revision),
        shown_count=shown,
        answered_count=answered,
        correct_count=None if is_withheld else seen.correct_count if seen else 0,
        facility=seen.facility if seen else None,
        discrimination=seen.discrimination if seen else None,
        timed_count=seen.timed_count if seen else 0,
        median_seconds=seen.median_seconds if seen else None,
        flags=tuple(flag for flag in FLAGS if seen and getattr(seen, FLAG_COLUMNS[flag].key)),
        is_withheld=is_withheld,
    )


def read(statement: sa.Select[*tuple[Any, ...]]) -> Sequence[Any]:
    """The rows of a part of the list."""
    return db.session.execute(statement).all()


def stream_items(
    chosen: ItemFilter, scope_paths: Sequence[str] = EVERYTHING, *, withholds: bool = False
) -> Iterator[tuple[ItemLine, ItemFigures]]:
    """Every line of the list with all its figures, a few at a time in memory."""
    changes = list_key_changes()
    statement = select_items(chosen, scope_paths, withholds=withholds)
    for row in db.session.execute(statement, execution_options={"yield_per": 100}):
        line = as_line(row, withholds=withholds)
        accepted = changes[line.revision_id].accepted if line.revision_id in changes else (line.view.answer,)
        tally = Tally.from_dict(row[3].tally) if row[3] else Tally()
        figures = items_rules.figures(tally, kind=line.view.kind, choice_count=len(line.view.choices), accepted=accepted)
        yield line, items_rules.withhold(figures) if withholds else figures


def filter_sentence(chosen: ItemFilter) -> str:
    """The filter in words, to be printed with the table."""
    parts = [N_("全部活动")]
    if chosen.campaign:
        parts = [db.session.scalar(sa.select(Campaign.title).filter_by(slug=chosen.campaign)) or chosen.campaign]
    bank = db.session.scalar(sa.select(QuestionBank.title).filter_by(slug=chosen.bank)) if chosen.bank else None
    parts.append(f"题库：{bank}" if bank else N_("全部题库"))
    if chosen.kind:
        parts.append(KIND_TITLES[chosen.kind])
    if chosen.flag:
        parts.append(N_("有标记的") if chosen.flag == "any" else FLAG_TITLES[chosen.flag])
    if chosen.text:
        parts.append(f"含“{chosen.text}”")
    parts.append(REVISIONS[chosen.revisions])
    return "；".join(parts)


# ---- one question


def item_statistics(
    question_id: uuid.UUID, *, campaign: str = "", scope_paths: Sequence[str] = EVERYTHING, withholds: bool = False
) -> ItemStatistics:
    """What the answers to a question say, by revision.

    :param campaign: the slug of one; without it all campaigns together
    :param withholds: leave out how few answered, for an employer (``items_rules.withhold``)
    :raises NotFound: for a question that does not exist or is in a bank out of scope
    :raises InvalidInput: for a campaign that cannot be asked for
    """
    found = db.session.execute(
        sa.select(Question, QuestionBank)
        .join(QuestionBank, QuestionBank.id == Question.bank_id)
        .where(Question.id == question_id, banks_in_scope(scope_paths))
    ).first()
    if found is None:
        raise NotFound
    question, bank = found
    scope = find_scope(campaign, scope_paths)
    newest_first = sa.select(QuestionRevision).filter_by(question_id=question_id).order_by(QuestionRevision.number.desc())
    views = [as_view(row) for row in db.session.scalars(newest_first)]
    tallies = {view.id: Tally() for view in views}
    for row in db.session.scalars(sa.select(ItemStatistic).filter_by(question_id=question_id, scope=scope)):
        tallies[row.revision_id] = Tally.from_dict(row.tally)
    figures, changes = figures_of(tallies), list_key_changes()
    return ItemStatistics(
        question_id=question_id,
        bank=bank.slug,
        bank_title=bank.title,
        code=question.code,
        status=question.status,
        revisions=tuple(
            RevisionStatistics(
                view=view,
                is_current=view.id == question.current_revision_id,
                accepted=changes[view.id].accepted if view.id in changes else (view.answer,),
                figures=items_rules.withhold(figures[view.id]) if withholds else figures[view.id],
            )
            for view in views
        ),
        state=get_state(scope),
    )


def list_campaign_shares(
    revision_id: uuid.UUID, scope_paths: Sequence[str] = EVERYTHING, *, withholds: bool = False
) -> list[CampaignShare]:
    """The revision in each campaign in scope that showed it, the latest first."""
    statement = (
        sa.select(Campaign.slug, Campaign.title, ItemStatistic)
        .join(ItemStatistic, ItemStatistic.scope == Campaign.id)
        .where(ItemStatistic.revision_id == revision_id, campaigns_in_scope(scope_paths))
        .order_by(Campaign.opens_at.desc(), Campaign.slug)
    )
    shares = []
    for slug, title, row in db.session.execute(statement):
        figures = figures_of({revision_id: Tally.from_dict(row.tally)})[revision_id]
        shares.append(CampaignShare(slug, title, items_rules.withhold(figures) if withholds else figures))
    return shares
