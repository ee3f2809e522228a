"""Figures in Chinese text - days, ages, sums, shares - brought to one form, so that ``七日`` and ``7 天`` compare equal.

A figure is a number with its unit. Weeks become days, years become months, 万元 becomes 元, 百分之二十 and 两成 become 20%.
What only counts things by the way (一个、一种、一次性) is left out, and so are vague ones (十几天、三五天).
"""

import re
from dataclasses import dataclass
from fractions import Fraction

_DIGITS = {char: value for value, char in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2, "俩": 2}
_TENS = {"十": 10, "百": 100, "千": 1000}
_LARGE = {"万": 10_000, "亿": 100_000_000}
_FULL_WIDTH = str.maketrans("０１２３４５６７８９％．", "0123456789%.")

_NUMBER = r"\d[\d,]*(?:\.\d+)?[百千]?[万亿]?|[零〇一二两三四五六七八九十百千万亿]+(?:点[零一二三四五六七八九]+)?|半"

_UNITS: dict[str, tuple[str, Fraction]] = {}
for _names, _canonical, _factor in (
    ("个工作日 工作日 个工作天", "工作日", 1),
    ("个星期 星期 个礼拜 礼拜 周", "日", 7),
    ("周岁 岁", "岁", 1),
    ("周年 年", "月", 12),
    ("个月 个整月 月", "月", 1),
    ("个季度", "月", 3),
    ("日 天", "日", 1),
    ("个小时 小时 个钟头", "小时", 1),
    ("分钟", "分钟", 1),
    ("秒钟 秒", "秒", 1),
    ("元 块钱 块 圆", "元", 1),
    ("倍", "倍", 1),
    ("公里 千米 km", "米", 1000),
    ("平方米 平米 m²", "平方米", 1),
    ("立方米", "立方米", 1),
    ("厘米", "厘米", 1),
    ("米", "米", 1),
    ("公顷", "亩", 15),
    ("亩", "亩", 1),
    ("毫克", "毫克", 1),
    ("公斤 千克", "克", 1000),
    ("克", "克", 1),
    ("吨", "吨", 1),
    ("毫升", "毫升", 1),
    ("分贝", "分贝", 1),
    ("个人 人 名 位", "人", 1),
    ("户", "户", 1),
    ("次", "次", 1),
):
    for _name in _names.split():
        _UNITS[_name] = (_canonical, Fraction(_factor))
_UNIT = "|".join(sorted(map(re.escape, _UNITS), key=len, reverse=True))

_PATTERN = re.compile(
    r"(?P<idiom>一年(?:到头|四季|的收成|一度)|一天到晚|[几数][十百千万亿]+)"
    r"|(?P<holiday>国庆)"
    r"|(?P<month>\d{1,2}|[一二三四五六七八九十]{1,3})月(?P<day>\d{1,2}|[一二三四五六七八九十]{1,3})[日号]"
    rf"|(?P<ordinal>第)(?P<nth>{_NUMBER})个?(?P<nth_unit>周|星期|礼拜)"
    r"|(?P<skip>第(?:\d+|[零〇一二两三四五六七八九十百千]+)(?:个?[\u4e00-\u9fff])?)"
    r"|(?P<year>(?:19|20)\d{2}|[一二][〇零九八七六五四三二一]{3})年(?!以)"
    rf"|(?P<below>百|千|万|\d+|[一二三四五六七八九十]+)分之(?P<above>{_NUMBER})"
    r"|(?P<percent>\d+(?:\.\d+)?)[%％]"
    r"|(?P<tenths>[一二两三四五六七八九])成(?![立员功为本年了交人就分效果品])"
    r"|(?P<half>过半数|半数|一半|对半|过半)"
    r"|(?P<double>双倍|加倍)"
    rf"|(?P<number>{_NUMBER})(?P<vague>多|来|几|余)?\s?(?P<unit>{_UNIT})(?P<vague_after>多)?(?P<and_half>半)?"
    rf"|(?P<bare>{_NUMBER})"
)
_RANGE = re.compile(r"至|到|[-—–~～]{1,2}")
_SUM = re.compile(r"(?:\d|[一二两三四五六七八九十]).*[万亿]$")
_LIKELY_NOISE = re.compile(r"^(?:一|1)(?:人|名|位|次|户|块)$")
_MONTH_OF_YEAR = re.compile(r"^(?:\d{1,2}|[一二三四五六七八九十]{1,2})月$")
_NOT_AFTER = {
    "日": "常期前后子报程志记夜语本",
    "天": "然气",
    "元": "旦素",
    "块": "儿地",
    "周": "边围转知期",
    "人": "民员权大身格士才口类行事工公次",
    "名": "义称单下誉字",
    "位": "置于",
    "次": "日序要数",
    "户": "口籍",
    "分钟": "",
    "年": "轻龄纪级货青",
    "月": "薪饼票租供牌球光",
    "克": "服扣",
    "米": "面饭",
}
"""A unit's character that begins another word: 三人民 is no three persons."""


@dataclass(frozen=True)
class Figure:
    """A number with its unit in one form. ``start`` and ``end`` tell where it stands in the text, blanks left out."""

    value: Fraction
    unit: str
    start: int
    end: int

    @property
    def norm(self) -> str:
        """``7日``, ``500元``, ``20%``, ``2/3``, ``3月15号`` - equal for equal figures."""
        return _norm(self.value, self.unit)


