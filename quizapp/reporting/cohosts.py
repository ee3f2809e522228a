"""What a co-host sees of its campaign, and the result sheet it takes away for its 普法责任制 file. Every figure is the report's."""

import datetime as dt
import tempfile
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
import xlsxwriter

from quizapp.accounts.models import Organisation
from quizapp.accounts.queries import is_below
from quizapp.campaigns.models import Campaign, CampaignHost, CampaignTermsVersion
from quizapp.campaigns.terms import Terms, from_dict
from quizapp.core import pdf
from quizapp.core.clock import SHANGHAI
from quizapp.core.db import db
from quizapp.core.errors import NotFound
from quizapp.core.money import yuan
from quizapp.core.spreadsheets import safe_text
from quizapp.payouts import queries as payouts
from quizapp.questions.models import QuestionBank
from quizapp.reporting import exports, queries, rules
from quizapp.reporting.queries import ParticipationTable


@dataclass(frozen=True)
class CoHosted:
    """A campaign that a unit of the reader co-hosts."""

    campaign: Campaign
    unit: Organisation
    host: CampaignHost


@dataclass(frozen=True)
class Overview:
    """One campaign as its co-host sees it. ``by_group`` has its small groups hidden, as in public tables."""

    hosted: CoHosted
    host_name: str
    terms: Terms | None
    bank_titles: tuple[str, ...]
    by_group: ParticipationTable
    account: payouts.Account
    items: tuple[payouts.ItemCount, ...]
    now: dt.datetime


def list_cohosted(paths: Sequence[str]) -> list[CoHosted]:
    """Campaigns co-hosted by units of these subtrees that are out, the latest first."""
    statement = (
        sa.select(Campaign, Organisation, CampaignHost)
        .join(CampaignHost, CampaignHost.campaign_id == Campaign.id)
        .join(Organisation, Organisation.id == CampaignHost.organisation_id)
        .where(sa.or_(sa.false(), *map(is_below, paths)))
        .order_by(Campaign.opens_at.desc(), Campaign.id, Organisation.name)
    )
    return [CoHosted(*row) for row in db.session.execute(statement)]


def get_overview(slug: str, organisation_id: uuid.UUID, paths: Sequence[str], now: dt.datetime) -> Overview:
    """:raises NotFound: for a campaign that no unit of these subtrees co-hosts"""
    found = [each for each in list_cohosted(paths) if each.campaign.slug == slug and each.unit.id == organisation_id]
    if not found:
        raise NotFound
    [hosted] = found
    campaign = hosted.campaign
    version = db.session.get(CampaignTermsVersion, campaign.terms_id) if campaign.terms_id else None
    terms = from_dict(version.body) if version is not None else None
    table = queries.participation(campaigns=(campaign.slug,), by=("demographic_group",), scope_paths=(hosted.unit.path,), now=now)
    host_path = db.session.scalar(sa.select(Organisation.path).where(Organisation.id == campaign.host_organisation_id)) or "/"
    return Overview(
        hosted=hosted,
        host_name=db.session.scalar(sa.select(Organisation.name).where(Organisation.id == campaign.host_organisation_id)) or "",
        terms=terms,
        bank_titles=_bank_titles(terms),
        by_group=exports.public_version(table),
        account=payouts.get_account(campaign.id, organisation_id),
        items=tuple(payouts.list_items((host_path,), campaign_id=campaign.id)),
        now=now,
    )


def _bank_titles(terms: Terms | None) -> tuple[str, ...]:
    slugs = {slug for quiz in (terms.quizzes if terms else ()) for part in quiz.paper.parts for slug in part.banks}
    return tuple(db.session.scalars(sa.select(QuestionBank.title).where(QuestionBank.slug.in_(slugs)).order_by(QuestionBank.title)))


# ---- the sheet


def _moment(moment: dt.datetime | None) -> str:
    return f"{moment.astimezone(SHANGHAI):%Y-%m-%d %H:%M}" if moment else "—"


def _shown(value: object) -> str:
    if value is None:
        return "—"
    return f"{value:.2%}" if isinstance(value, float) else str(value)


