"""Measures, awards and points."""

from collections.abc import Iterator

from quizapp.campaigns.checks.bounds import max_points_per_day
from quizapp.campaigns.checks.conditions import attempt_condition, check_condition, is_narrower, scope_condition
from quizapp.campaigns.checks.problem import Case, Problem, warning
from quizapp.campaigns.terms import Award, Gift, Measure
from quizapp.core.text import N_

_ATTEMPT_VALUES = ("correct", "score", "percent", "seconds", "run")
_NAMED = {"badge": N_("徽章"), "title": N_("称号"), "certificate": N_("证书"), "card": N_("卡片")}


def measures(case: Case) -> Iterator[Problem]:
    for place, measure in enumerate(case.terms.measures, 1):
        yield from _measure(case, f"measures[{place}]", measure)


def _measure(case: Case, path: str, measure: Measure) -> Iterator[Problem]:
    is_attempts = measure.of == "attempts"
    if is_attempts and measure.value == "amount":
        yield Problem(f"{path}.value", N_("答题没有“数量”，请选得分、答对题数或一次算一个。"))
    if not is_attempts and measure.value in _ATTEMPT_VALUES:
        yield Problem(f"{path}.value", N_("只有答题才有得分和答对题数。"))
    if measure.outer == "run" and measure.within not in ("day", "round"):
        yield Problem(f"{path}.within", N_("“连续”要按天或按轮来数。"))
    if measure.within in ("round", "stage") and not case.terms.stages:
        yield Problem(f"{path}.within", N_("没有设阶段和轮次，不能按轮或按阶段合并。"))
    if is_attempts:
        yield from attempt_condition(case, f"{path}.where", measure.where, measure.quizzes)
    else:
        yield from check_condition(case, f"{path}.where", measure.where, lambda name: float("inf"), ("amount",))
    if measure.of.startswith("gift:"):
        kind = measure.of.removeprefix("gift:")
        given = {gift.kind for award in case.terms.awards for band in award.bands for gift in band.gifts}
        if kind not in given:
            yield Problem(f"{path}.of", f"没有一项奖励会给“{kind}”，这个指标永远是 0。")


def awards(case: Case) -> Iterator[Problem]:
    for place, award in enumerate(case.terms.awards, 1):
        path = f"awards[{place}]"
        yield from _scope(case, path, award)
        yield from _bands(case, path, award)
        for number, band in enumerate(award.bands, 1):
            for item, gift in enumerate(band.gifts, 1):
                yield from _gift(case, f"{path}.bands[{number}].gifts[{item}]", gift)
        yield from _limits(case, path, award)


def _scope(case: Case, path: str, award: Award) -> Iterator[Problem]:
    stages = [stage for stage in case.terms.stages if not award.stages or stage.id in award.stages]
    if award.per == "stage" and not stages:
        yield Problem(f"{path}.per", N_("没有设阶段，奖励不能按阶段给。"))
    if award.per == "round" and not any(stage.rounds for stage in stages):
        yield Problem(f"{path}.per", N_("没有设轮次，奖励不能按轮给。"))
    if award.per == "action" and award.action is None:
        yield Problem(f"{path}.action", N_("按行为给奖励，要写明是哪种行为。"))
    if award.per != "action" and award.action is not None:
        yield Problem(f"{path}.action", N_("只有按行为给的奖励才写行为。"))
    if award.from_hour >= award.to_hour:
        yield Problem(f"{path}.to_hour", N_("时段的结束要晚于开始。"))
    gives_points = any(gift.kind == "points" for band in award.bands for gift in band.gifts)
    if award.times > 1 and not gives_points:
        yield Problem(f"{path}.times", N_("倍数只对积分起作用，这项奖励不给积分。"))


def _bands(case: Case, path: str, award: Award) -> Iterator[Problem]:
    for number, band in enumerate(award.bands, 1):
        where = f"{path}.bands[{number}].when"
        found = list(scope_condition(case, where, band.when, award.per, award.stages, award.quizzes))
        yield from found
        if not found and any(is_narrower(band.when, earlier.when) for earlier in award.bands[: number - 1]):
            yield Problem(where, N_("前面的档已经把这一档的人都算进去了，这一档永远轮不到。请把要求高的放前面。"))


def _gift(case: Case, path: str, gift: Gift) -> Iterator[Problem]:
    terms = case.terms
    if gift.kind in _NAMED and not gift.name.strip():
        yield Problem(f"{path}.name", f"给{_NAMED[gift.kind]}要写明叫什么。")
    elif gift.kind == "prize" and gift.name not in {prize.name for prize in terms.prizes}:
        yield Problem(f"{path}.name", f"奖品里没有“{gift.name}”。")
    elif gift.kind == "tries" and gift.name not in {quiz.id for quiz in terms.quizzes}:
        yield Problem(f"{path}.name", f"没有叫“{gift.name}”的答题。")
    elif gift.kind == "tickets":
        yield from _tickets(case, path, gift)
    elif gift.kind in ("points", "hours") and gift.name:
        yield Problem(f"{path}.name", N_("积分和学时不用另写名称。"))


def _tickets(case: Case, path: str, gift: Gift) -> Iterator[Problem]:
    if not gift.name:
        if case.terms.draw is None:
            yield Problem(f"{path}.name", N_("没有设当场抽奖，请写明是哪一次摇号的号码。"))
        return
    draw = next((one for one in case.terms.draws if one.id == gift.name), None)
    if draw is None:
        yield Problem(f"{path}.name", f"没有叫“{gift.name}”的摇号。")
    elif draw.tickets != "awards":
        yield Problem(f"{path}.name", f"“{draw.title}”每人只有一个号码，奖励给的号码不起作用。")


def _limits(case: Case, path: str, award: Award) -> Iterator[Problem]:
    """What the first so many people are promised must be in stock."""
    if award.total is not None and award.per_day is not None and award.total < award.per_day:
        yield Problem(f"{path}.total", N_("整场次数比每天次数还少。"))
    if award.first_total is not None and award.first_per_day is not None and award.first_total < award.first_per_day:
        yield Problem(f"{path}.first_total", N_("总共的名额比每天的还少。"))
    people = award.first_total
    words = f"总共前 {people:,} 名" if people else ""
    if people is None and award.first_per_day is not None:
        people = award.first_per_day * case.days
        words = f"每天前 {award.first_per_day:,} 名，{case.days} 天"
    if people is None:
        return
    for prize in case.terms.prizes:
        each = max(sum(gift.amount for gift in band.gifts if (gift.kind, gift.name) == ("prize", prize.name)) for band in award.bands)
        wanted = people * each
        if wanted > prize.quantity:
            yield Problem(path, f"{words}，共要 {wanted:,} 份“{prize.name}”，只有 {prize.quantity:,} 份。")


def points(case: Case) -> Iterator[Problem]:
    """The theoretical maximum of points a day must exist, and the limit that is written must mean something."""
    terms = case.terms
    most = max_points_per_day(terms)
    if most is None:
        yield warning("points_per_day", N_("一个人一天能得的积分没有上限，请写一个每天上限。"))
    if terms.points_per_day is None:
        return
    gives = any(gift.kind == "points" for award in terms.awards for band in award.bands for gift in band.gifts)
    if not gives:
        yield Problem("points_per_day", N_("没有一项奖励给积分，每天积分上限不起作用。"))
    elif most is not None and most < terms.points_per_day:
        yield warning("points_per_day", f"照规则一天最多只能得 {most:,} 积分，到不了 {terms.points_per_day:,}。")
