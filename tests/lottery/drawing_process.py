"""What the process tests start: ``python -m tests.lottery.drawing_process draw|crash`` with its work as JSON on standard input.

``draw`` draws each (citizen, attempt) once from several threads and prints the outcomes. ``crash`` forks a child per
(citizen, attempt); the k-th child draws and claims, and dies without a word before its k-th statement or commit.
"""

import json
import os
import sys
import threading
import uuid
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from config import TestingConfig
from quizapp import create_app
from quizapp.core.db import db, transaction
from quizapp.lottery import services
from quizapp.payouts import services as payouts
from quizapp.payouts.queries import find_by_source
from tests.factories.lottery import NOW

THREADS = 8
KILLED = 9


def draw_once(citizen_id: uuid.UUID, attempt_id: uuid.UUID) -> Any:
    with transaction():
        return services.draw_ticket(citizen_id=citizen_id, source_type="attempt", source_id=attempt_id, sequence=1, now=NOW)


def claim_once(citizen_id: uuid.UUID, win_id: uuid.UUID) -> None:
    with transaction():
        payout = find_by_source("win", win_id)
        assert payout is not None
        payouts.claim_payout(payout_id=payout.id, citizen_id=citizen_id, now=NOW)


def _draw_all(app: Any, work: list[tuple[uuid.UUID, uuid.UUID]]) -> list[str]:
    outcomes: list[str] = []
    start = threading.Barrier(THREADS)

    def run(part: list[tuple[uuid.UUID, uuid.UUID]]) -> None:
        with app.app_context():
            start.wait()
            for citizen_id, attempt_id in part:
                outcomes.append(draw_once(citizen_id, attempt_id).outcome)
            db.session.remove()

    threads = [threading.Thread(target=run, args=(work[number::THREADS],)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def _die_at(step: int) -> None:
    """Exit before the ``step``-th statement or commit, as ``kill -9`` would."""
    seen = [0]

    def count(*_arguments: Any) -> None:
        seen[0] += 1
        if seen[0] == step:
            os._exit(KILLED)

    sa.event.listen(db.engine, "before_cursor_execute", count)
    sa.event.listen(db.engine, "commit", count)


def _in_child(work: Callable[[], None]) -> int:
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        except BaseException:
            os._exit(1)
    _pid, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def _crash_all(app: Any, work: list[tuple[uuid.UUID, uuid.UUID]]) -> list[int]:
    def play(step: int, citizen_id: uuid.UUID, attempt_id: uuid.UUID) -> None:
        with app.app_context():
            _die_at(step)
            result = draw_once(citizen_id, attempt_id)
            claim_once(citizen_id, result.win_id)

    return [_in_child(lambda: play(step, *pair)) for step, pair in enumerate(work, 1)]  # noqa: B023 - run at once


def main() -> None:
    work = [(uuid.UUID(citizen), uuid.UUID(attempt)) for citizen, attempt in json.load(sys.stdin)]
    app = create_app(TestingConfig())
    result = _draw_all(app, work) if sys.argv[1] == "draw" else _crash_all(app, work)
    sys.stdout.write(json.dumps(result))


if __name__ == "__main__":
    main()