def _figure(row: rules.Row, name: str) -> str:
    if row.figures is None:
        return rules.MASKED
    if not row.figures.has_results and name in rules.RESULT_NAMES:
        return rules.WITHHELD
    return _shown(row.figures.to_dict()[name])


SHEET_FIGURES = ("attempt_count", "valid_attempt_count", "participant_count", "passed_count", "pass_rate", "person_pass_rate")


def sheet_facts(view: Overview) -> list[tuple[str, str]]:
    """What stands on top: period, questions, totals, money, and how it was counted."""
    campaign, total, sums = view.hosted.campaign, view.by_group.total, view.account.sums
    quizzes = view.terms.quizzes if view.terms else ()
    counts = "、".join(f"{quiz.title or '每份'} {quiz.question_count} 题" for quiz in quizzes)
    return [
        ("活动", campaign.title),
        ("主办", view.host_name),
        ("协办", view.hosted.unit.name),
        ("时间", f"{_moment(campaign.opens_at)} 至 {_moment(campaign.closes_at)}"),
        ("题目", f"{counts or '—'}；题库：{'、'.join(view.bank_titles) or '—'}；签字确认：{_moment(view.hosted.host.signed_off_at)}"),
        *((rules.FIGURE_NAMES[name], _figure(total, name)) for name in SHEET_FIGURES),
        (
            "本单位出资",
            f"净存入 {yuan(sums.brought)} 元，已发放 {yuan(sums.spent)} 元，已中待发 {yuan(sums.reserved)} 元，结余 {yuan(sums.free)} 元",
        ),
        *exports.facts(view.by_group),
    ]


def group_rows(view: Overview) -> list[list[str]]:
    """Participation by group, small groups hidden; the last line is the total."""
    rows = [["、".join(row.labels), *(_figure(row, name) for name in SHEET_FIGURES)] for row in view.by_group.rows]
    return [*rows, ["合计", *(_figure(view.by_group.total, name) for name in SHEET_FIGURES)]]


def prize_rows(view: Overview) -> list[list[str]]:
    return [[each.item.tier, each.item.title, str(each.item.quantity), str(each.opened_count), str(each.done_count)] for each in view.items]


def _tables(view: Overview) -> list[dict[str, object]]:
    groups = ["人群", *(rules.FIGURE_NAMES[name] for name in SHEET_FIGURES)]
    prizes = ["奖级", "奖品", "总数", "中奖", "已领到"]
    return [
        {"title": "分人群参与情况", "columns": groups, "right": [place > 0 for place in range(len(groups))], "rows": group_rows(view)},
        {"title": "奖品", "columns": prizes, "right": [False, False, True, True, True], "rows": prize_rows(view)},
    ]


def _title(view: Overview) -> str:
    return f"普法责任制成果表（{view.hosted.unit.name}）"


def as_pdf(view: Overview) -> bytes:
    """:raises NoChineseFont: where none is installed"""
    return pdf.write_sheet(_title(view), sheet_facts(view), _tables(view), view.hosted.campaign.title)


def as_xlsx(view: Overview) -> bytes:
    """The same sheet for Excel: texts stay texts, whatever they look like."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sheet.xlsx"
        book = xlsxwriter.Workbook(str(path), {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False})
        sheet, bold = book.add_worksheet("成果表"), book.add_format({"bold": True})
        sheet.set_column(0, 0, 18)
        sheet.set_column(1, 8, 16)
        lines: list[tuple[list[str], bool]] = [([_title(view)], True), *(([word, text], False) for word, text in sheet_facts(view))]
        for table in _tables(view):
            lines += [([], False), ([str(table["title"])], True), (list(table["columns"]), True)]  # type: ignore[call-overload]
            lines += [(list(row), False) for row in table["rows"]]  # type: ignore[attr-defined]
        for number, (cells, is_head) in enumerate(lines):
            for place, cell in enumerate(cells):
                sheet.write_string(number, place, safe_text(cell), bold if is_head else None)
        book.close()
        return path.read_bytes()
