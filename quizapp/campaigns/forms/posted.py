"""A posted form, read field by field: times are Shanghai's, money is typed in yuan, odds in per cent, limits in minutes."""

import re
import uuid
from decimal import Decimal, InvalidOperation

from werkzeug.datastructures import MultiDict

from quizapp.core.clock import parse_shanghai
from quizapp.core.money import parse_yuan
from quizapp.core.text import N_, clean_line, has_forbidden_characters

MAX_ROWS = 30
NUMBER = re.compile(r"-?\d{1,12}")


class Posted:
    """A posted form, read field by field."""

    def __init__(self, data: "MultiDict[str, str]") -> None:
        self.data = data
        self.errors: dict[str, list[str]] = {}

    def wrong(self, name: str, message: str) -> None:
        self.errors.setdefault(name, []).append(message)

    def raw(self, name: str) -> str:
        return self.data.get(name, "").strip()

    def line(self, name: str, limit: int) -> str:
        text = self.raw(name)
        if has_forbidden_characters(text):
            self.wrong(name, N_("有不能用的字符。"))
        elif len(text) > limit:
            self.wrong(name, f"最多 {limit} 个字，现在有 {len(text)} 个字。")
        return clean_line(text, limit)

    def whole(self, name: str, default: int | None = None) -> int | None:
        text = self.raw(name).replace(",", "")
        if not text:
            return default
        if not NUMBER.fullmatch(text):
            self.wrong(name, N_("请填整数。"))
            return default
        return int(text)

    def minutes(self, name: str) -> int | None:
        """Minutes with at most two decimals, as whole seconds."""
        number = self._decimal(name, 2)
        return None if number is None else int(number * 60)

    def tenths(self, name: str) -> int | None:
        """A number with at most one decimal, in tenths."""
        number = self._decimal(name, 1)
        return None if number is None else int(number * 10)

    def ppm(self, name: str) -> int:
        """Per cent with at most four decimals, as parts per million."""
        number = self._decimal(name, 4)
        return 0 if number is None else int(number * 10_000)

    def _decimal(self, name: str, places: int) -> Decimal | None:
        text = self.raw(name).removesuffix("%").strip()
        if not text:
            return None
        try:
            number = Decimal(text)
        except InvalidOperation:
            number = Decimal("NaN")
        if not number.is_finite() or not 0 <= number < 1_000_000:
            self.wrong(name, N_("请填数字。"))
            return None
        if number != round(number, places):
            self.wrong(name, f"最多 {places} 位小数。")
            return None
        return number

    def fen(self, name: str) -> int:
        text = self.raw(name).replace(",", "")
        if not text:
            return 0
        try:
            return parse_yuan(text)
        except ValueError:
            self.wrong(name, N_("请填金额，例如 2 或 2.50。"))
            return 0

    def moment(self, name: str) -> str | None:
        """A Shanghai time, as the terms keep moments."""
        text = self.raw(name)
        if not text:
            return None
        try:
            moment = parse_shanghai(text)
        except (ValueError, OverflowError):
            self.wrong(name, N_("时间写得不对，例如 2026-11-22 09:00。"))
            return None
        return moment.isoformat().replace("+00:00", "Z")

    def flag(self, name: str) -> bool:
        return self.raw(name) == "1"

    def chosen(self, name: str) -> list[str]:
        return sorted({value.strip() for value in self.data.getlist(name) if value.strip()})

    def ids(self, name: str) -> list[uuid.UUID]:
        found = []
        for text in self.chosen(name):
            try:
                found.append(uuid.UUID(text))
            except ValueError:
                self.wrong(name, N_("请从列表里选。"))
        return found

    def rows(self, prefix: str) -> list[int]:
        """Numbers of the rows ``prefix[n].…`` that were posted, in order."""
        pattern = re.compile(re.escape(prefix) + r"\[(\d{1,3})\]\.")
        return sorted({int(match[1]) for name in self.data if (match := pattern.match(name))})[:MAX_ROWS]
