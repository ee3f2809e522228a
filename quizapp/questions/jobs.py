"""What the worker does for the banks."""

import datetime as dt

from quizapp.core.clock import utc_now
from quizapp.core.db import transaction
from quizapp.questions import law_watch


def watch_laws(now: dt.datetime | None = None) -> int:
    """Take questions out of papers on the day their article changes, where that is set, and write down what has settled
    itself. Returns how many questions or reviews that was."""
    moment = now or utc_now()
    with transaction():
        return law_watch.close_overtaken(moment) + law_watch.suspend_due(moment)
