"""Pool draws, prizes by rank and prizes from stock, and how all of them are handed over."""

import datetime as dt
from collections.abc import Iterator

from quizapp.campaigns.checks.conditions import is_narrower, scope_condition
from quizapp.campaigns.checks.draws import MAX_PRIZE_FEN
from quizapp.campaigns.checks.problem import Case, Problem, warning
from quizapp.campaigns.pool_plans import due_at, windows
from quizapp.campaigns.terms import PoolDraw, PoolTier, StockPrize
from quizapp.core.clock import SHANGHAI
from quizapp.core.text import N_
from quizapp.lottery.rules import SERVED_KINDS


def pool_draws(case: Case) -> Iterator[Problem]:
    for place, draw in enumerate(case.terms.draws, 1):
        path = f"draws[{place}]"
        yield from _tiers(path, draw)
        yield from _who(case, path, draw)
        yield from _tickets(case, path, draw)
        yield from _when(case, path, draw)
        yield from _input(path, draw)
        groups = draw.groups or case.terms.eligibility.groups
        if groups and set(groups) <= set(draw.excluded_groups):
            yield Problem(f"{path}.excluded_groups", f"能参加“{draw.title}”的人群都被排除了。")


def _tiers(path: str, draw: PoolDraw) -> Iterator[Problem]:
    if len({(tier.tier, tier.name) for tier in draw.tiers}) < len(draw.tiers):
        yield Problem(f"{path}.tiers", N_("有两档奖品完全同名，请分开写奖项。"))
    for place, tier in enumerate(draw.tiers, 1):
        where = f"{path}.tiers[{place}]"
        if tier.quantity and tier.ratio_ppm is not None:
            yield Problem(f"{where}.ratio_ppm", N_("数量和比例只能写一样。"))
        elif not tier.quantity and tier.ratio_ppm is None:
            yield Problem(f"{where}.quantity", f"“{tier.name}”要写明抽多少名。")
        if tier.value_fen > MAX_PRIZE_FEN:
            yield Problem(f"{where}.value_fen", N_("最高奖不得超过 50,000 元。"))
        yield from _prize(where, tier)


def _prize(path: str, prize: PoolTier | StockPrize) -> Iterator[Problem]:
    if prize.kind == "points" and prize.points < 1:
        yield Problem(f"{path}.points", N_("积分奖品要写明给多少积分。"))
    if prize.kind == "cash" and prize.value_fen < 1:
        yield Problem(f"{path}.value_fen", N_("现金奖品要写明到手金额。"))
    if prize.kind not in SERVED_KINDS:
        yield warning(f"{path}.kind", f"“{prize.name}”平台还不能自己发，要由工作人员另外办理、登记。")


def _who(case: Case, path: str, draw: PoolDraw) -> Iterator[Problem]:
    found = list(scope_condition(case, f"{path}.who", draw.who, draw.per, draw.stages))
    yield from found
    bands = [draw.who, *draw.cascade]
    for place, band in enumerate(draw.cascade, 1):
        where = f"{path}.cascade[{place}]"
        yield from scope_condition(case, where, band, draw.per, draw.stages)
        if not found and any(is_narrower(band, earlier) for earlier in bands[:place]):
            yield Problem(where, N_("依次放宽的条件要一档比一档松，这一档没有放进新的人。"))


def _tickets(case: Case, path: str, draw: PoolDraw) -> Iterator[Problem]:
    gifts = [gift for award in case.terms.awards for band in award.bands for gift in band.gifts]
    gives = any((gift.kind, gift.name) == ("tickets", draw.id) for gift in gifts)
    if draw.tickets == "awards" and not gives:
        yield Problem(f"{path}.tickets", f"没有一项奖励给“{draw.title}”的号码，谁也进不了名单。")
    if draw.tickets == "one" and draw.max_tickets is not None:
        yield Problem(f"{path}.max_tickets", N_("每人只有一个号码，不用再写最多几个。"))
    rivals = [one.id for one in case.terms.draws if one.one_win_per_campaign]
    if draw.one_win_per_campaign and not draw.one_win:
        yield Problem(f"{path}.one_win", N_("整场只能中一次，这一次摇号就不能让人中几次。"))
    if draw.one_win_per_campaign and len(rivals) == 1 and draw.per == "campaign" and len(case.terms.draws) == 1:
        yield warning(f"{path}.one_win_per_campaign", N_("整场只有这一次摇号，“整场最多中一次”不起作用。"))


def _due(case: Case, draw: PoolDraw) -> list[tuple[dt.datetime, dt.datetime]]:
    """When each scope of a draw ends, and when its list is due."""
    return [(closes_at, due_at(draw, closes_at)) for _key, _opens_at, closes_at in windows(case.terms, draw)]


def _when(case: Case, path: str, draw: PoolDraw) -> Iterator[Problem]:
    if draw.per == "round" and not any(stage.rounds for stage in case.terms.stages):
        yield Problem(f"{path}.per", N_("没有设轮次，不能每轮摇一次。"))
        return
    due = _due(case, draw)
    if not due:
        yield Problem(f"{path}.per", N_("没有设阶段，不能每阶段摇一次。"))
    elif any(end == at and end.astimezone(SHANGHAI).strftime("%H:%M") != draw.at for end, at in due):
        yield Problem(f"{path}.after_days", f"“{draw.title}”的名单在答题结束以前就定了，请晚一天。")
    deferred = case.terms.claim.deferred_until
    if due and deferred is not None and draw.mode != "outside" and max(at for _, at in due) > deferred:
        yield Problem("claim.deferred_until", f"统一发放的时间在“{draw.title}”摇号以前。")


