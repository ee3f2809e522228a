"""What the process test of pool draws starts: ``python -m tests.lottery.pool_process`` with its work as JSON on standard input.

It forks child after child; the k-th works on the same draw and dies without a word before its k-th statement or commit, until
one comes through. Prints how each ended.
"""

import datetime as dt
import json
import sys
import uuid

from config import TestingConfig
from quizapp import create_app
from quizapp.audit.services import SYSTEM
from quizapp.core.db import db, transaction
from quizapp.lottery import pooldraw
from quizapp.lottery.pool_models import PoolDrawRun
from tests.lottery.drawing_process import _die_at, _in_child


def hold(pool_draw_id: uuid.UUID, citizen_ids: list[uuid.UUID], now: dt.datetime) -> None:
    """Whatever is still to be done, each step in its own transaction, as the worker does it."""
    while (run := db.session.get_one(PoolDrawRun, pool_draw_id, populate_existing=True)).state != "drawn":
        with transaction():
            if run.state == "open":
                pooldraw.freeze(pool_draw_id=pool_draw_id, entries=[pooldraw.Entry(each) for each in citizen_ids], now=now)
            elif run.state == "frozen":
                pooldraw.take_input(pool_draw_id=pool_draw_id, typed="", typed_again="", actor=SYSTEM, organisation_path="/", now=now)
            else:
                pooldraw.draw(pool_draw_id=pool_draw_id, actor=SYSTEM, organisation_path="/", now=now)


def main() -> None:
    pool_draw_id, citizen_ids, now = json.load(sys.stdin)
    app = create_app(TestingConfig())

    def play(step: int) -> None:
        with app.app_context():
            _die_at(step)
            hold(uuid.UUID(pool_draw_id), [uuid.UUID(each) for each in citizen_ids], dt.datetime.fromisoformat(now))

    exits: list[int] = []
    while not exits or (exits[-1] != 0 and len(exits) < 200):
        step = len(exits) + 1
        exits.append(_in_child(lambda: play(step)))  # noqa: B023 - run at once
    sys.stdout.write(json.dumps(exits))


if __name__ == "__main__":
    main()
