"""Boards, praise and publicity."""

from collections.abc import Iterator

from quizapp.campaigns.checks.problem import Case, Problem, warning
from quizapp.campaigns.terms import ATTEMPT_MEASURES, Board
from quizapp.core.text import N_

NEEDS_MEASURE = frozenset({"mean", "sum", "best", "people_above"})
HEAD_COUNTS = frozenset({"sum", "people", "people_above", "units", "best"})


def boards(case: Case) -> Iterator[Problem]:
    for place, board in enumerate(case.terms.boards, 1):
        path = f"boards[{place}]"
        yield from _components(case, path, board)
        yield from _promise(case, path, board)
        if board.of == "team" and not any(track.kind == "team" for track in case.terms.tracks):
            yield Problem(f"{path}.of", N_("没有队伍赛道，排不出队伍榜。"))
        if board.of in ("organisation", "region") and board.min_people < 5:
            yield warning(f"{path}.min_people", f"“{board.title}”里不到 5 个人的单位或地区也会上榜，容易认出个人。")
        if board.places < 3:
            yield warning(f"{path}.places", f"“{board.title}”只排 {board.places} 名，请确认。")
        if board.of == "organisation" and not case.terms.eligibility.asks_organisation:
            yield Problem("eligibility.asks_organisation", f"“{board.title}”按单位排，就要请参加的人填写单位。")


def _components(case: Case, path: str, board: Board) -> Iterator[Problem]:
    known = {*ATTEMPT_MEASURES, *(measure.id for measure in case.terms.measures)}
    for place, part in enumerate(board.by, 1):
        where = f"{path}.by[{place}]"
        if part.measure and part.measure not in known:
            yield Problem(f"{where}.measure", f"没有“{part.measure}”这个指标。")
        if not part.measure and (part.how in NEEDS_MEASURE or board.of == "person"):
            yield Problem(f"{where}.measure", f"“{board.title}”没写按哪个指标排。")
        if part.how in ("rate", "passed", "people", "people_above", "units") and board.of == "person":
            yield Problem(f"{where}.how", N_("参与率、合格率和人数不能用来排个人。"))
        if part.how == "units" and board.of != "region":
            yield Problem(f"{where}.how", N_("单位个数只能用来排地区。"))
    if len(board.by) > 1 and sum(part.weight for part in board.by) != 100:
        total = sum(part.weight for part in board.by)
        yield Problem(f"{path}.by", f"“{board.title}”各项权重加起来是 {total}%，应当是 100%。")


def _promise(case: Case, path: str, board: Board) -> Iterator[Problem]:
    """Promise 16: boards are voluntary and never rank staff unit by unit."""
    if board.of == "person" and not board.opt_in and case.is_voluntary:
        yield Problem(f"{path}.opt_in", N_("个人榜要本人同意才上榜。"))
    if board.of == "organisation" and not board.is_pupils_only:
        text = N_("不给单位的职工参与情况排名次。学校排学生的可以写明“只有学生”；地区可以排。")
        yield Problem(f"{path}.of", text)
    elif board.of == "organisation" and case.is_voluntary:
        for place, part in enumerate(board.by, 1):
            if part.how in HEAD_COUNTS:
                yield Problem(f"{path}.by[{place}].how", N_("给学校排名要用比率或者平均分，不用人数和总分。"))


def publicity(case: Case) -> Iterator[Problem]:
    terms = case.terms
    found = {board.id: board for board in terms.boards}
    for place, praise in enumerate(terms.publicity.praises, 1):
        path = f"publicity.praises[{place}]"
        board = found.get(praise.board)
        if board is not None and board.of not in ("organisation", "region"):
            yield Problem(f"{path}.board", N_("通报表扬给单位或地区，要按单位或地区的榜单。"))
        if board is not None and praise.quantity > board.places:
            yield Problem(f"{path}.quantity", f"榜单只排 {board.places:,} 名，表扬不了 {praise.quantity:,} 个。")
        if "奖" in praise.title and not praise.approval.strip():
            yield Problem(f"{path}.approval", f"“{praise.title}”要有批准文号；没有就写“通报表扬”。")
    has_winners = terms.draw is not None or terms.draws or terms.rank_prizes
    if has_winners and terms.publicity.days < terms.objection_days:
        yield Problem("publicity.days", f"公示 {terms.publicity.days} 天就撤下，可是异议期有 {terms.objection_days} 天。")
    if terms.sanctions.reaches_unit and not any(board.of == "organisation" for board in terms.boards):
        yield Problem("sanctions.reaches_unit", N_("没有单位的榜单，处理不会影响到单位。"))
