"""The scratch installation a season is played in: a database of its own, reference data, stand-in questions, the campaign."""

import datetime as dt
import re
import tempfile
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import flask_migrate
import sqlalchemy as sa
from flask import Flask

from config import TestingConfig
from quizapp.accounts.models import Citizen, Consent, Organisation, Region
from quizapp.accounts.queries import ACCOUNT
from quizapp.accounts.seeds import load_reference_data
from quizapp.accounts.services import CONSENT_VERSION
from quizapp.audit.services import SYSTEM
from quizapp.campaigns import queries, services
from quizapp.campaigns.files import CampaignFile
from quizapp.campaigns.rules import CampaignView
from quizapp.campaigns.terms import SCHEMA, PaperPart, Terms, from_dict
from quizapp.core.db import db, transaction
from quizapp.core.ids import new_id
from quizapp.core.statements import dispose
from quizapp.questions import services as questions
from quizapp.questions.loader import BankFile, BankHead, Entry
from quizapp.simulation.crowd import Person

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"
LEAD = dt.timedelta(days=3)
"""How long before its beginning the campaign is published."""
HOME = ("150402", "150403", "150404", "150421", "150422", "150423", "150424", "150425", "150426", "150428", "150429", "150430")
KINDS = ("single", "multiple", "judge", "indefinite")


class NotEmpty(Exception):
    """The database given for a season holds tables already."""


@contextmanager
def scratch_app(database_url: str = "") -> Iterator[Flask]:
    """An application with its own migrated database, a temporary SQLite file by default, within its context.

    :raises NotEmpty: if the database holds a table; nothing is ever removed from one
    """
    from quizapp import create_app

    with tempfile.TemporaryDirectory(prefix="quizapp-season-") as folder:
        url = database_url or f"sqlite:///{folder}/season.db"
        app = create_app(
            TestingConfig(
                {"QUIZAPP_ENV": "testing", "DATABASE_URL": url, "QUIZAPP_DATA_DIR": folder, "SMS_SENDER": "fake", "LOG_LEVEL": "WARNING"}
            )
        )
        with app.app_context():
            try:
                _prepare(database_url)
                yield app
            finally:
                db.session.remove()
                dispose()
                queries.forget_campaigns()


def _prepare(database_url: str) -> None:
    if database_url and sa.inspect(db.engine).get_table_names():
        raise NotEmpty(db.engine.url.render_as_string(hide_password=True))
    if db.engine.dialect.name == "sqlite":
        sa.event.listen(db.engine, "connect", _without_waiting)
        db.engine.dispose()
    flask_migrate.upgrade(directory=str(MIGRATIONS))
    queries.forget_campaigns()


