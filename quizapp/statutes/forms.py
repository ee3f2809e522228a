"""What staff type about statutes, read and checked; every mistake comes with its field."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from quizapp.core.errors import InvalidInput
from quizapp.core.text import clean_line, has_forbidden_characters
from quizapp.statutes import rules
from quizapp.statutes.loader import MAX_ARTICLE
from quizapp.statutes.models import Statute
from quizapp.statutes.services import Facts, ListEntry

MAX_TEXT = 150_000
MAX_ITEMS = 60


class _Form:
    """Reads fields and collects what is wrong with them."""

    def __init__(self, sent: MultiDict[str, str]) -> None:
        self.sent = sent
        self.errors: dict[str, str] = {}

    def line(self, name: str, limit: int, *, is_required: bool = False) -> str:
        raw = self.sent.get(name, "")
        text = clean_line(raw, limit + 1)
        if len(text) > limit:
            self.errors[name] = _("最多 %(n)d 个字。", n=limit)
        elif is_required and not text:
            self.errors[name] = _("请填写。")
        return text[:limit]

    def day(self, name: str, *, is_required: bool = False) -> dt.date | None:
        text = self.sent.get(name, "").strip()
        if not text:
            if is_required:
                self.errors[name] = _("请填日期。")
            return None
        try:
            return dt.date.fromisoformat(text)
        except ValueError:
            self.errors[name] = _("日期写成 2026-01-01 的样子。")
            return None

    def text(self, name: str, limit: int) -> str:
        text = self.sent.get(name, "")
        if has_forbidden_characters(text.replace("\f", "")):
            self.errors[name] = _("有不能用的控制字符，请删掉再试。")
        if len(text) > limit:
            self.errors[name] = _("有 %(count)d 个字，最多 %(n)d 个字。", count=len(text), n=limit)
        return text

    def flag(self, name: str) -> bool:
        return self.sent.get(name) == "1"

    def check(self) -> None:
        """:raises InvalidInput: with every mistake"""
        if self.errors:
            raise InvalidInput(fields=self.errors)


def _facts(form: _Form, short_title: str) -> Facts:
    kind = form.sent.get("kind", "")
    if kind not in rules.KIND_TITLES:
        form.errors["kind"] = _("请选一类。")
    aliases = [clean_line(line, 200) for line in form.sent.get("aliases", "").replace("，", "\n").splitlines()]
    title = form.line("title", 200, is_required=True)
    for name, value in (("short_title", short_title), ("title", title)):
        if any(char in "/\\?#%" for char in value):
            form.errors[name] = _("不能有 / \\ ? # 和百分号。")
    facts = Facts(
        short_title=short_title,
        title=title,
        kind=kind,
        aliases=tuple(dict.fromkeys(alias for alias in aliases if alias))[:20],
        issuer=form.line("issuer", 200),
        number=form.line("number", 100),
        adopted_on=form.day("adopted_on"),
        effective_on=form.day("effective_on"),
        last_amended_on=form.day("last_amended_on"),
        is_repealed=form.flag("is_repealed"),
        repealed_on=form.day("repealed_on"),
        repealed_by=form.line("repealed_by", 200),
        is_outdated=form.flag("is_outdated"),
        note=form.line("note", 1000),
    )
    if facts.repealed_on and not facts.is_repealed:
        form.errors["repealed_on"] = _("填了废止日期，请同时勾选已经废止。")
    return facts


def read_facts(sent: MultiDict[str, str], statute: Statute) -> Facts:
    """Facts of a statute that is there; its short title stays.

    :raises InvalidInput: with every mistake
    """
    form = _Form(sent)
    facts = _facts(form, statute.short_title)
    form.check()
    return facts


@dataclass(frozen=True)
class NewStatute:
    """A document that staff typed in, cut into articles."""

    facts: Facts
    unit: str
    articles: Mapping[str, str]


def read_new(sent: MultiDict[str, str]) -> NewStatute:
    """A new document with its text, where one was typed.

    :raises InvalidInput: with every mistake
    """
    form = _Form(sent)
    facts = _facts(form, form.line("short_title", 200, is_required=True))
    text = form.text("text", MAX_TEXT)
    cut = rules.cut_text(text)
    if cut.gap is not None:
        before, after = cut.gap
        missing = _("%(before)s后面是%(after)s，中间缺条。", before=before, after=after)
        form.errors["text"] = missing if before else _("第一条应当是“第一条”或者“一、”，现在是%(after)s。", after=after)
    elif text.strip() and not cut.articles:
        form.errors["text"] = _("没有找到“第一条”或者“一、”开头的行，分不出条文。")
    elif empty := next((number for number, article in cut.articles.items() if not article), ""):
        form.errors["text"] = _("%(label)s没有文字。", label=rules.label(empty, cut.unit))
    elif cut.articles and not (facts.effective_on or facts.adopted_on):
        form.errors["effective_on"] = _("有全文，就要填施行日期，或者通过日期。")
    form.check()
    return NewStatute(facts, cut.unit, cut.articles)


@dataclass(frozen=True)
class ArticleEdit:
    """One article from a day on; ``text`` None takes it out."""

    text: str | None
    effective_from: dt.date
    note: str
    seen: str
    suspend: bool


def read_article(sent: MultiDict[str, str]) -> ArticleEdit:
    """:raises InvalidInput: with every mistake"""
    form = _Form(sent)
    effective_from = form.day("effective_from", is_required=True)
    is_removed = form.flag("is_removed")
    text = form.text("text", MAX_ARTICLE)
    if not is_removed and not rules.clean_text(text):
        form.errors.setdefault("text", _("请写条文；这一条没有了，就勾选删去。"))
    note = form.line("note", 200)
    form.check()
    edit_text = None if is_removed else text
    return ArticleEdit(edit_text, effective_from or dt.date.min, note, sent.get("seen", ""), form.flag("suspend"))


@dataclass(frozen=True)
class ListEdit:
    """A whole reading list."""

    title: str
    note: str
    is_shown: bool
    entries: tuple[ListEntry, ...]


def read_list(sent: MultiDict[str, str]) -> ListEdit:
    """One statute a line; what stands after a bar is a word why.

    :raises InvalidInput: with every mistake
    """
    form = _Form(sent)
    title, note = form.line("title", 100, is_required=True), form.line("note", 400)
    entries: dict[str, ListEntry] = {}
    for line in form.text("laws", 20_000).splitlines():
        law, _bar, why = line.replace("｜", "|").partition("|")
        name = clean_line(law, 200).strip("《》 ")
        if name in entries:
            form.errors["laws"] = _("《%(law)s》写了两次。", law=name)
        elif name:
            entries[name] = ListEntry(name, clean_line(why, 200))
    if len(entries) > MAX_ITEMS:
        form.errors["laws"] = _("有 %(count)d 部，最多 %(n)d 部。", count=len(entries), n=MAX_ITEMS)
    form.check()
    return ListEdit(title, note, form.flag("is_shown"), tuple(entries.values()))
