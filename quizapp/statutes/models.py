"""Statutes and documents, every version of every article, and the lists of what a group should know."""

import datetime as dt
import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from quizapp.core.db import Base, IdPk, JsonValue, Moment

KINDS = ("law", "regulation", "interpretation", "local_regulation", "party_rule", "document")


class Statute(Base):
    """A law, regulation, interpretation or other document. What its articles say is in :class:`StatuteArticle`."""

    __tablename__ = "statutes"
    __table_args__ = (
        sa.CheckConstraint(
            "kind IN ('law', 'regulation', 'interpretation', 'local_regulation', 'party_rule', 'document')",
            "kind",
        ),
        sa.CheckConstraint("unit IN ('article', 'section')", "unit"),
    )

    id: Mapped[IdPk]
    short_title: Mapped[str] = mapped_column(sa.String(200), unique=True)
    """The official short title that questions cite and the reader's address bears."""
    title: Mapped[str] = mapped_column(sa.String(200))
    aliases: Mapped[list[str]] = mapped_column(JsonValue)
    kind: Mapped[str] = mapped_column(sa.String(20))
    category: Mapped[str] = mapped_column(sa.String(32), default="")
    issuer: Mapped[str] = mapped_column(sa.String(200), default="")
    number: Mapped[str] = mapped_column(sa.String(100), default="")
    """文号, such as 法释〔2025〕4号."""
    unit: Mapped[str] = mapped_column(sa.String(16), default="article")
    """``article`` (第一条) or ``section`` (一、), for documents that number so."""
    adopted_on: Mapped[dt.date | None]
    effective_on: Mapped[dt.date | None]
    last_amended_on: Mapped[dt.date | None]
    amendment_effective_on: Mapped[dt.date | None]
    repealed_on: Mapped[dt.date | None]
    repealed_by: Mapped[str] = mapped_column(sa.String(200), default="")
    is_repealed: Mapped[bool] = mapped_column(default=False)
    """Also where the day is not known."""
    is_outdated: Mapped[bool] = mapped_column(default=False)
    """The text here is known to lack a change that is in force."""
    note: Mapped[str] = mapped_column(sa.String(1000), default="")
    source: Mapped[str] = mapped_column(sa.String(200), default="")
    as_of: Mapped[str] = mapped_column(sa.String(10), default="")
    """Day or month to which the imported text was complete."""
    text_from: Mapped[dt.date | None]
    """The day from which the newest imported whole text holds; None while only facts are known."""
    created_at: Mapped[Moment]
    changed_at: Mapped[Moment]


class StatuteName(Base):
    """A name under which a statute is found: short title, title, alias. Two statutes may share one."""

    __tablename__ = "statute_names"
    __table_args__ = (sa.Index(None, "name"),)

    statute_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("statutes.id"), primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(200), primary_key=True)


class StatuteArticle(Base):
    """What an article says from one day on, as it became known here at one moment. The database refuses to change or
    delete it.

    The version in force on a day is the one with the latest ``effective_from`` up to that day; of two with the same day,
    the one recorded later (a correction of what was typed). ``number`` is ``25``, ``133-1`` or ``0`` for the preamble.
    """

    __tablename__ = "statute_articles"
    __table_args__ = (
        sa.Index(None, "statute_id", "number", "effective_from"),
        sa.CheckConstraint("source IN ('file', 'staff')", "source"),
    )

    id: Mapped[IdPk]
    statute_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("statutes.id"))
    number: Mapped[str] = mapped_column(sa.String(16))
    position: Mapped[int] = mapped_column(sa.Integer)
    """The number's place in the statute, for sorting."""
    text: Mapped[str | None] = mapped_column(sa.Text)
    """None: the article is not there any more from that day on."""
    effective_from: Mapped[dt.date]
    source: Mapped[str] = mapped_column(sa.String(16))
    """``file`` (an import) or ``staff`` (typed in the console)."""
    note: Mapped[str] = mapped_column(sa.String(200), default="")
    changed_by: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("staff_accounts.id"))
    recorded_at: Mapped[Moment]


class ReadingList(Base):
    """应知应会清单: what people of a demographic group should know. One list for each group."""

    __tablename__ = "reading_lists"

    id: Mapped[IdPk]
    demographic_group: Mapped[str] = mapped_column(sa.ForeignKey("demographic_groups.code"), unique=True)
    title: Mapped[str] = mapped_column(sa.String(100))
    note: Mapped[str] = mapped_column(sa.String(400), default="")
    is_shown: Mapped[bool] = mapped_column(default=False)
    changed_at: Mapped[Moment]


class ReadingListItem(Base):
    """One statute of a list, by the name that questions cite; its text need not be here."""

    __tablename__ = "reading_list_items"
    __table_args__ = (sa.UniqueConstraint("list_id", "law"),)

    id: Mapped[IdPk]
    list_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("reading_lists.id", ondelete="CASCADE"))
    position: Mapped[int]
    law: Mapped[str] = mapped_column(sa.String(200))
    note: Mapped[str] = mapped_column(sa.String(200), default="")