def _without_waiting(connection: Any, _record: Any) -> None:
    """A file that is thrown away afterwards need not survive a power cut."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous=OFF")
    cursor.close()


# ---- what the season needs


def publish(file: CampaignFile, slug: str = "season") -> CampaignView:
    """The campaign of a file, published some days before it begins, with stand-in questions in its banks.

    :raises AppError: as the services refuse it: terms with errors, a prize nobody can hand over …
    """
    terms = from_dict({"schema": SCHEMA, **{name: value for name, value in file.body.items() if name not in ("plan", "schema")}})
    at = terms.opens_at - LEAD
    with transaction():
        root = load_reference_data(now=at)
        _make_places(terms, root, at)
    with transaction():
        _make_banks(terms, at)
    with transaction():
        campaign = services.create_campaign(
            slug=slug,
            title=str(file.head.get("title") or "模拟活动"),
            summary=str(file.head.get("summary") or ""),
            kind=str(file.head.get("kind") or "voluntary"),
            legal_basis=str(file.head.get("legal_basis") or ""),
            theme=str(file.head.get("theme") or "consumer"),
            host_organisation_id=root.id,
            draft=file.body,
            now=at,
            actor=SYSTEM,
        )
        services.submit_for_approval(campaign.id, now=at, actor=SYSTEM)
        services.publish_campaign(campaign.id, now=at, actor=SYSTEM, needs_second_person=False)
    return queries.get_campaign(slug)


def regions_of(terms: Terms) -> list[str]:
    """Where people of this campaign live: half the places that its rules name, and Chifeng."""
    named = [*terms.eligibility.regions, *(code for draw in terms.draws for code in draw.regions)]
    if terms.draw is not None:
        named += [code for quota in terms.draw.region_quotas for code in quota.regions]
    places = sorted({_padded(code) for code in named})
    allowed = [code for code in (*places, *HOME) if not terms.eligibility.regions or code.startswith(tuple(terms.eligibility.regions))]
    return allowed or list(HOME)


def _padded(code: str) -> str:
    """A place within the prefix: ``15`` → ``150001``."""
    return code if len(code) >= 6 else code + "0" * (5 - len(code)) + "1"


def _make_places(terms: Terms, root: Organisation, at: dt.datetime) -> None:
    known = set(db.session.scalars(sa.select(Region.code)))
    for code in regions_of(terms):
        if code not in known:
            db.session.add(Region(code=code, name=f"区划{code}", level="county", parent_code=None, county_code=code))
    for text in terms.eligibility.organisation_ids:
        unit = uuid.UUID(text)
        db.session.add(Organisation(id=unit, name=f"单位{text[:8]}", parent_id=root.id, path=f"{root.path}{unit.hex}/", created_at=at))
    db.session.flush()


def _make_banks(terms: Terms, at: dt.datetime) -> None:
    entries: dict[str, list[Entry]] = {}
    for quiz in terms.quizzes:
        for part in quiz.paper.parts:
            for slug in part.banks:
                bank = entries.setdefault(slug, [])
                bank += _entries(part, len(bank), quiz.id)
    for slug, found in sorted(entries.items()):
        head = BankHead(slug, f"题库 {slug}", "consumer", "模拟用的题目。", "CC BY 4.0")
        questions.import_entries(BankFile(head, tuple(found)), now=at, actor=SYSTEM, publish=True)


def _entries(part: PaperPart, start: int, quiz: str) -> list[Entry]:
    """Twice as many questions as the part asks for, of the kinds, tags and difficulties it takes."""
    kinds, levels = part.kinds or KINDS, part.difficulties or (1, 2, 3, 4, 5)
    return [
        _entry(start + place, kinds[place % len(kinds)], levels[place % len(levels)], part.tags, quiz) for place in range(2 * part.count)
    ]


def _entry(number: int, kind: str, difficulty: int, tags: Sequence[str], quiz: str) -> Entry:
    is_judge = kind == "judge"
    return Entry(
        code=f"q-{number:05d}",
        kind=kind,
        stem=f"第 {number} 题（{quiz}）：网购的毛衣第 5 天想退，吊牌完好，可以退吗？",
        choices=("对", "错") if is_judge else tuple(f"{name}：第 {number} 题的选项" for name in "甲乙丙丁"),
        answer=(number % 2,) if is_judge else (0,) if kind == "single" else (0, 2),
        explanation=f"第 {number} 题的讲解：收到之日起七日内可以退，商品要完好。先留好聊天记录，再打 12315。",
        citations=({"law": "消费者权益保护法", "article": "25"},),
        difficulty=difficulty,
        tags=tuple(tags),
    )


def add_people(terms: Terms, people: Sequence[Person], dice: Any) -> dict[int, uuid.UUID]:
    """Insert the crowd as citizens with consent; returns their ids by number."""
    at = min(moment for moment in (terms.opens_at, terms.eligibility.registered_before) if moment) - 2 * LEAD
    units = terms.eligibility.organisation_ids
    own_units: list[uuid.UUID | None] = [uuid.UUID(text) for text in units]
    if not own_units:
        own_units = [_unit(number, at) for number in range(8)] if terms.eligibility.asks_organisation or _has_unit_boards(terms) else [None]
    found: dict[int, uuid.UUID] = {}
    citizens: list[Mapping[str, Any]] = []
    consents: list[Mapping[str, Any]] = []
    for person in people:
        found[person.number] = citizen_id = new_id()
        citizens.append(
            {
                "id": citizen_id,
                "nickname": f"市民{person.number}",
                "demographic_group": person.group,
                "region_code": person.region,
                "organisation_id": dice.choice(own_units),
                "age_band": person.age_band,
                "age_band_set_at": at,
                "status": "active",
                "created_at": at,
            }
        )
        consents.append(
            {"id": new_id(), "citizen_id": citizen_id, "purpose": ACCOUNT, "version": CONSENT_VERSION, "given_by": "self", "given_at": at}
        )
    with transaction():
        db.session.execute(sa.insert(Citizen), citizens)
        db.session.execute(sa.insert(Consent), consents)
    return found


def _has_unit_boards(terms: Terms) -> bool:
    return any(board.of == "organisation" for board in terms.boards)


def _unit(number: int, at: dt.datetime) -> uuid.UUID:
    with transaction():
        root = db.session.scalars(sa.select(Organisation).where(Organisation.parent_id.is_(None))).first()
        assert root is not None  # noqa: S101 - reference data is loaded
        unit = new_id()
        db.session.add(
            Organisation(id=unit, name=f"模拟单位{number + 1}", parent_id=root.id, path=f"{root.path}{unit.hex}/", created_at=at)
        )
    return unit


def slug_of(text: str) -> str:
    """A campaign's address from a file's name."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:60] or "season"
