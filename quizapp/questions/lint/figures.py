"""Days, ages, sums and shares in a question against those of the cited articles.

A figure may stand in the key or the explanation if an article holds it, if the stem gives it as a fact, or if it follows from
such by simple arithmetic. The explanation may name an old or a wrong figure if it says so.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations_with_replacement, pairwise

from quizapp.questions.lint.citations import cited_articles, find_facts
from quizapp.questions.lint.findings import Context, Remark, Remarks, Severity
from quizapp.questions.loader import Entry
from quizapp.statutes.facts import pairs_of
from quizapp.statutes.figures import Figure, find_figures, squeeze
from quizapp.statutes.registry import StatuteFacts

_SENTENCE = re.compile(r"[^。！？；]+")
_WHOLE_SENTENCE = re.compile(r"[^。！？]+")
_CLAUSE = re.compile(r"[^。！？；，、]+")
_QUOTED = re.compile(r"[“「][^”」]*[”」]")
_REJECTED = re.compile(r"(?:不是|不再|并非|而非|不按|不必|不用|不需|没有|没|无需|不要求|不等|不受|不看|不适用|不限|别)[^，；。]{0,14}$")
_REJECTED_AFTER = re.compile(r"^(?:没|不到|不在|不是|不算|已经不)")
_PAST = re.compile(r"旧|原来|原先|以前|过去|从前|老标准|早已|曾")
_CONFUSED = re.compile(r"弄混|记混|混淆|早已|说的是|是对")
_FROM_A_YEAR = re.compile(r"起|施行|修订|修改|新法|新规|实施|生效")
_RULE_BEFORE = re.compile(
    r"(?:不得?超过|至少|最多|最高|最低|最长|最短|不少于|不低于|不得少于|不得低于|不满|未满|已满|年满|[处罚])(?:人民币)?$"
)
_RULE_AFTER = re.compile(r"^(?:以上|以下|以内|之内|内|不满)")
_WHICH_CASE = re.compile(r"下列|以下|哪[一些个种项位家类]|谁")
ELSEWHERE = 4
"""So many more words fit another figure's place."""
_MINOR = pairs_of("未成年人")
_FIGURATIVE = frozenset({"1日", "1分钟", "1人", "2人", "1次", "2次", "2户", "1户", "10000户"})
"""一天, 两人, 两户: a way of speaking as often as a figure."""
_SPOKEN_UNITS = frozenset({"分钟", "秒", "人", "户", "次"})
"""Units that count only where an article has a figure of the same kind."""
_PRODUCTS = frozenset({"元", "比", "倍", "亩", "平方米", "立方米", "人", "户", "吨", "克", "毫克"})
"""What can be a result of multiplying; days and ages only add up."""
_TIME = frozenset({"日", "月", "岁", "小时", "工作日"})


def remarks(entry: Entry, context: Context) -> Remarks:
    yield from _ranges(entry)
    held = _held(entry, context)
    if held is None:
        return
    question = _Question(entry, held)
    yield from _keys(question)
    yield from _explanation(question)
    yield from _stem(question)
    yield from _at_odds(question)
    yield from _elsewhere(question, _near(entry, context))


def _held(entry: Entry, context: Context) -> frozenset[str] | None:
    """The figures of all cited articles and the statutes' own days; None if facts about one are missing."""
    held: set[str] = set()
    for citation in entry.citations:
        articles = list(cited_articles([citation]))
        if not articles:
            return None
        for cited in articles:
            facts = find_facts(cited, context)
            statute = context.registry.find(cited.name, context.today)
            if facts is None or statute is None:
                return None
            held |= facts.figures | _days_of(statute)
            if facts.pairs | context.registry.common >= _MINOR:
                held.add("18岁")  # a minor is younger, by whatever law
    return frozenset(held)


def _near(entry: Entry, context: Context) -> dict[str, frozenset[int]]:
    """The vocabulary around each figure of the cited articles."""
    near: dict[str, frozenset[int]] = {}
    for cited in cited_articles(entry.citations):
        facts = find_facts(cited, context)
        for figure, pairs in facts.near.items() if facts else ():
            near[figure] = near.get(figure, frozenset()) | pairs
    return near


