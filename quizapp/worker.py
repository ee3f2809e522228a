"""The timetable: which job runs when and why. One process leads and runs it; further ones wait to take over.

APScheduler runs here and nowhere else, never in a web process. Every job may run twice, so a change of leader in the
middle of one does no harm.
"""

import importlib
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import click
import sqlalchemy as sa
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from flask import Flask, current_app
from flask.cli import AppGroup

from quizapp.core import leases
from quizapp.core.clock import SHANGHAI, utc_now
from quizapp.core.db import db

log = logging.getLogger(__name__)

LEAD = "worker"
BEAT_SECONDS = 5
"""How often the leader makes sure of its lead and leaves a sign of life."""
WAIT_SECONDS = 2
"""How often the others try."""
THREADS = 3


@dataclass(frozen=True)
class Entry:
    """One line of the timetable: ``target`` is ``module:function``, called without arguments; ``seconds`` between runs, or
    ``at`` as cron fields in Asia/Shanghai."""

    id: str
    target: str
    why: str
    seconds: int = 0
    at: Mapping[str, Any] = field(default_factory=dict)

    @property
    def when(self) -> str:
        return f"every {self.seconds} s" if self.seconds else " ".join(f"{name}={value}" for name, value in self.at.items())

    def function(self) -> Callable[[], Any]:
        """Import the job.

        :raises ImportError: if there is no such module or function
        """
        module, _, name = self.target.partition(":")
        try:
            found: Callable[[], Any] = getattr(importlib.import_module(module), name)
        except AttributeError:
            raise ImportError(f"{self.target} does not exist") from None
        return found


TIMETABLE: tuple[Entry, ...] = (
    Entry("close_overdue", "quizapp.attempts.jobs:close_overdue", "papers past their deadline are handed in or lapse", seconds=10),
    Entry(
        "advance_campaigns",
        "quizapp.campaigns.jobs:advance_campaigns",
        "an approved campaign goes out at its moment, one that is over is closed",
        seconds=10,
    ),
    Entry("remark_attempts", "quizapp.attempts.jobs:remark_attempts", "a corrected key marks the papers of before again", seconds=5),
    Entry("chain_grants", "quizapp.lottery.jobs:chain_grants", "a ticket lost or slipped in must show in the public ledger", seconds=60),
    Entry("expire_tickets", "quizapp.lottery.jobs:expire_tickets", "tickets are good for the hours the terms say", seconds=120),
    Entry("publish_heads", "quizapp.lottery.jobs:publish_heads", "whoever keeps a head sees a ledger that is rebuilt", seconds=1800),
    Entry("reveal_secrets", "quizapp.lottery.jobs:reveal_secrets", "a day that is over can be re-computed by anybody", seconds=180),
    Entry("boards", "quizapp.attempts.board_jobs:compute_boards", "boards show what was handed in minutes ago", seconds=60),
    Entry(
        "forget_entries",
        "quizapp.attempts.jobs:forget_entries",
        "what was asked at an entry is kept as long as was said",
        at={"minute": 40},
    ),
    Entry("pool_draws", "quizapp.attempts.pool_jobs:hold_pool_draws", "lists are frozen and drawn when the terms say", seconds=30),
    Entry("watch_laws", "quizapp.questions.jobs:watch_laws", "a question leaves papers the day its article changes", seconds=60),
    Entry("expire_claims", "quizapp.payouts.jobs:expire_claims", "a prize waits as long as the terms say", seconds=120),
    Entry("serve_codes", "quizapp.payouts.jobs:serve_waiting_codes", "codes uploaded later go to those who wait", seconds=60),
    Entry("work_forfeits", "quizapp.lottery.jobs:work_forfeits", "a prize nobody got is somebody else's", seconds=120),
    Entry(
        "award_returns", "quizapp.attempts.jobs:return_award_prizes", "a prize of an award nobody took is there for the next", seconds=120
    ),
    Entry("settle_money", "quizapp.payouts.jobs:settle_money", "co-hosts see what their money does", seconds=60),
    Entry("work_notices", "quizapp.payouts.jobs:work_notices", "winners are made public, and not for longer than said", seconds=60),
    Entry("deferred_points", "quizapp.payouts.jobs:pay_deferred_points", "some terms pay everything at one moment", seconds=120),
    Entry("integrity_scan", "quizapp.integrity.jobs:scan", "a prize in doubt is held before it is handed over", seconds=60),
    Entry("integrity_finish", "quizapp.integrity.jobs:finish_exclusions", "who does not appeal in time loses the prize", seconds=600),
    Entry("build_reports", "quizapp.reporting.jobs:build_pending_reports", "somebody waits for the file", seconds=5),
    Entry("fold_items", "quizapp.reporting.jobs:fold_items", "a question with a wrong key shows within minutes of play", seconds=120),
    Entry("import_questions", "quizapp.questions.jobs:run_imports", "somebody waits for what is in their file", seconds=5),
    Entry("expire_imports", "quizapp.questions.jobs:expire_imports", "files are kept for seven days", at={"hour": 3, "minute": 30}),
    Entry(
        "refresh_flags",
        "quizapp.questions.jobs:refresh_flags",
        "laws and banks change; remarks on questions follow",
        at={"hour": 2, "minute": 40},
    ),
    Entry("expire_reports", "quizapp.reporting.jobs:expire_reports", "files are kept for seven days", at={"hour": 3, "minute": 10}),
    Entry(
        "delete_expired",
        "quizapp.accounts.jobs:delete_expired",
        "sessions, codes and counters that ran out go",
        at={"hour": 3, "minute": 20},
    ),
    Entry("idempotency", "quizapp.core.jobs:delete_old_idempotency_keys", "keys are good for a day", at={"minute": 20}),
)


