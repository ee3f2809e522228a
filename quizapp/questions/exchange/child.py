"""Opens spreadsheets and Word files in a process of its own, with limits, and prints what they hold as JSON.

Run by path, isolated (``python -I child.py sheets|document < file > out``), so that a file made to exhaust memory or time
takes this process down and nothing else. It imports nothing of the product. No macro or formula is run: values are those
that the last program stored.
"""

import datetime as dt
import io
import json
import re
import resource
import sys
import xml.etree.ElementTree as ET
import zipfile
from typing import Any

MEMORY_BYTES = 1500 * 1024 * 1024
CPU_SECONDS = 90
OUTPUT_BYTES = 300 * 1024 * 1024
MAX_CELLS = 4_000_000


def limit() -> None:
    for what, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_FSIZE, OUTPUT_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


# ---- spreadsheets

Odd = dict[str, str]
"""A cell that may have looked different: {"t": text, "w": "date" | "number"}."""


def read_sheets(raw: bytes) -> dict[str, Any]:
    import python_calamine

    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(raw))
    except python_calamine.PasswordError:
        return {"refused": "password"}
    formats = NumberFormats(raw)
    sheets = []
    for index, meta in enumerate(book.sheets_metadata):
        if meta.typ != python_calamine.SheetTypeEnum.WorkSheet:
            continue
        if meta.visible != python_calamine.SheetVisibleEnum.Visible:
            sheets.append({"name": meta.name, "is_hidden": True, "rows": [], "merged": []})
            continue
        sheet = book.get_sheet_by_index(index)
        if sheet.total_height * sheet.total_width > MAX_CELLS:
            return {"refused": "cells"}
        rows = sheet.to_python(skip_empty_area=False)
        shown = formats.of_sheet(meta.name) if any(is_odd(value) for row in rows for value in row) else {}
        cells = [[as_cell(value, shown.get((r, c))) for c, value in enumerate(row)] for r, row in enumerate(rows)]
        sheets.append({"name": meta.name, "is_hidden": False, "rows": cells, "merged": sheet.merged_cell_ranges or []})
    return {"sheets": sheets, "has_pictures": formats.has_pictures}


def is_odd(value: Any) -> bool:
    """Whether how a value looks depends on its number format."""
    return isinstance(value, dt.date | dt.time | dt.timedelta | float | int) and not isinstance(value, bool)


def as_cell(value: Any, code: str | None) -> str | Odd:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, dt.date | dt.time | dt.timedelta):
        text = show_moment(value, code) if code else None
        return text if text is not None else {"t": str(value), "w": "date"}
    if code and "%" in code:
        return show_percent(value, code)
    plain = str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(float(value))
    is_plain = code is None or code.lower() in ("general", "@") or re.fullmatch(r"[0#]+", code) is not None
    if code is not None and not is_plain:
        text = show_number(value, code)
        return text if text is not None else {"t": plain, "w": "number"}
    return plain if is_plain and (code is not None or value == int(value)) else {"t": plain, "w": "number"}


def show_percent(value: float, code: str) -> str:
    places = re.search(r"0\.(0+)%", code)
    return f"{value * 100:.{len(places[1]) if places else 0}f}%"


def show_number(value: float, code: str) -> str | None:
    match = re.fullmatch(r"(#,##)?0(?:\.(0+))?(?:_ |_\))?", code.split(";")[0].strip())
    return f"{value:{',' if match[1] else ''}.{len(match[2] or '')}f}" if match else None


def show_moment(value: Any, code: str) -> str | None:
    """A date as its format shows it, for the formats made of year, month, day, hour and minute."""
    if not isinstance(value, dt.date):
        return None
    code = re.sub(r"\[\$[^\]]*\]|\\|;@$|\"|_\)", "", code.split(";")[0])
    parts = {
        "yyyy": f"{value.year:04d}",
        "yy": f"{value.year % 100:02d}",
        "mm": f"{value.month:02d}",
        "m": str(value.month),
        "dd": f"{value.day:02d}",
        "d": str(value.day),
    }
    if re.search(r"[hsHS]", code):
        return None
    text = re.sub(r"yyyy|yy|mm?|dd?", lambda found: parts[found[0]], code)
    return text if re.fullmatch(r"[0-9年月日/.\- ]+", text) else None


