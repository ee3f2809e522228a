"""What templates need from Python: icons, charts, versioned static files, numbers and dates in the house form.

Nothing here reads the database or the configuration, so every function can be tried in a plain test. ``register`` puts
all of it on the Jinja environment; pages reach it as globals (``icon``, ``asset``) and filters (``wan``, ``yuan``).
"""

import hashlib
import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from flask import Flask, current_app, request, url_for
from markupsafe import Markup, escape

HERE = Path(__file__).parent
STATIC = HERE / "static"
SHANGHAI = ZoneInfo("Asia/Shanghai")
NOTHING = "—"  # what an empty cell says
PPM = 1_000_000

# One tone per word, everywhere (design/mock/README.md "Components"). A badge whose word is not here is ink blue.
_TONES = {
    "red": ("待领取",),
    "gold": (
        "发放中",
        "核查中",
        "等第二人",
        "待微信确认",
        "待自取",
        "待审批",
        "待复核",
        "待答复",
        "即将开始",
        "多选",
        "不定项",
        "名单已冻结",
        "现场数已录入",
    ),
    "grass": ("已到账", "进行中", "在用", "已答复", "正常", "成功", "通过", "判断", "已摇出"),
    "miss": ("已退回", "状态未知", "法定学法考试", "未成功", "待处理"),
    "grey": ("已过期", "草稿", "自愿竞答", "已结束", "停用", "已锁定"),
}
BADGE_TONES = {word: tone for tone, words in _TONES.items() for word in words}


# ---- icons and static files


@cache
def _icons() -> dict[str, str]:
    """Read the icon set once: name to the drawing inside its ``<symbol>``."""
    text = (HERE / "icons.svg").read_text(encoding="utf-8")
    return dict(re.findall(r'<symbol id="i-([a-z]+)" viewBox="0 0 24 24">(.*?)</symbol>', text, re.S))


def icon(name: str, cls: str = "") -> Markup:
    """Draw an icon in place, hidden from screen readers (the word beside it speaks).

    :raises KeyError: if the set has no such icon, so that a typing error shows in the first test
    """
    classes = f"i {cls}" if cls else "i"
    drawing = Markup(_icons()[name])  # noqa: S704 - our own file
    return Markup('<svg class="{}" viewBox="0 0 24 24" aria-hidden="true" focusable="false">{}</svg>').format(classes, drawing)


@cache
def _digest(path: str, changed_ns: int) -> str:
    return hashlib.sha256((STATIC / path).read_bytes()).hexdigest()[:10]


def asset(path: str) -> str:
    """Address of a static file with its fingerprint, so that browsers may keep it for a year.

    :raises FileNotFoundError: if we do not ship such a file
    """
    version = _digest(path, (STATIC / path).stat().st_mtime_ns)
    return f"{current_app.static_url_path}/{path}?v={version}"


# ---- links


def has_endpoint(name: str) -> bool:
    """Tell whether the running application has this view; furniture offers only what exists."""
    return name in current_app.view_functions


def url_if(endpoint: str, **values: Any) -> str:
    """Address of a view, or "" where the application has no such view."""
    return url_for(endpoint, **values) if has_endpoint(endpoint) else ""


def here() -> str:
    """Path of the page being shown, to come back to after a small POST; "/" where it cannot be got again."""
    rule = request.url_rule
    if rule is None or rule.methods is None or "GET" not in rule.methods:
        return "/"
    query = request.query_string.decode(errors="replace") if request.method in ("GET", "HEAD") else ""
    return _path() + (f"?{query}" if query else "")


def page_url(number: int) -> str:
    """Address of another page of the list being shown: the same filter, another ``page``."""
    pairs = [(key, value) for key, value in request.args.items(multi=True) if key != "page"]
    return f"{_path()}?{urlencode([*pairs, ('page', str(number))])}"


def _path() -> str:
    return quote(request.root_path + request.path, safe="/-._~")


def page_numbers(page: int, pages: int) -> list[int | None]:
    """Page numbers worth printing: the ends and the neighbours; None is an ellipsis."""
    shown = sorted({1, pages, *range(max(1, page - 1), min(pages, page + 1) + 1)})
    numbers: list[int | None] = []
    for before, number in zip([0, *shown], shown, strict=False):
        if number - before > 1:
            numbers.append(None)
        numbers.append(number)
    return numbers


# ---- numbers


