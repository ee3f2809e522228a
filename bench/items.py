"""``python -m bench.items [--attempts N] [--sqlite]``: item statistics over half a year's papers, five questions each.

Fills a database of its own with campaigns in the proportions of the half-year, folds them, and prints how long reading,
counting and writing took, the peak of resident memory, how long a look for changes takes, and how long the pages' reads.
"""

import argparse
import datetime as dt
import os
import resource
import sys
import tempfile
import threading
import time
from pathlib import Path

import sqlalchemy as sa

from bench import servers

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
    """Write the papers with the server's own means; orders of choices have four digits also for two choices, which no
    reader of this bench looks at."""
    from quizapp.core.db import db
    from quizapp.questions.models import Question
    from tests.factories import questions, reporting

    host, person = reporting.make_unit(), reporting.make_person()
    first = 0
    for number, share in enumerate(SHARES):
        bank = questions.make_bank(f"bank-{number}", QUESTIONS, ("single", "multiple", "indefinite"))
        campaign = reporting.make_counted_campaign(f"campaign-{number}", host)
        pool = db.session.scalars(sa.select(Question.current_revision_id).filter_by(bank_id=bank.id)).all()
        count = attempts * share // sum(SHARES)
        db.session.rollback()
        with db.engine.begin() as connection:
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
            made = {"campaign": campaign.id, "terms": campaign.terms_id, "citizen": person, "first": first, "count": count, "days": DAYS}
            connection.execute(sa.text(_ATTEMPTS), made)
            ids = sa.bindparam("pool", type_=sa.ARRAY(sa.Uuid))
            connection.execute(sa.text(_SHEETS).bindparams(ids), {"campaign": campaign.id, "pool": list(pool), "size": len(pool)})
        first += count
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE")


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


def _timed(what: str, work: "object", *arguments: object) -> None:
    began = time.monotonic()
    work(*arguments)  # type: ignore[operator]
    print(f"{what}: {(time.monotonic() - began) * 1000:,.0f} ms", flush=True)


def measure() -> None:
    from quizapp.core.clock import utc_now
    from quizapp.core.db import db
    from quizapp.reporting import items_fold
    from quizapp.reporting.models import ItemFold

    _timed("look for changes", items_fold.list_stamps)
    db.session.rollback()
    with _Memory() as memory:
        began, cpu = time.monotonic(), time.process_time()
        items_fold.fold_due(utc_now())
        took, spent = time.monotonic() - began, time.process_time() - cpu
    rows = db.session.execute(sa.select(ItemFold.paper_count, ItemFold.took_ms).where(ItemFold.took_ms > 0)).all()
    papers = sum(count for count, _ in rows)
    print(f"fold: {papers:,} papers in {took:.1f} s ({papers / took:,.0f}/s), {spent:.1f} s of our CPU")
    print(f"the largest campaign: {max(rows)[0]:,} papers read in {max(rows)[1] / 1000:.1f} s")
    print(f"resident memory: {memory.before:.0f} MB before, {memory.peak:.0f} MB at the peak")
    _timed("nothing has changed", items_fold.fold_due, utc_now() + dt.timedelta(days=1))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--attempts", type=int, default=2_020_000)
    attempts = parser.parse_args().attempts
    with servers.postgresql() as (url, _), tempfile.TemporaryDirectory(prefix="quizbench") as folder:
        from config import TestingConfig
        from quizapp import create_app

        app = create_app(TestingConfig({**os.environ, "QUIZAPP_ENV": "testing", "DATABASE_URL": url, "QUIZAPP_DATA_DIR": folder}))
        with app.app_context():
            import flask_migrate

            flask_migrate.upgrade()
            _timed(f"{attempts:,} attempts written", _fill, attempts)
            measure()
    return 0


if __name__ == "__main__":
    sys.exit(main())
