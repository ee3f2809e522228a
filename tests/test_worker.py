import ast
import datetime as dt
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask

from quizapp import worker
from quizapp.core import leases
from quizapp.core.clock import SHANGHAI, utc_now
from quizapp.core.db import db
from quizapp.worker import TIMETABLE, Entry, Worker, make_scheduler, run_job
from tests.conftest import Database, postgresql_only

ROOT = Path(__file__).resolve().parents[1]
calls: list[str] = []


def quick_job() -> int:
    calls.append("quick")
    return 1


def failing_job() -> int:
    calls.append("failing")
    raise RuntimeError("on purpose")


def slow_job() -> int:
    calls.append("slow began")
    time.sleep(1.0)
    calls.append("slow ended")
    return 1


def _entry(name: str, seconds: int = 1) -> Entry:
    return Entry(name, f"{__name__}:{name}", "for the test", seconds=seconds)


@pytest.fixture(autouse=True)
def _no_calls() -> None:
    calls.clear()


def _wait_for(condition: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)


@pytest.mark.parametrize("entry", TIMETABLE, ids=lambda entry: entry.id)
def test_every_line_of_the_timetable_resolves_and_says_when_and_why(entry: Entry) -> None:
    assert callable(entry.function())
    assert entry.why
    assert bool(entry.seconds) != bool(entry.at)


def test_ids_are_unique() -> None:
    assert len({entry.id for entry in TIMETABLE}) == len({entry.target for entry in TIMETABLE}) == len(TIMETABLE)


def test_every_job_of_a_feature_is_on_the_timetable() -> None:
    """A public function of a jobs room that nobody runs is a mistake."""
    found = set()
    for path in sorted((ROOT / "quizapp").glob("*/*jobs.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                found.add(f"quizapp.{path.parent.name}.{path.stem}:{node.name}")
    assert found == {entry.target for entry in TIMETABLE}


@pytest.mark.parametrize("target", ["quizapp.nothing.jobs:go", "quizapp.reporting.jobs:nothing"])
def test_a_wrong_line_is_an_error_at_the_start(app: Flask, target: str) -> None:
    with pytest.raises(ImportError):
        make_scheduler(app, [Entry("x", target, "wrong", seconds=5)])


def test_jobs_run_one_at_a_time_by_the_shanghai_clock_and_missed_runs_once(app: Flask) -> None:
    scheduler = make_scheduler(app, TIMETABLE)
    scheduler.start(paused=True)
    try:
        jobs = scheduler.get_jobs()
        assert {job.id for job in jobs} == {entry.id for entry in TIMETABLE}
        assert all(job.coalesce and job.max_instances == 1 and job.misfire_grace_time for job in jobs)
        assert {job.trigger.timezone for job in jobs} == {SHANGHAI}
    finally:
        scheduler.shutdown(wait=False)


@pytest.mark.parametrize("entry", TIMETABLE, ids=lambda entry: entry.id)
def test_every_job_runs_on_an_empty_database_and_twice(app: Flask, entry: Entry) -> None:
    assert run_job(app, entry)
    assert run_job(app, entry)


def test_a_failing_job_is_logged_and_stays_inside(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "quizapp.worker"):
        assert not run_job(app, _entry("failing_job"))
        assert run_job(app, _entry("quick_job"))
    assert [record.levelname for record in caplog.records] == ["ERROR", "INFO"]
    assert "quick_job: 1 in 0." in caplog.records[1].message


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "BEAT_SECONDS", 0.1)
    monkeypatch.setattr(worker, "WAIT_SECONDS", 0.1)


def _start(runner: Worker) -> threading.Thread:
    thread = threading.Thread(target=runner.run)
    thread.start()
    return thread


@pytest.mark.usefixtures("fast")
def test_the_leader_runs_the_timetable_and_leaves_a_sign_of_life(app: Flask) -> None:
    runner = Worker(app, [_entry("failing_job"), _entry("quick_job")])
    thread = _start(runner)
    try:
        _wait_for(lambda: calls.count("quick") >= 2 and calls.count("failing") >= 2)
    finally:
        runner.stop.set()
        thread.join(20)
    assert not thread.is_alive()
    seen = leases.find_last_sign(worker.LEAD)
    assert seen is not None
    assert utc_now() - seen < dt.timedelta(seconds=20)


@pytest.mark.usefixtures("fast")
def test_only_one_of_two_leads_and_the_other_takes_over(app: Flask) -> None:
    first, second = Worker(app, [_entry("quick_job")], holder="one"), Worker(app, [_entry("failing_job")], holder="two")
    threads = [_start(first)]
    try:
        _wait_for(lambda: "quick" in calls)
        threads.append(_start(second))
        time.sleep(0.8)
        assert "failing" not in calls
        first.stop.set()
        threads[0].join(20)
        _wait_for(lambda: "failing" in calls)
    finally:
        for runner in (first, second):
            runner.stop.set()
        for thread in threads:
            thread.join(20)


@pytest.mark.usefixtures("fast")
def test_ending_lets_a_running_job_finish(app: Flask) -> None:
    runner = Worker(app, [_entry("slow_job", seconds=60)])
    thread = _start(runner)
    _wait_for(lambda: "slow began" in calls)
    runner.stop.set()
    thread.join(20)
    assert calls == ["slow began", "slow ended"]


def test_a_job_can_be_run_by_hand(app: Flask) -> None:
    runner = app.test_cli_runner()
    assert runner.invoke(args=["worker", "once", "idempotency"]).exit_code == 0
    assert runner.invoke(args=["worker", "once", "nothing"]).exit_code == 2
    assert "build_reports" in runner.invoke(args=["worker", "list"]).output


class Process:
    """``flask worker run`` as an operator starts it."""

    def __init__(self, database: Database, log_path: Path) -> None:
        environment = {**os.environ, **database.environment(), "LOG_LEVEL": "INFO"}
        self.log_path = log_path
        command = [sys.executable, "-m", "flask", "--app", "wsgi", "worker", "run"]
        with log_path.open("w") as file:
            self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=file)

    def log(self) -> str:
        return self.log_path.read_text(encoding="utf-8")

    def wait_for(self, words: str) -> None:
        _wait_for(lambda: words in self.log() or self.process.poll() is not None, 60)
        assert words in self.log(), self.log()

    def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        try:
            return self.process.wait(20)
        finally:
            self.process.kill()


@pytest.fixture
def processes(app: Flask, database: Database, tmp_path: Path) -> Iterator[Callable[[], Process]]:
    db.session.rollback()
    made: list[Process] = []

    def start() -> Process:
        made.append(Process(database, tmp_path / f"worker-{len(made)}.log"))
        return made[-1]

    yield start
    for process in made:
        if process.process.poll() is None:
            process.end(signal.SIGKILL)


@pytest.mark.processes
@postgresql_only
def test_a_second_process_takes_over_when_the_first_is_killed(processes: Callable[[], Process]) -> None:
    first = processes()
    first.wait_for(" leads: ")
    second = processes()
    second.wait_for("waits for the lead")
    time.sleep(2 * worker.WAIT_SECONDS)
    assert " leads: " not in second.log()
    first.end(signal.SIGKILL)
    second.wait_for(" leads: ")
    assert second.end() == 0
    assert " ended" in second.log()


@pytest.mark.processes
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(processes: Callable[[], Process], number: int) -> None:
    process = processes()
    process.wait_for(" leads: ")
    assert process.end(number) == 0
    assert "Traceback" not in process.log()
