"""What happened in a season, beside what the forecast said of it. Money in fen, moments in UTC."""

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from quizapp.accounts.models import Citizen
from quizapp.attempts.models import Attempt, AwardGrant
from quizapp.campaigns.forecast import Forecast, Range, Turnout, forecast
from quizapp.campaigns.rules import may_draw
from quizapp.campaigns.terms import DrawTerms, Terms
from quizapp.core.clock import SHANGHAI, rfc3339
from quizapp.core.db import db
from quizapp.core.money import yuan
from quizapp.lottery.models import Draw
from quizapp.lottery.pool_models import PoolDrawRun, PoolDrawTier, PoolWin
from quizapp.payouts.models import Payout
from quizapp.simulation.crowd import plain
from quizapp.simulation.promises import Promise, WinRow, check_promises, list_wins
from quizapp.simulation.season import Played


@dataclass(frozen=True)
class TierAccount:
    """One prize of the instant draw: what went out, and when the last one did."""

    name: str
    quantity: int
    wins: int
    spent_fen: int
    out_at: dt.datetime | None


@dataclass(frozen=True)
class PoolAccount:
    """A pool draw over all its scopes: held how often, on how many entries, with how many winners."""

    id: str
    title: str
    held: int
    entries: int
    winners: int
    net_fen: int


@dataclass(frozen=True)
class Account:
    """A whole season in figures. ``hours`` are tickets and wins by Shanghai hour of the day."""

    played: Played
    attempts: int
    valid: int
    passed: int
    people: int
    people_passed: int
    draws: int
    wins: int
    net_fen: int
    tiers: tuple[TierAccount, ...]
    hours: tuple[tuple[int, int, int], ...]
    pools: tuple["PoolAccount", ...]
    grants: dict[str, int]
    prizes: dict[str, int]
    payouts: dict[str, int]
    promises: tuple[Promise, ...]
    forecast: Forecast

    @property
    def is_kept(self) -> bool:
        return all(promise.is_kept for promise in self.promises) and not self.played.failed_jobs


def account_for(played: Played) -> Account:
    """Count a finished season and forecast it from the same turnout."""
    campaign = played.campaign
    own = sa.select(Attempt).filter_by(campaign_id=campaign.id).subquery()
    graded = own.c.state == "graded"
    counts = db.session.execute(
        sa.select(
            sa.func.count(),
            sa.func.coalesce(sa.func.sum(sa.case((graded, 1), else_=0)), 0),
            sa.func.coalesce(sa.func.sum(sa.case((sa.and_(graded, own.c.is_passed), 1), else_=0)), 0),
            sa.func.count(sa.distinct(sa.case((graded, own.c.citizen_id)))),
            sa.func.count(sa.distinct(sa.case((sa.and_(graded, own.c.is_passed), own.c.citizen_id)))),
        )
    ).one()
    wins = list_wins(campaign)
    by_campaign = sa.select(Payout.source_type, sa.func.count()).filter_by(campaign_id=campaign.id).group_by(Payout.source_type)
    by_state = sa.select(Payout.state, sa.func.count()).filter_by(campaign_id=campaign.id).group_by(Payout.state)
    grants = sa.select(AwardGrant.award_id, sa.func.count()).filter_by(campaign_id=campaign.id).group_by(AwardGrant.award_id)
    drawn = _drawn_hours(campaign.id)
    return Account(
        played=played,
        attempts=counts[0],
        valid=counts[1],
        passed=counts[2],
        people=counts[3],
        people_passed=counts[4],
        draws=sum(drawn.values()),
        wins=len(wins),
        net_fen=sum(row.amount_fen for row in wins) + _pool_fen(campaign.id),
        tiers=_tiers(campaign.terms.draw, wins),
        hours=_hours(drawn, wins),
        pools=tuple(_pool(campaign.id, draw.id, draw.title) for draw in campaign.terms.draws),
        grants=_counts(grants),
        prizes=_counts(by_campaign),
        payouts=_counts(by_state),
        promises=tuple(check_promises(campaign)),
        forecast=forecast(campaign.terms, turnout_of(played)),
    )


def _pool(campaign_id: Any, code: str, title: str) -> PoolAccount:
    runs = db.session.scalars(sa.select(PoolDrawRun).filter_by(campaign_id=campaign_id, draw_code=code, state="drawn")).all()
    wins = (
        sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(PoolDrawTier.value_fen), 0))
        .select_from(PoolWin)
        .join(PoolDrawTier, PoolDrawTier.id == PoolWin.tier_id)
        .where(PoolWin.pool_draw_id.in_([run.id for run in runs]), PoolWin.substitute_of.is_(None))
    )
    count, fen = db.session.execute(wins).one()
    return PoolAccount(code, title, len(runs), sum(run.entry_count for run in runs), count, fen)


