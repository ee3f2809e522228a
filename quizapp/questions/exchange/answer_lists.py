"""The list of answers at the end of a paper: ``1-5 ABCDA``, ``6-8: AB BCD AC``, ``1. A 解析：…``, by sections or not."""

import re
from dataclasses import dataclass, replace

from quizapp.questions.exchange import words
from quizapp.questions.exchange.paper_signs import KIND_WORDS, LABEL, NUMBER, NUMERAL, number_of

_KEY = r"[A-HＡ-Ｈ](?:[,，、]?\s?[A-HＡ-Ｈ])*(?![A-Za-z])|[√×✓✔✗✘]|正确|错误|对|错|[TF](?![A-Za-z])"
_IS_KEY = re.compile(rf"\s*(?:[【\[]?答案[】\]]?\s*[:：]?\s*)?(?:{_KEY})")
_RANGE = re.compile(r"(\d{1,4})\s*(?:[-—–~～至]|--)+\s*(\d{1,4})\s*(?:题)?\s*[:：、.．)）]?\s*((?:[A-HＡ-Ｈ√×✓✔✗✘对错TF]+[\s,，、;；]*)+)")
_ONE = re.compile(rf"(?:第\s*)?[（(]?(\d{{1,4}})[）)]?\s*(?:题)?\s*[、.．:：)）]?\s*(?:[【\[]?答案[】\]]?\s*[:：]?\s*)?({_KEY})")
_SECTION = re.compile(rf"\s*(?:{NUMERAL}\s*)?[【\[]?({KIND_WORDS}[^\s。:：（(\d]{{0,8}}?题?)[】\]]?\s*(?:[（(][^）)]*[）)])?\s*[:：]?\s*")
_BARE_SECTION = re.compile(rf"\s*{NUMERAL}\s*")
_BETWEEN = " \t,，;；、。.\u3000"


@dataclass(frozen=True)
class Listed:
    """One answer. ``section`` counts within the list."""

    section: int
    kind: str | None
    number: int
    answer: str
    explanation: str = ""


class AnswerList:
    def __init__(self) -> None:
        self.items: list[Listed] = []
        self._section = 0
        self._kind: str | None = None

    @staticmethod
    def is_over(text: str, *, was_blank: bool) -> bool:
        """Whether a new paper begins: after a blank line number 1, with words that are no answer."""
        number = NUMBER.match(text)
        if number is None or not was_blank or number_of(number) != 1:
            return False
        rest = text[number.end() :]
        is_answer = _IS_KEY.match(rest) or re.match(r"\s*[-—~～至]", rest) or "解析" in rest[:6]
        return not is_answer and len(rest) > 12

    def take(self, text: str) -> bool:
        """One line. False where nothing in it belongs to an answer."""
        section = _SECTION.match(text) or _BARE_SECTION.match(text)
        if section:
            self._section += 1
            self._kind = words.read_kind(section[1])[0] if section.re is _SECTION else None
            text = text[section.end() :]
        if not text.strip() or self._read(text):
            return True
        if self.items and not NUMBER.match(text):
            self._explain(text)
            return True
        return False

    def _read(self, text: str) -> bool:
        position = 0
        has_found = False
        while position < len(text):
            match = _RANGE.match(text, position) or _ONE.match(text, position)
            if match is not None:
                has_found, position = True, match.end()
                if match.re is _RANGE:
                    self._take_range(int(match[1]), int(match[2]), match[3])
                else:
                    self._take_one(int(match[1]), match[2])
            elif text[position] in _BETWEEN:
                position += 1
            elif has_found:
                self._explain(text[position:])
                return True
            else:
                return False
        return has_found

    def _explain(self, text: str) -> None:
        """Words after an answer are its explanation."""
        label = LABEL.match(text)
        last = self.items[-1]
        extra = (text[label.end() :] if label else text).strip()
        self.items[-1] = replace(last, explanation=f"{last.explanation}\n{extra}".strip())

    def _take_one(self, number: int, answer: str) -> None:
        last = self.items[-1] if self.items else None
        if last is not None and number <= last.number and last.section == self._section and self._kind is None:
            self._section += 1
        self.items.append(Listed(self._section, self._kind, number, answer))

    def _take_range(self, first: int, last: int, answers: str) -> None:
        """As many answers as numbers, parted by blanks or one sign each; if there are not as many, none is guessed."""
        count = last - first + 1
        groups = [group for group in re.split(r"[\s,，、;；]+", answers) if group]
        letters = [char for group in groups for char in group]
        chosen = groups if len(groups) == count else letters if len(letters) == count else []
        for number, answer in zip(range(first, last + 1), chosen, strict=False):
            self._take_one(number, answer)
