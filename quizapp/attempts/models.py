"""Attempts, their questions, and events that must not be lost."""

import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from quizapp.core.db import Base, IdPk, JsonValue, Moment


class Attempt(Base):
    """One paper of one person.

    ``state``: open → handed_in (kept but not graded: a guest's, or of a citizen who has not told the group and region
    yet) → graded; open → graded; lapsed is an opened paper without an answer at the deadline, or a kept one that nobody
    came back for in time.

    Figures count rows with ``state = 'graded'`` and a citizen. Demographics are copied when the citizen hands in (a
    guest's: when adopted). ``submitted_on`` and ``started_on`` are Shanghai days.
    """

    __tablename__ = "attempts"
    __table_args__ = (
        sa.CheckConstraint("state IN ('open', 'handed_in', 'graded', 'lapsed')", "state"),
        sa.CheckConstraint(
            "state <> 'graded' OR (citizen_id IS NOT NULL AND correct_count IS NOT NULL AND submitted_at IS NOT NULL)", "graded_whole"
        ),
        sa.CheckConstraint("(citizen_id IS NULL) = (day_try IS NULL)", "try_counted"),
        sa.UniqueConstraint("campaign_id", "citizen_id", "started_on", "day_try"),
        sa.UniqueConstraint("campaign_id", "citizen_id", "total_try"),
        sa.UniqueConstraint("campaign_id", "citizen_id", "submitted_on", "day_turn"),
        sa.Index(
            "uq_attempts_one_open",
            "campaign_id",
            "citizen_id",
            unique=True,
            sqlite_where=sa.text("state = 'open' AND citizen_id IS NOT NULL"),
            postgresql_where=sa.text("state = 'open' AND citizen_id IS NOT NULL"),
        ),
        sa.Index(
            "ix_attempts_open_deadline", "deadline_at", sqlite_where=sa.text("state = 'open'"), postgresql_where=sa.text("state = 'open'")
        ),
        sa.Index(
            "ix_attempts_waiting",
            "started_at",
            sqlite_where=sa.text("state = 'handed_in'"),
            postgresql_where=sa.text("state = 'handed_in'"),
        ),
        sa.Index(
            "ix_attempts_unadopted",
            "started_at",
            sqlite_where=sa.text("citizen_id IS NULL"),
            postgresql_where=sa.text("citizen_id IS NULL"),
        ),
        sa.Index(
            "uq_attempts_guest_token_hash",
            "guest_token_hash",
            unique=True,
            sqlite_where=sa.text("guest_token_hash IS NOT NULL"),
            postgresql_where=sa.text("guest_token_hash IS NOT NULL"),
        ),
        sa.Index(None, "citizen_id", "started_at"),
        sa.Index(None, "campaign_id", "submitted_on"),
    )

    id: Mapped[IdPk]
    campaign_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("campaigns.id"))
    terms_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("campaign_terms.id"))
    citizen_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("citizens.id"))
    guest_token_hash: Mapped[bytes | None] = mapped_column(sa.LargeBinary(32))
    device_tag: Mapped[bytes] = mapped_column(sa.LargeBinary(32))
    client_nonce: Mapped[str] = mapped_column(sa.String(64), default="")
    state: Mapped[str] = mapped_column(sa.String(16), default="open")
    day_try: Mapped[int | None] = mapped_column(sa.Integer)
    total_try: Mapped[int | None] = mapped_column(sa.Integer)
    quiz_id: Mapped[str] = mapped_column(sa.String(32), default="main", server_default="main")
    track: Mapped[str] = mapped_column(sa.String(32), default="", server_default="")
    channel: Mapped[str] = mapped_column(sa.String(20), default="web", server_default="web")
    round_key: Mapped[str] = mapped_column(sa.String(48), default="", server_default="")
    """The round of the start: ``stage/number``, empty where the campaign has no stages."""
    started_at: Mapped[Moment]
    started_on: Mapped[dt.date]
    deadline_at: Mapped[Moment]
    is_large_type: Mapped[bool] = mapped_column(default=False)
    question_count: Mapped[int] = mapped_column(sa.Integer)
    save_count: Mapped[int] = mapped_column(sa.Integer, default=0)
    """How often an answer was saved: a hand-in that read the answers without a lock counts only if none came since."""
    handed_in_at: Mapped[dt.datetime | None]
    """When the hand-in reached the server (a guest's may be graded later)."""
    is_automatic: Mapped[bool] = mapped_column(default=False)
    adopted_at: Mapped[dt.datetime | None]
    submitted_at: Mapped[dt.datetime | None]
    """When it counted: the hand-in, for a guest the adoption."""
    submitted_on: Mapped[dt.date | None]
    correct_count: Mapped[int | None] = mapped_column(sa.Integer)
    marks: Mapped[str | None] = mapped_column(sa.String(500))
    """Per position ``1`` for right, ``0`` for wrong: one row is written at the hand-in and not one per question."""
    score: Mapped[int | None] = mapped_column(sa.Integer)
    """Where the quiz has a scoring of its own; otherwise the right answers are the score."""
    is_passed: Mapped[bool | None]
    ticket_count: Mapped[int] = mapped_column(sa.Integer, default=0)
    points: Mapped[int] = mapped_column(sa.Integer, default=0)
    """All points this attempt earned, the fixed reward among them."""
    fixed_points: Mapped[int] = mapped_column(sa.Integer, default=0)
    """The part of ``points`` that stands in for the draw (minors, excluded groups); at most once a day."""
    day_turn: Mapped[int | None] = mapped_column(sa.Integer)
    """Which graded attempt of this citizen, campaign and day of hand-in this is, from 1; daily limits of points count it."""
    day_rewards: Mapped[int | None] = mapped_column(sa.Integer)
    """How many of the day's turns up to this one earned ``fixed_points``, so that the last turn alone tells the day."""
    demographic_group: Mapped[str | None] = mapped_column(sa.String(32))
    region_code: Mapped[str | None] = mapped_column(sa.String(20))
    organisation_id: Mapped[uuid.UUID | None]
    age_band: Mapped[str | None] = mapped_column(sa.String(16))
    excluded_at: Mapped[dt.datetime | None]
    """Set by a recorded decision; an excluded attempt stays in 人次 and leaves 有效人次."""
    exclusion_reason: Mapped[str | None] = mapped_column(sa.String(64))


