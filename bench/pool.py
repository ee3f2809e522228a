"""How long a pool draw of a whole province takes: ``python -m bench.pool [--count 300000] [--write]``.

Citizens are made, a draw with three tiers, weighted tickets, two bands and a reserve list is published; then the list is
frozen, the public input taken and the draw made, each as one transaction of the real services, and the public file is written
and checked by the downloadable checker. Each step is a process of its own.
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
TITLE = "Pool draws"
CHUNK = 20_000
WINS = (10, 990, 9_000)
RESERVES = 1_000


def fill(count: int) -> None:
    """Citizens and a campaign with one open pool draw, whose id is printed."""
    import flask_migrate
    import sqlalchemy as sa

    from quizapp import create_app
    from quizapp.accounts import seeds
    from quizapp.accounts.models import Citizen, Organisation
    from quizapp.campaigns.models import Campaign
    from quizapp.core.clock import utc_now
    from quizapp.core.db import db, transaction
    from quizapp.core.ids import new_id
    from quizapp.lottery import pooldraw
    from quizapp.lottery.pool_models import PoolDrawRun

    app = create_app()
    with app.app_context():
        flask_migrate.upgrade(directory=str(ROOT / "migrations"))
        now = utc_now()
        with transaction():
            seeds.load_reference_data()
        with transaction():
            host = db.session.scalars(sa.select(Organisation).order_by(Organisation.path).limit(1)).one()
            campaign = Campaign(
                slug="pool", title="摇号", kind="voluntary", status="published", host_organisation_id=host.id,
                opens_at=now - dt.timedelta(days=9), closes_at=now, created_at=now,
            )  # fmt: skip
            db.session.add(campaign)
            db.session.flush()
            tiers = [
                {"name": f"奖{n}", "kind": "pickup", "quantity": quantity, "ratio_ppm": None, "tier": "", "value_fen": 0, "points": 0}
                for n, quantity in enumerate(WINS)
            ]
            draw = {
                "id": "grand", "title": "收官摇号", "tiers": tiers, "per": "campaign", "tickets": "awards", "max_tickets": None,
                "mode": "ceremony", "seed_input": "spoken", "public_figure": "", "witness": "", "cascade": [{}], "reserves": RESERVES,
                "one_win": True, "one_win_per_campaign": True, "sponsor": "", "claim_days": 15, "allows_minors": False,
            }  # fmt: skip
            plan = pooldraw.Plan(draw, (pooldraw.Scope("campaign", now),))
            pooldraw.open_pool_draws(campaign_id=campaign.id, terms_hash="ab" * 32, plans=[plan], now=now)
        for first in range(0, count, CHUNK):
            with transaction():
                db.session.execute(sa.insert(Citizen), [
                    {"id": new_id(), "nickname": "市民", "demographic_group": "resident", "region_code": "150402",
                     "age_band": "18_59", "status": "active", "created_at": now}
                    for _ in range(first, min(first + CHUNK, count))
                ])  # fmt: skip
        if db.engine.dialect.name == "postgresql":
            db.session.rollback()
            with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql("VACUUM ANALYZE")
        db.session.rollback()
        print(db.session.scalars(sa.select(PoolDrawRun.id)).one())


def run(pool_draw: str, folder: str) -> None:
    """Freeze, input, draw, export, check; the times as JSON."""
    import uuid

    import sqlalchemy as sa

    from quizapp import create_app
    from quizapp.accounts.models import Citizen
    from quizapp.audit.services import SYSTEM
    from quizapp.core.clock import utc_now
    from quizapp.core.db import db, transaction
    from quizapp.lottery import pool_proof, pooldraw
    from quizapp.lottery.pool_models import PoolDrawEntry, PoolWin
    from quizapp.lottery.pooldraw import queries
    from quizapp.lottery.pooldraw.export import file_lines

    rng, app, pool_draw_id = random.Random(5), create_app(), uuid.UUID(pool_draw)
    who: dict[str, Any] = {"pool_draw_id": pool_draw_id, "actor": SYSTEM, "organisation_path": "/"}
    took: dict[str, float] = {}
    with app.app_context():
        entries = [
            pooldraw.Entry(each, rng.choice((1, 1, 1, 2, 5)), int(rng.random() < 0.3)) for each in db.session.scalars(sa.select(Citizen.id))
        ]
        memory_before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

        def timed(name: str, work: Any) -> None:
            began = time.monotonic()
            work()
            took[name] = time.monotonic() - began

        def freeze() -> None:
            with transaction():
                pooldraw.freeze(pool_draw_id=pool_draw_id, entries=entries, now=utc_now())

        def hold() -> None:
            with transaction():
                pooldraw.take_input(typed="83017264", typed_again="83017264", now=utc_now(), **who)
            with transaction():
                pooldraw.draw(now=utc_now(), **who)

        path = Path(folder) / "pool.jsonl"

        def export() -> None:
            with path.open("w", encoding="utf-8", newline="\n") as file:
                file.writelines(file_lines(queries.get_public(pool_draw_id)))

        cpu = time.process_time()
        timed("freeze", freeze)
        timed("draw", hold)
        cpu = time.process_time() - cpu
        timed("export", export)
        began = time.monotonic()
        with path.open("rb") as file:
            summary = pool_proof.verify(file)
        took["check"] = time.monotonic() - began
        counted = [db.session.scalar(sa.select(sa.func.count()).select_from(model)) for model in (PoolDrawEntry, PoolWin)]
        wrong = int(counted != [len(entries), sum(WINS)]) + int((summary.win_count, summary.reserve_count) != (sum(WINS), RESERVES))
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({
            **took, "cpu": cpu, "memory": memory, "memory_before": memory_before, "wrong": wrong, "entries": summary.entry_count,
            "tickets": summary.ticket_count, "wins": summary.win_count, "size": path.stat().st_size,
        }))  # fmt: skip


def measure(name: str, environment: dict[str, str], count: int, folder: str) -> str:
    """Fill, run and describe one database: a row of the table."""
    base, env = [sys.executable, "-m", "bench.pool"], {**os.environ, **environment}
    filled = subprocess.run([*base, "--fill", str(count)], cwd=ROOT, env=env, check=True, capture_output=True, text=True).stdout
    output = subprocess.run(
        [*base, "--run", filled.split()[-1], "--folder", folder], cwd=ROOT, env=env, check=True, capture_output=True, text=True
    ).stdout
    found = json.loads(output.splitlines()[-1])
    print(name, json.dumps(found))
    return (
        f"| {name} | {found['entries']:,} | {found['tickets']:,} | {found['wins']:,} | {found['freeze']:.1f} s | {found['draw']:.1f} s | "
        f"**{found['freeze'] + found['draw']:.1f} s** | {found['cpu']:.1f} s | {found['export']:.1f} s, {found['size'] / 1e6:.1f} MB | "
        f"{found['check']:.1f} s | {found['memory']:.0f} MB ({found['memory_before']:.0f} MB before) | {found['wrong']} |"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=300_000)
    parser.add_argument("--only", choices=("SQLite", "PostgreSQL"), help="one database; both without it")
    parser.add_argument("--write", action="store_true", help="put the figures into docs/benchmarks.md")
    parser.add_argument("--fill", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--run", help=argparse.SUPPRESS)
    parser.add_argument("--folder", default=".", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.fill or options.run:
        if options.fill:
            fill(options.fill)
        else:
            run(options.run, options.folder)
        return 0
    common = {"QUIZAPP_ENV": "demo", "LOG_LEVEL": "ERROR", **SECRETS}
    rows = []
    with tempfile.TemporaryDirectory(prefix="quizpool") as folder:
        common["QUIZAPP_DATA_DIR"] = f"{folder}/var"
        if options.only != "PostgreSQL":
            rows.append(measure("SQLite", {**common, "DATABASE_URL": f"sqlite:///{folder}/quiz.db"}, options.count, folder))
        if options.only != "SQLite":
            with servers.postgresql() as (url, _pid):
                rows.append(measure("PostgreSQL", {**common, "DATABASE_URL": url}, options.count, folder))
    lines = [
        "From a list of citizens in memory to the frozen list with its hash, and from the digits to results and opened hand-overs; both",
        "as the worker or the button does it. Three tiers, one to five tickets each, two bands, a reserve list of 1,000.",
        (
            f"Made by `python -m bench.pool --write` on {dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores shared with the "
            f"database, {platform.machine()}, Python {platform.python_version()}, load {os.getloadavg()[0]:.1f} at the end."
        ),
        "",
        "| database | entrants | tickets | wins | freeze | input and draw | together | of it CPU of this process | file | check of the file | memory, peak | differences from a recount |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
        *rows,
    ]
    print("\n".join(lines))
    if options.write:
        sections.replace(ROOT / "docs" / "benchmarks.md", TITLE, lines)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
