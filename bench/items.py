"""``python -m bench.items [--attempts N] [--sqlite N] [--write]``: item statistics over half a year's papers.

Fills databases of its own with campaigns in the proportions of the half-year, folds them, and prints how long reading,
counting and writing took, the peak of resident memory, how long a look for changes takes, and a page of the list.
"""

import argparse
import datetime as dt
import itertools
import os
import platform
import random
import resource
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bench import sections, servers

SHARES = (380, 790, 280, 310, 260)
DAYS = 20
QUESTIONS = 240
_ORDERS = (
    "'{0123,0132,0213,0231,0312,0321,1023,1032,1203,1230,1302,1320,2013,2031,2103,2130,2301,2310,3012,3021,3102,3120,3201,3210}'::text[]"
)

_ATTEMPTS = """
INSERT INTO attempts (id, campaign_id, terms_id, citizen_id, device_tag, client_nonce, state, day_try, total_try, started_at, started_on,
  deadline_at, is_large_type, question_count, save_count, is_automatic, submitted_at, submitted_on, correct_count, marks, is_passed,
  ticket_count, points, fixed_points, demographic_group, region_code)
SELECT (lpad(to_hex(:first + n), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0'))::uuid, :campaign, :terms, :citizen, '\\x00', '', 'graded', n, n,
  day + time '09:00' + n % 40000 * interval '1 second', day::date, day + time '23:00', false, 5, 5, false,
  day + time '09:02' + n % 40000 * interval '1 second', day::date, length(replace(marks, '0', '')), marks, true, 0, 0, 0, 'resident', '150402'
FROM (SELECT n, timestamptz '2026-03-10 00:00+08' + (n % :days) * interval '1 day' AS day,
  substr('00000', 1, 1 + (hashint4(n) & 3)) || substr('11111', 1, 4 - (hashint4(n) & 3)) AS marks
  FROM generate_series(1, :count) AS n) AS made
"""
_SHEETS = f"""
INSERT INTO attempt_questions (attempt_id, position, revision_id, choice_order, chosen, answered_at)
SELECT a.id, p, (:pool)[1 + (hashint4(a.total_try) + p * 37 & 2147483647) % :size],
  ({_ORDERS})[1 + (hashint4(a.total_try * 5 + p) & 2147483647) % 24],
  CASE WHEN hashint4(a.total_try + p) % 40 = 0 THEN NULL
    WHEN hashint4(a.total_try - p) % 4 = 0 THEN (ARRAY['AB', 'AC', 'BD', 'ACD'])[1 + (hashint4(p - a.total_try) & 3)]
    ELSE (ARRAY['A', 'B', 'C', 'D'])[1 + (hashint4(a.total_try + 7 * p) & 3)] END,
  a.started_at + (p * 9 + (hashint4(a.total_try * 3 + p) & 7)) * interval '1.01 second'
FROM attempts AS a CROSS JOIN generate_series(1, 5) AS p WHERE a.campaign_id = :campaign
"""


def _fill(attempts: int) -> None:
    """Write the papers straight into the tables. Orders of choices have four digits whatever the question."""
    from quizapp.core.db import db
    from quizapp.questions.models import Question
    from tests.factories import questions, reporting

    host, person = reporting.make_unit(), reporting.make_person()
    first = 0
    for number, share in enumerate(SHARES):
        bank = questions.make_bank(f"bank-{number}", QUESTIONS, ("single", "multiple", "indefinite"))
        campaign = reporting.make_counted_campaign(f"campaign-{number}", host)
        pool = list(db.session.scalars(sa.select(Question.current_revision_id).filter_by(bank_id=bank.id)))
        count = attempts * share // sum(SHARES)
        made = {"campaign": campaign.id, "terms": campaign.terms_id, "citizen": person, "first": first, "count": count, "days": DAYS}
        db.session.rollback()
        fill = _fill_sqlite if db.engine.dialect.name == "sqlite" else _fill_postgresql
        fill(made, pool)
        first += count


def _fill_postgresql(made: dict[str, Any], pool: list[uuid.UUID]) -> None:
    from quizapp.core.db import db

    with db.engine.begin() as connection:
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        connection.execute(sa.text(_ATTEMPTS), made)
        ids = sa.bindparam("pool", type_=sa.ARRAY(sa.Uuid))
        connection.execute(sa.text(_SHEETS).bindparams(ids), {"campaign": made["campaign"], "pool": pool, "size": len(pool)})
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE")