class AttemptQuestion(Base):
    """One question of an attempt: the exact revision, the order of its choices and what was chosen.

    ``choice_order`` gives, per displayed letter, the index of the choice in the revision: ``"201"`` shows choice 2 as A.
    ``chosen`` holds displayed letters, sorted: ``"AC"``.
    """

    __tablename__ = "attempt_questions"
    __table_args__ = (sa.Index(None, "revision_id"),)

    attempt_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("attempts.id"), primary_key=True)
    position: Mapped[int] = mapped_column(sa.Integer, primary_key=True)
    revision_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("question_revisions.id"))
    choice_order: Mapped[str] = mapped_column(sa.String(8))
    chosen: Mapped[str | None] = mapped_column(sa.String(8))
    answered_at: Mapped[dt.datetime | None]


class AttemptEvent(Base):
    """What reached us and could not count: a late answer, a late hand-in. Kept, never graded."""

    __tablename__ = "attempt_events"
    __table_args__ = (sa.Index(None, "attempt_id", "at"),)

    id: Mapped[IdPk]
    attempt_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("attempts.id"))
    kind: Mapped[str] = mapped_column(sa.String(32))
    at: Mapped[Moment]
    details: Mapped[dict[str, Any]] = mapped_column(JsonValue, default=dict)


class RemarkRun(Base):
    """How far the re-marking of one key correction has come. A batch moves the cursor in its own transaction, so that a
    crash repeats nothing and loses nothing.

    ``state``: waiting → running (papers graded before) → settling (papers that were open then) → done.
    """

    __tablename__ = "remark_runs"
    __table_args__ = (
        sa.CheckConstraint("state IN ('waiting', 'running', 'settling', 'done')", "state"),
        sa.Index(None, "state", "created_at"),
    )

    correction_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("key_corrections.id"), primary_key=True)
    state: Mapped[str] = mapped_column(sa.String(16), default="waiting")
    pass_number: Mapped[int] = mapped_column(sa.Integer, default=1)
    cursor: Mapped[uuid.UUID | None]
    """The last attempt that was looked at in the present pass, by id."""
    total: Mapped[int] = mapped_column(default=0)
    seen: Mapped[int] = mapped_column(default=0)
    raised: Mapped[int] = mapped_column(default=0)
    lowered: Mapped[int] = mapped_column(default=0)
    newly_passed: Mapped[int] = mapped_column(default=0)
    no_longer_passed: Mapped[int] = mapped_column(default=0)
    tickets: Mapped[int] = mapped_column(default=0)
    points: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[Moment]
    started_at: Mapped[dt.datetime | None]
    passed_at: Mapped[dt.datetime | None]
    """When the last pass ended."""
    finished_at: Mapped[dt.datetime | None]


class AttemptRemark(Base):
    """What one key correction changed on one attempt, with what stood there before. The database refuses to change it."""

    __tablename__ = "attempt_remarks"
    __table_args__ = (sa.UniqueConstraint("attempt_id", "correction_id"), sa.Index(None, "correction_id"))

    id: Mapped[IdPk]
    attempt_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("attempts.id"))
    correction_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("key_corrections.id"))
    position: Mapped[int] = mapped_column(sa.Integer)
    marks_before: Mapped[str] = mapped_column(sa.String(500))
    marks_after: Mapped[str] = mapped_column(sa.String(500))
    correct_before: Mapped[int] = mapped_column(sa.Integer)
    correct_after: Mapped[int] = mapped_column(sa.Integer)
    passed_before: Mapped[bool]
    passed_after: Mapped[bool]
    tickets: Mapped[int] = mapped_column(sa.Integer, default=0)
    points: Mapped[int] = mapped_column(sa.Integer, default=0)
    """Points given for it, the fixed reward among them."""
    fixed_points: Mapped[int] = mapped_column(sa.Integer, default=0)
    remarked_at: Mapped[Moment]