def _days_of(statute: StatuteFacts) -> set[str]:
    """A statute's own years and days: 自2026年3月1日起施行."""
    return {f"{day.year}年" for day in statute.dates} | {f"{day.month}月{day.day}号" for day in statute.dates}


@dataclass(frozen=True)
class _Placed:
    """A figure with the text around it."""

    figure: Figure
    text: str

    @property
    def written(self) -> str:
        return self.text[self.figure.start : self.figure.end]

    @property
    def is_rule(self) -> bool:
        """Whether it stands as a rule's figure does: 六十周岁以上, 不超过五日."""
        return bool(_RULE_AFTER.match(self.text[self.figure.end :]) or _RULE_BEFORE.search(self.text[: self.figure.start]))

    @property
    def is_quoted(self) -> bool:
        return any(quote.start() < self.figure.start < quote.end() for quote in _QUOTED.finditer(self.text))

    @property
    def sentence(self) -> str:
        return next((part[0] for part in _SENTENCE.finditer(self.text) if part.start() <= self.figure.start < part.end()), "")

    @property
    def is_named_wrong(self) -> bool:
        """Whether the text says that this figure is not the rule, or no longer."""
        clause = self.clause
        before = clause[: max(0, self.figure.start - self.text.find(clause))]
        after = self.text[self.figure.end :]
        return bool(_REJECTED.search(before) or _REJECTED_AFTER.match(after) or _PAST.search(clause))

    @property
    def is_last(self) -> bool:
        """Whether it stands in the last of several sentences, where the advice is."""
        parts = list(_WHOLE_SENTENCE.finditer(self.text))
        return len(parts) > 2 and parts[-1].start() <= self.figure.start

    @property
    def whole_sentence(self) -> str:
        return next((part[0] for part in _WHOLE_SENTENCE.finditer(self.text) if part.start() <= self.figure.start < part.end()), "")

    @property
    def clause(self) -> str:
        return next((part[0] for part in _CLAUSE.finditer(self.text) if part.start() <= self.figure.start < part.end()), "")


def _placed(text: str) -> list[_Placed]:
    squeezed = squeeze(text)
    return [_Placed(figure, squeezed) for figure in find_figures(text)]


class _Question:
    """A question's figures by part, and which of them the articles or arithmetic allow."""

    def __init__(self, entry: Entry, held: frozenset[str]) -> None:
        is_judge = entry.kind == "judge"
        self.entry = entry
        self.held = held
        self.held_units = {_unit(norm) for norm in held}
        self.stem = _placed(entry.stem)
        self.keys = [] if is_judge else [item for place in entry.answer for item in _placed(entry.choices[place])]
        others = [] if is_judge else [choice for place, choice in enumerate(entry.choices) if place not in entry.answer]
        self.wrong = {item.figure.norm for choice in others for item in _placed(choice)}
        self.explanation = _placed(entry.explanation)
        self.said = {item.figure.norm for item in self.stem}

    def holds(self, figure: Figure) -> bool:
        if figure.norm in self.held or figure.norm in _FIGURATIVE or figure.unit == "月份":
            return True
        if figure.unit in _SPOKEN_UNITS and figure.unit not in self.held_units:
            return True
        if figure.unit == "月" and "0.5个月" in self.held and figure.value.denominator == 2:
            return True  # half months count, as in severance pay
        if figure.unit == "工作日" and "工作日" in self.held and f"{figure.value}日" in self.held:
            return True
        return bool(_other_ways(figure) & self.held)

    def allows(self, figure: Figure, told: Iterable[_Placed] = ()) -> bool:
        """:param told: figures in reach of arithmetic beside the stem's and the articles'"""
        return self.holds(figure) or figure.norm in self.said or self._follows(figure, told)

    def _follows(self, figure: Figure, told: Iterable[_Placed]) -> bool:
        given = [item.figure for item in self.stem]
        more = [item.figure for item in told if item.figure.norm != figure.norm]
        if figure.unit in _TIME:
            return _is_span(figure, given, more, self.held)
        if figure.unit not in _PRODUCTS or not given:
            return False
        numbers = {value for item in (*given, *more) for value in _readings(item)}
        numbers |= {value for norm in self.held if (value := _value(norm))}
        return len(numbers) <= 60 and _is_product(figure.value, numbers, {value for item in given for value in _readings(item)})


