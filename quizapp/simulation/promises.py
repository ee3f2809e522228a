"""What must hold whatever the dice do: stock, caps, quotas, tries, the public ledger, balances. Read from the rows alone."""

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from quizapp.attempts.models import Attempt
from quizapp.campaigns.rules import CampaignView
from quizapp.core.clock import SHANGHAI
from quizapp.core.db import db
from quizapp.ledger.models import LedgerAccount, LedgerEntry
from quizapp.lottery import pool_proof, proof
from quizapp.lottery.export import ledger_lines
from quizapp.lottery.models import Draw, DrawTicket, Prize, Win
from quizapp.lottery.pool_models import PoolDrawRun, PoolWin
from quizapp.lottery.pooldraw.export import file_lines
from quizapp.lottery.pooldraw.queries import list_public
from quizapp.lottery.queries import get_pool


@dataclass(frozen=True)
class Promise:
    """``broken`` names what does not hold; empty when all is well."""

    name: str
    title: str
    broken: tuple[str, ...]

    @property
    def is_kept(self) -> bool:
        return not self.broken


def check_promises(campaign: CampaignView) -> list[Promise]:
    """Every promise that this campaign's terms give something to check."""
    found = [
        Promise("tries", "答题次数不超过规则", tuple(_tries(campaign))),
        Promise("balances", "积分余额等于流水之和", tuple(_balances())),
    ]
    if campaign.terms.draw is not None:
        rows = _wins(campaign)
        found += [
            Promise("stock", "中奖不超过奖品数量", tuple(_stock(campaign, rows))),
            Promise("caps", "每人中奖不超过上限", tuple(_caps(campaign, rows))),
            Promise("quotas", "每天、每小时不超过名额", tuple(_quotas(campaign, rows))),
            Promise("tickets", "每个机会只抽一次", tuple(_tickets(campaign))),
            Promise("ledger", "公开账本可以重算", tuple(_ledger(campaign))),
        ]
    if campaign.terms.draws:
        found += [
            Promise("pools", "摇号中奖不超过公布的数量，没有重复", tuple(_pools(campaign))),
            Promise("pool_files", "摇号可以重算", tuple(_pool_files(campaign))),
        ]
    return found