def run_job(app: Flask, entry: Entry) -> bool:
    """Run one job in an application context of its own, whose end removes the session. A failure is logged and stays in
    here: the next run comes anyway."""
    began = time.monotonic()
    with app.app_context():
        try:
            result = entry.function()()
        except Exception:
            log.exception("job %s failed after %.2f s", entry.id, time.monotonic() - began)
            return False
        level = logging.INFO if result else logging.DEBUG
        log.log(level, "job %s: %s in %.2f s", entry.id, result, time.monotonic() - began)
        return True


def make_scheduler(app: Flask, timetable: Sequence[Entry]) -> BackgroundScheduler:
    """A scheduler with the whole timetable: one instance of a job at a time, missed runs made up for once. Every import is
    tried now, so that a wrong line is an error at the start and not at night."""
    scheduler = BackgroundScheduler(
        timezone=SHANGHAI,
        executors={"default": ThreadPoolExecutor(THREADS)},
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": 3600},
    )
    for entry in timetable:
        entry.function()
        if entry.seconds:
            scheduler.add_job(run_job, "interval", (app, entry), id=entry.id, seconds=entry.seconds, next_run_time=utc_now())
        else:
            scheduler.add_job(run_job, "cron", (app, entry), id=entry.id, **entry.at)
    return scheduler


class Worker:
    """Waits for the lead, runs the timetable while it has it."""

    def __init__(self, app: Flask, timetable: Sequence[Entry] = TIMETABLE, holder: str = "") -> None:
        self.app = app
        self.timetable = timetable
        self.holder = holder or f"{socket.gethostname()[:40]}:{os.getpid()}"
        self.stop = threading.Event()
        with app.app_context():
            is_sqlite = db.engine.dialect.name == "sqlite"
            self._lead: leases.Lead = leases.LeaseLead(LEAD, self.holder) if is_sqlite else leases.AdvisoryLead(db.engine, LEAD)

    def _has_lead(self) -> bool:
        with self.app.app_context():
            try:
                return self._lead.take(utc_now())
            except sa.exc.SQLAlchemyError as error:
                log.warning("the lead cannot be asked for: %s", type(error).__name__)
                return False

    def _say_alive(self) -> None:
        with self.app.app_context():
            try:
                leases.say_alive(LEAD, self.holder, utc_now())
            except sa.exc.SQLAlchemyError as error:
                log.warning("no sign of life could be left: %s", type(error).__name__)

    def _drop_lead(self) -> None:
        with self.app.app_context():
            try:
                self._lead.drop(utc_now())
            except sa.exc.SQLAlchemyError as error:
                log.warning("the lead could not be given up: %s", type(error).__name__)

    def run(self) -> None:
        """Until :attr:`stop` is set. Jobs that are running then are finished."""
        log.info("worker %s waits for the lead", self.holder)
        try:
            while not self.stop.is_set():
                if self._has_lead():
                    self._run_timetable()
                else:
                    self.stop.wait(WAIT_SECONDS)
        finally:
            self._drop_lead()
            log.info("worker %s ended", self.holder)

    def _run_timetable(self) -> None:
        scheduler = make_scheduler(self.app, self.timetable)
        log.info("worker %s leads: %d jobs", self.holder, len(self.timetable))
        scheduler.start()
        try:
            while True:
                self._say_alive()
                if self.stop.wait(BEAT_SECONDS):
                    return
                if not self._has_lead():
                    log.warning("worker %s lost the lead", self.holder)
                    return
        finally:
            scheduler.shutdown(wait=True)


worker = AppGroup("worker", help="The timetable.")


@worker.command("run")
def run() -> None:
    """Run the timetable until SIGTERM or Ctrl-C. Several may run; one leads."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    runner = Worker(app)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: runner.stop.set())
    runner.run()


@worker.command("list")
def list_entries() -> None:
    """Print the timetable: id, when, function, why."""
    for entry in TIMETABLE:
        click.echo(f"{entry.id:20} {entry.when:18} {entry.target:50} {entry.why}")


@worker.command("once")
@click.argument("ids", nargs=-1)
def once(ids: tuple[str, ...]) -> None:
    """Run the named jobs once, all of them when none is named, whoever leads."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    known = {entry.id: entry for entry in TIMETABLE}
    if unknown := set(ids) - set(known):
        raise click.UsageError(f"unknown job: {', '.join(sorted(unknown))}")
    failed = [id_ for id_ in (ids or known) if not run_job(app, known[id_])]
    if failed:
        raise click.ClickException(f"failed: {', '.join(failed)}")