def _unit(norm: str) -> str:
    return re.sub(r"^[\d./]+", "", norm)


def _other_ways(figure: Figure) -> set[str]:
    """Twofold and two hundred percent are one."""
    if figure.unit == "倍":
        return {f"{figure.value * 100}%"}
    return {f"{figure.value.numerator}倍"} if figure.unit == "比" and figure.value.denominator == 1 else set()


def _value(norm: str) -> Fraction | None:
    match = re.match(r"(\d+(?:\.\d+)?)(?:/(\d+))?(%?)", norm)
    if match is None or "号" in norm:
        return None
    value = Fraction(match[1]) / int(match[2] or 1)
    return value / 100 if match[3] else value


def _readings(figure: Figure) -> set[Fraction]:
    """A span of whole years counts as years, too."""
    return {figure.value, figure.value / 12} if figure.unit == "月" else {figure.value}


def _results(numbers: Collection[Fraction]) -> set[Fraction]:
    found: set[Fraction] = set()
    for first, second in combinations_with_replacement(numbers, 2):
        found |= {first + second, abs(first - second), first * second}
        if first and second:
            found |= {first / second, second / first}
    return found


def _is_product(value: Fraction, numbers: Collection[Fraction], given: Collection[Fraction]) -> bool:
    """Whether a number is the result of one or two steps from the others, the last with something the stem gives."""
    once = _results(numbers)
    if value in once:
        return True
    return any(value in (first * second, abs(first - second), first + second) for first in once for second in given)


