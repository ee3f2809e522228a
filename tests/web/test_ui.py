"""What quizapp.web.ui prints, in tables of cases."""

import hashlib
import re
from datetime import UTC, date, datetime

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from quizapp.web import ui

NOW = datetime(2027, 3, 15, 1, 45, tzinfo=UTC)  # 09:45 in Shanghai


@pytest.fixture
def app() -> Flask:
    app = Flask("furniture", static_folder=str(ui.STATIC))
    app.add_url_rule("/lists/<slug>", "lists", lambda slug: slug)
    app.add_url_rule("/posts", "posts", lambda: "", methods=["POST"])
    ui.register(app, now=lambda: NOW)
    return app


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0"),
        (9999, "9,999"),
        (10_000, "1万"),
        (12_999, "1.2万"),
        (99_999_999, "9,999.9万"),
        (100_000_000, "1亿"),
        (139_999_999, "1.3亿"),
    ],
)
def test_wan_cuts_and_never_rounds_up(count: int, text: str) -> None:
    assert ui.wan(count) == text


@pytest.mark.parametrize(
    ("fen", "text"), [(200, "2.00"), (5, "0.05"), (0, "0.00"), (731600, "7,316.00"), (-1250, "-12.50"), (-5, "-0.05"), (None, "—")]
)
def test_yuan_always_has_two_decimals(fen: int | None, text: str) -> None:
    assert ui.yuan(fen) == text


@pytest.mark.parametrize(("value", "text"), [(0.6506, "65.1%"), (1, "100.0%"), (0, "0.0%"), (0.0005, "0.1%"), (None, "—")])
def test_percent_has_one_decimal(value: float | None, text: str) -> None:
    assert ui.percent(value) == text


def test_rate_over_zero_is_a_dash() -> None:
    assert ui.rate(1, 0) == "—"
    assert ui.rate(121_289, 186_420) == "65.1%"


@pytest.mark.parametrize(
    ("ppm", "words", "percent"),
    [
        (20_000, "百分之 2", "2%"),
        (200_000, "百分之 20", "20%"),
        (125_000, "百分之 12.5", "12.5%"),
        (1_000, "千分之 1", "0.1%"),
        (500, "万分之 5", "0.05%"),
        (10, "十万分之 1", "0.001%"),
        (1, "百万分之 1", "0.0001%"),
        (12_345, "百万分之 12345", "1.2345%"),
        (0, "百分之 0", "0%"),
        (1_000_000, "百分之 100", "100%"),
    ],
)
def test_odds_are_exact(ppm: int, words: str, percent: str) -> None:
    assert ui.odds_words(ppm) == words
    assert ui.odds_percent(ppm) == percent


@pytest.mark.parametrize("ppm", [-1, 1_000_001])
def test_odds_outside_a_million_are_refused(ppm: int) -> None:
    with pytest.raises(ValueError, match="share of a million"):
        ui.odds_words(ppm)


@pytest.mark.parametrize(
    ("name", "masked"), [("草原秀兰", "草***兰"), ("王小五", "王***五"), ("王五", "王***"), ("王", "王***"), ("  ", "***")]
)
def test_nickname_keeps_its_ends_only(name: str, masked: str) -> None:
    assert ui.mask_nickname(name) == masked


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2027, 3, 15, 1, 42, tzinfo=UTC), "今天 09:42"),
        (datetime(2027, 3, 14, 16, 0, tzinfo=UTC), "今天 00:00"),
        (datetime(2027, 3, 14, 15, 59, tzinfo=UTC), "3月14日 23:59"),
        (datetime(2026, 12, 31, 15, 59, tzinfo=UTC), "2026年12月31日 23:59"),
        (datetime(2026, 12, 31, 16, 0, tzinfo=UTC), "1月1日 00:00"),
    ],
)
def test_moments_are_written_on_the_shanghai_clock(moment: datetime, text: str) -> None:
    assert ui.shanghai_datetime(moment, NOW) == text


def test_a_window_that_closes_at_midnight_ends_at_24() -> None:
    assert ui.shanghai_datetime(datetime(2027, 3, 20, 16, tzinfo=UTC), NOW, end=True) == "3月20日 24:00"
    assert ui.shanghai_datetime(datetime(2027, 3, 15, 16, tzinfo=UTC), NOW, end=True) == "今天 24:00"
    assert ui.shanghai_datetime(datetime(2026, 12, 31, 16, tzinfo=UTC), NOW, end=True) == "2026年12月31日 24:00"
    assert ui.shanghai_datetime(datetime(2027, 3, 20, 10, tzinfo=UTC), NOW, end=True) == "3月20日 18:00"


def test_a_moment_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        ui.shanghai_datetime(datetime(2027, 3, 15, 9, 42), NOW)  # noqa: DTZ001 - the case under test


def test_dates_name_another_year() -> None:
    assert ui.shanghai_date(date(2027, 4, 1), date(2027, 3, 15)) == "4月1日"
    assert ui.shanghai_date(datetime(2026, 12, 31, 15, tzinfo=UTC), date(2027, 3, 15)) == "2026年12月31日"


@pytest.mark.parametrize(("seconds", "text"), [(206, "3 分 26 秒"), (60, "1 分"), (9, "9 秒"), (0, "0 秒"), (3600, "1 小时"), (-4, "0 秒")])
def test_duration(seconds: int, text: str) -> None:
    assert ui.duration(seconds) == text


def test_countdown_text() -> None:
    assert ui.clock(252) == "04:12"
    assert ui.clock(-1) == "00:00"
    assert ui.seconds_between(NOW, datetime(2027, 3, 15, 1, 44, tzinfo=UTC)) == 0


