"""Papers, passing, time, tries and scoring."""

import math
import random
from collections.abc import Iterator

from quizapp.campaigns.checks.bounds import Bounds, reachable_quizzes
from quizapp.campaigns.checks.conditions import attempt_condition, scope_condition
from quizapp.campaigns.checks.problem import Case, FindPool, Problem, warning
from quizapp.campaigns.terms import Condition, Quiz
from quizapp.core.text import N_
from quizapp.questions.errors import PoolTooSmall
from quizapp.questions.rules import draw_paper

CHANNELS = ("web", "official_account", "mini_program", "app", "paper")


def quizzes(case: Case) -> Iterator[Problem]:
    for place, quiz in case.each_quiz():
        yield from _paper(case, place, quiz)
        yield from _passing(case, place, quiz)
        yield from _time(case, place, quiz)
        yield from _tries(case, place, quiz)
        yield from _scoring(case, place, quiz)
    yield from _begun(case)


def _paper(case: Case, place: int, quiz: Quiz) -> Iterator[Problem]:
    path = case.quiz_path(place, "paper")
    if quiz.paper.same_for in ("round", "stage") and not case.terms.stages:
        yield Problem(f"{path}.same_for", N_("没有设阶段，就没有“每轮一份”或“每阶段一份”。"))
    for channel in quiz.channels:
        if channel not in CHANNELS:
            yield Problem(case.quiz_path(place, "channels"), f"没有“{channel}”这个渠道。")
    if case.find_pool is not None:
        yield from _pools(path, quiz, case.find_pool)


def _pools(path: str, quiz: Quiz, find_pool: FindPool) -> Iterator[Problem]:
    """Whether the banks hold the paper: part by part, and together where parts overlap."""
    parts = quiz.paper.parts
    pools = [find_pool(part) for part in parts]
    short = [place for place, part in enumerate(parts) if len(pools[place]) < part.count]
    for place in short:
        text = f"要抽 {parts[place].count} 道，题库里可用的只有 {len(pools[place])} 道。"
        yield Problem(f"{path}.parts[{place + 1}].count", text)
    if short:
        return
    try:
        draw_paper([(pool, part.count) for pool, part in zip(pools, parts, strict=True)], random.Random(0))  # noqa: S311 - nothing is drawn for anybody here
    except PoolTooSmall as error:
        text = f"几行要抽的题互相重叠，合起来要 {error.needed} 道，只有 {error.available} 道不重复。"
        yield Problem(f"{path}.parts", text)
    different = {item.question_id for pool in pools for item in pool}
    if len(different) < 3 * quiz.question_count and quiz.paper.same_for == "attempt":
        yield warning(f"{path}.parts", f"可用的题只有 {len(different)} 道，再答一轮容易遇到重复的题。")


def _passing(case: Case, place: int, quiz: Quiz) -> Iterator[Problem]:
    if quiz.pass_count > quiz.question_count:
        text = f"{case.named(quiz)}一共 {quiz.question_count} 道题，不能要求答对 {quiz.pass_count} 道。"
        yield Problem(case.quiz_path(place, "pass_count"), text)
    if quiz.pass_when is None:
        return
    path = case.quiz_path(place, "pass_when")
    if quiz.pass_count:
        yield warning(path, N_("写了合格题数，又写了合格条件：只按合格条件算。"))
    if "passed" in quiz.pass_when.measures:
        yield Problem(path, N_("合格条件不能再用“合格”来定。"))
        return
    yield from attempt_condition(case, path, quiz.pass_when, [quiz.id])


def _time(case: Case, place: int, quiz: Quiz) -> Iterator[Problem]:
    limit, count = quiz.limit_seconds, quiz.question_count
    path = case.quiz_path(place, "limit_seconds")
    if limit is None:
        return
    if limit < 10 * count:
        yield warning(path, f"{case.named(quiz)}平均每题不到 10 秒，年纪大的人来不及看完题。")
    each = quiz.scoring.item_seconds
    if each is not None and each * count > limit:
        yield warning(path, f"{case.named(quiz)}每题给 {each} 秒，{count} 题要 {each * count} 秒，整卷只给了 {limit} 秒。")
    if case.terms.large_type_percent == 100 and place == 1:
        yield warning("large_type_percent", N_("大字版没有多给时间。"))


def _tries(case: Case, place: int, quiz: Quiz) -> Iterator[Problem]:
    tries = quiz.tries
    for name, words in (("per_day", N_("每天")), ("per_round", N_("每轮"))):
        limit = getattr(tries, name)
        if tries.total is not None and limit is not None and tries.total < limit:
            yield Problem(case.quiz_path(place, "tries.total"), f"{case.named(quiz)}整场次数比{words}次数还少。")
    is_unlimited = tries.per_day is None and tries.per_round is None and tries.total is None
    if case.terms.draw is not None and is_unlimited:
        yield Problem(case.quiz_path(place, "tries.per_day"), N_("有抽奖的活动要限制答题次数。"))
    if tries.repairs and quiz.scoring.sudden_death:
        yield Problem(case.quiz_path(place, "tries.repairs"), N_("答错即止的题不能再改到全对，两样只能选一样。"))
    if tries.repairs and tries.total == 1 and not tries.extra:
        yield Problem(case.quiz_path(place, "tries.repairs"), N_("整场只能答一次，就没有机会改错题。"))
    if tries.per_channel and len(quiz.channels) == 1:
        yield warning(case.quiz_path(place, "tries.per_channel"), N_("只有一个渠道，“每个渠道分别计”不起作用。"))
    for number, extra in enumerate(tries.extra, 1):
        if extra.total is not None and extra.per_day is not None and extra.total < extra.per_day:
            yield Problem(case.quiz_path(place, f"tries.extra[{number}].total"), N_("额外次数整场比每天还少。"))


def _scoring(case: Case, place: int, quiz: Quiz) -> Iterator[Problem]:
    scoring = quiz.scoring
    path = case.quiz_path(place, "scoring")
    if scoring.per_second_left and scoring.item_seconds is None:
        yield Problem(f"{path}.item_seconds", N_("按剩余时间加分，就要写明每题多少秒。"))
    if scoring.partial == 100:
        yield warning(f"{path}.partial", N_("少选也给满分，多选题就分不出高低了。"))
    kinds = {kind for part in quiz.paper.parts for kind in part.kinds}
    if scoring.partial and kinds and not kinds & {"multiple", "indefinite"}:
        yield warning(f"{path}.partial", N_("卷子里没有多选题，“少选得分”不起作用。"))


def _begun(case: Case) -> Iterator[Problem]:
    """Quizzes that wait for what can never happen."""
    reachable = reachable_quizzes(case.terms)
    everything = Bounds(case.terms)
    for place, quiz in case.each_quiz():
        if quiz.requires == Condition():
            continue
        path = case.quiz_path(place, "requires")
        found = list(scope_condition(case, path, quiz.requires, quiz.requires_per))
        yield from found
        if not found and quiz.id not in reachable:
            yield Problem(path, f"{case.named(quiz)}要等它自己或者后面的答题先完成，谁也开始不了。")
        if quiz.requires_per == "round" and math.isinf(everything.attempts(quiz, "round")) and not case.terms.stages:
            yield Problem(case.quiz_path(place, "requires_per"), N_("没有设阶段和轮次，开始条件不能按轮看。"))
