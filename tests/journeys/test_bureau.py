"""The bureau's path at a desk: a campaign in five steps, the second person's approval, the winner's list, a report as a file."""

import datetime as dt
import re
from pathlib import Path

import openpyxl
import pytest
from playwright.sync_api import Page, expect

from quizapp.core.clock import SHANGHAI, utc_now
from quizapp.reporting.jobs import build_pending_reports
from tests.journeys.conftest import Site
from tests.journeys.steps import answer_paper, play_and_register, sign_in_staff

pytestmark = pytest.mark.journey

COST = "600.00"
"""Yuan: a hundred draws, 60 in a hundred win a bag of 8 yuan in hand, the host bears a fifth of the gross as tax."""
CAP = "10,000.00"
"""Yuan: all thousand bags handed out, taxed the same way; points cost nothing."""


def switch(page: Page, role: str) -> None:
    """Somebody else sits down at the desk."""
    page.context.clear_cookies()
    sign_in_staff(page, role)


def next_step(page: Page, step: int) -> None:
    """Save and go on; the editor stays where it is if something is wrong."""
    page.get_by_role("button", name="下一步").click()
    page.wait_for_url(re.compile(rf"/edit/{step}(#|$)"))


def fill_prize(page: Page, number: int, *, tier: str, name: str, kind: str, odds: str, value: str = "", points: str = "") -> None:
    page.get_by_role("button", name="加奖品").click()
    prefix = f"draw.prizes[{number}]"
    page.fill(f"[name='{prefix}.name']", name)
    page.fill(f"[name='{prefix}.tier']", tier)
    page.select_option(f"[name='{prefix}.kind']", kind)
    page.fill(f"[name='{prefix}.value_fen']", value)
    page.fill(f"[name='{prefix}.points']", points)
    page.fill(f"[name='{prefix}.quantity']", "1000")
    page.fill(f"[name='{prefix}.odds_ppm']", odds)


def make_campaign(page: Page, slug: str, title: str) -> str:
    """Steps 1 to 4 of the editor, as the campaign manager; ends on the checklist. Returns its address."""
    switch(page, "campaign_manager")
    page.goto("/admin/campaigns/new")
    page.locator("label.pick", has=page.locator("input[name=theme][value=tax]")).click()
    page.fill("[name=title]", title)
    page.fill("[name=slug]", slug)
    page.fill("[name=summary]", "弄懂能享受的税收优惠。")
    if page.locator("[name=host]").input_value() == "":
        page.select_option("[name=host]", index=1)
    next_step(page, 2)
    here = utc_now().astimezone(SHANGHAI)
    page.fill("[name=opens_at]", f"{here - dt.timedelta(minutes=2):%Y-%m-%dT%H:%M}")
    page.fill("[name=closes_at]", f"{here + dt.timedelta(days=7):%Y-%m-%dT%H:%M}")
    next_step(page, 3)
    page.select_option("[name='paper.parts[1].banks']", "tax-benefits")
    next_step(page, 4)
    page.locator("label.pick", has=page.locator("input[name=draw_mode][value=instant]")).click()
    fill_prize(page, 1, tier="一等奖", name="普法帆布袋", kind="pickup", odds="60", value="8")
    fill_prize(page, 2, tier="鼓励奖", name="20 积分", kind="points", odds="40", points="20")
    page.fill("[name='plan.expected_draws']", "100")
    page.fill("[name='plan.budget_fen']", "20000")
    expect(page.locator("[data-sim-out=total]")).to_have_text(COST)
    expect(page.locator("[data-sim-out=cap]")).to_contain_text(CAP)
    expect(page.locator("[data-sim-out=psum]")).to_have_text(re.compile(r"^100(\.0)?%$"))
    next_step(page, 5)
    return page.url.partition("#")[0]


def submit(page: Page) -> None:
    page.get_by_role("button", name="提交审批").click()
    expect(page.get_by_text("已提交，等审批人批准。")).to_be_visible()


def publish(page: Page, address: str) -> None:
    """The approver reads the checklist and says yes twice."""
    switch(page, "approver")
    page.goto(address)
    page.get_by_role("button", name="批准并发布").first.click()
    page.locator("#publish button[type=submit]").click()
    expect(page.get_by_text("已批准并封存发布。")).to_be_visible()


