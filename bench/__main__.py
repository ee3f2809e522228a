"""``python -m bench [--quick] [--write]``: run everything, print each goal with its reach and aim, write docs/benchmarks.md."""

import argparse
import datetime as dt
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bench import browser, sections, servers
from bench.reference import REFERENCE_TABLES

ROOT = servers.ROOT
SECRETS = {
    "SECRET_KEY": "bench-only-0123456789abcdef0123456789abcdef",
    "FIELD_ENCRYPTION_KEYS": "bench-field-0123456789abcdef0123456789abcdef",
    "FIELD_HASH_KEY": "bench-hash-0123456789abcdef0123456789abcdef",
}


@dataclass
class Goal:
    name: str
    what: str
    value: float
    reach: float
    aim: float
    is_low_good: bool = False
    unit: str = ""

    def verdict(self) -> str:
        good: Callable[[float], bool] = (lambda goal: self.value <= goal) if self.is_low_good else (lambda goal: self.value >= goal)
        return "aim" if good(self.aim) else "reach" if good(self.reach) else "MISSED"

    def row(self) -> str:
        sign = "≤" if self.is_low_good else "≥"
        return (
            f"| {self.name} | {self.what} | {self.value:.3g}{self.unit} | {sign} {self.reach:g} | {sign} {self.aim:g} | {self.verdict()} |"
        )


