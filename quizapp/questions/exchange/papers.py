"""Papers as people type them: numbered paragraphs, choices on one line or several, 答案 and 解析 lines, judge questions with
（ √ ）, sections that name the kind, an answer list at the end. From Word or pasted text.

A paper of ours (:data:`OUR_TITLE` on its first line) is taken to the letter: one paragraph, one field.
"""

import dataclasses
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from quizapp.questions.exchange import words
from quizapp.questions.exchange.answer_lists import AnswerList, Listed
from quizapp.questions.exchange.paper_signs import (
    ANSWER_LIST,
    BARE_ANSWER,
    BOLD,
    BULLET,
    CHOICE_LINE,
    EMPTY_BRACKETS,
    FOLDED,
    FOLDED_NUMBER,
    INNER_LABEL,
    KEY_IN_STEM,
    KIND_MARK,
    LABEL,
    LABEL_FIELDS,
    LABELS,
    LOOSE_NUMBER,
    MARKDOWN,
    NUMBER,
    QUESTION_BOXES,
    RIGHT_SUFFIX,
    RULE,
    SCORE_MARK,
    SECTION,
    TIGHT_NUMBER,
    TRAILING_MARK,
    number_of,
)
from quizapp.questions.exchange.parsed import Problem, Raw, shortened
from quizapp.questions.exchange.tables import split_lettered
from quizapp.questions.rules import LETTERS

MAX_HEAD = 90
"""A section's head is no longer than this."""
MAX_LINE = 8000
"""Longer than a question with everything it may have."""
LOOK_AHEAD = 30
"""Lines that are looked at beyond the present one."""
_KEY_AT_END = re.compile(rf"(?:{KEY_IN_STEM.pattern})[。.？?]?\s*$")
OUR_TITLE = "题目清单（可以改好后再导入）"


@dataclass(frozen=True)
class Line:
    number: int
    text: str
    is_drawn: bool = False


def read_papers(lines: Sequence[Line], place: str = "") -> tuple[list[Raw], list[Problem]]:
    """Questions of a paper, in order."""
    first = next((line.text.strip() for line in lines if line.text.strip()), "")
    is_ours = first == OUR_TITLE
    paper = _Paper(place, is_ours)
    if is_ours:
        skipped = False
        for line in lines:
            if not skipped and line.text.strip() == OUR_TITLE:
                skipped = True
                continue
            paper.take_ours(line)
    else:
        split = [Line(line.number, _plain(text), line.is_drawn) for line in lines for text in line.text.split("\n")]
        paper.is_numbered = sum(NUMBER.match(line.text) is not None for line in split) > 0
        for place_in, line in enumerate(split):
            paper.ahead = split[place_in + 1 : place_in + 1 + LOOK_AHEAD]
            paper.take(line)
    return paper.finish()


@dataclass
class _Draft:
    """A question while its lines come in."""

    raw: Raw
    number: int
    section: int
    loose: list[str] = dataclasses.field(default_factory=list)
    """Lines after the stem that are neither choice nor label."""
    field: str = "stem"
    marked: set[int] = dataclasses.field(default_factory=set)
    """Choices that carry a sign of being right."""
    has_answer: bool = False


