"""Names: declared once, and everything that is referred to is declared."""

from collections.abc import Iterable, Iterator, Sequence

from quizapp.campaigns.checks.problem import Case, Problem
from quizapp.campaigns.terms import ATTEMPT_MEASURES
from quizapp.core.text import N_

WORDS = {
    "quizzes": N_("答题"),
    "stages": N_("阶段"),
    "tracks": N_("赛道"),
    "measures": N_("指标"),
    "awards": N_("奖励"),
    "boards": N_("榜单"),
    "draws": N_("摇号"),
    "actions": N_("行为"),
    "prizes": N_("奖品"),
}


def declared(case: Case) -> Iterator[Problem]:
    """Twice the same code or name."""
    terms = case.terms
    groups: tuple[tuple[str, Sequence[str]], ...] = (
        ("quizzes", [one.id for one in terms.quizzes]),
        ("stages", [one.id for one in terms.stages]),
        ("tracks", [one.id for one in terms.tracks]),
        ("measures", [one.id for one in terms.measures]),
        ("awards", [one.id for one in terms.awards]),
        ("boards", [one.id for one in terms.boards]),
        ("draws", [one.id for one in terms.draws]),
        ("actions", [one.kind for one in terms.actions]),
        ("prizes", [one.name for one in terms.prizes]),
    )
    for name, codes in groups:
        for place, code in enumerate(codes, 1):
            if code in codes[: place - 1]:
                yield Problem(f"{name}[{place}]", f"有两个{WORDS[name]}都叫“{code}”。")
    for place, measure in enumerate(terms.measures, 1):
        if measure.id in ATTEMPT_MEASURES:
            yield Problem(f"measures[{place}].id", f"“{measure.id}”是现成的指标，请换一个代号。")
    if terms.entry is not None:
        fields = [one.id for one in terms.entry.fields]
        for place, code in enumerate(fields, 1):
            if code in fields[: place - 1]:
                yield Problem(f"entry.fields[{place}].id", f"有两个报名项都叫“{code}”。")


def referred(case: Case) -> Iterator[Problem]:
    """What is named and not declared. Conditions are looked at where they stand."""
    terms = case.terms
    quizzes, stages = {one.id for one in terms.quizzes}, {one.id for one in terms.stages}
    tracks, actions = {one.id for one in terms.tracks}, {one.kind for one in terms.actions}
    boards = {one.id for one in terms.boards}
    for place, quiz in case.each_quiz():
        yield from _missing(case.quiz_path(place, "stages"), "stages", quiz.stages, stages)
        yield from _missing(case.quiz_path(place, "tracks"), "tracks", quiz.tracks, tracks)
        for number, extra in enumerate(quiz.tries.extra, 1):
            yield from _missing(case.quiz_path(place, f"tries.extra[{number}].action"), "actions", [extra.action], actions)
    for place, stage in enumerate(terms.stages, 1):
        yield from _missing(f"stages[{place}].tracks", "tracks", stage.tracks, tracks)
    for place, measure in enumerate(terms.measures, 1):
        path = f"measures[{place}]"
        yield from _missing(f"{path}.quizzes", "quizzes", measure.quizzes, quizzes)
        yield from _missing(f"{path}.stages", "stages", measure.stages, stages)
        yield from _missing(f"{path}.tracks", "tracks", measure.tracks, tracks)
        kind, _, name = measure.of.partition(":")
        if kind == "action":
            yield from _missing(f"{path}.of", "actions", [name], actions)
        elif kind == "win":
            yield from _missing(f"{path}.of", "draws", [name], {one.id for one in terms.draws})
    for place, award in enumerate(terms.awards, 1):
        path = f"awards[{place}]"
        yield from _missing(f"{path}.quizzes", "quizzes", award.quizzes, quizzes)
        yield from _missing(f"{path}.stages", "stages", award.stages, stages)
        yield from _missing(f"{path}.tracks", "tracks", award.tracks, tracks)
        yield from _missing(f"{path}.action", "actions", [award.action] if award.action else [], actions)
    for place, draw in enumerate(terms.draws, 1):
        yield from _missing(f"draws[{place}].stages", "stages", draw.stages, stages)
        yield from _missing(f"draws[{place}].tracks", "tracks", draw.tracks, tracks)
    for place, board in enumerate(terms.boards, 1):
        yield from _missing(f"boards[{place}].stages", "stages", board.stages, stages)
        yield from _missing(f"boards[{place}].tracks", "tracks", board.tracks, tracks)
    for place, prize in enumerate(terms.rank_prizes, 1):
        yield from _missing(f"rank_prizes[{place}].board", "boards", [prize.board], boards)
    for place, praise in enumerate(terms.publicity.praises, 1):
        yield from _missing(f"publicity.praises[{place}].board", "boards", [praise.board], boards)


def _missing(path: str, what: str, named: Iterable[str], known: set[str]) -> Iterator[Problem]:
    for name in named:
        if name not in known:
            yield Problem(path, f"没有叫“{name}”的{WORDS[what]}。")