def _pool_fen(campaign_id: Any) -> int:
    statement = (
        sa.select(sa.func.coalesce(sa.func.sum(PoolDrawTier.value_fen), 0))
        .select_from(PoolWin)
        .join(PoolDrawTier, PoolDrawTier.id == PoolWin.tier_id)
        .where(PoolWin.campaign_id == campaign_id, PoolWin.substitute_of.is_(None))
    )
    return int(db.session.scalar(statement) or 0)


def _counts(statement: Any) -> dict[str, int]:
    return {str(name): int(count) for name, count in db.session.execute(statement)}


def turnout_of(played: Played) -> Turnout:
    """What the crowd looks like to the forecast."""
    curve, terms = played.curve, played.campaign.terms
    days = ((terms.closes_at - dt.timedelta(seconds=1)).astimezone(SHANGHAI).date() - terms.opens_at.astimezone(SHANGHAI).date()).days + 1
    visits = sum(len(person.visits) for person in played.people)
    return Turnout(
        people=len(played.people),
        attempts=max(1.0, visits / max(1, len(played.people))),
        right=curve.right,
        spread=0.1,
        drawing=_drawing(terms, played),
        abandoned=curve.abandoned,
        days=tuple(curve.day_weights(days)),
        hours=curve.hours,
    )


def _drawing(terms: Terms, played: Played) -> float:
    draw = terms.draw
    if draw is None or not played.people:
        return 1.0
    rows = db.session.execute(
        sa.select(Citizen.demographic_group, Citizen.age_band, sa.func.count()).group_by(Citizen.demographic_group, Citizen.age_band)
    )
    return sum(count for group, age, count in rows if may_draw(draw, group, age)) / len(played.people)


def _tiers(draw: DrawTerms | None, wins: Sequence[WinRow]) -> tuple[TierAccount, ...]:
    found = []
    for position, prize in enumerate(draw.prizes if draw else ()):
        own = [row for row in wins if row.position == position]
        out_at = own[-1].at if len(own) >= prize.quantity > 0 else None
        found.append(TierAccount(prize.name, prize.quantity, len(own), sum(row.amount_fen for row in own), out_at))
    return tuple(found)


def _drawn_hours(campaign_id: Any) -> Counter[int]:
    rows = db.session.scalars(sa.select(Draw.drawn_at).filter_by(campaign_id=campaign_id))
    return Counter(moment.astimezone(SHANGHAI).hour for moment in rows)


def _hours(drawn: Counter[int], wins: Sequence[WinRow]) -> tuple[tuple[int, int, int], ...]:
    won = Counter(row.at.astimezone(SHANGHAI).hour for row in wins)
    return tuple((hour, drawn[hour], won[hour]) for hour in sorted(drawn))


# ---- as text and JSON


def _share(part: float, whole: float) -> str:
    return f"{100 * part / whole:.2f}%" if whole else "-"


def _range(row: Range, digits: int = 0) -> str:
    return f"{row.mean:,.{digits}f} [{row.low:,.{digits}f}, {row.high:,.{digits}f}]"


def _money(row: Range) -> str:
    return f"{yuan(round(row.mean))} [{yuan(round(row.low))}, {yuan(round(row.high))}]"


def _when(moment: dt.datetime | None) -> str:
    return f"{moment.astimezone(SHANGHAI):%m-%d %H:%M}" if moment else "-"


