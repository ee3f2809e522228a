"""The signs by which people structure a paper: numbers, labels, section heads, brackets with the key."""

import re

LABELS: dict[str, tuple[str, ...]] = {
    "answer": ("正确答案", "参考答案", "标准答案", "试题答案", "正确选项", "答案", "answer", "答"),
    "explanation": ("答案解析", "试题解析", "题目解析", "参考解析", "解析", "讲解", "题解", "解释", "点评", "分析", "explanation"),
    "citations": ("法律依据", "法条依据", "法规依据", "出题依据", "依据", "法条", "出处"),
    "difficulty": ("难易程度", "难度系数", "难度等级", "难易度", "难度"),
    "topic": ("知识点", "考点", "考查点"),
    "tags": ("标签", "章节", "关键词"),
    "kind": ("试题类型", "题目类型", "题型"),
    "code": ("平台编号",),
    "reviewed_by": ("复核人",),
    "reviewed_on": ("复核日期",),
    "stem": ("题干", "题目"),
    "ignored": ("分值", "分数", "得分", "建议用时", "选项", "我的答案", "你的答案", "您的答案", "学生答案", "考生答案"),
}
LABEL_FIELDS = {label: name for name, labels in LABELS.items() for label in labels}
LABEL_WORDS = "|".join(sorted(LABEL_FIELDS, key=len, reverse=True))
LABEL = re.compile(rf"\s*(?:[【\[〔]\s*({LABEL_WORDS})\s*[】\]〕]\s*[:：]?|[（(]?({LABEL_WORDS})[）)]?\s*[:：])[ \t]*", re.I)
INNER_LABEL = re.compile(
    rf"(?:(?<=[\s;；。，,])|(?=[【\[〔]))(?:[【\[〔]\s*(?:{LABEL_WORDS})\s*[】\]〕]\s*[:：]?|(?:{LABEL_WORDS})\s*[:：])", re.I
)
BARE_ANSWER = re.compile(r"\s*(?:正确答案|参考答案|标准答案|答案)\s*((?:[A-H][\s,，、]*)+|[√×✓✔✗✘对错]|正确|错误)\s*", re.I)

NUMBER = re.compile(
    r"\s*(?:第\s*(\d{1,5})\s*题\s*[、．.:：]?|[（(]\s*(\d{1,5})\s*[）)]"
    r"|(\d{1,5})\s*(?:[、．:：）)]|\.(?!\d)|[ \t]+(?=[【\[（(])|(?=[【\[])))\s*"
)
NUMERAL = (
    r"(?:[（(]?[一二三四五六七八九十]{1,3}[）)]?\s*[、．.:：\s]"
    r"|第[一二三四五六七八九十\d]{1,3}(?:部分|大题|节)\s*[、:：\s]?|[IVX]{1,4}\s*[.、．])"
)
KIND_WORDS = r"(?:单项|单选|多项|多选|不定项|判断|是非|对错|填空|简答|论述|案例|名词解释|材料|问答|计算|选择)"
SECTION = re.compile(
    rf"\s*(?:{NUMERAL}\s*)?[【\[]?({KIND_WORDS}[^\s。？?；;]{{0,8}}?题?(?:型)?)[】\]]?\s*[。.]?\s*(?:[（(:：].*|[,，].*|共.*|每题.*|每小题.*)?",
    re.S,
)
KIND_MARK = re.compile(rf"(?<!\s)\s*[【\[（(〔]\s*({KIND_WORDS}[^】\]）)]{{0,6}}|选择题)\s*[】\]）)〕]\s*\*?\s*")
SCORE_MARK = re.compile(r"(?<!\s)\s*[（(【\[]\s*(?:分值\s*[:：]?\s*)?\d+(?:\.\d+)?\s*分\s*[）)】\]]\s*")
ANSWER_LIST = re.compile(
    r"\s*(?:[一二三四五六七八九十]+\s*[、.．])?\s*[【\[]?\s*(?:参考答案|标准答案|正确答案|试题答案|答案)(?:及|与|和)?(?:解析|评分标准)?\s*[】\]]?\s*[:：]?\s*"
)
CHOICE_LINE = re.compile(r"\s*([○●□■◯☐☑✔√*])?\s*[（(]?([A-HＡ-Ｈ])[）)]?\s*(?:[、．.:：)）]|(?=\s))\s*(?=\S)")
RIGHT_SUFFIX = re.compile(r"(?<!\s)\s*[（(\[【]\s*(?:正确答案|正确选项|正确|答案)\s*[）)\]】]\s*$")
BULLET = re.compile(r"\s*([○●□■◯☐☑✔√])\s*(?=\S)")
KEY_IN_STEM = re.compile(r"[（(【\[]\s*([A-HＡ-Ｈ](?:[\s、,，]*[A-HＡ-Ｈ])*|[√×✓✔✗✘]|对|错|正确|错误|[TFYNXxＴＦＹＮＸ])\s*[）)】\]]")
"""The key in brackets: letters of choices, or a sign or word of a judge question."""
MARKDOWN = re.compile(r"(?:#{1,6}\s+|>\s*|[-*+] \[ \]\s+)+(?:\[!\w+\][-+]?\s*)?(?:[\U0001F300-\U0001FAFF✅❌⚡]\s*)?")
FOLDED = re.compile(r"\[!(\w+)\]")
"""A folding box of note programs; the title of one that is no question's ("click for the answer") is nothing to read."""
QUESTION_BOXES = frozenset({"question", "quiz", "faq", "help", "example"})
FOLDED_NUMBER = re.compile(r"\D{0,6}?\s*(\d{1,4})\s*")
RULE = re.compile(r"-{3,}|\*{3,}|_{3,}")
BOLD = re.compile(r"\*\*(.+?)\*\*")


EMPTY_BRACKETS = re.compile(r"(?<!\s)\s*[（(]\s*[）)]\s*$")
"""Room for √ or × behind a statement."""
TRAILING_MARK = re.compile(r"(?<!\s)\s*([√×✓✔✗✘])\s*$")
TIGHT_NUMBER = re.compile(r"\s*(\d{1,5})\.(?=\d)")
"""A number right before another one (``53.12月1日…``): only the count can tell it from a decimal."""
LOOSE_NUMBER = re.compile(r"\s*(\d{1,5})[ \t\u3000]+(?=\S)")
"""A number with nothing but blanks behind it (``165  …``): only what follows can tell it from a year or a sum."""


def number_of(match: re.Match[str]) -> int:
    """The number that :data:`NUMBER`, :data:`TIGHT_NUMBER` or :data:`LOOSE_NUMBER` found."""
    return int(next(group for group in match.groups() if group))
