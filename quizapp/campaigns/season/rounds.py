"""Which answering window a moment falls into. Ends are exclusive, days and hours are Shanghai's."""

import datetime as dt
import functools
from collections.abc import Iterator

from quizapp.campaigns.terms import Quiz, Round, Rounds, Stage, Terms
from quizapp.core.clock import SHANGHAI, shanghai_day


def _at(day: dt.date, time: str) -> dt.datetime:
    """A Shanghai day's time of day in UTC; ``24:00`` is the next day's 00:00."""
    hours, minutes = time.split(":")
    midnight = dt.datetime.combine(day, dt.time(), SHANGHAI)
    return (midnight + dt.timedelta(hours=int(hours), minutes=int(minutes))).astimezone(dt.UTC)


def _next_start(day: dt.date, every: str) -> dt.date:
    if every == "day":
        return day + dt.timedelta(days=1)
    if every == "week":
        return day + dt.timedelta(days=7 - day.weekday())
    return (day.replace(day=1) + dt.timedelta(days=32)).replace(day=1)


def _spans(stage: Stage, rounds: Rounds) -> Iterator[tuple[dt.date, dt.date]]:
    """First and last answering day of each round, empty ones left out."""
    day, last = shanghai_day(stage.opens_at), shanghai_day(stage.closes_at - dt.timedelta(microseconds=1))
    while day <= last:
        following = _next_start(day, rounds.every)
        first, end = day, min(following - dt.timedelta(days=1), last)
        if rounds.every != "day":
            base = day.replace(day=1) if rounds.every == "month" else day - dt.timedelta(days=day.weekday())
            if rounds.first_day is not None:
                first = max(first, base + dt.timedelta(days=rounds.first_day - 1))
            if rounds.last_day is not None:
                end = min(end, base + dt.timedelta(days=rounds.last_day - 1))
        if first <= end:
            yield first, end
        day = following


@functools.lru_cache(maxsize=512)
def rounds_of(stage: Stage) -> tuple[Round, ...]:
    """The rounds of a stage in order, numbered from 1; one without rounds is a single one."""
    if stage.rounds is None:
        return (Round(stage.id, stage.id, 1, stage.opens_at, stage.closes_at),)
    found = []
    for number, (first, last) in enumerate(_spans(stage, stage.rounds), 1):
        opens = max(stage.opens_at, _at(first, stage.opens))
        closes = min(stage.closes_at, _at(last, stage.closes))
        if opens < closes:
            found.append(Round(f"{stage.id}/{number}", stage.id, number, opens, closes))
    return tuple(found)


def _is_open_hour(stage: Stage, moment: dt.datetime) -> bool:
    day = shanghai_day(moment)
    return _at(day, stage.opens) <= moment < _at(day, stage.closes)


def stages_for(terms: Terms, quiz: Quiz, track: str) -> tuple[Stage, ...]:
    """The stages in which a quiz can be answered in a track, by their start."""
    found = [
        stage
        for stage in terms.stages
        if (not quiz.stages or stage.id in quiz.stages) and (not stage.tracks or not track or track in stage.tracks)
    ]
    return tuple(sorted(found, key=lambda stage: stage.opens_at))


def windows_for(terms: Terms, quiz: Quiz, track: str = "") -> tuple[Round, ...]:
    """Every answering window of a quiz in order; without stages the campaign's own, with an empty key."""
    if not terms.stages:
        return (Round("", "", 1, terms.opens_at, terms.closes_at),)
    return tuple(found for stage in stages_for(terms, quiz, track) for found in rounds_of(stage))


def round_at(terms: Terms, quiz: Quiz, moment: dt.datetime, track: str = "") -> Round | None:
    """The window in which a quiz may be begun now, None between two windows."""
    if not terms.opens_at <= moment < terms.closes_at:
        return None
    for found in windows_for(terms, quiz, track):
        if found.opens_at <= moment < found.closes_at and (not found.stage_id or _is_open_hour(terms.stage(found.stage_id), moment)):
            return found
    return None


def next_opening(terms: Terms, quiz: Quiz, moment: dt.datetime, track: str = "") -> dt.datetime | None:
    """When the next window opens, the next morning of a window with hours included; None after the last."""
    for found in windows_for(terms, quiz, track):
        if found.opens_at > moment:
            return found.opens_at
        if moment < found.closes_at and found.stage_id:
            stage, day = terms.stage(found.stage_id), shanghai_day(moment)
            for later in (_at(day, stage.opens), _at(day + dt.timedelta(days=1), stage.opens)):
                if moment < later < found.closes_at:
                    return later
    return None


def paper_seed(quiz: Quiz, found: Round, moment: dt.datetime) -> str:
    """What a paper that everybody shares is drawn by; empty for a paper of one's own."""
    keys = {
        "attempt": "",
        "day": f"day:{shanghai_day(moment).isoformat()}",
        "round": f"round:{found.key}",
        "stage": f"stage:{found.stage_id}",
        "campaign": "campaign",
    }
    key = keys[quiz.paper.same_for]
    return f"{quiz.id}|{key}" if key else ""
