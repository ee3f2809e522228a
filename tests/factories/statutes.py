"""Statutes of our own wording, for tests."""

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

from quizapp.audit.services import SYSTEM, Actor
from quizapp.core.clock import utc_now
from quizapp.core.db import in_transaction, transaction
from quizapp.statutes import queries, services
from quizapp.statutes.importing import Imported
from quizapp.statutes.loader import LawFiles, Upload, read_uploads
from quizapp.statutes.models import Statute

ARTICLES = {
    "1": "为了让毛衣合身，制定本法。",
    "2": "买毛衣的人可以在三日内试穿。\n试穿不得剪掉吊牌。",
    "3": "卖毛衣的人应当提供镜子。",
    "3-1": "镜子不得小于一面窗户。",
}


def law_json(short_title: str = "试衣法", articles: Mapping[str, str] | None = None, **changes: Any) -> dict[str, Any]:
    """One statute in the shape of a file."""
    return {
        "title": f"中华人民共和国{short_title}",
        "short_title": short_title,
        "aliases": [],
        "category": "社会法",
        "adopted": "2020-01-05",
        "last_amended": None,
        "effective": "2020-03-01",
        "effective_basis": "article",
        "status": "in_force",
        "repealed_by": None,
        "source": "测试",
        "as_of": "2026-07-17",
        "articles": dict(ARTICLES if articles is None else articles),
        **changes,
    }


def upload(*laws: dict[str, Any]) -> list[Upload]:
    return [Upload(f"national/{law['short_title']}.json", json.dumps(law, ensure_ascii=False).encode()) for law in laws]


def files(*laws: dict[str, Any]) -> LawFiles:
    return read_uploads(upload(*laws))


def import_laws(
    *laws: dict[str, Any], now: dt.datetime | None = None, suspend: bool = True, replace: bool = False, actor: Actor = SYSTEM
) -> Imported:
    """Take in statutes given as JSON values, by default one."""
    read = files(*(laws or (law_json(),)))

    def work() -> Imported:
        return services.import_statutes(read, now=now or utc_now(), actor=actor, suspend=suspend, replace=replace)

    if in_transaction():
        return work()
    with transaction():
        return work()


def change(
    law: str,
    number: str,
    text: str | None,
    *,
    effective_from: dt.date,
    now: dt.datetime | None = None,
    suspend: bool = True,
    actor: Actor = SYSTEM,
) -> int:
    """Let an article read otherwise. Returns how many questions are to be looked at."""
    with transaction():
        statute = queries.get_statute(law)
        seen = services.newest_id(queries.list_versions(statute.id, number))
        return services.change_article(
            statute.id,
            number,
            text,
            effective_from=effective_from,
            seen_id=seen,
            note="",
            suspend=suspend,
            now=now or utc_now(),
            actor=actor,
        ).listed


def get(law: str = "试衣法") -> Statute:
    return queries.get_statute(law)
