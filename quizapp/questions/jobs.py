"""What the worker does for the banks."""

import datetime as dt

from quizapp.core.clock import utc_now
from quizapp.core.db import transaction
from quizapp.questions import law_watch, queries, services
from quizapp.questions.exchange import jobs as exchange


def watch_laws(now: dt.datetime | None = None) -> int:
    """Take questions out of papers on the day their article changes, where that is set, and write down what has settled
    itself. Returns how many questions or reviews that was."""
    moment = now or utc_now()
    with transaction():
        return law_watch.close_overtaken(moment) + law_watch.suspend_due(moment)


def refresh_flags(now: dt.datetime | None = None) -> int:
    """Every night: look through every bank again and keep what the lint says about each question. Returns how many remarks
    there are."""
    count = 0
    for bank in queries.list_banks():
        flags = services.find_lint_flags(bank.id)
        with transaction():
            count += services.replace_flags("lint", flags, now=now or utc_now(), within=flags)
    return count


def run_imports(now: dt.datetime | None = None) -> int:
    """Look through and take in the files that wait. Returns how many it worked on."""
    return exchange.run_imports(now)


def expire_imports(now: dt.datetime | None = None) -> int:
    """Forget files of imports whose seven days are over. Returns how many."""
    return exchange.expire_imports(now)