class _Paper:
    def __init__(self, place: str, is_ours: bool) -> None:
        self.place = place
        self.is_ours = is_ours
        self.is_numbered = True
        self.drafts: list[_Draft] = []
        self.section = 0
        self.section_kind = ""
        self.section_kinds: list[str] = [""]
        self.ignored: list[Line] = []
        self.answers: AnswerList | None = None
        self.ahead: list[Line] = []
        self.faults: list[Problem] = []
        self.was_blank = True

    @property
    def current(self) -> _Draft | None:
        return self.drafts[-1] if self.drafts else None

    # ---- papers of ours

    _OURS = re.compile(r"(\d+)\. 【(单选|多选|不定项|判断)】(.*)", re.S)

    def take_ours(self, line: Line) -> None:
        start = self._OURS.fullmatch(line.text)
        if start:
            raw = Raw(line.number, self.place, kind=start[2], stem=start[3], citations="", is_ours=True)
            self.drafts.append(_Draft(raw, int(start[1]), 0, has_answer=True))
            self._note_drawing(line)
            return
        draft = self.current
        if draft is None:
            self.ignored += [line] if line.text.strip() else []
            return
        self._note_drawing(line)
        label = re.match(r"(答案|解析|依据|难度|标签|复核人|复核日期|平台编号)：", line.text)
        choice = re.match(r"([A-H])\. ", line.text)
        if label:
            draft.field = LABEL_FIELDS[label[1]]
            self._append(draft, line.text[label.end() :])
        elif choice and draft.field in ("stem", "choices") and LETTERS.index(choice[1]) == len(draft.raw.choices):
            draft.field = "choices"
            draft.raw.choices.append(line.text[choice.end() :])
        elif line.text.strip():
            self._append(draft, line.text)

    def _append(self, draft: _Draft, text: str) -> None:
        """More of the field that the lines before belong to."""
        raw = draft.raw
        if draft.field == "choices":
            raw.choices[-1] = f"{raw.choices[-1]}\n{text}"
        elif draft.field != "ignored":
            before = getattr(raw, draft.field) or ""
            setattr(raw, draft.field, f"{before}\n{text}" if before else text)

    def _note_drawing(self, line: Line) -> None:
        if line.is_drawn and self.current is not None:
            raw = self.current.raw
            reason = "这道题里有图片、公式或文本框，里面的内容读不出来"
            raw.faults.append(Problem(raw.row, "题干", reason, "请把里面的内容写成文字", raw.place, stem=shortened(raw.stem)))

    # ---- papers of others

    def take(self, line: Line) -> None:
        text = line.text.strip("\u3000 \t")
        if not text and not line.is_drawn:
            self.was_blank = True
            return
        if len(text) > MAX_LINE:
            reason = f"这一行有 {len(text)} 个字，不像题目，没有读"
            self.faults.append(Problem(line.number, "", reason, "请分成一行一行再传", self.place, stem=shortened(text)))
            return
        if self.answers is not None and not self.answers.is_over(text, was_blank=self.was_blank):
            self.ignored += [] if self.answers.take(text) else [line]
        elif not (self._section(text) or self._list_begins(text)):
            self._take_line(line, text)
        self.was_blank = False

    def _section(self, text: str) -> bool:
        match = SECTION.fullmatch(text) if len(text) <= MAX_HEAD else None
        if match is None or re.match(r"\s*\d", text):
            return False
        kind, unsupported = words.read_kind(match[1])
        if kind is None and not unsupported and "选择" not in match[1] and "案例" not in match[1]:
            return False
        self.section += 1
        self.section_kind = match[1] if (kind or unsupported) else ""
        self.section_kinds.append(kind or "")
        if self.current is not None:
            self.current.field = "ignored"
        return True

    def _list_begins(self, text: str) -> bool:
        """A line that says 参考答案 and no more, after at least one question has come without an answer of its own."""
        draft = self.current
        if draft is None or ANSWER_LIST.fullmatch(text) is None:
            return False
        if draft.has_answer or all(item.has_answer for item in self.drafts):
            return False
        if sum(not item.has_answer for item in self.drafts) < 2 and ":" not in text and "：" not in text:
            return False
        self.answers = self.answers or AnswerList()
        return True

    def _take_line(self, line: Line, text: str) -> None:
        if self._starts(text):
            self._start(line, text)
            self._note_drawing(line)
            return
        draft = self.current
        if draft is None:
            self.ignored.append(line)
            return
        self._note_drawing(line)
        if self._labels(draft, text) or self._choices(draft, text):
            return
        if draft.field == "stem":
            draft.loose.append(text)
        elif draft.field == "ignored":
            self.ignored.append(line)
        else:
            self._append(draft, text)

    def _number(self, text: str) -> re.Match[str] | None:
        """The number a question begins with, if it does."""
        number = NUMBER.match(text)
        expected = self.current.number + 1 if self.current else None
        if number is None and (tight := TIGHT_NUMBER.match(text)):
            return tight if int(tight[1]) == (expected or 1) else None
        if number is None and (loose := LOOSE_NUMBER.match(text)):
            return loose if int(loose[1]) == (expected or int(loose[1])) and self._brings_choices() else None
        return number

    def _starts(self, text: str) -> bool:
        draft = self.current
        number = self._number(text)
        if number is None:
            label = LABEL.match(text)
            if label and LABEL_FIELDS[(label[1] or label[2]).lower()] == "stem":
                return True
            if (
                KIND_MARK.search(text)
                and LABEL.match(text) is None
                and (draft is None or draft.raw.choices or draft.loose or draft.has_answer)
            ):
                return True
            return not self.is_numbered and self._starts_unnumbered(text)
        return draft is None or self._is_next(number_of(number), draft, text)

    def _starts_unnumbered(self, text: str) -> bool:
        """Without numbers, a question begins after a blank line, or after an answer with words that are no label."""
        if LABEL.match(text) or CHOICE_LINE.match(text) or BARE_ANSWER.fullmatch(text):
            return False
        draft = self.current
        return draft is None or (self.was_blank and (draft.has_answer or bool(draft.raw.choices)))

    def _is_next(self, number: int, draft: _Draft, text: str) -> bool:
        """Whether a number continues the count, begins it anew, follows a question that is complete, or jumps to one that
        shows its key or choices; otherwise it belongs to the words of this one (a list inside a stem or an explanation)."""
        is_new_section = draft.section != self.section
        is_whole = bool(draft.raw.choices) or draft.has_answer or KEY_IN_STEM.search(draft.raw.stem) is not None
        if number == draft.number + 1:
            is_judge = words.read_kind(draft.raw.kind)[0] == "judge"
            return (draft.field != "explanation" and (is_whole or is_judge)) or not self._comes_again(number)
        if number == 1 and is_new_section:
            return True
        if draft.field == "explanation" or not is_whole:
            shows_key = draft.field != "explanation" and _KEY_AT_END.search(text) is not None
            return number > draft.number and (shows_key or self._brings_choices())
        return (is_new_section or number != draft.number) and (number > draft.number or number == 1)

    def _brings_choices(self) -> bool:
        """Whether choices come before the next number or label: then a number that jumps begins a question, where otherwise
        it counts the points of an explanation."""
        for line in self.ahead:
            text = line.text.strip()
            choice = CHOICE_LINE.match(text)
            if choice:
                return choice[2] in "AＡ"
            if NUMBER.match(text) or LABEL.match(text) or SECTION.fullmatch(text):
                return False
        return False

    def _comes_again(self, number: int) -> bool:
        """Whether the same number stands once more before any choice or answer: then this one counts points of a text."""
        for line in self.ahead:
            text = line.text.strip()
            found = NUMBER.match(text)
            if found and number_of(found) == number:
                return True
            ends = (
                CHOICE_LINE.match(text),
                LABEL.match(text),
                BARE_ANSWER.fullmatch(text),
                SECTION.fullmatch(text),
                ANSWER_LIST.fullmatch(text),
            )
            if any(ends):
                return False
        return False

    def _start(self, line: Line, text: str) -> None:
        number = self._number(text)
        value = number_of(number) if number else (self.current.number + 1 if self.current else 1)
        rest = text[number.end() :] if number else text
        raw = Raw(line.number, self.place, kind=self.section_kind, citations=None)
        draft = _Draft(raw, value, self.section)
        self.drafts.append(draft)
        label = LABEL.match(rest)
        if label and LABEL_FIELDS[(label[1] or label[2]).lower()] == "stem":
            rest = rest[label.end() :]
        inline = INNER_LABEL.search(rest)
        stem, tail = (rest[: inline.start()], rest[inline.start() :]) if inline else (rest, "")
        choices_at = self._inline_choices(stem)
        if choices_at:
            stem, raw.choices = stem[: choices_at[0]], choices_at[1]
            draft.field = "choices"
        raw.stem = stem.strip()
        if tail:
            self._labels(draft, tail.strip())

    def _inline_choices(self, text: str) -> tuple[int, list[str]] | None:
        """A question with its choices on the very same line."""
        first = re.search(r"(?<=[\s）)。？?：:；;])[（(]?[AＡ][）)]?\s*[.、．:：]\s*", text)
        choices = split_lettered(text[first.start() :]) if first else None
        if first is None or choices is None or len(choices) < 3:
            return None
        return first.start(), choices

    # ---- fields of a question

    def _labels(self, draft: _Draft, text: str) -> bool:
        """A line that begins with 答案： or the like, perhaps with further labels behind."""
        bare = BARE_ANSWER.fullmatch(text)
        label = LABEL.match(text)
        if label is None and bare:
            draft.field, draft.has_answer = "answer", True
            draft.raw.answer = bare[1]
            return True
        if label is None and text in LABELS["explanation"]:
            self._set(draft, "explanation", "")
            return True
        if label is None:
            return False
        name = (label[1] or label[2]).lower()
        if name == "答" and label[2] and draft.field == "stem" and not draft.raw.choices and len(text) > 20:
            return False
        rest = text[label.end() :]
        inner = INNER_LABEL.search(rest)
        value, tail = (rest[: inner.start()], rest[inner.start() :]) if inner else (rest, "")
        self._set(draft, LABEL_FIELDS[name], value.strip().rstrip(";；") if tail else value.strip())
        if tail.strip():
            self._labels(draft, tail.strip())
        return True

    def _set(self, draft: _Draft, name: str, value: str) -> None:
        draft.field = name
        raw = draft.raw
        if name == "answer":
            if raw.answer.strip() and value and _bare(value) != _bare(raw.answer):
                reason = "这里又有一个答案，可能有一道题连在上一题里，没有认出来"
                raw.faults.append(Problem(raw.row, "答案", reason, "请给每道题写上题号", raw.place, value, stem=shortened(raw.stem)))
            draft.has_answer = draft.has_answer or bool(value)
            raw.answer = value.rstrip("。.") if not raw.answer else raw.answer
        elif name == "citations":
            raw.citations = f"{raw.citations}\n{value}" if raw.citations else value
        elif name == "kind":
            raw.kind = value
        elif name == "ignored":
            return
        else:
            before = getattr(raw, name)
            setattr(raw, name, f"{before}\n{value}" if before else value)

    def _choices(self, draft: _Draft, text: str) -> bool:
        raw = draft.raw
        if draft.field not in ("stem", "choices"):
            return False
        choice = CHOICE_LINE.match(text)
        if choice is None:
            return False
        letter = chr(ord(choice[2]) - 0xFEE0) if ord(choice[2]) > 255 else choice[2]
        if LETTERS.index(letter) != len(raw.choices):
            return False
        draft.field = "choices"
        texts = self._several(text, letter)
        if texts is None:
            if choice[1]:
                self._mark_bullet(draft, choice[1], len(raw.choices))
            texts = [text[choice.end() :].strip()]
        raw.choices += texts
        return True

    def _several(self, text: str, letter: str) -> list[str] | None:
        """Choices that share a line, from the letter on; tightly written ones only if the next letter has no line itself."""
        start = LETTERS.index(letter)
        for is_tight in (False, True):
            parts = _split_from(text, start, is_tight=is_tight)
            if len(parts) < 2:
                continue
            nxt = CHOICE_LINE.match(self.ahead[0].text) if self.ahead else None
            follows = nxt is not None and nxt[2] == LETTERS[start + 1]
            if not (is_tight and follows):
                return parts
        return None

    def _mark_bullet(self, draft: _Draft, sign: str, place: int) -> None:
        if sign in "●■☑✔√*":
            draft.marked.add(place)

    # ---- the end

    def finish(self) -> tuple[list[Raw], list[Problem]]:
        problems = [*self.faults, *self._ignored_note(), *self._skipped_numbers()]
        self._give_listed()
        for draft in self.drafts:
            if not self.is_ours:
                self._settle(draft)
        return [draft.raw for draft in self.drafts], problems

    def _ignored_note(self) -> list[Problem]:
        if not self.ignored:
            return []
        first = self.ignored[0]
        value = " / ".join(shortened(line.text, 30) for line in self.ignored[:5])
        reason = f"有 {len(self.ignored)} 行不在任何一道题里，没有导入"
        return [Problem(first.number, "", reason, "是题目就在前面加上题号", self.place, shortened(value, 200), severity="note")]

    def _skipped_numbers(self) -> Iterator[Problem]:
        """Where the count jumps, a question was not recognised; it must not get lost without a word."""
        for before, after in itertools.pairwise(() if self.is_ours else self.drafts):
            if before.section == after.section and after.number > before.number + 1:
                missing = f"{before.number + 1}" if after.number == before.number + 2 else f"{before.number + 1} 到 {after.number - 1}"
                reason = f"题号从 {before.number} 跳到 {after.number}，第 {missing} 题没有认出来"
                mend = "请看它有没有题号、是不是连在上一题里；本来就没有这道题的，可以不管"
                yield Problem(before.raw.row, "题号", reason, mend, self.place, stem=shortened(before.raw.stem))

    def _give_listed(self) -> None:
        """Answers of the list go to the questions with the same number in the same section."""
        for item in self.answers.items if self.answers else ():
            draft = self._owner(item)
            if draft is not None and not draft.has_answer:
                draft.raw.answer = item.answer
                draft.has_answer = bool(item.answer)
                draft.raw.explanation = draft.raw.explanation or item.explanation

    def _owner(self, item: Listed) -> _Draft | None:
        numbered = [draft for draft in self.drafts if draft.number == item.number]
        if len(numbered) <= 1:
            return numbered[0] if numbered else None
        if item.kind is not None:
            same = [draft for draft in numbered if self.section_kinds[draft.section] == item.kind]
            if len(same) == 1:
                return same[0]
        sections = sorted({draft.section for draft in self.drafts})
        lists = sorted({listed.section for listed in self.answers.items} if self.answers else ())
        if len(sections) == len(lists):
            wanted = sections[lists.index(item.section)]
            return next((draft for draft in numbered if draft.section == wanted), None)
        return None

    def _settle(self, draft: _Draft) -> None:
        """What can be told only when all lines of a question are there."""
        raw = draft.raw
        self._settle_loose(draft)
        self._settle_marks(draft)
        mark = KIND_MARK.search(raw.stem)
        if mark:
            raw.kind = mark[1]
            raw.stem = (raw.stem[: mark.start()] + raw.stem[mark.end() :]).strip()
        raw.stem = SCORE_MARK.sub("", raw.stem).strip()
        if not raw.answer.strip():
            self._key_from_stem(raw)
        elif not raw.choices:
            raw.stem = EMPTY_BRACKETS.sub("", raw.stem)
        raw.stem = raw.stem.strip()

    def _settle_loose(self, draft: _Draft) -> None:
        """Lines after the stem: choices without letters where the question says its kind or marks the right one, else stem."""
        raw = draft.raw
        if not draft.loose:
            return
        kind, _ = words.read_kind(raw.kind)
        kind_mark = KIND_MARK.search(raw.stem)
        kind = words.read_kind(kind_mark[1])[0] if kind_mark else kind
        is_listed = any(RIGHT_SUFFIX.search(text) or BULLET.match(text) for text in draft.loose)
        if not raw.choices and len(draft.loose) >= 2 and (is_listed or (kind_mark is not None and kind is not None)):
            for place, text in enumerate(draft.loose):
                bullet = BULLET.match(text)
                if bullet:
                    self._mark_bullet(draft, bullet[1], place)
                raw.choices.append(text[bullet.end() :] if bullet else text)
            return
        raw.stem = "\n".join((raw.stem, *draft.loose)).strip("\n")

    def _settle_marks(self, draft: _Draft) -> None:
        """Choices that say of themselves that they are right; only where no answer is given otherwise."""
        raw = draft.raw
        suffixed = {place for place, text in enumerate(raw.choices) if RIGHT_SUFFIX.search(text)}
        if suffixed and not raw.answer.strip():
            raw.choices = [RIGHT_SUFFIX.sub("", text) for text in raw.choices]
        right = suffixed or draft.marked
        if right and (suffixed or len(right) < len(raw.choices)) and not raw.answer.strip():
            raw.answer = words.letters_of(sorted(right))

    def _key_from_stem(self, raw: Raw) -> None:
        """``……的是（ B ）``, ``……。（ √ ）``: the key stands in the stem's brackets, which are then left empty."""
        kind, _ = words.read_kind(raw.kind)
        matches = [match for match in KEY_IN_STEM.finditer(raw.stem) if not (raw.choices and match[1].upper() in "TFYNXＴＦＹＮＸ")]
        if matches:
            match = matches[-1]
            is_judge = words.judge_word(match[1]) is not None and not raw.choices
            raw.answer = match[1]
            before, after = raw.stem[: match.start()].rstrip(), raw.stem[match.end() :].lstrip()
            raw.stem = f"{before}{after}" if is_judge else f"{before}（　）{after}"
            return
        trailing = TRAILING_MARK.search(raw.stem)
        if trailing and kind in (None, "judge") and not raw.choices:
            raw.answer = trailing[1]
            raw.stem = raw.stem[: trailing.start()]


