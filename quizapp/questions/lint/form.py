"""The form of one question: lengths, choices that name each other, negatives, tags, and a reason in the explanation."""

import re

from rapidfuzz import fuzz

from quizapp.questions.lint.findings import Remark, Remarks
from quizapp.questions.loader import Entry

STEM_LENGTH = (15, 90)
EXPLANATION_LENGTH = (40, 160)
CHOICE_LENGTH = 30
MIN_REASON = 12
"""Characters of an explanation that are neither the result nor advice nor padding."""

_ALL_OF_THEM = re.compile(
    r"(?:^|[，、是])(?:以上|上述|前述|前面|前三[者项]|前四[者项])[^，。]{0,6}?(?:都|均|皆|全|各|没有一|无一|正确|错误|答案)|^[A-H]\s*[和、与及]|^(?:都|全都?|均)(?:对|错|正确|不对|是|不是)$"
)
_LETTER_IN_TEXT = re.compile(r"选项?\s*[A-H](?![A-Za-z])|[A-H]\s*(?:项|选项)|故?选\s*[A-H]{1,5}(?![A-Za-z])|第[一二三四五]个?选项")
_DOUBLE_NEGATIVE = re.compile(
    r"不是不|并非不|没有不|(?<!得)不得不|(?<!能)不能不|无不|非不|不应不|(?:不正确|错误|不对|不妥|不属于|不包括|不符合|不违法)[^，。？]{0,8}的?不(?:是|包括|属于)"
    r"|(?:不属于|不包括|不符合)[^，。？]{0,10}(?:不|未|非|错误)(?:应|得|能|可|正确|当|法)"
)
_NEGATIVE = re.compile(r"不正确|说法错误|错误的(?:是|有)|做法不对|不对的(?:是|有)")
_SENTENCE = re.compile(r"[。！？；]")
_CAUSE = re.compile(r"因为|由于|因此|所以|为了|目的|是为|免得|以免|防止|避免|以便|好让|意在|原因|理由|为的是|否则|不然|才能")
_ADVICE = re.compile(
    r"^(?:请|先(?!有)|再(?!次|有)|快|赶紧|及时|尽快|尽早|马上|平时|记得|最好|建议|不妨|遇到|碰到|看到|别|不要|留|保存|保留|收好|拿到|带|拨打|打[19]|问|查|"
    r"可以(?:先|打|拨|问|去|找|看|查|在|带|用|请|拿|留|对照|提前|多)|要(?:先|留|记|看|保|多|早)|家里有|身边有|有疑问|不清楚|不明白|拿不准|有困难|"
    r"投诉|举报|以后|今后|平日|日常|大家|我们|每个人|咨询|12\d{3}|网上)"
)
_PADDING = re.compile(
    r"记住|牢记|认真|学习|注意|多看|知识|答案|正确|本题|选项|多加|了解|掌握|重视|遵守|自觉|懂法|守法|学法|用法|如上|同上|略"
)
_JUDGE_RESULTS = ("说法对", "说法错", "这句话对", "这句话不对", "正确", "错误")


def remarks(entry: Entry) -> Remarks:
    yield from _lengths(entry)
    for choice in entry.choices:
        if _ALL_OF_THEM.search(choice):
            yield Remark("all-of-them", f"选项不能写“{choice[:20]}”：选项顺序会变")
    if _LETTER_IN_TEXT.search(entry.explanation):
        yield Remark("letters", "讲解写了选项字母：选项顺序会变")
    if entry.kind == "single" and len(entry.choices) != 4:
        yield Remark("choice-count", f"单选题应当有 4 个选项，现在是 {len(entry.choices)} 个", "warning")
    if _DOUBLE_NEGATIVE.search(entry.stem):
        yield Remark("double-negative", "题干有双重否定，换成直接的问法")
    elif _NEGATIVE.search(entry.stem):
        yield Remark("negative", "题干问的是“不正确”，只有误区本身值得讲时才这样问", "warning")
    if lacks_reason(entry):
        yield Remark("reason", "讲解只有结论和提醒，没有写理由：法律怎么规定、为什么")
    if not any(tag.startswith("topic:") for tag in entry.tags):
        yield Remark("topic", "没有 topic: 标签", "warning")
    if entry.reviewed_by and not entry.reviewed_on:
        yield Remark("review", "写了复核人，没有写复核日期")


def _lengths(entry: Entry) -> Remarks:
    for name, text, (low, high) in (("stem", entry.stem, STEM_LENGTH), ("explanation", entry.explanation, EXPLANATION_LENGTH)):
        if not low <= len(text) <= high:
            yield Remark(f"{name}-length", f"{name} 有 {len(text)} 个字，应当是 {low} 到 {high} 个字")
    for choice in entry.choices:
        if len(choice) > CHOICE_LENGTH:
            yield Remark("choice-length", f"选项“{choice[:12]}…”超过 {CHOICE_LENGTH} 个字")


def lacks_reason(entry: Entry) -> bool:
    """Whether an explanation says only what the result is and what to do.

    The result, sentences of advice and padding are set aside; a reason needs a word of cause or something that is left.
    """
    keys = _JUDGE_RESULTS if entry.kind == "judge" else tuple(entry.choices[place] for place in entry.answer)
    left = 0
    for place, sentence in enumerate(filter(None, map(str.strip, _SENTENCE.split(entry.explanation)))):
        if _repeats(sentence, keys, is_first=place == 0) or (entry.kind == "judge" and fuzz.ratio(sentence, entry.stem) >= 90):
            continue
        if _CAUSE.search(sentence):
            return False
        is_advice = place > 0 and _ADVICE.match(sentence)
        if not is_advice and not (_PADDING.search(sentence) and len(sentence) < 30):
            left += len(sentence)
    return left < MIN_REASON


def _repeats(sentence: str, keys: tuple[str, ...], *, is_first: bool) -> bool:
    """Whether a sentence says the key again; the first may do so in few words."""
    if is_first and len(sentence) <= 12 and not _CAUSE.search(sentence):
        return True
    return any(fuzz.ratio(sentence, key) >= 70 for key in (*keys, "、".join(keys)))
