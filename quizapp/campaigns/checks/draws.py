"""Instant draws: odds, stock, caps, pacing, random amounts."""

from collections.abc import Iterator

from quizapp.campaigns.checks.conditions import attempt_condition, is_narrower
from quizapp.campaigns.checks.problem import Case, Problem, warning
from quizapp.campaigns.terms import DrawTerms, PrizeTerms
from quizapp.core.money import yuan
from quizapp.core.text import N_
from quizapp.lottery.rules import SERVED_KINDS

PPM = 1_000_000
INSTANT_WARN_FEN = 200_00
"""An instant prize above this belongs in a pool draw with public input (design of the draws: an insider could predict it)."""
MAX_PRIZE_FEN = 50_000_00
"""Anti-unfair-competition law: a lottery's highest prize."""


def instant(case: Case) -> Iterator[Problem]:
    draw = case.terms.draw
    if draw is None:
        return
    total = sum(prize.odds_ppm for prize in draw.prizes)
    if total > PPM:
        yield Problem("draw.prizes", f"中奖概率加起来是 {total / 10_000:g}%，不能超过 100%。")
    if len({prize.name for prize in draw.prizes}) < len(draw.prizes):
        yield Problem("draw.prizes", N_("有两个奖品同名，请改成不同的名字。"))
    for place, prize in enumerate(draw.prizes, 1):
        path = f"draw.prizes[{place}]"
        yield from _worth(path, prize)
        yield from _stock(case, draw, path, prize)
        yield from _random_amount(path, prize)
    yield from _quota(case, draw)
    yield from _chances(case, draw)
    yield from _regions(case, draw)
    if draw.wins_total is not None and draw.wins_per_day is not None and draw.wins_per_day > draw.wins_total:
        yield warning("draw.wins_per_day", N_("每天中奖次数比整场还多。"))


def _worth(path: str, prize: PrizeTerms) -> Iterator[Problem]:
    if prize.kind not in SERVED_KINDS:
        yield Problem(f"{path}.kind", N_("这种奖品要先接好外部服务，现在还发不了。"))
    if prize.kind == "points" and prize.points < 1:
        yield Problem(f"{path}.points", N_("积分奖品要写明给多少积分。"))
    if prize.kind == "cash" and prize.value_fen < 1:
        yield Problem(f"{path}.value_fen", N_("现金奖品要写明到手金额。"))
    worth = max(prize.value_fen, prize.max_fen or 0)
    if worth > MAX_PRIZE_FEN:
        yield Problem(f"{path}.value_fen", N_("最高奖不得超过 50,000 元。"))
    elif worth > INSTANT_WARN_FEN:
        yield warning(f"{path}.value_fen", f"当场抽的奖品超过 {yuan(INSTANT_WARN_FEN)} 元，建议改用活动后摇号。")


def _stock(case: Case, draw: DrawTerms, path: str, prize: PrizeTerms) -> Iterator[Problem]:
    is_fallback = prize.name == draw.fallback
    if (prize.odds_ppm == 0 and not is_fallback) or prize.quantity == 0:
        yield warning(f"{path}.odds_ppm", f"“{prize.name}”不可能被抽中（数量或概率是 0）。")
    if prize.per_hour is not None and prize.per_day is not None and prize.per_hour > prize.per_day:
        yield Problem(f"{path}.per_hour", f"“{prize.name}”每小时的数量比每天的还多。")
    limits = [prize.per_day] if prize.per_day is not None else []
    hours = draw.paced_to_hour - draw.paced_from_hour if prize.release == "paced" else 24
    limits += [prize.per_hour * max(1, hours)] if prize.per_hour is not None else []
    if limits and min(limits) * case.days < prize.quantity:
        most = min(limits) * case.days
        yield Problem(f"{path}.quantity", f"“{prize.name}”{case.days} 天最多发出 {most:,} 份，写了 {prize.quantity:,} 份，发不完。")


def _random_amount(path: str, prize: PrizeTerms) -> Iterator[Problem]:
    if prize.max_fen is None:
        if prize.budget_fen is not None:
            yield Problem(f"{path}.max_fen", N_("写了总预算，就要写明最少和最多多少钱。"))
        return
    if prize.kind != "cash":
        yield Problem(f"{path}.max_fen", N_("只有现金能写随机金额。"))
    elif prize.max_fen <= prize.value_fen:
        yield Problem(f"{path}.max_fen", N_("随机金额的最多要大于最少。"))
    elif prize.budget_fen is None:
        yield Problem(f"{path}.budget_fen", N_("随机金额要写明总共发多少钱。"))
    elif not prize.quantity * prize.value_fen <= prize.budget_fen <= prize.quantity * prize.max_fen:
        low, high = yuan(prize.quantity * prize.value_fen), yuan(prize.quantity * prize.max_fen)
        yield Problem(f"{path}.budget_fen", f"{prize.quantity:,} 份合起来只能在 {low} 元到 {high} 元之间。")