def _norm(value: Fraction, unit: str) -> str:
    if unit == "日期":
        month, day = divmod(int(value), 100)
        return f"{month}月{day}号"
    if unit == "比":
        percent = value * 100
        return f"{percent.numerator}%" if percent.denominator == 1 else f"{value.numerator}/{value.denominator}"
    number = str(value.numerator) if value.denominator == 1 else f"{float(value):g}"
    return {"年份": f"{number}年", "月份": f"{number}月份", "第周": f"第{number}周", "月": f"{number}个月"}.get(unit, f"{number}{unit}")


def to_number(text: str) -> Fraction | None:
    """An arabic or Chinese numeral; None where it is none (``三五``) or no exact one."""
    text = text.translate(_FULL_WIDTH).replace(",", "")
    if text == "半":
        return Fraction(1, 2)
    arabic = re.fullmatch(r"(\d+(?:\.\d+)?)([百千]?)([万亿]?)", text)
    if arabic:
        factor = _TENS.get(arabic[2], 1) * _LARGE.get(arabic[3], 1)
        return Fraction(arabic[1]) * factor
    if "点" in text:
        whole, _, part = text.partition("点")
        base = to_number(whole)
        return None if base is None else base + Fraction("0." + "".join(str(_DIGITS[char]) for char in part))
    if not any(char in _TENS or char in _LARGE for char in text):
        if len(text) == 1:
            return Fraction(_DIGITS[text])
        return Fraction("".join(str(_DIGITS[char]) for char in text)) if len(text) >= 3 else None
    return _positional(text)


def _positional(text: str) -> Fraction | None:
    """Numerals with 十, 百, 千, 万, 亿."""
    total = section = digit = 0
    for char in text:
        if char in _DIGITS:
            digit = _DIGITS[char]
        elif char in _TENS:
            section += (digit or 1) * _TENS[char]
            digit = 0
        else:
            total = (total + section + digit or 1) * _LARGE[char]
            section = digit = 0
    return Fraction(total + section + digit)


def find_figures(text: str) -> tuple[Figure, ...]:
    """Every figure of a text, in order."""
    text = squeeze(text).translate(_FULL_WIDTH)
    found: list[Figure] = []
    lone: re.Match[str] | None = None
    for match in _PATTERN.finditer(text):
        read = _read(match, text)
        if read is not None:
            if lone is not None and _RANGE.fullmatch(text, lone.end(), match.start()):
                found += _first_of_range(lone, match)
            found.append(Figure(read[0], read[1], match.start(), match.end()))
        lone = match if match["bare"] else None
    return tuple(found)


def squeeze(text: str) -> str:
    """A text without blanks: 6 万元 is 6万元. Places of figures count in this."""
    return re.sub(r"\s+", "", text)


def _first_of_range(lone: re.Match[str], match: re.Match[str]) -> list[Figure]:
    """The 五 of 五至十日: it has the unit of what follows."""
    number = to_number(lone["bare"])
    if number is None or not match["number"]:
        return []
    if match["unit"] == "月":
        return [Figure(number, "月份", lone.start(), lone.end())] if 1 <= number <= 12 else []
    canonical, factor = _UNITS[match["unit"]]
    return [Figure(number * factor, canonical, lone.start(), lone.end())]


def figures_of(text: str) -> frozenset[str]:
    """The normalised figures of a text."""
    return frozenset(figure.norm for figure in find_figures(text))


def _read(match: re.Match[str], text: str) -> tuple[Fraction, str] | None:
    if match["holiday"]:
        return Fraction(1001), "日期"
    if match["month"]:
        month, day = to_number(match["month"]), to_number(match["day"])
        return None if month is None or day is None else (month * 100 + day, "日期")
    if match["ordinal"]:
        nth = to_number(match["nth"])
        return None if nth is None else (nth, "第周")
    if match["year"]:
        year = to_number(match["year"])
        return None if year is None else (year, "年份")
    if match["below"]:
        below, above = to_number(match["below"]), to_number(match["above"])
        return None if not below or above is None else (above / below, "比")
    if match["percent"]:
        return Fraction(match["percent"]) / 100, "比"
    if match["tenths"]:
        return Fraction(_DIGITS[match["tenths"]], 10), "比"
    if match["half"]:
        return Fraction(1, 2), "比"
    if match["double"]:
        return Fraction(2), "倍"
    if match["number"]:
        return _read_counted(match, text)
    if match["bare"] and _SUM.match(match["bare"]) and text[match.end() : match.end() + 1] not in ("多", "几", "余"):
        sum_ = to_number(match["bare"])  # 罚二十万: money, as nothing else is said
        return None if sum_ is None else (sum_, "元")
    return None


def _read_counted(match: re.Match[str], text: str) -> tuple[Fraction, str] | None:
    """A number and a unit of the list."""
    if match["vague"] or match["vague_after"] or _LIKELY_NOISE.match(match["number"] + match["unit"]):
        return None
    following = text[match.end() : match.end() + 1]
    if following and following in _NOT_AFTER.get(match["unit"], ""):
        return None
    number = to_number(match["number"])
    if number is None:
        return None
    if match["unit"] == "月" and _MONTH_OF_YEAR.match(match["number"] + "月"):
        return (number, "月份") if 1 <= number <= 12 else None
    canonical, factor = _UNITS[match["unit"]]
    if match["and_half"]:
        number += Fraction(1, 2)
    return number * factor, canonical