@dataclass
class Bench:
    folder: Path
    environment: dict[str, str]
    seconds: float
    rounds: int
    goals: list[Goal] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def load(
        self, base: str, scenario: str, *, concurrency: int = 16, users: int = 0, rate: float = 0.0, **variables: str
    ) -> dict[str, Any]:
        """One bounded run of the load generator, in a process of its own."""
        out = self.folder / f"{scenario}-{time.monotonic_ns()}.json"
        command = [sys.executable, "bench/loadgen.py", "--base", base, "--scenario", f"bench/scenarios/{scenario}.py", "--json", str(out)]
        command += [
            "--concurrency",
            str(concurrency),
            "--users",
            str(users or concurrency),
            "--duration",
            str(self.seconds),
            "--rate",
            str(rate),
        ]
        environment = {**os.environ, **self.environment, **{f"BENCH_{name.upper()}": value for name, value in variables.items()}}
        subprocess.run(command, check=True, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
        report: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
        return report

    def goal(self, *values: Any, **more: Any) -> None:
        goal = Goal(*values, **more)
        self.goals.append(goal)
        print(goal.row(), flush=True)

    def note(self, text: str) -> None:
        self.notes.append(text)
        print("  " + text, flush=True)


def _prepare(bench: Bench, citizens: int, rounds: int) -> None:
    subprocess.run(
        [sys.executable, "-m", "bench.prepare", str(bench.folder), str(citizens), str(rounds)],
        check=True, cwd=ROOT, env={**os.environ, **bench.environment},
    )  # fmt: skip


def _submits(bench: Bench, base: str, number: int, concurrency: int = 16, rate: float = 0.0) -> dict[str, Any]:
    return bench.load(
        base, "submit", concurrency=concurrency, users=concurrency, rate=rate, file=str(bench.folder / f"papers-{number}.txt")
    )


def _p(report: dict[str, Any], name: str, which: str) -> float:
    return float(report["latency_ms"][name][which])


def hot_path(bench: Bench, base: str, web: int, database: int) -> float:
    """P1 to P5: interleaved rounds of null, reference and submit. Returns the median submits per second."""
    rates: dict[str, list[float]] = {"null": [], "reference": [], "submit": []}
    cpu: list[float] = []
    for number in range(bench.rounds):
        for name in ("null", "reference"):
            first = str(number * 1_000_000)
            report = bench.load(base, "null", path=f"/api/bench/{name}", first=first)
            rates[name].append(report["requests_per_s"])
        before = servers.cpu_seconds(web) + servers.cpu_seconds(database)
        report = _submits(bench, base, number)
        spent = servers.cpu_seconds(web) + servers.cpu_seconds(database) - before
        rates["submit"].append(report["requests_per_s"])
        cpu.append(1000 * spent / report["requests"])
        bench.note(
            f"round {number + 1}: null {rates['null'][-1]:.0f}/s, reference {rates['reference'][-1]:.0f}/s, submit {rates['submit'][-1]:.0f}/s "
            f"p50 {_p(report, 'submit', 'p50'):.1f} p99 {_p(report, 'submit', 'p99'):.1f} ms, {cpu[-1]:.2f} ms CPU, errors {report['errors'] or 0}"
        )
    per_round = list(zip(rates["submit"], rates["reference"], rates["null"], strict=True))
    bench.goal("P1", "submit / reference (iii)", statistics.median(s / r for s, r, _ in per_round), 0.40, 0.65)
    bench.goal("P2", "submit / null", statistics.median(s / n for s, _, n in per_round), 0.20, 0.33)
    bench.goal("P3", "CPU per submit, app + database", statistics.median(cpu), 3.5, 2.0, is_low_good=True, unit=" ms")
    bench.goal("P5", "44.8 ms (CTFd 3.8.7) / our CPU per submit", 44.8 / statistics.median(cpu), 12, 20, unit="x")
    return statistics.median(rates["submit"])


def statements(bench: Bench) -> None:
    """P4 is counted by a test; here the same count is printed."""
    output = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-s", "tests/attempts/test_statement_count.py", "-k", "postgresql"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    ).stdout  # fmt: skip
    found = [line.split()[-1] for line in output.splitlines() if "submit statements:" in line]
    bench.goal("P4", "SQL statements per submit", float(found[0]) if found else 99, 7, 4, is_low_good=True)


def reads(bench: Bench, base: str) -> None:
    """P6: reads with a writer going on."""
    papers = str(bench.folder / "papers-0.txt")
    tokens = str(bench.folder / "tokens.txt")
    ratios: dict[str, list[float]] = {"attempt": [], "campaign": []}
    writer_command = [
        sys.executable,
        "bench/loadgen.py",
        "--base",
        base,
        "--scenario",
        "bench/scenarios/play.py",
        "--concurrency",
        "4",
        "--users",
        "400",
    ]
    writer_command += ["--duration", str(bench.seconds * 9 * bench.rounds / 3 + 20), "--rate", "8"]
    environment = {**os.environ, **bench.environment, "BENCH_FILE": tokens, "BENCH_SLUG": "bench-play"}
    writer = subprocess.Popen(writer_command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    try:
        for number in range(bench.rounds):
            null = bench.load(base, "null", path="/api/bench/null", first=str(90_000_000 + number))["requests_per_s"]
            for what, found in ratios.items():
                found.append(bench.load(base, "read", file=papers, slug="bench-0", what=what)["requests_per_s"] / null)
    finally:
        writer.terminate()
        writer.wait()
    for what, found in ratios.items():
        bench.goal("P6", f"GET {what} / null, with writes going on", statistics.median(found), 0.35, 0.6)


def open_loop(bench: Bench, base: str, top: float, number: int) -> None:
    """P8: half the closed-loop maximum, arrivals that do not wait."""
    rate = top / 2
    null = bench.load(base, "null", concurrency=64, users=64, rate=rate, path="/api/bench/null", first="70000000")
    report = _submits(bench, base, number, concurrency=64, rate=rate)
    bench.note(f"open loop at {rate:.0f}/s: submit p99 {_p(report, 'submit', 'p99'):.1f} ms, null p99 {_p(null, 'post', 'p99'):.1f} ms")
    bench.goal(
        "P8",
        "open loop at half the maximum: p99 / null's p99",
        _p(report, "submit", "p99") / _p(null, "post", "p99"),
        4,
        2,
        is_low_good=True,
    )
    bench.goal("P8", "errors and steps missed", sum(report["errors"].values()) + report["missed"], 0, 0, is_low_good=True)


def rounds_of_play(bench: Bench, base: str) -> None:
    """Latency of every step over HTTP."""
    report = bench.load(base, "play", concurrency=16, users=1500, file=str(bench.folder / "tokens.txt"), slug="bench-play")
    for name, found in report["latency_ms"].items():
        bench.note(
            f"play {name}: {found['n'] / report['seconds']:.0f}/s, p50 {found['p50']:.1f}, p99 {found['p99']:.1f} ms (all steps share the machine)"
        )
    if report["errors"]:
        bench.note(f"play errors: {report['errors']}")


def correctness(bench: Bench) -> None:
    """P15: counted in the database after the load, a 32-connection run included."""
    engine = sa.create_engine(bench.environment["DATABASE_URL"])
    checks = {
        "attempts whose tickets differ": "SELECT count(*) FROM attempts a WHERE state = 'graded' AND ticket_count <> (SELECT count(*) FROM draw_tickets t WHERE t.source_id = a.id)",
        "graded attempts posted not once": "SELECT count(*) FROM attempts a WHERE state = 'graded' AND points > 0 AND 1 <> (SELECT count(*) FROM ledger_entries e WHERE e.source_type = 'attempt' AND e.source_id = CAST(a.id AS text))",
        "prizes beyond stock": "SELECT count(*) FROM prizes WHERE won_count > quantity OR won_count <> (SELECT count(*) FROM wins w WHERE w.prize_id = prizes.id)",
        "balances that differ from their entries": "SELECT count(*) FROM ledger_accounts a WHERE is_bounded AND balance <> "
        "COALESCE((SELECT sum(amount) FROM ledger_entries e WHERE e.credit_account_id = a.id), 0) - COALESCE((SELECT sum(amount) FROM ledger_entries e WHERE e.debit_account_id = a.id), 0)",
        "draw serials with gaps": "SELECT count(*) FROM prize_pools p WHERE draw_count <> (SELECT count(*) FROM draws d WHERE d.pool_id = p.id)",
    }
    wrong = 0
    with engine.connect() as connection:
        for what, statement in checks.items():
            found = connection.execute(sa.text(statement)).scalar() or 0
            wrong += found
            bench.note(f"{what}: {found}")
    engine.dispose()
    bench.goal("P15", "double submits, prizes beyond stock, balance differences", wrong, 0, 0, is_low_good=True)


def sign_in(bench: Bench, base: str, web: int, database: int, number: int) -> None:
    """P16: what signing in costs, and what a storm of it does to a submit."""
    code = (
        "import time\nfrom quizapp.accounts.services.staff import HASHER\n"
        "h = HASHER.hash('correct horse battery staple')\nt = time.process_time()\n"
        "for _ in range(20): HASHER.verify(h, 'correct horse battery staple')\nprint((time.process_time() - t) / 20 * 1000)"
    )
    printed = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env={**os.environ, **bench.environment}, capture_output=True, text=True, check=True
    ).stdout
    bench.goal("P16", "staff password check, CPU", float(printed), 40, 30, is_low_good=True, unit=" ms")
    before = servers.cpu_seconds(web) + servers.cpu_seconds(database)
    report = bench.load(base, "sign_in", first="0")
    spent = servers.cpu_seconds(web) + servers.cpu_seconds(database) - before
    each = report["latency_ms"]["sign_in"]["n"]
    bench.goal("P16", "citizen sign-in (send and check of the code), CPU", 1000 * spent / each, 5, 3, is_low_good=True, unit=" ms")
    rate = 60.0
    idle = _submits(bench, base, number, rate=rate)
    command = [
        sys.executable,
        "bench/loadgen.py",
        "--base",
        base,
        "--scenario",
        "bench/scenarios/sign_in.py",
        "--concurrency",
        "8",
        "--users",
        "8",
    ]
    command += ["--duration", str(bench.seconds + 2), "--rate", "40"]
    storm = subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **bench.environment, "BENCH_FIRST": "50000000"}, stdout=subprocess.DEVNULL
    )
    busy = _submits(bench, base, number + 1, rate=rate)
    storm.wait()
    bench.goal("P16", "submit p99 in a sign-in storm / idle", _p(busy, "submit", "p99") / _p(idle, "submit", "p99"), 4, 2, is_low_good=True)