def _input(path: str, draw: PoolDraw) -> Iterator[Problem]:
    if draw.seed_input == "public_figure" and not draw.public_figure.strip():
        yield Problem(f"{path}.public_figure", N_("要写明用哪一个公开数字，并且在它公布以前就写好。"))
    if draw.seed_input != "public_figure" and draw.public_figure.strip():
        yield Problem(f"{path}.seed_input", N_("写了公开数字，就要选用它。"))
    if draw.mode == "automatic" and draw.seed_input == "spoken":
        yield Problem(f"{path}.seed_input", N_("到时自动摇号，没有人在场报数。"))
    if draw.mode == "ceremony" and draw.seed_input == "none":
        yield warning(f"{path}.seed_input", N_("现场摇号最好请来宾当场报数，否则外人只能相信主办单位事先封存的密码。"))
    if draw.mode == "outside":
        yield warning(f"{path}.mode", f"“{draw.title}”在平台以外进行，平台只登记结果，不能替它证明公正。")
        if not draw.witness.strip():
            yield warning(f"{path}.witness", N_("场外摇号最好请公证处或者见证人，并写出来。"))


def rank_prizes(case: Case) -> Iterator[Problem]:
    boards = {board.id: board for board in case.terms.boards}
    for place, prizes in enumerate(case.terms.rank_prizes, 1):
        path = f"rank_prizes[{place}]"
        board = boards.get(prizes.board)
        if board is not None and board.of not in ("person", "team"):
            yield Problem(f"{path}.board", N_("名次奖只发给个人或队伍；单位和地区用通报表扬。"))
        if board is not None and sum(tier.quantity for tier in prizes.tiers) > board.places:
            yield Problem(f"{path}.tiers", f"榜单只排 {board.places:,} 名，奖品比名次多。")
        for number, tier in enumerate(prizes.tiers, 1):
            where = f"{path}.tiers[{number}]"
            if tier.ratio_ppm is not None:
                yield Problem(f"{where}.ratio_ppm", N_("名次奖按名次发，不能写比例。"))
            elif not tier.quantity:
                yield Problem(f"{where}.quantity", f"“{tier.name}”要写明发给多少名。")
            yield from _prize(where, tier)


def stock_prizes(case: Case) -> Iterator[Problem]:
    given = {gift.name for award in case.terms.awards for band in award.bands for gift in band.gifts if gift.kind == "prize"}
    for place, prize in enumerate(case.terms.prizes, 1):
        yield from _prize(f"prizes[{place}]", prize)
        if prize.name not in given:
            yield Problem(f"prizes[{place}].name", f"没有一项奖励会给“{prize.name}”。")
        if prize.quantity == 0:
            yield warning(f"prizes[{place}].quantity", f"“{prize.name}”一份也没有。")


def claim(case: Case) -> Iterator[Problem]:
    terms, rules = case.terms, case.terms.claim
    days = [terms.draw.claim_days] if terms.draw is not None else []
    days += [draw.claim_days for draw in terms.draws]
    days += [ranked.claim_days for ranked in terms.rank_prizes]
    days += [prize.claim_days for prize in terms.prizes]
    if not days:
        if rules.deferred_until is not None or rules.void_hours is not None:
            yield Problem("claim", N_("没有奖品，领奖的规定不起作用。"))
        return
    if rules.void_hours is not None and rules.void_hours > 24 * min(days):
        yield Problem("claim.void_hours", f"领奖只有 {min(days)} 天，{rules.void_hours} 小时没拆才作废，已经过了领奖期限。")
    if rules.pickup_after_days >= min(days):
        yield Problem("claim.pickup_after_days", f"{rules.pickup_after_days} 个工作日以后才能领，可是领奖期限只有 {min(days)} 天。")
    if rules.deferred_until is not None:
        if rules.deferred_until < terms.closes_at:
            yield Problem("claim.deferred_until", N_("活动还没结束就统一发放，后面中奖的人赶不上。"))
        if rules.void_hours is not None:
            yield Problem("claim.void_hours", N_("奖品统一发放，就没有“多少小时不拆作废”。"))
        if rules.deferred_until > terms.closes_at + dt.timedelta(days=max(days)) and not terms.draws:
            yield Problem("claim.deferred_until", N_("统一发放的时间在领奖截止以后。"))
        yield from _deferred_after_claim(case, rules.deferred_until)
    if rules.forfeits == "reserve" and not any(draw.reserves for draw in terms.draws):
        yield Problem("claim.forfeits", N_("没有抽候补，放弃的奖品无人递补。"))
    if min(days) < 3:
        yield warning("claim.void_hours" if rules.void_hours else "claim", N_("领奖期限不到三天，很多人来不及领。"))


def _deferred_after_claim(case: Case, deferred: dt.datetime) -> Iterator[Problem]:
    for place, draw in enumerate(case.terms.draws, 1):
        due = [at for _, at in _due(case, draw)]
        if due and deferred > max(due) + dt.timedelta(days=draw.claim_days):
            yield Problem(f"draws[{place}].claim_days", f"“{draw.title}”的领奖期限在统一发放以前就过了。")