def _bare(answer: str) -> str:
    return re.sub(r"[\W_]+", "", answer).upper()


def _plain(text: str) -> str:
    """A line without the signs of Markdown around it: heads, quotations, rules, a bold beginning."""
    bare = text.strip("\u3000 \t")
    if RULE.fullmatch(bare):
        return ""
    head = MARKDOWN.match(bare)
    bare = bare[head.end() :] if head else bare
    box = FOLDED.search(head[0]) if head else None
    if box:
        numbered = FOLDED_NUMBER.fullmatch(bare)
        return "" if box[1].lower() not in QUESTION_BOXES else f"{numbered[1]}." if numbered else bare
    bold = BOLD.match(bare)
    if bold:
        return bold[1] + bare[bold.end() :]
    return bare if head else text


def _split_from(text: str, start: int, *, is_tight: bool) -> list[str]:
    """Choices on one line from the letter at ``start`` on."""
    marks: list[re.Match[str]] = []
    position = 0
    before = r"(?<![A-Za-z])" if is_tight else r"(?:^|(?<=[\s;；]))"
    for letter in LETTERS[start:]:
        full = chr(ord(letter) + 0xFEE0)
        pattern = re.compile(rf"{before}[○●□■◯☐☑]?\s*[（(]?[{letter}{full}][）)]?\s*[、．.:：)）]\s*")
        match = pattern.search(text, position)
        if match is None:
            break
        marks.append(match)
        position = match.end()
    if not marks:
        return []
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    return [text[mark.end() : end].strip().rstrip(";；").strip() for mark, end in zip(marks, ends, strict=True)]


def lines_of(text: str) -> Iterator[Line]:
    for number, line in enumerate(text.split("\n"), 1):
        yield Line(number, line)