def test_article_numbers_stay_in_one_piece_and_text_is_escaped() -> None:
    assert ui.cite("《民法典》第九条") == Markup('《民法典》<span class="nb">第九条</span>')
    assert ui.cite("<b>第一百四十八条第二款") == Markup('&lt;b&gt;<span class="nb">第一百四十八条第二款</span>')
    assert "第一百三十三条之一</span>" in ui.cite("刑法第一百三十三条之一")


def test_icon_carries_its_own_drawing() -> None:
    drawn = ui.icon("check", 'opt-mark"')
    assert drawn.startswith('<svg class="i opt-mark&#34;" viewBox="0 0 24 24" aria-hidden="true"')
    assert "<path" in drawn
    with pytest.raises(KeyError):
        ui.icon("no-such")


def test_asset_carries_the_fingerprint_of_the_file(app: Flask) -> None:
    with app.app_context():
        digest = hashlib.sha256((ui.STATIC / "css/base.css").read_bytes()).hexdigest()[:10]
        assert ui.asset("css/base.css") == f"/static/css/base.css?v={digest}"
        with pytest.raises(FileNotFoundError):
            ui.asset("css/missing.css")


def test_page_address_keeps_the_filter(app: Flask) -> None:
    with app.test_request_context("/lists/a?q=草原&q=b&page=2"):
        assert ui.page_url(3) == "/lists/a?q=%E8%8D%89%E5%8E%9F&q=b&page=3"


def test_page_address_survives_a_filter_named_like_a_url_option(app: Flask) -> None:
    with app.test_request_context("/lists/a?_external=1&slug=b"):
        assert ui.page_url(3).startswith("/lists/a?")


def test_here_offers_only_what_can_be_got_again(app: Flask) -> None:
    with app.test_request_context("/lists/a?q=1"):
        assert ui.here() == "/lists/a?q=1"
    with app.test_request_context("/posts", method="POST"):
        assert ui.here() == "/"
    with app.test_request_context("/nowhere"):
        assert ui.here() == "/"


def test_links_to_missing_features_are_empty(app: Flask) -> None:
    with app.test_request_context("/"):
        assert ui.url_if("lists", slug="a") == "/lists/a"
        assert ui.url_if("study.today") == ""


@pytest.mark.parametrize(
    ("page", "pages", "numbers"),
    [(1, 1, [1]), (1, 2, [1, 2]), (5, 93, [1, None, 4, 5, 6, None, 93]), (1, 9, [1, 2, None, 9]), (3, 4, [1, 2, 3, 4])],
)
def test_page_numbers(page: int, pages: int, numbers: list[int | None]) -> None:
    assert ui.page_numbers(page, pages) == numbers


def test_charts_escape_labels() -> None:
    line = ui.line_chart([("<i>", "s1area", [1, 2])], ["<b>", "2"], alt='"x"')
    column = ui.column_chart([1, 20_000], ["<b>", "2"], alt='"x"')
    for chart in (line, column):
        assert "<b>" not in chart
        assert "<i>" not in chart
        assert 'aria-label="&#34;x&#34;"' in chart
        assert "style=" not in chart
    assert "2万" in column


@pytest.mark.parametrize("values", [[], [0], [0, 0], [5], [1, 3]])
def test_charts_take_any_number_of_days(values: list[int]) -> None:
    labels = [str(index) for index in range(len(values))]
    assert ui.line_chart([("人次", "s1area", values)], labels, alt="x").endswith("</svg>")
    assert ui.column_chart(values, labels, alt="x").endswith("</svg>")


def _axis(values: list[int]) -> list[str]:
    chart = ui.line_chart([("人次", "s1area", values)], [""] * len(values), alt="x")
    return re.findall(r'text-anchor="end">([^<]+)<', chart)


@pytest.mark.parametrize(
    ("highest", "axis"),
    [
        (0, ["0", "1", "2", "3", "4"]),
        (1, ["0", "1", "2", "3", "4"]),
        (5, ["0", "2", "4", "6", "8"]),
        (9, ["0", "3", "6", "9", "12"]),
        (100, ["0", "25", "50", "75", "100"]),
        (210, ["0", "60", "120", "180", "240"]),
        (1001, ["0", "300", "600", "900", "1,200"]),
        (23_000, ["0", "6,000", "1.2万", "1.8万", "2.4万"]),
        (100_000, ["0", "2.5万", "5万", "7.5万", "10万"]),
    ],
)
def test_counts_have_whole_numbers_at_the_axis(highest: int, axis: list[str]) -> None:
    assert _axis([0, highest]) == axis


@given(st.integers(0, 10**9))
def test_the_highest_value_fits_under_the_top_line_and_fills_half(highest: int) -> None:
    chart = ui.line_chart([("人次", "s1area", [highest])], ["x"], alt="x")
    points = re.search(r'<polyline class="s1area" points="[\d.]+,([\d.]+)"', chart)
    assert points is not None
    top, bottom = 14, 220 - 28
    assert top <= float(points[1]) <= bottom
    assert highest < 4 or float(points[1]) <= (top + bottom) / 2 + 1


def test_filters_use_the_given_clock(app: Flask) -> None:
    with app.app_context():
        template = app.jinja_env.from_string("{{ m|shanghai_datetime }} {{ n|shanghai_datetime }} {{ m|shanghai_date }}")
        assert template.render(m=NOW, n=None) == "今天 09:45 — 3月15日"
