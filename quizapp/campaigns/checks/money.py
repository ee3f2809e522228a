"""What the plan and the payout service's limits mean for stock and budget."""

import datetime as dt
from collections.abc import Iterator

from quizapp.campaigns.checks.problem import Case, Problem, warning
from quizapp.campaigns.forecast import Forecast, estimate, forecast_plan
from quizapp.core.clock import SHANGHAI
from quizapp.core.money import yuan
from quizapp.core.text import N_

DAILY_CASH_FEN = 50_000_00
"""What one merchant may pay out in a day by default; the console of the payment service has the figure in force."""
CASH_BILL_FEN = 200_00
LEAST_CASH_FEN = 10
LAST_HOURS = dt.timedelta(hours=12)
"""A prize that lasts until the last evening is not short."""


def plan(case: Case) -> Iterator[Problem]:
    """What the planned number of draws does to stock and budget; nothing without a plan."""
    draws, budget = int(case.plan.get("expected_draws") or 0), int(case.plan.get("budget_fen") or 0)
    other = _fixed_fen(case)
    if case.terms.draw is None:
        if budget and other > budget:
            yield warning("plan.budget_fen", f"奖品全部发完要 {yuan(other)} 元，超出预算 {yuan(other - budget)} 元。")
        return
    told = forecast_plan(case.terms, case.plan)
    if told is not None:
        yield from _told(case, told, budget)
        return
    sums = estimate(case.terms.draw, draws)
    if budget and sums.cap_fen + other > budget:
        over = yuan(sums.cap_fen + other - budget)
        text = f"奖品全部发完（含税）要 {yuan(sums.cap_fen + other)} 元，超出预算 {over} 元。"
        yield warning("plan.budget_fen", text)
    if budget and draws and sums.gross_fen + other > budget:
        yield warning("plan.budget_fen", f"照预计的次数，要花 {yuan(sums.gross_fen + other)} 元，超出预算。")
    for place, (prize, row) in enumerate(zip(case.terms.draw.prizes, sums.rows, strict=True), 1):
        if row.is_short:
            day = max(1, case.days * row.empty_after // draws)
            text = f"“{prize.name}”大约在第 {row.empty_after:,} 次抽奖（第 {day} 天）发完，之后抽中的人拿不到。"
            yield warning(f"draw.prizes[{place}].quantity", text)


def _told(case: Case, told: Forecast, budget: int) -> Iterator[Problem]:
    """The same where the plan says how many people will come: what they leave of stock and budget, and when."""
    if budget and told.cap_fen > budget:
        over = yuan(told.cap_fen - budget)
        yield warning("plan.budget_fen", f"奖品全部发完（含税）要 {yuan(told.cap_fen)} 元，超出预算 {over} 元。")
    if budget and told.gross_fen.mean > budget:
        spent, high = yuan(round(told.gross_fen.mean)), yuan(round(told.gross_fen.high))
        yield warning("plan.budget_fen", f"照预计的人数，大约要花 {spent} 元，十次里有九次不超过 {high} 元，超出预算。")
    for place, tier in enumerate(told.tiers, 1):
        at = tier.out_at[0]
        if tier.is_short and at is not None and at < case.terms.closes_at - LAST_HOURS:
            when = at.astimezone(SHANGHAI).strftime("%m 月 %d 日 %H 点")
            yield warning(f"draw.prizes[{place}].quantity", f"“{tier.name}”大约在 {when}发完，之后抽中的人拿不到。")


def _fixed_fen(case: Case) -> int:
    """The face value of everything that is not drawn at once; tiers by ratio are not known beforehand."""
    tiers = [tier for draw in case.terms.draws for tier in draw.tiers]
    tiers += [tier for ranked in case.terms.rank_prizes for tier in ranked.tiers]
    return sum(tier.quantity * tier.value_fen for tier in tiers) + sum(one.quantity * one.value_fen for one in case.terms.prizes)


def cash(case: Case) -> Iterator[Problem]:
    """Cash that the payment service will not let through as planned."""
    terms = case.terms
    singles: list[tuple[str, str, int]] = []
    daily = 0
    for place, prize in enumerate(terms.draw.prizes if terms.draw else (), 1):
        if prize.kind == "cash":
            highest = max(prize.value_fen, prize.max_fen or 0)
            singles.append((f"draw.prizes[{place}].value_fen", prize.name, prize.value_fen))
            a_day = min(prize.quantity, prize.per_day or prize.quantity)
            if prize.release == "paced":
                a_day = min(a_day, -(-prize.quantity // case.days))
            daily += min(a_day * highest, prize.budget_fen or a_day * highest)
    for place, draw in enumerate(terms.draws, 1):
        for number, tier in enumerate(draw.tiers, 1):
            if tier.kind == "cash":
                singles.append((f"draws[{place}].tiers[{number}].value_fen", tier.name, tier.value_fen))
                daily += tier.quantity * tier.value_fen
    if daily > DAILY_CASH_FEN:
        path = "draw.prizes" if terms.draw else "draws"
        text = f"一天最多可能要发现金 {yuan(daily)} 元，超过微信商户每天 {yuan(DAILY_CASH_FEN)} 元的常见限额，会排队到第二天。"
        yield warning(path, text)
    for path, name, fen in singles:
        if 0 < fen < LEAST_CASH_FEN:
            yield warning(path, f"“{name}”不到 0.10 元，微信一次最少发 0.10 元。")
        elif fen > CASH_BILL_FEN and path.startswith("draws"):
            yield warning(path, f"“{name}”超过 {yuan(CASH_BILL_FEN)} 元，常见的微信商户一次发不了这么多。")
    if terms.claim.deferred_until is not None and daily > DAILY_CASH_FEN:
        yield warning("claim.deferred_until", N_("现金集中在一天发放，请先跟银行或微信确认限额。"))
