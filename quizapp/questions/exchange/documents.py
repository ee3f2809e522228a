"""Word files: their paragraphs as a paper, their tables as tables where they have a header."""

from typing import Any

from quizapp.questions.exchange.opened import weigh_zip
from quizapp.questions.exchange.outside import open_outside
from quizapp.questions.exchange.papers import OUR_TITLE, Line, read_papers
from quizapp.questions.exchange.parsed import Parsed, Problem, Raw
from quizapp.questions.exchange.reading import build_all
from quizapp.questions.exchange.sheets import Sheet
from quizapp.questions.exchange.tables import find_header, read_tables


def read(raw: bytes) -> Parsed:
    refusal = weigh_zip(raw, "docx")
    if refusal is not None:
        return refusal
    result = open_outside(raw, "document", "docx")
    if isinstance(result, Parsed):
        return result
    blocks = result["blocks"]
    sheets = _tables(blocks)
    raws: list[Raw] = []
    problems: list[Problem] = []
    with_header = [sheet for sheet in sheets.values() if find_header(sheet)]
    if with_header:
        raws, problems = read_tables(with_header)
    lines = _lines(blocks, {number for number, sheet in sheets.items() if sheet in with_header})
    more, notes = read_papers(lines)
    if not (with_header and not more):
        problems += notes
    parsed = build_all("docx", [*raws, *more])
    parsed.problems += problems
    return parsed


def _tables(blocks: list[dict[str, Any]]) -> dict[int, Sheet]:
    found: dict[int, Sheet] = {}
    for block in blocks:
        if "t" in block:
            width = max((len(row) for row in block["t"]), default=0)
            rows = [row + [""] * (width - len(row)) for row in block["t"]]
            found[block["n"]] = Sheet(f"第 {len(found) + 1} 个表格", rows)
    return found


def _lines(blocks: list[dict[str, Any]], taken: set[int]) -> list[Line]:
    """Paragraphs, with the cells of tables that only arrange things (choices in two columns) in reading order."""
    lines: list[Line] = []
    is_ours = any(block.get("p", "").strip() == OUR_TITLE for block in blocks[:5])
    for block in blocks:
        if "p" in block:
            lines.append(Line(block["n"], block["p"], block["img"]))
        elif block["n"] not in taken:
            cells = [cell for row in block["t"] for cell in row if cell.strip()]
            texts = cells if is_ours else [text for cell in cells for text in cell.split("\n")]
            lines += [Line(block["n"], text, block["img"] and place == 0) for place, text in enumerate(texts)]
    return lines
