"""Conditions: what they name must exist, and somebody must be able to meet them."""

import math
from collections.abc import Callable, Iterator, Sequence

from quizapp.campaigns.checks.bounds import Bounds, is_possible
from quizapp.campaigns.checks.problem import Case, Problem
from quizapp.campaigns.terms import ATTEMPT_MEASURES, Condition
from quizapp.core.text import N_

MEASURES = {
    "correct": N_("答对的题数"),
    "wrong": N_("答错的题数"),
    "score": N_("得分"),
    "percent": N_("得分率"),
    "all_right": N_("全对"),
    "passed": N_("合格"),
    "run": N_("连续答对的题数"),
    "seconds": N_("用时"),
}
Most = Callable[[str], float]


def measure_title(case: Case, name: str) -> str:
    for measure in case.terms.measures:
        if measure.id == name:
            return measure.title or measure.id
    return MEASURES.get(name, name)


def check_condition(case: Case, path: str, condition: Condition, most: Most, known: Sequence[str]) -> Iterator[Problem]:
    """Everything wrong with one condition.

    :param most: the most each measure can come to
    :param known: the measures that exist here
    """
    unknown = sorted(condition.measures - set(known))
    if unknown:
        yield Problem(path, f"没有“{unknown[0]}”这个指标。")
        return
    yield from _shape(path, condition)
    yield from _impossible(case, path, condition, most)


def _shape(path: str, condition: Condition) -> Iterator[Problem]:
    has_test = condition.at_least is not None or condition.at_most is not None
    if condition.measure and not has_test:
        yield Problem(path, N_("条件写了指标，没写至少或至多多少。"))
    if has_test and not condition.measure:
        yield Problem(path, N_("条件写了多少，没写是哪个指标。"))
    if condition.some and not condition.of:
        yield Problem(path, N_("“满足几项”后面没有列出是哪些。"))
    if condition.of and not condition.some:
        yield Problem(path, N_("列出了几项，没写要满足几项。"))
    if condition.some > len(condition.of) > 0:
        yield Problem(path, f"只列了 {len(condition.of)} 项，不能要求满足 {condition.some} 项。")
    for name in ("all", "any", "of"):
        for place, part in enumerate(getattr(condition, name), 1):
            yield from _shape(f"{path}.{name}[{place}]", part)


def _impossible(case: Case, path: str, condition: Condition, most: Most) -> Iterator[Problem]:
    if condition.measure:
        yield from _impossible_test(case, path, condition, most)
    for place, part in enumerate(condition.all, 1):
        yield from _impossible(case, f"{path}.all[{place}]", part, most)
    if condition.any and not any(is_possible(part, most) for part in condition.any):
        yield Problem(path, N_("列出的条件没有一个做得到。"))
    if condition.of and sum(is_possible(part, most) for part in condition.of) < condition.some <= len(condition.of):
        yield Problem(path, f"列出的条件里做得到的不够 {condition.some} 项。")


def _impossible_test(case: Case, path: str, condition: Condition, most: Most) -> Iterator[Problem]:
    title = measure_title(case, condition.measure)
    least, highest = condition.at_least, condition.at_most
    if least is not None and highest is not None and least > highest:
        yield Problem(path, f"“{title}”不能既至少 {least} 又至多 {highest}。")
    elif least is not None and most(condition.measure) < least:
        reach = most(condition.measure)
        yield Problem(path, f"“{title}”最多只能到 {int(reach):,}，没有人能达到 {least:,}。")
    elif highest is not None and highest < 0:
        yield Problem(path, f"“{title}”不会小于 0，没有人能满足。")


def attempt_condition(case: Case, path: str, condition: Condition, quizzes: Sequence[str] = ()) -> Iterator[Problem]:
    """A condition on one graded attempt."""
    bounds = Bounds(case.terms)
    chosen = [quiz for quiz in case.terms.quizzes if not quizzes or quiz.id in quizzes]
    yield from check_condition(case, path, condition, lambda name: bounds.of_attempt(name, chosen), ATTEMPT_MEASURES)


def scope_condition(
    case: Case, path: str, condition: Condition, per: str, stages: Sequence[str] = (), quizzes: Sequence[str] = ()
) -> Iterator[Problem]:
    """A condition over what somebody did in a day, a round, a stage, the campaign …"""
    bounds = Bounds(case.terms)
    known = (*ATTEMPT_MEASURES, *(measure.id for measure in case.terms.measures))
    yield from check_condition(case, path, condition, lambda name: bounds.measure(name, per, stages, quizzes), known)


def is_narrower(later: Condition, earlier: Condition) -> bool:
    """Whether everybody who meets ``later`` meets ``earlier`` too, told by one plain test of the same measure."""
    if earlier == Condition():
        return True
    simple = not (later.parts or earlier.parts or later.at_most is not None or earlier.at_most is not None)
    if not simple or later.measure != earlier.measure:
        return later == earlier
    return (earlier.at_least if earlier.at_least is not None else -math.inf) <= (
        later.at_least if later.at_least is not None else -math.inf
    )