def _quota(case: Case, draw: DrawTerms) -> Iterator[Problem]:
    """The daily number over all tiers. It is kept by the tiers' own, so each has one and together they come to it."""
    if draw.per_day is None:
        return
    tiers = [prize for prize in draw.prizes if prize.odds_ppm or prize.name == draw.fallback]
    stock = sum(prize.quantity for prize in tiers)
    if any(prize.per_day is None for prize in tiers):
        yield Problem("draw.per_day", N_("写了每天一共多少个，每一档也要写每天的数量，总数才守得住。"))
        return
    together = sum(prize.per_day or 0 for prize in tiers)
    if together != draw.per_day:
        yield Problem("draw.per_day", f"每天一共 {draw.per_day:,} 个，可是各档每天的数量加起来是 {together:,} 个。")
        return
    most = draw.per_day * case.days
    if stock > most:
        yield Problem("draw.per_day", f"每天 {draw.per_day:,} 个，{case.days} 天最多发 {most:,} 个；各档加起来有 {stock:,} 个，发不完。")
    elif stock < most:
        yield warning(
            "draw.per_day", f"每天 {draw.per_day:,} 个，{case.days} 天要 {most:,} 个；各档加起来只有 {stock:,} 个，最后几天没有奖。"
        )


def _chances(case: Case, draw: DrawTerms) -> Iterator[Problem]:
    terms = case.terms
    granted = any(gift.kind == "tickets" and not gift.name for award in terms.awards for band in award.bands for gift in band.gifts)
    if not (draw.tickets or granted or any(band.tickets for band in draw.bands)):
        yield Problem("draw.tickets", N_("没有任何办法得到抽奖机会。"))
    for place, band in enumerate(draw.bands, 1):
        path = f"draw.bands[{place}].when"
        found = list(attempt_condition(case, path, band.when))
        yield from found
        if not found and any(is_narrower(band.when, earlier.when) for earlier in draw.bands[: place - 1]):
            yield Problem(path, N_("前面的档已经把这一档的人都算进去了，这一档永远轮不到。请把要求高的放前面。"))
    if draw.draws_per_day is not None and draw.draws_per_day < max([draw.tickets, *(band.tickets for band in draw.bands)]):
        yield warning("draw.draws_per_day", N_("一次答题给的机会比一天能抽的次数还多。"))
    if draw.fallback:
        fallback = next((prize for prize in draw.prizes if prize.name == draw.fallback), None)
        if fallback is None:
            yield Problem("draw.fallback", f"奖品里没有“{draw.fallback}”，不能当保底奖。")
        elif fallback.odds_ppm:
            yield Problem("draw.fallback", N_("保底奖自己的概率要写 0：别的奖发完了才轮到它。"))
    if draw.paced_from_hour >= draw.paced_to_hour:
        yield Problem("draw.paced_to_hour", N_("投放时段的结束要晚于开始。"))
    if draw.paced_weights and (len(draw.paced_weights) != 24 or not any(draw.paced_weights[draw.paced_from_hour : draw.paced_to_hour])):
        yield Problem("draw.paced_weights", N_("每个钟点的份量要写满 24 个，投放时段里至少有一个大于 0。"))
    groups = terms.eligibility.groups
    if groups and set(groups) <= set(draw.excluded_groups):
        yield Problem("draw.excluded_groups", N_("能参加活动的人群都被排除在抽奖外面了。"))


def _regions(case: Case, draw: DrawTerms) -> Iterator[Problem]:
    allowed = case.terms.eligibility.regions
    seen: list[str] = []
    for place, quota in enumerate(draw.region_quotas, 1):
        path = f"draw.region_quotas[{place}]"
        for code in quota.regions:
            if allowed and not any(code.startswith(prefix) or prefix.startswith(code) for prefix in allowed):
                yield Problem(f"{path}.regions", f"地区 {code} 不在活动的参加范围里。")
            if any(code.startswith(other) or other.startswith(code) for other in seen):
                yield Problem(f"{path}.regions", f"地区 {code} 和别的名额重叠。")
        seen += quota.regions
        if quota.quantity == 0:
            yield warning(f"{path}.quantity", N_("这些地区一个奖也得不到，请确认。"))
    stock = sum(prize.quantity for prize in draw.prizes)
    if draw.region_quotas and sum(quota.quantity for quota in draw.region_quotas) > stock:
        yield warning("draw.region_quotas", f"各地名额加起来比奖品总数 {stock:,} 还多，名额多的地方不一定拿得满。")