# ---- what a season keeps beside attempts


class CampaignTeam(Base):
    """A team of a campaign. Members are entries; the row is the lock of its places."""

    __tablename__ = "campaign_teams"
    __table_args__ = (sa.UniqueConstraint("campaign_id", "name"), sa.CheckConstraint("member_count >= 0", "members"))

    id: Mapped[IdPk]
    campaign_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("campaigns.id"))
    track: Mapped[str] = mapped_column(sa.String(32))
    name: Mapped[str] = mapped_column(sa.String(40))
    member_count: Mapped[int] = mapped_column(sa.Integer, default=0)
    created_at: Mapped[Moment]
    created_by: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("citizens.id"))


class CampaignEntry(Base):
    """A citizen's registration for a campaign that asks for one: track, team, answers to its own questions (encrypted)."""

    __tablename__ = "campaign_entries"
    __table_args__ = (sa.Index(None, "team_id"),)

    campaign_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("campaigns.id"), primary_key=True)
    citizen_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("citizens.id"), primary_key=True)
    track: Mapped[str] = mapped_column(sa.String(32), default="")
    team_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("campaign_teams.id"))
    answers_encrypted: Mapped[bytes | None]
    """JSON by field id; forgotten when the terms' time to keep it is over."""
    is_on_boards: Mapped[bool] = mapped_column(default=False)
    entered_at: Mapped[Moment]
    updated_at: Mapped[Moment]


class CampaignAction(Base):
    """Something a citizen did in a campaign besides answering, which the server has seen. One source counts once."""

    __tablename__ = "campaign_actions"
    __table_args__ = (
        sa.UniqueConstraint("campaign_id", "citizen_id", "kind", "source"),
        sa.CheckConstraint("amount > 0", "amount"),
    )

    id: Mapped[IdPk]
    campaign_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("campaigns.id"))
    citizen_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("citizens.id"))
    kind: Mapped[str] = mapped_column(sa.String(32))
    name: Mapped[str] = mapped_column(sa.String(64), default="")
    source: Mapped[str] = mapped_column(sa.String(64))
    amount: Mapped[int] = mapped_column(sa.Integer, default=1)
    acted_at: Mapped[Moment]
    acted_on: Mapped[dt.date]


class AwardGrant(Base):
    """One band of an award, given to one citizen in one scope: once, says the database."""

    __tablename__ = "award_grants"
    __table_args__ = (
        sa.UniqueConstraint("campaign_id", "citizen_id", "award_id", "scope", "band"),
        sa.CheckConstraint("points >= 0", "points"),
        sa.Index(None, "campaign_id", "award_id", "granted_on"),
    )

    id: Mapped[IdPk]
    campaign_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("campaigns.id"))
    terms_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("campaign_terms.id"))
    citizen_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("citizens.id"))
    award_id: Mapped[str] = mapped_column(sa.String(32))
    scope: Mapped[str] = mapped_column(sa.String(64))
    band: Mapped[int] = mapped_column(sa.Integer)
    gifts: Mapped[list[Any]] = mapped_column(JsonValue)
    points: Mapped[int] = mapped_column(sa.Integer, default=0)
    attempt_id: Mapped[uuid.UUID | None]
    """The attempt that brought it, if one did."""
    first_ticket: Mapped[int | None] = mapped_column(sa.Integer)
    """Sequence of the first of its tickets for the instant draw, among those of its source."""
    round_key: Mapped[str] = mapped_column(sa.String(48), default="")
    quiz_id: Mapped[str] = mapped_column(sa.String(32), default="")
    granted_at: Mapped[Moment]
    granted_on: Mapped[dt.date]


class AwardQuota(Base):
    """How many of something limited have been given: the first of an award in a day or in all, a prize from stock."""

    __tablename__ = "award_quotas"
    __table_args__ = (sa.CheckConstraint("used >= 0 AND used <= quantity", "stock"),)

    campaign_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("campaigns.id"), primary_key=True)
    key: Mapped[str] = mapped_column(sa.String(96), primary_key=True)
    quantity: Mapped[int] = mapped_column(sa.Integer)
    used: Mapped[int] = mapped_column(sa.Integer, default=0)


class BoardRow(Base):
    """One line of a board as it was last computed. ``figure`` in ten-thousandths; ``place`` from 1."""

    __tablename__ = "board_rows"
    __table_args__ = (sa.CheckConstraint("place > 0", "place"), sa.Index(None, "campaign_id", "board_id", "place"))

    campaign_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("campaigns.id"), primary_key=True)
    board_id: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    subject: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    """A citizen's, team's or unit's id, or a region's code."""
    figure: Mapped[int] = mapped_column(sa.BigInteger)
    people: Mapped[int] = mapped_column(sa.Integer)
    place: Mapped[int] = mapped_column(sa.Integer)
    computed_at: Mapped[Moment]
