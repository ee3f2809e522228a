"""Campaigns, the versions of their terms, hosts and approvals."""

import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from quizapp.core.db import Base, IdPk, JsonValue, Moment

STATUSES = ("draft", "pending_approval", "published", "paused", "closed")
KINDS = ("voluntary", "statutory_exam")


class Campaign(Base):
    """A quiz campaign. ``status`` is what staff did; whether it is open now follows from the terms and the clock
    (``campaigns.rules.phase``). ``opens_at`` and ``closes_at`` repeat the current terms' window, for queries."""

    __tablename__ = "campaigns"
    __table_args__ = (
        sa.CheckConstraint("kind IN ('voluntary', 'statutory_exam')", "kind"),
        sa.CheckConstraint("status IN ('draft', 'pending_approval', 'published', 'paused', 'closed')", "status"),
        sa.CheckConstraint("kind <> 'statutory_exam' OR legal_basis <> ''", "legal_basis"),
        sa.CheckConstraint("closes_at IS NULL OR opens_at < closes_at", "window"),
        sa.UniqueConstraint("id", "kind"),
        sa.Index(None, "status", "closes_at"),
    )

    id: Mapped[IdPk]
    slug: Mapped[str] = mapped_column(sa.String(64), unique=True)
    title: Mapped[str] = mapped_column(sa.String(60))
    summary: Mapped[str] = mapped_column(sa.String(200), default="")
    kind: Mapped[str] = mapped_column(sa.String(16))
    """``voluntary`` 自愿竞答 or ``statutory_exam`` 法定学法考试."""
    legal_basis: Mapped[str] = mapped_column(sa.String(200), default="")
    theme: Mapped[str] = mapped_column(sa.String(16), default="consumer")
    status: Mapped[str] = mapped_column(sa.String(20), default="draft")
    pause_reason: Mapped[str] = mapped_column(sa.String(200), default="")
    resumes_at: Mapped[dt.datetime | None]
    """When a paused campaign is expected to go on; citizens read it."""
    host_organisation_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("organisations.id"))
    terms_id: Mapped[uuid.UUID | None]
    """The version in force. No foreign key: the two tables would need each other first."""
    draft: Mapped[dict[str, Any]] = mapped_column(JsonValue, default=dict)
    """The editor's unpublished terms, in the shape of ``campaigns.terms.to_dict``; may be incomplete."""
    version: Mapped[int] = mapped_column(sa.Integer, default=1)
    """Raised by every change; the process cache and concurrent editors compare it."""
    opens_at: Mapped[dt.datetime | None]
    closes_at: Mapped[dt.datetime | None]
    created_at: Mapped[Moment]
    created_by: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("staff_accounts.id"))
    submitted_by: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("staff_accounts.id"))
    return_reason: Mapped[str] = mapped_column(sa.String(200), default="", server_default="")
    """Why it was sent back last; empty once it is submitted again."""
    approved_at: Mapped[dt.datetime | None]
    approved_by: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("staff_accounts.id"))
    release_at: Mapped[dt.datetime | None]
    """Approved and to be published then by the worker; the status stays ``pending_approval`` until it is."""
    published_at: Mapped[dt.datetime | None]
    published_by: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("staff_accounts.id"))
    closing_reason: Mapped[str] = mapped_column(sa.String(200), default="", server_default="")
    """Why it is to end, or ended, before its announced end."""
    closing_requested_at: Mapped[dt.datetime | None]
    closing_requested_by: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("staff_accounts.id"))
    closed_at: Mapped[dt.datetime | None]


class CampaignTemplate(Base):
    """Rules that staff of an organisation kept to begin further campaigns from."""

    __tablename__ = "campaign_templates"
    __table_args__ = (sa.UniqueConstraint("organisation_id", "title"),)

    id: Mapped[IdPk]
    organisation_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("organisations.id"))
    title: Mapped[str] = mapped_column(sa.String(40))
    about: Mapped[str] = mapped_column(sa.String(200), default="")
    kind: Mapped[str] = mapped_column(sa.String(16))
    body: Mapped[dict[str, Any]] = mapped_column(JsonValue)
    """Terms in the shape of a draft; their moments are those of the campaign they were taken from."""
    created_at: Mapped[Moment]
    created_by: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("staff_accounts.id"))


class CampaignTermsVersion(Base):
    """One published version of the terms. The database refuses to change or delete it.

    ``kind`` repeats the campaign's, bound by the foreign key, so that the database itself refuses rewards in a
    statutory exam; once terms exist the campaign's kind cannot change.
    """

    __tablename__ = "campaign_terms"
    __table_args__ = (
        sa.UniqueConstraint("campaign_id", "number"),
        sa.ForeignKeyConstraint(["campaign_id", "kind"], ["campaigns.id", "campaigns.kind"]),
        sa.CheckConstraint("kind <> 'statutory_exam' OR NOT has_rewards", "no_rewards"),
    )

    id: Mapped[IdPk]
    campaign_id: Mapped[uuid.UUID]
    kind: Mapped[str] = mapped_column(sa.String(16))
    has_rewards: Mapped[bool]
    """Whether the body holds a draw, points or fixed rewards."""
    number: Mapped[int] = mapped_column(sa.Integer)
    body: Mapped[dict[str, Any]] = mapped_column(JsonValue)
    body_hash: Mapped[str] = mapped_column(sa.String(64))
    created_at: Mapped[Moment]
    created_by: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("staff_accounts.id"))


class CampaignHost(Base):
    """A co-hosting unit (协办); it signs off the questions and sees this campaign."""

    __tablename__ = "campaign_hosts"

    campaign_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("campaigns.id"), primary_key=True)
    organisation_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("organisations.id"), primary_key=True)
    budget_fen: Mapped[int | None]
    """What the unit has pledged for this campaign, in fen."""
    logo_key: Mapped[str | None] = mapped_column(sa.String(90))
    """The re-encoded picture in the storage; a new one gets a new key."""
    logo_alt: Mapped[str] = mapped_column(sa.String(60), default="", server_default="")
    signed_off_at: Mapped[dt.datetime | None]
    signed_off_by: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("staff_accounts.id"))