def embedded(bench: Bench, base: str, number: int, citizens: int) -> None:
    """P7: the same code on SQLite, interleaved with PostgreSQL on the same server settings (one worker, four threads)."""
    ours = Bench(bench.folder / "sqlite", {**bench.environment}, bench.seconds, bench.rounds)
    ours.folder.mkdir()
    ours.environment["DATABASE_URL"] = f"sqlite:///{ours.folder / 'quiz.db'}"
    _prepare(ours, citizens, bench.rounds + 1)
    ratios, locked = [], 0
    with (
        servers.web_server(ours.environment, workers=1, threads=4) as (sqlite_base, _),
        servers.web_server(bench.environment, workers=1, threads=4) as (postgres_base, _),
    ):
        for n in range(bench.rounds):
            on_sqlite = _submits(ours, sqlite_base, n)
            on_postgres = _submits(bench, postgres_base, number + n)
            ratios.append(on_sqlite["requests_per_s"] / on_postgres["requests_per_s"])
            locked += sum(on_sqlite["errors"].values())
        wide = _submits(ours, sqlite_base, bench.rounds, concurrency=32)
        locked += sum(wide["errors"].values())
    bench.goal("P7", "SQLite submits / PostgreSQL, same code", statistics.median(ratios), 0.7, 1.0)
    bench.goal("P7", "SQLite errors at 32 connections", locked, 0, 0, is_low_good=True)


