"""Challenges that were used, and staff's switch: what must not be lost when a process ends."""

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from quizapp.core.db import Base, Moment, db

MODES = ("auto", "on", "off")


class UsedChallenge(Base):
    """A challenge or waiting slip that let somebody through: it does so once. ``tag`` is a hash of it."""

    __tablename__ = "used_challenges"
    __table_args__ = (sa.Index(None, "expires_at"),)

    tag: Mapped[bytes] = mapped_column(sa.LargeBinary(32), primary_key=True)
    expires_at: Mapped[Moment]


class ChallengeSwitch(Base):
    """The one row that says whether challenges follow the load (``auto``), are asked for always or never."""

    __tablename__ = "challenge_switch"
    __table_args__ = (sa.CheckConstraint("mode IN ('auto', 'on', 'off')", "mode"),)

    id: Mapped[int] = mapped_column(sa.Integer, primary_key=True, default=1)
    mode: Mapped[str] = mapped_column(sa.String(8))
    changed_at: Mapped[Moment]


def use_once(tag: bytes, expires_at: dt.datetime) -> bool:
    """Mark a challenge as used. The caller holds the transaction.

    :returns: False if it was used before
    """
    if db.session.get(UsedChallenge, tag) is not None:
        return False
    try:
        with db.session.begin_nested():
            db.session.add(UsedChallenge(tag=tag, expires_at=expires_at))
    except sa.exc.IntegrityError:
        return False
    return True


def get_mode() -> str:
    """The switch, read on a connection of its own: whoever asks may be about to write without a transaction."""
    with db.engine.connect() as connection:
        return connection.scalar(sa.select(ChallengeSwitch.mode).filter_by(id=1)) or "auto"


def set_mode(mode: str, now: dt.datetime) -> str:
    """Set the switch and return what it said before.

    :raises ValueError: for an unknown mode
    """
    if mode not in MODES:
        raise ValueError(mode)
    row = db.session.get(ChallengeSwitch, 1, with_for_update=True)
    before = row.mode if row else "auto"
    if row is None:
        db.session.add(ChallengeSwitch(id=1, mode=mode, changed_at=now))
    else:
        row.mode, row.changed_at = mode, now
    db.session.flush()
    return before


def delete_old(now: dt.datetime) -> int:
    """Forget used challenges that have expired anyway."""
    gone = sa.delete(UsedChallenge).where(UsedChallenge.expires_at < now).returning(UsedChallenge.tag)
    return len(db.session.execute(gone).all())
