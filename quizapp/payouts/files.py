"""A cash list as a file for the finance desk."""

import datetime as dt
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from quizapp.accounts import queries as accounts
from quizapp.core.clock import SHANGHAI
from quizapp.core.errors import NotFound
from quizapp.core.money import yuan
from quizapp.core.spreadsheets import Cell, Column, Table, write_csv, write_xlsx
from quizapp.payouts import queries, rules
from quizapp.payouts.models import CashList, Payout

FORMATS = {"xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "csv": "text/csv"}
COLUMNS = (
    Column("序号", "count", 8),
    Column("抽奖号", "text", 18),
    Column("奖品", "text", 20),
    Column("到手（元）", "text", 12),
    Column("手机号", "text", 16),
    Column("申请领取时间", "text", 20),
    Column("状态", "text", 12),
    Column("发放回执", "text", 20),
)


def _phone(payout: Payout, has_whole_phones: bool) -> str:
    vault = queries.vault()
    if not has_whole_phones:
        return accounts.find_masked_phone(vault, payout.citizen_id) or ""
    try:
        return accounts.get_phone(vault, payout.citizen_id)
    except NotFound:
        return ""


def _rows(payouts: Sequence[Payout], has_whole_phones: bool) -> Iterator[Sequence[Cell]]:
    for number, payout in enumerate(payouts, 1):
        claimed = payout.claimed_at.astimezone(SHANGHAI) if payout.claimed_at else None
        yield (
            number,
            payout.reference,
            payout.title,
            yuan(payout.amount_fen),
            _phone(payout, has_whole_phones),
            f"{claimed:%Y-%m-%d %H:%M}" if claimed else "",
            rules.state_title(payout.state, payout.kind),
            "",
        )


def cash_file(
    cash_list: CashList,
    facts: queries.CampaignFacts,
    payouts: Sequence[Payout],
    *,
    format: str,
    has_whole_phones: bool,
    now: dt.datetime,
) -> bytes:
    """The list as xlsx or csv, with what it is on top. No names: none are asked for."""
    local = now.astimezone(SHANGHAI)
    table = Table(
        title=f"现金发放名单 {cash_list.number}",
        facts=(
            ("活动", facts.title),
            ("主办单位", facts.host_name),
            ("口径", "已申请领取、未在其他名单上的现金奖品，金额为到手金额"),
            ("合计", f"{cash_list.payout_count} 笔，{yuan(cash_list.total_fen)} 元"),
            ("手机号", "完整，仅供发放，用后销毁" if has_whole_phones else "打码"),
            ("数据时间", f"{local:%Y-%m-%d %H:%M}"),
            ("排除", "没有排除"),
        ),
        columns=COLUMNS,
        rows=_rows(payouts, has_whole_phones),
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"list.{format}"
        (write_xlsx if format == "xlsx" else write_csv)(path, table)
        return path.read_bytes()
