"""A printable paper as PDF, set by Typst: a wheel without system libraries that breaks Chinese lines as they should be and
embeds what it uses of the system's font. Texts go in as data, so nothing in a question can be taken for commands; files
and network are out of reach (the root is a folder with nothing else, packages are not imported)."""

import json
import tempfile
from dataclasses import asdict
from pathlib import Path

import typst

from quizapp.core.pdf import find_font
from quizapp.questions.errors import PdfNeedsFont
from quizapp.questions.exchange.printed import Paper

_TEMPLATE = Path(__file__).with_name("paper.typ")


def write(paper: Paper) -> bytes:
    """:raises PdfNeedsFont: where no Chinese font is installed"""
    font = find_font()
    if font is None:
        raise PdfNeedsFont
    data = json.dumps({**asdict(paper), "count": paper.count, "font": font}, ensure_ascii=False)
    with tempfile.TemporaryDirectory(prefix="quizapp-paper-") as folder:
        root = Path(folder)
        source = root / _TEMPLATE.name
        source.write_bytes(_TEMPLATE.read_bytes())
        made = typst.compile(source, root=root, sys_inputs={"paper": data})
    if not isinstance(made, bytes):
        raise TypeError("one document is one file")
    return made
