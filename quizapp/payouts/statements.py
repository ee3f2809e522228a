"""A unit's settlement statement as a file: what came in, what was spent on which prize, and that it adds up."""

import datetime as dt
import tempfile
from pathlib import Path

from quizapp.core import pdf
from quizapp.core.clock import SHANGHAI
from quizapp.core.money import yuan
from quizapp.core.spreadsheets import Cell, Column, Table, write_xlsx
from quizapp.payouts import queries

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_COLUMNS = (
    Column("类别", "text", 12),
    Column("时间", "text", 18),
    Column("内容", "text", 30),
    Column("份数", "count", 10),
    Column("金额（元）", "text", 14),
    Column("凭证号或说明", "text", 26),
)
_TITLES = {"deposit": "存入", "withdrawal": "退回单位"}


def _when(moment: dt.datetime) -> str:
    return f"{moment.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"


def _facts(facts: queries.CampaignFacts, account: queries.Account, now: dt.datetime) -> list[tuple[str, str]]:
    sums = account.sums
    return [
        ("活动", facts.title),
        ("出资单位", account.party.name),
        ("主办单位", facts.host_name),
        ("净存入", f"{yuan(sums.brought)} 元"),
        ("已发放", f"{yuan(sums.spent)} 元"),
        ("已中待发", f"{yuan(sums.reserved)} 元"),
        ("结余可用", f"{yuan(sums.free)} 元" + ("，不够，请补足" if sums.is_short else "")),
        (
            "核对",
            f"净存入 {yuan(sums.brought)} ＝ 已发放 {yuan(sums.spent)} ＋ 已中待发 {yuan(sums.reserved)} ＋ 结余可用 {yuan(sums.free)}",
        ),
        ("口径", "中奖即占用，交到本人手里算发放，没人领的退回可用；金额为到手金额或奖品价值，不含代缴税款"),
        ("数据时间", _when(now)),
        ("排除", "没有排除"),
    ]


def _rows(account: queries.Account) -> list[tuple[Cell, ...]]:
    rows: list[tuple[Cell, ...]] = [
        ("资金", _when(move.created_at), _TITLES[move.kind], None, yuan(move.amount_fen), f"{move.document} {move.note}".strip())
        for move in account.moves
        if move.state == "posted"
    ]
    for item in account.items:
        for title, count, fen in (
            ("已发放", item.done_count, item.done_fen),
            ("已中待发", item.open_count, item.open_fen),
            ("没人领已退回", item.lost_count, item.lost_fen),
        ):
            if count:
                rows.append(("奖品", "", f"{item.title}，{title}", count, yuan(fen), item.tier))
    return rows


def as_xlsx(facts: queries.CampaignFacts, account: queries.Account, now: dt.datetime) -> bytes:
    table = Table(f"结算单 {account.party.name}", _facts(facts, account, now), _COLUMNS, _rows(account))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "statement.xlsx"
        write_xlsx(path, table)
        return path.read_bytes()


def as_pdf(facts: queries.CampaignFacts, account: queries.Account, now: dt.datetime) -> bytes:
    """:raises NoChineseFont: where none is installed"""
    table = {
        "title": "明细",
        "columns": [column.title for column in _COLUMNS],
        "right": [column.title in ("份数", "金额（元）") for column in _COLUMNS],
        "rows": [["" if cell is None else str(cell) for cell in row] for row in _rows(account)],
    }
    return pdf.write_sheet(f"结算单（{account.party.name}）", _facts(facts, account, now), [table], facts.title)