def _is_span(figure: Figure, given: Collection[Figure], told: Collection[Figure], held: Collection[str]) -> bool:
    """Whether a span of time or an age is the sum or difference of one in the stem and one in stem or articles, the sum of two
    of the articles' own that the text names (98天 and 15天 make 113天), or lies between two dates."""
    own = _spans([(item.value, item.unit) for item in given], figure.unit)
    both = own + _spans([(value, _unit(norm)) for norm in held if (value := _value(norm)) is not None], figure.unit)
    (wanted,) = _spans([(figure.value, figure.unit)], figure.unit)
    named = _spans([(item.value, item.unit) for item in told if item.norm in held], figure.unit)
    if wanted in {abs(first - second) for first in own for second in both} | {first + second for first in own for second in both}:
        return True
    if wanted in {first + second for first, second in combinations_with_replacement(named, 2)}:
        return True
    months = [Fraction(int(item.value) // 100) for item in (*given, *told) if item.unit == "日期"]
    return figure.unit == "月" and wanted in {abs(first - second) + more for first in months for second in months for more in (0, 1)}


def _spans(values: Iterable[tuple[Fraction, str]], unit: str) -> list[Fraction]:
    """Those of a unit's kind, ages and months in months."""
    months = {"月": 1, "个月": 1, "岁": 12}
    if unit in months:
        return [value * months[other] for value, other in values if other in months]
    return [value for value, other in values if other == unit]


# ---- the parts of a question


def _is_case(question: _Question, item: _Placed) -> bool:
    """Whether a choice's figure is a case's fact (a girl of 13, a deposit of 300 yuan) and not the rule's."""
    return bool(_WHICH_CASE.search(question.entry.stem)) and len(item.text) > 6 and not item.is_rule


def _keys(question: _Question) -> Remarks:
    for item in question.keys:
        if not _is_case(question, item) and not item.is_quoted and not question.allows(item.figure, question.explanation):
            yield Remark("figure-key", f"答案里的“{item.written}”，依据的条文里没有")


def _explanation(question: _Question) -> Remarks:
    told = {item.figure.norm for item in question.explanation}
    keys = {item.figure.unit: item.figure.norm for item in question.keys}
    for item in question.explanation:
        figure = item.figure
        if question.allows(figure, question.explanation) or (figure.unit == "年份" and not _FROM_A_YEAR.search(item.clause)):
            continue
        is_other_day = figure.unit == "日期" and keys.get(figure.unit) in told
        if figure.norm in question.wrong and (is_other_day or _CONFUSED.search(item.whole_sentence) or _PAST.search(item.sentence)):
            continue
        if not item.is_named_wrong:
            severity: Severity = "warning" if item.is_last else "error"
            yield Remark("figure-explanation", f"讲解里的“{item.written}”，依据的条文里没有", severity)


def _stem(question: _Question) -> Remarks:
    """Figures that the stem states as the rule. A false statement to be judged states a wrong one, and a sum to be worked out
    starts from facts."""
    if question.entry.kind == "judge" and question.entry.answer == (1,):
        return
    if any(not question.holds(item.figure) for item in question.keys):
        return
    for item in question.stem:
        is_comparable = _unit(item.figure.norm) in question.held_units
        if item.is_rule and is_comparable and not item.is_quoted and not question.holds(item.figure):
            yield Remark("figure-stem", f"题干里的“{item.written}”，依据的条文里没有")


def _at_odds(question: _Question) -> Remarks:
    """A figure of the key (or of a right statement) that the explanation replaces by another of the same unit."""
    for part, item in _stated(question):
        figure = item.figure
        if figure.norm in _FIGURATIVE or figure.unit in _SPOKEN_UNITS:
            continue
        told = _told(question, figure.unit)
        if told and not ({figure.norm} | _other_ways(figure)) & told:
            yield Remark("figure-odds", f"{part}写“{item.written}”，讲解写的是{'、'.join(sorted(told))}")


def _told(question: _Question, unit: str) -> set[str]:
    """The figures of a unit where the explanation speaks of them; for a single choice, where it does so first: the result."""
    units = {unit, "倍", "比"} if unit in ("倍", "比") else {unit}
    found = [item for item in question.explanation if item.figure.unit in units]
    if question.entry.kind == "single" and found:
        is_one = sum(item.figure.unit in units for item in question.keys) == 1
        first = found[0]
        found = [item for item in found if (item.sentence == first.sentence if is_one else item.whole_sentence == first.whole_sentence)]
    return {item.figure.norm for item in found}


def _stated(question: _Question) -> Iterator[tuple[str, _Placed]]:
    """Figures that the explanation should take up, each with the part it stands in."""
    if question.entry.kind == "judge":
        if question.entry.answer == (0,):
            for item in question.stem:
                if item.is_rule or (not question.holds(item.figure) and item.figure.unit != "岁"):
                    yield "题干", item
        return
    for item in question.keys:
        is_fact = question.holds(item.figure) and item.figure.norm in question.said
        if not is_fact and (question.holds(item.figure) or not _is_case(question, item)):
            yield "答案", item


def _elsewhere(question: _Question, near: Mapping[str, frozenset[int]]) -> Remarks:
    """A figure that the article has, but for something else: its words fit the place of another figure of the unit better."""
    entry = question.entry
    stated = (question.stem if entry.answer == (0,) else []) if entry.kind == "judge" else question.keys
    mine = {item.figure.norm for item in stated}
    for item in stated:
        figure = item.figure
        rivals = [norm for norm in near if norm not in mine and _unit(norm) == _unit(figure.norm)]
        if figure.norm not in near or not rivals:
            continue
        told = [other.sentence for other in question.explanation if other.figure.norm == figure.norm]
        words = pairs_of("。".join((entry.stem, item.text, *told)))
        gap = max(len(words & near[norm]) for norm in rivals) - len(words & near[figure.norm])
        if gap >= ELSEWHERE:
            yield Remark("figure-elsewhere", f"“{item.written}”在条文里说的像是另一件事，请核对是哪一款", "warning")


def _ranges(entry: Entry) -> Remarks:
    """五十年至五十年, 十日以上五日以下: the lower end must be the lower."""
    keys = [] if entry.kind == "judge" else [entry.choices[place] for place in entry.answer]
    for part, text in (("题干", entry.stem), *(("答案", key) for key in keys), ("讲解", entry.explanation)):
        squeezed = squeeze(text)
        for first, second in pairwise(find_figures(text)):
            between, after = squeezed[first.end : second.start], squeezed[second.end : second.end + 2]
            is_range = between in ("至", "到", "-", "—", "～") or (between in ("以上", "以上至") and after == "以下")
            if is_range and first.unit == second.unit and first.value >= second.value and first.unit not in ("日期", "月份"):
                yield Remark("figure-range", f"{part}里的“{squeezed[first.start : second.end]}”，前面的数应当小于后面的")