def test_a_campaign_is_made_approved_and_played(desk: Page, phone: Page, site: Site) -> None:
    address = make_campaign(desk, "bureau-tax", "税惠到家知识竞答")
    review = desk.locator("main")
    expect(review).to_contain_text(f"¥{COST}")
    expect(review).to_contain_text(f"¥{CAP}")
    odds = desk.locator("section", has=desk.get_by_role("heading", name="花费和机会")).locator("tbody tr")
    expect(odds.nth(0)).to_contain_text("60%")
    expect(odds.nth(1)).to_contain_text("40%")
    expect(desk.frame_locator("iframe").locator("body")).to_contain_text("税惠到家知识竞答")
    answer = phone.goto("/campaigns/bureau-tax")
    assert answer is not None
    assert answer.status == 404
    submit(desk)
    publish(desk, address)
    expect(review).to_contain_text("进行中")
    answer_paper(phone, site, knows=True, slug="bureau-tax")
    expect(phone.locator("input[name=phone]")).to_be_visible()


def test_a_manager_cannot_approve_the_own_campaign(desk: Page) -> None:
    address = make_campaign(desk, "bureau-own", "自己不能批自己")
    submit(desk)
    expect(desk.get_by_role("button", name="等审批人批准").or_(desk.get_by_role("button", name="撤回修改")).first).to_be_visible()
    assert desk.get_by_role("button", name="批准并发布").count() == 0
    token = desk.locator("input[name=csrf_token]").first.input_value()
    version = desk.locator("input[name=version]").first.input_value()
    answer = desk.request.post(
        re.sub(r"/edit/5$", "/publication", address),
        form={"csrf_token": token, "version": version},
        headers={"Referer": address},
        max_redirects=0,
    )
    assert answer.status == 403
    answer = desk.request.get("/campaigns/bureau-own")
    assert answer.status == 404
    desk.goto(address)
    expect(desk.locator("main")).to_contain_text("待审批")


def test_the_win_reaches_the_payouts_and_the_attempt_the_report(desk: Page, phone: Page, site: Site, tmp_path: Path) -> None:
    address = make_campaign(desk, "bureau-report", "一次中奖一份报表")
    submit(desk)
    publish(desk, address)
    play_and_register(phone, site, "13700000501", slug="bureau-report")
    phone.get_by_role("link", name="去拆红包").click()
    phone.locator("form[data-packet] button").first.click(force=True)
    expect(phone.locator("main")).to_contain_text("恭喜您，抽中")
    phone.goto("/me/prizes")
    prize = phone.locator("li.prize h2").inner_text()

    switch(desk, "finance")
    desk.goto("/admin/payouts")
    desk.select_option("select[name=campaign]", label="一次中奖一份报表")
    desk.get_by_role("button", name="筛选").click()
    row = desk.locator("tbody tr")
    expect(row).to_have_count(1)
    expect(row).to_contain_text(prize)
    expect(row).to_contain_text("137****0501")
    row.get_by_role("link", name="查看").click()
    expect(desk.locator("main")).to_contain_text("抽中")

    desk.goto("/admin/reports")
    desk.select_option("select[name=campaign]", "bureau-report")
    desk.get_by_role("button", name="筛选").click()
    kpi = desk.locator("section.kpi")
    expect(kpi.filter(has_text="有效人次").first).to_contain_text("1次")
    expect(desk.locator("table.tbl-f").first.locator("tbody tr", has_text="社区居民").locator("td").nth(1)).to_have_text("1")
    export(desk, site, tmp_path / "report.xlsx")
    lines = [[str(cell) for cell in row if cell is not None] for row in openpyxl.load_workbook(tmp_path / "report.xlsx").active.values]
    assert any(cell.startswith("口径") for line in lines for cell in line)
    head = next(line for line in lines if "有效人次" in line)
    total = dict(zip(head, next(line for line in lines if line[:1] == ["合计"]), strict=False))
    assert total["有效人次"] == "1"
    assert total["人数"] == "1"


def export(page: Page, site: Site, path: Path) -> None:
    """Ask for the shown table, let the worker's job build it, and save it."""
    page.get_by_role("button", name=re.compile("导出 xlsx")).click()
    page.wait_for_url(re.compile(r"/admin/reports/[0-9a-f-]{36}$"))
    expect(page.locator("main")).to_contain_text("正在整理文件")
    with site.app.app_context():
        assert build_pending_reports() == 1
    with page.expect_download() as waited:
        page.get_by_role("link", name="下载").click()
    waited.value.save_as(path)