def wan(count: int) -> str:
    """1.2万 and 1.3亿, cut and never rounded up; grouped digits below 10 000."""
    for unit, word in ((100_000_000, "亿"), (10_000, "万")):
        if count >= unit:
            whole, tenth = divmod(count * 10 // unit, 10)
            return f"{whole:,}.{tenth}{word}" if tenth else f"{whole:,}{word}"
    return f"{count:,}"


def yuan(fen: int | None) -> str:
    """Money with both decimals and without a sign: 200 is "2.00". Staff pages never shorten it."""
    if fen is None:
        return NOTHING
    whole, rest = divmod(abs(fen), 100)
    return f"{'-' if fen < 0 else ''}{whole:,}.{rest:02d}"


def percent(rate: float | Decimal | None) -> str:
    """A rate of 0 to 1 as a percentage with one decimal; nothing over zero is a dash."""
    if rate is None:
        return NOTHING
    return f"{(Decimal(str(rate)) * 100).quantize(Decimal('0.1'), ROUND_HALF_UP)}%"


def rate(part: int, whole: int) -> str:
    """Percentage of ``part`` in ``whole``, one decimal; a dash over zero."""
    return percent(Decimal(part) / Decimal(whole)) if whole else NOTHING


def odds_words(ppm: int) -> str:
    """Chance as a citizen reads it, always exact: 20000 is 百分之 2, 1000 is 千分之 1.

    :param ppm: parts per million, 0 to 1 000 000
    """
    _check_ppm(ppm)
    if ppm >= PPM // 100 and ppm % 1000 == 0:
        return f"百分之 {_plain(Decimal(ppm) / 10_000)}"
    for parts, word in ((100, "百分之"), (1000, "千分之"), (10_000, "万分之"), (100_000, "十万分之")):
        if ppm * parts % PPM == 0:
            return f"{word} {ppm * parts // PPM}"
    return f"百万分之 {ppm}"


def odds_percent(ppm: int) -> str:
    """Chance as staff read it, exact: 20000 is 2%, 1000 is 0.1%."""
    _check_ppm(ppm)
    return f"{_plain(Decimal(ppm) / 10_000)}%"


def _check_ppm(ppm: int) -> None:
    if not 0 <= ppm <= PPM:
        raise ValueError(f"{ppm} is not a share of a million")


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"


# ---- names, dates


def mask_nickname(nickname: str) -> str:
    """First and last character only, always three stars: 草***兰. Two characters or fewer keep only the first."""
    name = nickname.strip()
    return f"{name[:1]}***{name[-1] if len(name) > 2 else ''}"


def shanghai_datetime(moment: datetime, now: datetime | None = None, *, end: bool = False) -> str:
    """今天 09:42, 3月15日 09:42, or 2026年3月15日 09:42 in another year.

    :param moment: aware; shown on the Shanghai clock
    :param now: what "today" is measured from
    :param end: the moment closes a window, so midnight is written as 24:00 of the day before
    """
    local, today = _shanghai(moment), _shanghai(now or datetime.now(UTC)).date()
    day, clock = local.date(), f"{local:%H:%M}"
    if end and clock == "00:00":
        day, clock = day - timedelta(days=1), "24:00"
    return f"今天 {clock}" if day == today else f"{shanghai_date(day, today)} {clock}"


def shanghai_date(day: date, today: date | None = None) -> str:
    """3月15日, with the year when it is not this one. A moment is taken on the Shanghai calendar."""
    if isinstance(day, datetime):
        day = _shanghai(day).date()
    this_year = (today or _shanghai(datetime.now(UTC)).date()).year
    return f"{'' if day.year == this_year else f'{day.year}年'}{day.month}月{day.day}日"


def duration(seconds: int) -> str:
    """3 分 26 秒; with hours where there are any."""
    minutes, rest = divmod(max(0, seconds), 60)
    hours, minutes = divmod(minutes, 60)
    words = [f"{hours} 小时"] if hours else []
    words += [f"{minutes} 分"] if minutes else []
    return " ".join([*words, f"{rest} 秒"] if rest or not words else words)


def clock(seconds: int) -> str:
    """What a countdown shows: 04:12."""
    return "{:02d}:{:02d}".format(*divmod(max(0, seconds), 60))


def seconds_between(start: datetime, end: datetime) -> int:
    """Whole seconds from one aware moment to another, never below zero."""
    return max(0, int((end - start).total_seconds()))


def _shanghai(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a moment needs its time zone")
    return moment.astimezone(SHANGHAI)


_ARTICLE = re.compile(r"第[一二三四五六七八九十百千零〇]+条(?:之[一二三四五六七八九十]+)?(?:第[一二三四五六七八九十]+款)?")


def cite(text: str) -> Markup:
    """Keep each 第…条 in one piece when a line breaks."""
    return Markup(_ARTICLE.sub(r'<span class="nb">\g<0></span>', str(escape(text))))  # noqa: S704 - escaped just here


# ---- charts: server-rendered SVG, styled by class, so a strict CSP needs no exception

Series = tuple[str, str, Sequence[int]]
GRID_LINES = 4


def _tick(highest: int) -> int:
    """Round distance of the grid lines, so that the topmost is at or above the highest value. What charts show are
    counts: there is no half person, so no line stands at one."""
    scale = 1
    while True:
        for tenths in (10, 20, 25, 30, 40, 50, 60, 80):
            tick, rest = divmod(tenths * scale, 10)
            if not rest and tick * GRID_LINES >= highest:
                return tick
        scale *= 10


def _label(value: int) -> str:
    return wan(value) if value >= 10_000 else f"{value:,}"


def line_chart(series: Sequence[Series], labels: Sequence[str], width: int = 640, height: int = 220, *, alt: str) -> Markup:
    """Draw lines of counts over days.

    :param series: (name, class, values); classes ``s1area`` (filled) and ``s2`` (dashed) are in admin.css
    :param alt: one sentence that says what the picture shows
    """
    top, right, bottom, left = 14, 14, 28, 46
    tick = _tick(max((value for _, _, values in series for value in values), default=0))

    def x(index: int) -> float:
        return left + (width - left - right) * index / max(1, len(labels) - 1)

    def y(value: int) -> float:
        return top + (height - top - bottom) * (1 - value / (tick * GRID_LINES))

    out = [_open_chart(width, height, alt)]
    for line in range(GRID_LINES + 1):
        value = tick * line
        out.append(
            f'<path class="grid" d="M{left} {y(value):.1f}H{width - right}"/>'
            f'<text class="ax" x="{left - 8}" y="{y(value) + 4:.1f}" text-anchor="end">{_label(value)}</text>'
        )
    gap = max(1, round(len(labels) * 62 / width))
    for index in range(0, len(labels), gap):
        out.append(f'<text class="ax" x="{x(index):.1f}" y="{height - 8}" text-anchor="middle">{escape(labels[index])}</text>')
    for name, cls, values in series:
        if not values:
            continue
        css, last = escape(cls), len(values) - 1
        points = " ".join(f"{x(index):.1f},{y(value):.1f}" for index, value in enumerate(values))
        if cls.endswith("area"):
            out.append(f'<polygon class="{css}-fill" points="{x(0):.1f},{y(0):.1f} {points} {x(last):.1f},{y(0):.1f}"/>')
        out.append(f'<polyline class="{css}" points="{points}"><title>{escape(name)}</title></polyline>')
        out.append(f'<circle class="{css}-dot" cx="{x(last):.1f}" cy="{y(values[last]):.1f}" r="4"/>')
    return Markup("".join([*out, "</svg>"]))  # noqa: S704 - labels are escaped above


def column_chart(values: Sequence[int], labels: Sequence[str], width: int = 640, height: int = 220, cls: str = "", *, alt: str) -> Markup:
    """Draw columns with their figures on top. ``alt`` says in one sentence what the picture shows."""
    top, right, bottom, left = 24, 8, 28, 8
    highest = max([*values, 0]) or 1
    slot = (width - left - right) / max(1, len(values))
    bar = min(46.0, slot * 0.56)
    out = [_open_chart(width, height, alt), f'<path class="grid" d="M{left} {height - bottom}H{width - right}"/>']
    for index, (value, label) in enumerate(zip(values, labels, strict=True)):
        tall = (height - top - bottom) * value / highest
        centre, edge = left + slot * (index + 0.5), height - bottom - tall
        out.append(
            f'<rect class="col {escape(cls)}" x="{centre - bar / 2:.1f}" y="{edge:.1f}"'
            f' width="{bar:.1f}" height="{tall:.1f}" rx="5"/>'
            f'<text class="vl" x="{centre:.1f}" y="{edge - 7:.1f}" text-anchor="middle">{_label(value)}</text>'
            f'<text class="ax" x="{centre:.1f}" y="{height - 9}" text-anchor="middle">{escape(label)}</text>'
        )
    return Markup("".join([*out, "</svg>"]))  # noqa: S704 - labels are escaped above


def _open_chart(width: int, height: int, alt: str) -> str:
    return f'<svg class="chart" viewBox="0 0 {width} {height}" role="img" aria-label="{escape(alt)}">'


# ---- wiring


def register(app: Flask, now: Callable[[], datetime] | None = None) -> None:
    """Put the helpers on the application's templates.

    :param now: the application's clock, for 今天; the machine's when left out
    """

    def moment_now() -> datetime:
        return now() if now else datetime.now(UTC)

    def day_time(moment: datetime | None) -> str:
        return shanghai_datetime(moment, moment_now()) if moment else NOTHING

    def end_time(moment: datetime | None) -> str:
        return shanghai_datetime(moment, moment_now(), end=True) if moment else NOTHING

    def day(value: date | None) -> str:
        return shanghai_date(value, _shanghai(moment_now()).date()) if value else NOTHING

    app.jinja_env.globals.update(
        icon=icon,
        asset=asset,
        has_endpoint=has_endpoint,
        url_if=url_if,
        here=here,
        page_url=page_url,
        page_numbers=page_numbers,
        line_chart=line_chart,
        column_chart=column_chart,
        rate=rate,
        clock=clock,
        seconds_between=seconds_between,
        BADGE_TONES=BADGE_TONES,
    )
    app.jinja_env.filters.update(
        wan=wan,
        yuan=yuan,
        percent=percent,
        odds_words=odds_words,
        odds_percent=odds_percent,
        mask_nickname=mask_nickname,
        shanghai_datetime=day_time,
        shanghai_end=end_time,
        shanghai_date=day,
        duration=duration,
        cite=cite,
    )