BUILT_IN = {
    0: "General", 1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 9: "0%", 10: "0.00%", 14: "yyyy/m/d", 49: "@",
    27: 'yyyy"年"m"月"', 28: 'm"月"d"日"', 29: 'm"月"d"日"', 31: 'yyyy"年"m"月"d"日"', 57: 'yyyy"年"m"月"', 58: 'm"月"d"日"',
}  # fmt: skip
MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


class NumberFormats:
    """How the numbers of an .xlsx are shown: calamine gives values only, and 15% is stored as 0.15."""

    def __init__(self, raw: bytes) -> None:
        self.archive = zipfile.ZipFile(io.BytesIO(raw)) if raw[:2] == b"PK" else None
        names = set(self.archive.namelist()) if self.archive else set()
        self.has_pictures = any(name.startswith("xl/media/") for name in names)
        self.is_known = {"xl/workbook.xml", "xl/styles.xml", "xl/_rels/workbook.xml.rels"} <= names
        self.codes: list[str] = []
        self.paths: dict[str, str] = {}
        if self.is_known:
            self._read_styles()

    def _tree(self, name: str) -> ET.Element:
        assert self.archive is not None  # noqa: S101 - only called for archives
        text = self.archive.read(name)
        if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
            raise ValueError("a document type")
        return ET.fromstring(text)  # noqa: S314 - no document type, and the process is limited

    def _read_styles(self) -> None:
        styles = self._tree("xl/styles.xml")
        own = {int(item.get("numFmtId", "0")): item.get("formatCode", "") for item in styles.iter(f"{MAIN}numFmt")}
        cell_formats = styles.find(f"{MAIN}cellXfs")
        for item in cell_formats if cell_formats is not None else ():
            number = int(item.get("numFmtId", "0"))
            self.codes.append(own.get(number, BUILT_IN.get(number, "?")))
        targets = {item.get("Id"): item.get("Target", "") for item in self._tree("xl/_rels/workbook.xml.rels")}
        for item in self._tree("xl/workbook.xml").iter(f"{MAIN}sheet"):
            target = targets.get(item.get(RELATION), "")
            self.paths[item.get("name", "")] = target.lstrip("/") if target.startswith("/") else f"xl/{target}"

    def of_sheet(self, name: str) -> dict[tuple[int, int], str]:
        """Format codes of the cells of a sheet that hold numbers, by row and column from 0."""
        if self.archive is None or self.paths.get(name) not in self.archive.namelist():
            return {}
        found: dict[tuple[int, int], str] = {}
        with self.archive.open(self.paths[name]) as stream:
            for _, cell in ET.iterparse(stream):  # noqa: S314 - the process is limited; a document type fails below
                if cell.tag == f"{MAIN}c":
                    place = re.fullmatch(r"([A-Z]{1,3})(\d{1,7})", cell.get("r", ""))
                    style = int(cell.get("s", "0"))
                    if place and cell.get("t", "n") == "n" and style < len(self.codes):
                        found[(int(place[2]) - 1, column_index(place[1]))] = self.codes[style]
                if cell.tag == f"{MAIN}row":
                    cell.clear()
        return found


