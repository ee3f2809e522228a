"""Moodle XML. Document types and entities are refused before anything is parsed; nothing outside is ever fetched."""

import re
from collections.abc import Iterator, Sequence

from lxml import etree

from quizapp.questions.exchange import carried
from quizapp.questions.exchange.opened import NotText, decode
from quizapp.questions.exchange.parsed import Parsed, Problem, Raw, refused, shortened
from quizapp.questions.exchange.plain import plain
from quizapp.questions.exchange.reading import build_all
from quizapp.questions.exchange.words import judge_word
from quizapp.questions.loader import Entry

_CHOICE_TYPES = ("multichoice", "multichoiceset", "oumultiresponse", "calculatedmulti")
_TYPE_TITLES = {
    "shortanswer": "填空题",
    "numerical": "数值题",
    "matching": "匹配题",
    "essay": "简答题",
    "cloze": "完形填空题",
    "calculated": "计算题",
    "calculatedsimple": "计算题",
    "calculatedmulti": "计算题",
    "ddwtos": "拖放题",
    "ddimageortext": "拖放题",
    "ddmarker": "拖放题",
    "gapselect": "选词填空题",
    "randomsamatch": "随机匹配题",
    "ordering": "排序题",
}


def looks_like(text: str) -> bool:
    return re.match(r"(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<quiz[\s>]", text, re.S) is not None


def _decoded(raw: bytes) -> str:
    """The text, in the encoding the file declares."""
    head = raw[:200].decode("latin-1")
    declared = re.search(r"encoding\s*=\s*[\"']([A-Za-z0-9_.-]{2,30})[\"']", head)
    if declared and declared[1].lower() in ("gb2312", "gbk", "gb18030"):
        try:
            return raw.decode("gb18030")
        except UnicodeDecodeError:
            raise NotText from None
    return decode(raw)


def read(raw: bytes) -> Parsed:
    try:
        text = _decoded(raw)
    except NotText:
        return refused("moodle", "文字编码认不出来", "请另存为 UTF-8 再传")
    if re.search(r"<!(?:DOCTYPE|ENTITY)", text, re.I):
        return refused("moodle", "文件里有 DOCTYPE 或 ENTITY，不能读", "请从 Moodle 重新导出")
    text = re.sub(r"^\s*<\?xml[^>]*\?>", "", text)
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(text.encode(), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        line = getattr(error, "lineno", 0) or 0
        return refused("moodle", f"不是合格的 XML（第 {line} 行）", "请从 Moodle 重新导出")
    if root.tag != "quiz":
        return refused("moodle", "这不是 Moodle 的题目文件", "请在 Moodle 里按“Moodle XML 格式”导出")
    is_ours = root.get("source") == carried.MARK
    return build_all("moodle", list(_questions(root, is_ours)))


def _questions(root: etree._Element, is_ours: bool) -> Iterator[Raw]:
    number = 0
    for item in root.findall("question"):
        kind = item.get("type", "")
        if kind in ("category", "description"):
            continue
        number += 1
        yield _Question(item, number, is_ours).read(kind)


class _Question:
    def __init__(self, item: etree._Element, number: int, is_ours: bool) -> None:
        self.item = item
        self.raw = Raw(number, place="", is_ours=is_ours)

    def _words(self, holder: etree._Element | None, default: str = "html") -> str:
        """The text of an element that holds <text>, without its markup."""
        if holder is None:
            return ""
        text = holder.findtext("text") or ""
        form = holder.get("format", default)
        if form == "plain_text":
            return text
        text, has_media = plain(text)
        if has_media or holder.find("file") is not None:
            self._fail("题目里有图片或媒体，导入不了", "请把图里的内容写成文字")
        return text

    def _fail(self, reason: str, mend: str) -> None:
        self.raw.faults.append(Problem(self.raw.row, "题型", reason, mend, stem=shortened(self.raw.stem)))

    def read(self, kind: str) -> Raw:
        raw = self.raw
        raw.stem = self._words(self.item.find("questiontext")) or (self.item.findtext("name/text") or "")
        marks = [("id", self.item.findtext("idnumber") or "")]
        marks += [("tag", tag.findtext("text") or "") for tag in self.item.findall("tags/tag")]
        carried.apply_marks(raw, [mark for mark in marks if mark[1]])
        general = self._words(self.item.find("generalfeedback"))
        if kind == "truefalse":
            self._read_truth(general)
        elif kind in _CHOICE_TYPES and kind not in _TYPE_TITLES:
            self._read_choices(kind, general)
        else:
            title = _TYPE_TITLES.get(kind, f"{kind or '没有写类型的'}题")
            self._fail(f"这是{title}，平台只有单选、多选、不定项和判断", "请改成选择题或判断题，或者不导入")
        return raw

    def _options(self) -> list[carried.Option]:
        options = []
        for answer in self.item.findall("answer"):
            text = self._words(answer, "html" if answer.get("format") else "plain_text")
            options.append(carried.Option(text, _share(answer.get("fraction", "0")), self._words(answer.find("feedback"))))
        return options

    def _read_truth(self, general: str) -> None:
        options = self._options()
        right = [option for option in options if option.share > 0]
        word = judge_word(right[0].text) if len(right) == 1 else None
        if word is None:
            self._fail("判断题没有写明哪个是对的", "请核对答案")
            return
        self.raw.kind, self.raw.key = "judge", (word,)
        self.raw.explanation = "\n".join(part for part in (general, *(option.feedback for option in options)) if part)

    def _read_choices(self, kind: str, general: str) -> None:
        single = (self.item.findtext("single") or "true").strip().lower()
        is_single = kind == "multichoice" and single in ("true", "1")
        carried.settle_options(self.raw, self._options(), general, is_single=is_single)


def _share(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


# ---- writing


def write(entries: Sequence[Entry]) -> bytes:
    root = etree.Element("quiz", source=carried.MARK)
    for entry in entries:
        _add(root, entry)
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True))


def _text(parent: etree._Element, tag: str, text: str, form: str = "plain_text", **attributes: str) -> etree._Element:
    holder = etree.SubElement(parent, tag, {**({"format": form} if form else {}), **attributes})
    etree.SubElement(holder, "text").text = text
    return holder


def _add(root: etree._Element, entry: Entry) -> None:
    is_judge = entry.kind == "judge"
    item = etree.SubElement(root, "question", type="truefalse" if is_judge else "multichoice")
    _text(item, "name", entry.code, "")
    _text(item, "questiontext", entry.stem)
    _text(item, "generalfeedback", entry.explanation)
    etree.SubElement(item, "defaultgrade").text = "1"
    etree.SubElement(item, "penalty").text = "0"
    etree.SubElement(item, "idnumber").text = entry.code
    if not is_judge:
        etree.SubElement(item, "single").text = "true" if entry.kind == "single" else "false"
        etree.SubElement(item, "shuffleanswers").text = "true"
        etree.SubElement(item, "answernumbering").text = "ABCD"
    texts = ("true", "false") if is_judge else entry.choices
    for text, share in zip(texts, carried.fractions(entry), strict=True):
        answer = _text(item, "answer", text, "moodle_auto_format" if is_judge else "plain_text", fraction=carried.percent(share))
        _text(answer, "feedback", "", "plain_text")
    tags = etree.SubElement(item, "tags")
    for tag in carried.marks_of(entry):
        _text(tags, "tag", tag, "")
