"""How long marking 100,000 papers again takes, and how much memory: ``python -m bench.remark [--count N] [--write]``.

For each database: fill it with graded papers that all hold one question (tickets and points included), correct that
question's key, let the worker's job run, then count everything anew from the answers. Each step is a process of its own.
"""

import argparse
import datetime as dt
import json
import os
import platform
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench import sections, servers

ROOT = Path(__file__).resolve().parent.parent
SECRETS = {name: f"bench-only-{name}-0123456789abcdefghijklmnop" for name in ("SECRET_KEY", "FIELD_ENCRYPTION_KEYS", "FIELD_HASH_KEY")}
TITLE = "Marking papers again"
CHUNK = 5000


def fill(count: int) -> None:
    """Graded papers of two and a half a citizen, five questions each; the first question's key is about to be corrected."""
    import flask_migrate
    import sqlalchemy as sa

    from bench.prepare import GROUPS, REGIONS, _campaign
    from quizapp import create_app
    from quizapp.accounts import seeds
    from quizapp.accounts.models import Citizen, Organisation
    from quizapp.attempts.models import Attempt, AttemptQuestion
    from quizapp.audit.services import SYSTEM
    from quizapp.core.clock import shanghai_day, utc_now
    from quizapp.core.db import db, transaction
    from quizapp.core.ids import new_id
    from quizapp.ledger.rules import POINTS_SOURCE
    from quizapp.ledger.services import Posting, post_many
    from quizapp.lottery.services import Grant, grant_many
    from quizapp.questions import queries as questions
    from quizapp.questions import services as question_services

    app, rng = create_app(), random.Random(7)
    with app.app_context():
        flask_migrate.upgrade(directory=str(ROOT / "migrations"))
        now = utc_now()
        with transaction():
            seeds.load_reference_data()
        with transaction():
            question_services.import_bank(ROOT / "question_banks" / "consumer-rights", now=now, actor=SYSTEM, publish=True)
        with transaction():
            host = db.session.scalars(sa.select(Organisation).order_by(Organisation.path).limit(1)).one()
            campaign = _campaign("remark", host, now)
            views = list(questions.get_revisions([item.revision_id for item in questions.list_pool(banks=("consumer-rights",))]).values())
            people = [new_id() for _ in range(count * 2 // 5)]
            for first in range(0, len(people), CHUNK):
                db.session.execute(sa.insert(Citizen), [
                    {"id": i, "nickname": "市民", "demographic_group": rng.choice(GROUPS), "region_code": rng.choice(REGIONS),
                     "age_band": rng.choice(("18_59", "60_plus", "14_17")), "status": "active", "created_at": now}
                    for i in people[first : first + CHUNK]
                ])  # fmt: skip
        wrong = next(view for view in views if view.kind == "single")
        rest = [view for view in views if view.id != wrong.id]
        print(wrong.id)
        for first in range(0, count, CHUNK):
            attempts: list[dict[str, Any]] = []
            rows: list[dict[str, Any]] = []
            grants: list[Grant] = []
            postings: list[Posting] = []
            for number in range(first, min(first + CHUNK, count)):
                attempt, citizen, turn = new_id(), people[number % len(people)], number // len(people) + 1
                marks = ""
                for position, view in enumerate([wrong, *rng.sample(rest, 4)], 1):
                    order = "".join(str(place) for place in rng.sample(range(len(view.choices)), len(view.choices)))
                    picks = rng.choices(range(len(view.choices)), k=1) if rng.random() < 0.4 else sorted(view.answer)
                    chosen = "".join(sorted("ABCDEFGH"[order.index(str(index))] for index in picks))
                    marks += "1" if set(picks) == set(view.answer) else "0"
                    rows.append({"attempt_id": attempt, "position": position, "revision_id": view.id, "choice_order": order,
                                 "chosen": chosen, "answered_at": now})  # fmt: skip
                passed = marks.count("1") >= 4
                points = 5 if passed else 1
                attempts.append({
                    "id": attempt, "campaign_id": campaign.id, "terms_id": campaign.terms_id, "citizen_id": citizen, "device_tag": bytes(32),
                    "client_nonce": "ab" * 16, "state": "graded", "day_try": turn, "total_try": turn, "started_at": now,
                    "started_on": shanghai_day(now), "deadline_at": now, "question_count": 5, "handed_in_at": now, "submitted_at": now,
                    "submitted_on": shanghai_day(now), "correct_count": marks.count("1"), "marks": marks, "is_passed": passed,
                    "ticket_count": int(passed), "points": points, "fixed_points": 0, "day_turn": turn, "day_rewards": 0,
                    "demographic_group": "resident", "region_code": "150402", "age_band": "18_59",
                })  # fmt: skip
                grants += [Grant(campaign.id, citizen, "attempt", attempt, 1, "ab" * 16, 24)] if passed else []
                postings.append(Posting("points", POINTS_SOURCE, ("citizen", str(citizen)), points, "attempt", attempt, "attempt", now))
            with transaction():
                db.session.execute(sa.insert(Attempt), attempts)
                db.session.execute(sa.insert(AttemptQuestion), rows)
                grant_many(grants, now)
                post_many(postings)
        if db.engine.dialect.name == "postgresql":
            db.session.rollback()
            with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql("VACUUM ANALYZE")


def run(revision: str) -> None:
    """Correct the key to another choice and let the job work; then count anew."""
    import uuid

    import sqlalchemy as sa

    from quizapp import create_app
    from quizapp.attempts import jobs, remark_queries
    from quizapp.audit.services import SYSTEM
    from quizapp.core.clock import utc_now
    from quizapp.core.db import db, transaction
    from quizapp.questions import queries as questions
    from quizapp.questions import services as question_services

    app = create_app()
    revision_id = uuid.UUID(revision)
    with app.app_context():
        view = questions.get_revisions([revision_id])[revision_id]
        new_key = frozenset({(min(view.answer) + 1) % len(view.choices)})
        began = time.monotonic()
        foreseen = remark_queries.preview((new_key,), [revision_id])
        preview_seconds = time.monotonic() - began
        with transaction():
            proposal = question_services.Proposal(revision_id, (new_key,), "bench", "bench")
            row = question_services.propose_correction(proposal, now=utc_now(), actor=SYSTEM)
        with transaction():
            question_services.confirm_correction(row.id, now=utc_now(), actor=SYSTEM)
        questions.forget_corrections()
        memory_before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        began, cpu = time.monotonic(), time.process_time()
        while (found := remark_queries.find_run(row.id)) is None or found.state in ("waiting", "running"):
            jobs.remark_attempts()
            db.session.rollback()
        seconds, cpu = time.monotonic() - began, time.process_time() - cpu
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        names = ("raised", "lowered", "newly_passed", "no_longer_passed", "tickets", "points")
        counted = {name: getattr(found, name) for name in ("seen", *names)}
        with transaction():
            again = remark_queries.lock_run(row.id)
            again.state, again.cursor, again.pass_number = "running", None, again.pass_number + 1
        began = time.monotonic()
        jobs.remark_attempts(seconds=3600)
        repeat = time.monotonic() - began
        wrong = int(any(getattr(foreseen, name) != counted[name] for name in names)) + _recount(db.session, revision_id, new_key)
        changed = db.session.scalar(sa.text("SELECT count(*) FROM attempt_remarks"))
        print(json.dumps({
            "changed": changed, "seconds": seconds, "cpu": cpu, "memory": memory, "memory_before": memory_before,
            "repeat": repeat, "preview": preview_seconds, "wrong": wrong, **counted,
        }))  # fmt: skip


CHECKS = (
    "SELECT count(*) FROM attempts WHERE correct_count <> length(replace(marks, '0', ''))",
    "SELECT count(*) FROM attempts WHERE is_passed <> (correct_count >= 4)",
    "SELECT count(*) FROM attempts a WHERE ticket_count <> (SELECT count(*) FROM draw_tickets t WHERE t.source_type = 'attempt' AND t.source_id = a.id)",
    "SELECT count(*) FROM attempts WHERE is_passed AND (ticket_count <> 1 OR points <> 5)",
    "SELECT count(*) FROM ledger_accounts a WHERE is_bounded AND balance <> (SELECT sum(amount) FROM ledger_entries e WHERE e.credit_account_id = a.id)",
)


def _recount(session: Any, revision_id: Any, new_key: frozenset[int]) -> int:
    """Attempts, accounts and tickets that differ from what the answers say, counted by other means than the job's."""
    import sqlalchemy as sa

    from quizapp.attempts.models import Attempt, AttemptQuestion

    wrong = 0
    columns = (Attempt.marks, AttemptQuestion.position, AttemptQuestion.choice_order, AttemptQuestion.chosen)
    statement = sa.select(*columns).join(AttemptQuestion, AttemptQuestion.attempt_id == Attempt.id)
    for marks, position, order, chosen in session.execute(statement.where(AttemptQuestion.revision_id == revision_id)):
        is_right = {int(order["ABCDEFGH".index(letter)]) for letter in chosen or ""} == new_key
        wrong += (marks[position - 1] == "1") != is_right
    owner = "CAST(citizen_id AS text)"
    if session.get_bind().dialect.name == "sqlite":  # 32 hex digits there
        owner = " || '-' || ".join(
            f"substr(citizen_id, {start}, {length})" for start, length in ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
        )
    earned = f"SELECT {owner} AS owner, sum(points) AS total FROM attempts GROUP BY 1"
    unequal = f"SELECT count(*) FROM ledger_accounts a JOIN ({earned}) p ON p.owner = a.owner_id WHERE balance <> total"
    checks = [*CHECKS, unequal]
    return int(wrong + sum(session.scalar(sa.text(check)) for check in checks))


def measure(name: str, environment: dict[str, str], count: int, database_pid: int = 0) -> tuple[str, list[str]]:
    """Fill, run and describe one database: a row of the table, and notes."""
    base = [sys.executable, "-m", "bench.remark"]
    env = {**os.environ, **environment}
    revision = subprocess.run([*base, "--fill", str(count)], cwd=ROOT, env=env, check=True, capture_output=True, text=True).stdout.split()[
        -1
    ]
    before = servers.cpu_seconds(database_pid) if database_pid else 0.0
    output = subprocess.run([*base, "--run", revision], cwd=ROOT, env=env, check=True, capture_output=True, text=True).stdout
    found = json.loads(output.splitlines()[-1])
    database = servers.cpu_seconds(database_pid) - before if database_pid else 0.0
    print(name, json.dumps(found))
    row = (
        f"| {name} | {found['seen']:,} | {found['changed']:,} | {found['seconds']:.1f} s | {found['seen'] / found['seconds']:,.0f}/s | "
        f"{found['cpu']:.1f} s | {found['memory']:.0f} MB ({found['memory_before']:.0f} MB before) | {found['repeat']:.1f} s | "
        f"{found['preview']:.1f} s | {found['wrong']} |"
    )
    notes = [
        f"{name}: {found['raised']:,} papers one right answer more, {found['lowered']:,} one less, {found['newly_passed']:,} newly passed, "
        f"{found['no_longer_passed']:,} no longer passed; {found['tickets']:,} tickets and {found['points']:,} points given on top."
        + (f" Server CPU over all steps {database:.0f} s." if database_pid else "")
    ]
    return row, notes


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--write", action="store_true", help="put the figures into docs/benchmarks.md")
    parser.add_argument("--fill", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--run", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.fill or options.run:
        if options.fill:
            fill(options.fill)
        else:
            run(options.run)
        return 0
    common = {"QUIZAPP_ENV": "demo", "LOG_LEVEL": "ERROR", **SECRETS}
    rows, notes = [], []
    with tempfile.TemporaryDirectory(prefix="quizremark") as folder:
        for name, pid, more in (("SQLite", 0, {"DATABASE_URL": f"sqlite:///{folder}/quiz.db"}),):
            row, note = measure(name, {**common, "QUIZAPP_DATA_DIR": f"{folder}/var", **more}, options.count, pid)
            rows, notes = [*rows, row], [*notes, *note]
        with servers.postgresql() as (url, pid):
            row, note = measure("PostgreSQL", {**common, "QUIZAPP_DATA_DIR": f"{folder}/var", "DATABASE_URL": url}, options.count, pid)
            rows, notes = [*rows, row], [*notes, *note]
    lines = [
        "Worker and database share the machine. Every paper holds the question whose key is corrected.",
        f"Made by `python -m bench.remark --write` on {dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}.",
        "",
        "| database | papers looked at | changed | time | rate | CPU of the worker | memory of the worker, peak | the same again | preview | differences from a recount |",
        "|---|---|---|---|---|---|---|---|---|---|",
        *rows,
        "",
        *(f"- {note}" for note in notes),
    ]
    print("\n".join(lines))
    if options.write:
        sections.replace(ROOT / "docs" / "benchmarks.md", TITLE, lines)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
