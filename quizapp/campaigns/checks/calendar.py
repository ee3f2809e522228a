"""The window, stages and their rounds."""

import datetime as dt
from collections.abc import Iterator

from quizapp.campaigns.checks.problem import Case, Problem, warning
from quizapp.campaigns.season.rounds import rounds_of, windows_for
from quizapp.campaigns.terms import Stage
from quizapp.core.text import N_

LONG_WINDOW_DAYS = 400


def window(case: Case) -> Iterator[Problem]:
    terms = case.terms
    if terms.opens_at >= terms.closes_at:
        yield Problem("closes_at", N_("结束时间要晚于开始时间。"))
        return
    if case.now is not None and terms.closes_at <= case.now:
        yield Problem("closes_at", N_("结束时间已经过去了，请改到以后。"))
    if terms.closes_at - terms.opens_at > dt.timedelta(days=LONG_WINDOW_DAYS):
        yield Problem("closes_at", N_("活动超过 400 天。请分成几场，或者确认时间没有填错。"))
    elif case.days > 92:
        yield warning("closes_at", N_("活动超过三个月，请确认时间没有填错。"))


def stages(case: Case) -> Iterator[Problem]:
    """Each stage for itself; whether they overlap needs sound ones: :func:`overlaps`."""
    terms = case.terms
    for place, stage in enumerate(terms.stages, 1):
        path, title = f"stages[{place}]", stage.title or stage.id
        if stage.opens_at >= stage.closes_at:
            yield Problem(f"{path}.closes_at", f"“{title}”的结束时间要晚于开始时间。")
            continue
        if stage.opens_at < terms.opens_at:
            yield Problem(f"{path}.opens_at", f"“{title}”在活动开始以前就开始了。")
        if stage.closes_at > terms.closes_at:
            yield Problem(f"{path}.closes_at", f"“{title}”在活动结束以后才结束。")
        if stage.opens >= stage.closes:
            yield Problem(f"{path}.closes", f"“{title}”每天的结束时间要晚于开始时间。")
        yield from _rounds(path, title, stage)


def _rounds(path: str, title: str, stage: Stage) -> Iterator[Problem]:
    rounds = stage.rounds
    if rounds is None:
        return
    highest = {"day": 0, "week": 7, "month": 31}[rounds.every]
    for name in ("first_day", "last_day"):
        day = getattr(rounds, name)
        if day is not None and day > highest:
            words = "按天的轮次不能再挑日子。" if rounds.every == "day" else "一周只有 7 天。"
            yield Problem(f"{path}.rounds.{name}", words)
            return
    if rounds.first_day is not None and rounds.last_day is not None and rounds.first_day > rounds.last_day:
        yield Problem(f"{path}.rounds.last_day", f"“{title}”每轮的最后一天在第一天以前。")


def rounds_open(case: Case) -> Iterator[Problem]:
    """Rounds that never open, and quizzes that can never be begun for lack of one."""
    for place, stage in enumerate(case.terms.stages, 1):
        if not rounds_of(stage):
            yield Problem(f"stages[{place}].rounds", f"“{stage.title or stage.id}”里没有一轮会开放。")
    for place, quiz in case.each_quiz():
        tracks = [track.id for track in case.terms.tracks if not track.is_paper and (not quiz.tracks or track.id in quiz.tracks)]
        if not any(windows_for(case.terms, quiz, track) for track in tracks or [""]):
            yield Problem(case.quiz_path(place, "stages"), f"{case.named(quiz)}没有一个阶段可以答。")


def overlaps(case: Case) -> Iterator[Problem]:
    """Stages of one track whose answering windows cross."""
    places = {stage.id: place for place, stage in enumerate(case.terms.stages, 1)}
    titles = {stage.id: stage.title or stage.id for stage in case.terms.stages}
    told: set[tuple[str, str]] = set()
    for track in [track.id for track in case.terms.tracks] or [""]:
        found = [one for stage in case.terms.stages if not stage.tracks or not track or track in stage.tracks for one in rounds_of(stage)]
        found.sort(key=lambda one: (one.opens_at, one.closes_at))
        latest = found[0] if found else None
        for one in found[1:]:
            if latest is not None and one.stage_id != latest.stage_id and one.opens_at < latest.closes_at:
                pair = (latest.stage_id, one.stage_id)
                if pair not in told:
                    told.add(pair)
                    yield Problem(
                        f"stages[{places[one.stage_id]}].opens_at",
                        f"“{titles[one.stage_id]}”和“{titles[latest.stage_id]}”的时间重叠了。",
                    )
            if latest is None or one.closes_at > latest.closes_at:
                latest = one
