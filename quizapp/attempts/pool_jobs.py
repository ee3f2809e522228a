"""What the worker does for pool draws: freeze the lists whose moment has come, draw where nobody is waited for. Both may run
twice and by two workers: the draw's row is the lock."""

import datetime as dt
import logging

from quizapp.attempts.pool_lists import list_qualified
from quizapp.audit.services import SYSTEM
from quizapp.campaigns.queries import get_campaign_by_id
from quizapp.core.clock import utc_now
from quizapp.core.db import transaction
from quizapp.lottery import pooldraw
from quizapp.lottery.errors import PoolDrawFrozen
from quizapp.lottery.pooldraw import queries
from quizapp.lottery.pooldraw.queries import DueDraw

log = logging.getLogger(__name__)


def hold_pool_draws(now: dt.datetime | None = None) -> int:
    """Every minute. A list is frozen in one transaction and drawn in another, so that a crash between them loses nothing.

    :returns: how many lists were frozen or draws made
    """
    moment = now or utc_now()
    done = 0
    for _step in ("freeze", "draw"):
        for due in queries.list_due(moment):
            try:
                done += _work(due, moment)
            except Exception:
                log.exception("pool draw %s cannot be held", due.id)
    if done:
        log.info("hold_pool_draws: %d", done)
    return done


def _work(due: DueDraw, now: dt.datetime) -> int:
    campaign = get_campaign_by_id(due.campaign_id)
    path = campaign.host_path
    with transaction():
        if due.state == "open":
            terms = next(draw for draw in campaign.terms.draws if draw.id == due.draw_code)
            try:
                entries = list_qualified(campaign, terms, due.scope or "")
                pooldraw.freeze(pool_draw_id=due.id, entries=entries, now=now, organisation_path=path)
            except PoolDrawFrozen:
                return 0
        else:
            if due.state == "frozen":
                pooldraw.take_input(pool_draw_id=due.id, typed="", typed_again="", actor=SYSTEM, organisation_path=path, now=now)
            pooldraw.draw(pool_draw_id=due.id, actor=SYSTEM, organisation_path=path, now=now)
    return 1