def browsing(bench: Bench, base: str, runs: int) -> None:
    found = browser.cold_link(base, "bench-play", runs, bench.note)
    bench.goal("cold link", "first question under throttling, p50", found["p50"], 8, 8, is_low_good=True, unit=" s")
    bench.goal("cold link", "first question under throttling, p95", found["p95"], 12, 12, is_low_good=True, unit=" s")
    weights = browser.page_weights(
        base, ["/", "/campaigns", "/campaigns/bench-play", "/campaigns/bench-play/rules", "/sign-in", "/privacy"]
    )
    for path, weight in weights.items():
        bench.note(f"first load {path}: {weight:.1f} KB gzipped")
    bench.goal("weight", "heaviest first load of these", max(weights.values()), 60, 60, is_low_good=True, unit=" KB")


def write(bench: Bench, path: Path) -> None:
    """docs/benchmarks.md, made anew by each run."""
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    lines = [
        "# Benchmarks", "",
        f"Made by `make bench` on {dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M} UTC, {machine}. Load, server and database share the machine; all on loopback.",
        "Ratios are medians of interleaved rounds; absolute figures move by tens of per cent with the machine.", "",
        "`null` reads the signed cookie and answers JSON without a database; `reference (iii)` is the submit as one hand-written statement with the",
        "same body (`bench/app.py`). Both run inside the real application on the same server (granian, 2 workers x 2 threads).", "",
        "| goal | what | measured | reach | aim | met |", "|---|---|---|---|---|---|",
        *(goal.row() for goal in bench.goals), "", "## Details", "", *(f"- {note}" for note in bench.notes), "", *sections.others(path), "",
    ]  # fmt: skip
    path.write_text("\n".join(lines), encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round, for trying the bench itself")
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only-hot", action="store_true", help="just the hot path (P1, P2, P3, P5)")
    parser.add_argument("--browser-runs", type=int, default=30)
    options = parser.parse_args()
    rounds = 1 if options.quick else options.rounds
    citizens = 800 if options.quick else 4000
    with tempfile.TemporaryDirectory(prefix="quizbench") as name, servers.postgresql() as (url, database):
        base_environment = {
            "QUIZAPP_ENV": "demo",
            "DATABASE_URL": url,
            "QUIZAPP_DATA_DIR": f"{name}/var",
            "LOG_LEVEL": "ERROR",
            "DATABASE_POOL_SIZE": "4",
            "TRUSTED_PROXY_COUNT": "1",
            **SECRETS,
        }
        bench = Bench(Path(name), base_environment, 2.0 if options.quick else options.seconds, rounds)
        _prepare(bench, citizens, 2 * rounds + 5)
        engine = sa.create_engine(url)
        with engine.begin() as connection:
            connection.exec_driver_sql(REFERENCE_TABLES)
        engine.dispose()
        with servers.web_server(bench.environment) as (base, web):
            if options.only_hot:
                hot_path(bench, base, web, database)
                return 0
            top = hot_path(bench, base, web, database)
            statements(bench)
            reads(bench, base)
            open_loop(bench, base, top, rounds)
            rounds_of_play(bench, base)
            sign_in(bench, base, web, database, rounds + 1)
            _submits(bench, base, rounds + 3, concurrency=32)
            bench.note(f"memory: {servers.pss_megabytes(web):.0f} MB PSS for two workers and their parent")
            browsing(bench, base, 3 if options.quick else options.browser_runs)
        embedded(bench, base, rounds + 4, citizens)
        correctness(bench)
    if not options.quick:
        write(bench, ROOT / "docs" / "benchmarks.md")
    return int(any(goal.verdict() == "MISSED" for goal in bench.goals))


if __name__ == "__main__":
    raise SystemExit(main())