def _pools(campaign: CampaignView) -> Iterator[str]:
    for draw in campaign.terms.draws:
        runs = db.session.scalars(sa.select(PoolDrawRun).filter_by(campaign_id=campaign.id, draw_code=draw.id)).all()
        for run in runs:
            wins = db.session.scalars(sa.select(PoolWin).filter_by(pool_draw_id=run.id, substitute_of=None)).all()
            for place, tier in enumerate(draw.tiers):
                count = sum(win.tier == place for win in wins)
                most = tier.quantity if tier.ratio_ppm is None else -(-run.entry_count * tier.ratio_ppm // 1_000_000)
                if count > most:
                    yield f"{draw.title} {run.scope} {tier.name}：{count} > {most}"
            if draw.one_win and len({win.citizen_id for win in wins}) < len(wins):
                yield f"{draw.title} {run.scope}：有人中了两次"
            if run.scope is not None and run.state != "drawn" and run.entry_count:
                yield f"{draw.title} {run.scope}：没有摇出来（{run.state}）"


def _pool_files(campaign: CampaignView) -> Iterator[str]:
    for found in list_public(campaign.slug):
        if found.run.state != "drawn":
            continue
        try:
            pool_proof.verify(line.encode() for line in file_lines(found))
        except pool_proof.BadPoolDraw as error:
            yield f"{found.run.title} {found.run.scope}：{error}"


@dataclass(frozen=True)
class WinRow:
    """A win of the instant draw."""

    citizen: Any
    prize: str
    position: int
    amount_fen: int
    at: dt.datetime

    @property
    def hour(self) -> str:
        return f"{self.at.astimezone(SHANGHAI):%Y-%m-%d %H}"

    @property
    def day(self) -> str:
        return self.hour[:10]


def _wins(campaign: CampaignView) -> list[WinRow]:
    statement = (
        sa.select(Win.citizen_id, Prize.name, Prize.position, sa.func.coalesce(Draw.amount_fen, Prize.value_fen), Win.won_at)
        .join(Draw, Draw.id == Win.draw_id)
        .join(Prize, Prize.id == Win.prize_id)
        .where(Win.campaign_id == campaign.id)
        .order_by(Draw.serial)
    )
    return [WinRow(*row) for row in db.session.execute(statement)]


def list_wins(campaign: CampaignView) -> list[WinRow]:
    """The instant draw's wins in the order of their serials; none without a draw."""
    return _wins(campaign) if campaign.terms.draw is not None else []


def _stock(campaign: CampaignView, rows: list[WinRow]) -> Iterator[str]:
    counts = Counter(row.position for row in rows)
    spent = Counter[int]()
    for row in rows:
        spent[row.position] += row.amount_fen
    assert campaign.terms.draw is not None  # noqa: S101 - asked before
    for position, prize in enumerate(campaign.terms.draw.prizes):
        if counts[position] > prize.quantity:
            yield f"{prize.name}：{counts[position]} > {prize.quantity}"
        if prize.max_fen and prize.budget_fen is not None and spent[position] > prize.budget_fen:
            yield f"{prize.name}：{spent[position]} > {prize.budget_fen}"


def _caps(campaign: CampaignView, rows: list[WinRow]) -> Iterator[str]:
    """The fallback prize counts for no cap."""
    draw = campaign.terms.draw
    assert draw is not None  # noqa: S101 - asked before
    counted = [row for row in rows if not draw.fallback or row.prize != draw.fallback]
    for cap, counts in (
        (draw.wins_total, Counter(row.citizen for row in counted)),
        (draw.wins_per_day, Counter((row.citizen, row.day) for row in counted)),
    ):
        if cap is not None:
            yield from (f"{who}：{count} > {cap}" for who, count in counts.items() if count > cap)


def _quotas(campaign: CampaignView, rows: list[WinRow]) -> Iterator[str]:
    draw = campaign.terms.draw
    assert draw is not None  # noqa: S101 - asked before
    for position, prize in enumerate(draw.prizes):
        own = [row for row in rows if row.position == position]
        for cap, counts in ((prize.per_day, Counter(row.day for row in own)), (prize.per_hour, Counter(row.hour for row in own))):
            if cap is not None:
                yield from (f"{prize.name} {when}：{count} > {cap}" for when, count in counts.items() if count > cap)


def _tickets(campaign: CampaignView) -> Iterator[str]:
    twice = sa.select(Draw.ticket_id).filter_by(campaign_id=campaign.id).group_by(Draw.ticket_id).having(sa.func.count() > 1)
    yield from (f"{ticket}" for ticket in db.session.scalars(twice))
    waiting = sa.select(sa.func.count()).select_from(DrawTicket).filter_by(campaign_id=campaign.id, state="granted")
    if left := db.session.scalar(waiting):
        yield f"还有 {left} 个机会没有了结"


def _tries(campaign: CampaignView) -> Iterator[str]:
    """Tries a day and in all, where nothing adds further ones."""
    for quiz in campaign.terms.quizzes:
        tries = quiz.tries
        if (
            tries.extra
            or tries.per_channel
            or not tries.counts_abandoned
            or any(gift.kind == "tries" for award in campaign.terms.awards for band in award.bands for gift in band.gifts)
        ):
            continue
        own = sa.select(Attempt.citizen_id, sa.func.count()).filter_by(campaign_id=campaign.id, quiz_id=quiz.id)
        for cap, grouped in (
            (tries.total, own.group_by(Attempt.citizen_id)),
            (tries.per_day, own.group_by(Attempt.citizen_id, Attempt.started_on)),
        ):
            if cap is not None:
                over = db.session.execute(grouped.having(sa.func.count() > cap)).all()
                yield from (f"{citizen}：{count} > {cap}" for citizen, count in over)


def _ledger(campaign: CampaignView) -> Iterator[str]:
    try:
        proof.verify(line.encode() for line in ledger_lines(get_pool(campaign.slug)))
    except proof.BadLedger as error:
        yield str(error)


def _balances() -> Iterator[str]:
    credit, debit = _sums(LedgerEntry.credit_account_id), _sums(LedgerEntry.debit_account_id)
    for account in db.session.scalars(sa.select(LedgerAccount).filter_by(is_bounded=True)):
        total = credit.get(account.id, 0) - debit.get(account.id, 0)
        if account.balance != total or total < 0:
            yield f"{account.owner_type} {account.owner_id}：{account.balance} ≠ {total}"


def _sums(side: Any) -> dict[Any, int]:
    rows = db.session.execute(sa.select(side, sa.func.sum(LedgerEntry.amount)).group_by(side))
    return {account: int(amount) for account, amount in rows}