def _fill_sqlite(made: dict[str, Any], pool: list[uuid.UUID]) -> None:
    from quizapp.core.db import db

    rng = random.Random(made["first"])
    orders = ["".join(order) for order in itertools.permutations("0123")]
    answers = [None, *"ABCDABCDABCD", "AB", "AC", "BD", "ACD"]
    ids = [id_.hex for id_ in pool]
    names = "id, campaign_id, terms_id, citizen_id, device_tag, client_nonce, state, day_try, total_try, started_at, started_on, deadline_at, is_large_type, question_count, save_count, is_automatic, submitted_at, submitted_on, correct_count, marks, is_passed, ticket_count, points, fixed_points"
    with db.engine.connect() as connection:
        raw = connection.connection.dbapi_connection
        cursor = raw.cursor()
        cursor.execute("PRAGMA foreign_keys=OFF")
        cursor.execute("BEGIN IMMEDIATE")
        for n in range(1, made["count"] + 1):
            day = dt.date(2026, 3, 10) + dt.timedelta(days=n % made["days"])
            start = dt.datetime.combine(day, dt.time(1)) + dt.timedelta(seconds=n % 40_000)
            marks = "".join("1" if rng.random() < 0.7 else "0" for _ in range(5))
            id_ = f"{made['first'] + n:012x}70008000{n:012x}"
            row = (
                id_,
                made["campaign"].hex,
                made["terms"].hex,
                made["citizen"].hex,
                b"",
                "",
                "graded",
                n,
                n,
                str(start) + ".000000",
                str(day),
                str(start) + ".000000",
                0,
                5,
                5,
                0,
                str(start) + ".000000",
                str(day),
                marks.count("1"),
                marks,
                1,
                0,
                0,
                0,
            )
            cursor.execute(f"INSERT INTO attempts ({names}) VALUES ({', '.join('?' * len(row))})", row)
            moments = [f"{start + dt.timedelta(seconds=9 * p + rng.randrange(8))}.500000" for p in range(1, 6)]
            sheets = [(id_, p, rng.choice(ids), rng.choice(orders), rng.choice(answers), moments[p - 1]) for p in range(1, 6)]
            cursor.executemany("INSERT INTO attempt_questions VALUES (?, ?, ?, ?, ?, ?)", sheets)
        cursor.execute("COMMIT")
        cursor.execute("PRAGMA foreign_keys=ON")


class _Memory:
    """The highest resident memory while it is open, in MB; also what was there before."""

    def __enter__(self) -> "_Memory":
        self.before = self.peak = self._now()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    @staticmethod
    def _now() -> float:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 1e6

    def _watch(self) -> None:
        while not self._stop.wait(0.05):
            self.peak = max(self.peak, self._now())

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


def _seconds(work: Callable[..., object], *arguments: object) -> float:
    began = time.monotonic()
    work(*arguments)
    return time.monotonic() - began


def measure(database: str) -> str:
    """Fold everything, once. Returns the line of the table."""
    from quizapp.core.clock import utc_now
    from quizapp.core.db import db
    from quizapp.reporting import items_fold, items_queries
    from quizapp.reporting.items_queries import ItemFilter
    from quizapp.reporting.models import ItemFold
    from quizapp.web.pagination import paginate

    with _Memory() as memory:
        began, cpu = time.monotonic(), time.process_time()
        items_fold.fold_due(utc_now())
        took, spent = time.monotonic() - began, time.process_time() - cpu
    rows = db.session.execute(sa.select(ItemFold.paper_count, ItemFold.took_ms).where(ItemFold.took_ms > 0)).all()
    papers, (most, longest) = sum(count for count, _ in rows), max(rows)
    db.session.rollback()
    look = _seconds(items_fold.list_stamps)
    page = _seconds(lambda: paginate(items_queries.select_items(ItemFilter()), 1, is_scalar=False))
    db.session.rollback()
    cells = (
        database,
        f"{papers:,}",
        f"{took:.0f} s ({papers / took:,.0f}/s)",
        f"{spent:.0f} s",
        f"{most:,} in {longest / 1000:.0f} s",
        f"{memory.before:.0f} → {memory.peak:.0f} MB",
        f"{look * 1000:,.0f} ms",
        f"{page * 1000:,.0f} ms",
    )
    return "| " + " | ".join(cells) + " |"


@contextmanager
def _database(name: str) -> Iterator[str]:
    if name == "PostgreSQL":
        with servers.postgresql() as (url, _):
            yield url
        return
    with tempfile.TemporaryDirectory(prefix="quizbench") as folder:
        yield f"sqlite:///{folder}/quiz.db"


def run(name: str, attempts: int) -> str:
    """One database of our own from nothing to its line of the table."""
    import flask_migrate

    from config import TestingConfig
    from quizapp import create_app
    from quizapp.core.db import db

    with _database(name) as url, tempfile.TemporaryDirectory(prefix="quizbench") as folder:
        app = create_app(TestingConfig({**os.environ, "QUIZAPP_ENV": "testing", "DATABASE_URL": url, "QUIZAPP_DATA_DIR": folder}))
        with app.app_context():
            flask_migrate.upgrade()
            print(f"{name}: {attempts:,} attempts written in {_seconds(_fill, attempts):.0f} s", flush=True)
            line = measure(name)
            db.session.remove()
            db.engine.dispose()
    print(line, flush=True)
    return line


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--attempts", type=int, default=2_020_000, help="on PostgreSQL; 0 leaves it out")
    parser.add_argument("--sqlite", type=int, default=500_000, help="on SQLite; 0 leaves it out")
    parser.add_argument("--write", action="store_true", help="put the table into docs/benchmarks.md")
    chosen = parser.parse_args()
    sizes = {"PostgreSQL": chosen.attempts, "SQLite": chosen.sqlite}
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, load average {os.getloadavg()[0]:.0f}"
    lines = [
        "Five questions a paper, five campaigns in the proportions of the half-year. Worker and database share the machine.",
        f"Made by `python -m bench.items --write` on {dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M} UTC, {machine}.",
        "",
        "| database | papers folded | time | CPU of the worker | largest campaign | memory of the worker, before and peak | a look for changes | page 1 of the list |",
        "|---|---|---|---|---|---|---|---|",
        *(run(name, attempts) for name, attempts in sizes.items() if attempts),
    ]
    if chosen.write:
        sections.replace(servers.ROOT / "docs" / "benchmarks.md", "Item statistics", lines)
    return 0


if __name__ == "__main__":
    sys.exit(main())