def column_index(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


# ---- Word

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
SYMBOLS = {
    "wingdings": {0xFC: "√", 0xFB: "×", 0xFE: "√", 0xFD: "×", 0xA8: "□", 0xA1: "○", 0x6F: "□"},
    "wingdings 2": {0x50: "√", 0x4F: "×", 0x52: "√", 0x51: "×", 0x53: "×"},
    "symbol": {0xD6: "√", 0xB4: "×"},
}
"""Ticks and crosses that are letters of picture fonts."""
DRAWN = ("drawing", "pict", "object", "oMath", "oMathPara", "AlternateContent")
SKIPPED = ("txbxContent", "del", "moveFrom", "instrText", "fldChar", "rPr", "pPr")


def read_document(raw: bytes) -> dict[str, Any]:
    archive = zipfile.ZipFile(io.BytesIO(raw))
    names = set(archive.namelist())
    if "word/document.xml" not in names:
        return {"refused": "not word"}
    for name in ("word/document.xml", "word/numbering.xml", "word/styles.xml"):
        if name in names and re.search(rb"<!(?:DOCTYPE|ENTITY)", archive.read(name)):
            return {"refused": "entities"}
    numbering = Numbering(archive, names)
    root = ET.fromstring(archive.read("word/document.xml"))  # noqa: S314 - no document type
    body = root.find(f"{W}body")
    blocks: list[dict[str, Any]] = []
    for element in unwrapped(body if body is not None else []):
        number = len(blocks) + 1
        if element.tag == f"{W}p":
            text, is_drawn = text_of(element)
            blocks.append({"n": number, "p": numbering.label(element) + text, "img": is_drawn})
        elif element.tag == f"{W}tbl":
            rows, is_drawn = table_of(element, numbering)
            blocks.append({"n": number, "t": rows, "img": is_drawn})
    return {"blocks": blocks}


def unwrapped(parent: Any) -> Any:
    """The paragraphs and tables of a body, also those inside content controls and insertions."""
    for element in parent:
        if element.tag in (f"{W}sdt", f"{W}sdtContent", f"{W}ins", f"{W}customXml", f"{W}moveTo", f"{W}smartTag"):
            yield from unwrapped(element)
        else:
            yield element


def text_of(paragraph: ET.Element) -> tuple[str, bool]:
    """What is read in a paragraph; whether something is drawn there that no text can carry."""
    parts: list[str] = []
    is_drawn = False

    def walk(element: ET.Element) -> None:
        nonlocal is_drawn
        for child in element:
            name = child.tag.rpartition("}")[2]
            if name == "t":
                parts.append(child.text or "")
            elif name == "tab":
                parts.append("\t")
            elif name in ("br", "cr"):
                parts.append("\n" if child.get(f"{W}type") in (None, "textWrapping") else "")
            elif name == "noBreakHyphen":
                parts.append("-")
            elif name == "sym":
                code = int(child.get(f"{W}char", "0"), 16) & 0xFF
                parts.append(SYMBOLS.get(child.get(f"{W}font", "").lower(), {}).get(code, "□"))
            elif name in DRAWN:
                is_drawn = True
            elif name not in SKIPPED:
                walk(child)

    walk(paragraph)
    return "".join(parts), is_drawn


def table_of(table: ET.Element, numbering: "Numbering") -> tuple[list[list[str]], bool]:
    rows: list[list[str]] = []
    is_drawn = False
    for row in unwrapped(table):
        if row.tag != f"{W}tr":
            continue
        cells: list[str] = []
        for cell in unwrapped(row):
            if cell.tag != f"{W}tc":
                continue
            lines = []
            for paragraph in cell.iter(f"{W}p"):
                text, drawn = text_of(paragraph)
                is_drawn = is_drawn or drawn
                lines.append(numbering.label(paragraph) + text)
            merge = cell.find(f"{W}tcPr/{W}vMerge")
            is_continued = merge is not None and merge.get(f"{W}val", "continue") == "continue"
            above = rows[-1][len(cells)] if is_continued and rows and len(cells) < len(rows[-1]) else ""
            span = cell.find(f"{W}tcPr/{W}gridSpan")
            cells += [above if is_continued else "\n".join(lines).strip("\n")]
            cells += [""] * (min(int(span.get(f"{W}val", "1")), 64) - 1 if span is not None else 0)
        rows.append(cells)
    return rows, is_drawn


class Numbering:
    """Labels that Word counts itself (1. 2. 3. and A. B. C.): they are not in the text."""

    def __init__(self, archive: zipfile.ZipFile, names: set[str]) -> None:
        self.levels: dict[tuple[str, int], tuple[str, str, int]] = {}
        self.abstract: dict[str, str] = {}
        self.restarts: dict[tuple[str, int], int] = {}
        self.by_style: dict[str, tuple[str, int]] = {}
        self.counts: dict[tuple[str, int], int] = {}
        self.seen: set[str] = set()
        if "word/numbering.xml" in names:
            self._read_numbering(ET.fromstring(archive.read("word/numbering.xml")))  # noqa: S314 - no document type
        if "word/styles.xml" in names:
            self._read_styles(ET.fromstring(archive.read("word/styles.xml")))  # noqa: S314 - no document type

    def _read_numbering(self, root: ET.Element) -> None:
        for item in root.findall(f"{W}abstractNum"):
            for level in item.findall(f"{W}lvl"):
                values = [level.find(f"{W}{name}") for name in ("numFmt", "lvlText", "start")]
                form, text, start = (value.get(f"{W}val", "") if value is not None else "" for value in values)
                key = (item.get(f"{W}abstractNumId", ""), int(level.get(f"{W}ilvl", "0")))
                self.levels[key] = (form or "decimal", text, int(start or "1"))
        for item in root.findall(f"{W}num"):
            number = item.get(f"{W}numId", "")
            abstract = item.find(f"{W}abstractNumId")
            self.abstract[number] = abstract.get(f"{W}val", "") if abstract is not None else ""
            for override in item.findall(f"{W}lvlOverride"):
                start_at = override.find(f"{W}startOverride")
                if start_at is not None:
                    self.restarts[(number, int(override.get(f"{W}ilvl", "0")))] = int(start_at.get(f"{W}val", "1"))

    def _read_styles(self, root: ET.Element) -> None:
        for style in root.findall(f"{W}style"):
            properties = style.find(f"{W}pPr/{W}numPr")
            if properties is not None:
                found = self._read_properties(properties)
                if found is not None:
                    self.by_style[style.get(f"{W}styleId", "")] = found

    def _read_properties(self, properties: ET.Element) -> tuple[str, int] | None:
        number, level = properties.find(f"{W}numId"), properties.find(f"{W}ilvl")
        if number is None:
            return None
        return number.get(f"{W}val", ""), int(level.get(f"{W}val", "0")) if level is not None else 0

    def label(self, paragraph: ET.Element) -> str:
        properties = paragraph.find(f"{W}pPr/{W}numPr")
        style = paragraph.find(f"{W}pPr/{W}pStyle")
        found = self._read_properties(properties) if properties is not None else None
        if found is None and style is not None:
            found = self.by_style.get(style.get(f"{W}val", ""))
        if found is None or found[0] not in self.abstract:
            return ""
        number, level = found
        abstract = self.abstract[number]
        if number not in self.seen:
            self.seen.add(number)
            for (of, at), start in self.restarts.items():
                if of == number:
                    self.counts[(abstract, at)] = start - 1
        form, text, start = self.levels.get((abstract, level), ("none", "", 1))
        if form in ("bullet", "none"):
            return ""
        self.counts[(abstract, level)] = self.counts.get((abstract, level), start - 1) + 1
        for key in [key for key in self.counts if key[0] == abstract and key[1] > level]:
            del self.counts[key]

        def counted(match: re.Match[str]) -> str:
            at = int(match[1]) - 1
            form_at, _, start_at = self.levels.get((abstract, at), ("decimal", "", 1))
            return written(self.counts.get((abstract, at), start_at), form_at)

        return re.sub(r"%([1-9])", counted, text) + " "


def written(number: int, form: str) -> str:
    if form in ("upperLetter", "lowerLetter") and 1 <= number <= 26:
        return chr((64 if form == "upperLetter" else 96) + number)
    if form.startswith(("chinese", "japanese", "ideograph", "taiwanese")) and 1 <= number <= 99:
        digits = "零一二三四五六七八九"
        tens, ones = divmod(number, 10)
        return (("" if tens == 1 else digits[tens]) + "十" if tens else "") + (digits[ones] if ones else "")
    return str(number)


def main() -> None:
    limit()
    raw = sys.stdin.buffer.read()
    result = read_sheets(raw) if sys.argv[1] == "sheets" else read_document(raw)
    json.dump(result, sys.stdout, ensure_ascii=True)


if __name__ == "__main__":
    main()