def as_text(account: Account) -> str:
    """The account as lines, what happened first and the forecast beside it."""
    told, played = account.forecast, account.played
    lines = [
        f"活动 {played.campaign.title}：{len(played.people)} 人，种子 {played.seed}",
        f"人次 {account.valid}（开卷 {account.attempts}） 预测 {_range(told.attempts)}",
        f"人数 {account.people}，合格人数 {account.people_passed}（{_share(account.people_passed, account.people)}）",
        f"合格人次 {account.passed}（{_share(account.passed, account.valid)}）",
    ]
    if account.tiers:
        lines += [
            f"抽奖 {account.draws} 预测 {_range(told.draws)}",
            f"中奖 {account.wins}，每次 {_share(account.wins, account.draws)} 预测 {_share(told.win_rate, 1)}",
            f"奖金到手 {yuan(account.net_fen)} 元 预测 {_money(told.net_fen)} 元",
            "奖品：发出/数量，预测，发完，预测",
        ]
        for tier, row in zip(account.tiers, told.tiers, strict=True):
            lines.append(f"  {tier.name} {tier.wins}/{tier.quantity} {_range(row.wins)} {_when(tier.out_at)} {_when(row.out_at[0])}")
        lines.append("按钟点：抽奖，中奖率，预测")
        rates = {hour.hour: hour.win_rate for hour in told.hours}
        lines += [
            f"  {hour:02d} {drawn:6d} {_share(won, drawn):>8} {_share(rates.get(hour, 0.0), 1):>8}" for hour, drawn, won in account.hours
        ]
    for held, pool in zip(account.pools, told.pools, strict=True):
        happened = f"{held.held} 次，名单 {held.entries} 人，中奖 {held.winners}"
        lines.append(f"摇号 {pool.title}：{happened}；预测 {pool.times} 次，每次 {_range(pool.qualified)} 人，中奖 {_range(pool.winners)}")
    if account.grants:
        lines.append("奖励 " + "，".join(f"{name} {count}" for name, count in sorted(account.grants.items())))
    if account.prizes:
        lines.append("领奖 " + "，".join(f"{name} {count}" for name, count in sorted({**account.prizes, **account.payouts}.items())))
    if played.player.refused:
        lines.append("被拒 " + "，".join(f"{code} {count}" for code, count in sorted(played.player.refused.items())))
    lines += [
        f"{'守住' if one.is_kept else '打破'} {one.title}" + (f"：{'；'.join(one.broken[:3])}" if one.broken else "")
        for one in account.promises
    ]
    lines += [f"任务失败 {name} {count} 次" for name, count in sorted(played.failed_jobs.items())]
    return "\n".join(lines)


def as_dict(account: Account) -> dict[str, Any]:
    """The account as JSON values."""
    told, played = account.forecast, account.played
    return {
        "title": played.campaign.title,
        "citizens": len(played.people),
        "seed": played.seed,
        "curve": dict(plain(played.curve)),
        "happened": {
            "attempt_count": account.attempts,
            "valid_attempt_count": account.valid,
            "passed_count": account.passed,
            "participant_count": account.people,
            "persons_passed": account.people_passed,
            "draws": account.draws,
            "wins": account.wins,
            "net_fen": account.net_fen,
            "tiers": [
                {
                    "name": tier.name,
                    "quantity": tier.quantity,
                    "wins": tier.wins,
                    "spent_fen": tier.spent_fen,
                    "out_at": rfc3339(tier.out_at),
                }
                for tier in account.tiers
            ],
            "hours": [{"hour": hour, "draws": drawn, "wins": won} for hour, drawn, won in account.hours],
            "pools": [{"id": one.id, "held": one.held, "entries": one.entries, "winners": one.winners} for one in account.pools],
            "awards": account.grants,
            "payouts_by_source": account.prizes,
            "payouts_by_state": account.payouts,
            "refused": dict(played.player.refused),
        },
        "forecast": {
            "attempts": _plain(told.attempts),
            "draws": _plain(told.draws),
            "win_rate": round(told.win_rate, 4),
            "person_win_rate": round(told.person_win_rate, 4),
            "net_fen": _plain(told.net_fen),
            "gross_fen": _plain(told.gross_fen),
            "cap_fen": told.cap_fen,
            "tiers": [
                {
                    "name": row.name,
                    "wins": _plain(row.wins),
                    "per_draw": round(row.per_draw, 6),
                    "per_person": round(row.per_person, 6),
                    "out_chance": round(row.out_chance, 4),
                    "out_at": [rfc3339(moment) for moment in row.out_at],
                    "draws_needed": _plain(row.draws_needed) if row.draws_needed else None,
                }
                for row in told.tiers
            ],
            "hours": [{"hour": row.hour, "win_rate": round(row.win_rate, 4)} for row in told.hours],
            "pools": [{"id": row.id, "times": row.times, "winners": _plain(row.winners), "quantity": row.quantity} for row in told.pools],
            "left_out": list(told.left_out),
        },
        "promises": [{"name": one.name, "kept": one.is_kept, "broken": list(one.broken)} for one in account.promises],
        "failed_jobs": dict(played.failed_jobs),
    }


def _plain(row: Range) -> list[float]:
    return [round(row.mean, 2), round(row.low, 2), round(row.high, 2)]
