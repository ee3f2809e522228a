"""PDF files set by Typst: a wheel without system libraries that breaks Chinese lines as they should be and embeds what it uses
of the system's font. Texts go in as data, so nothing in them can be taken for commands; files and network are out of reach
(the root is a folder with nothing else, packages are not imported)."""

import functools
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typst

from quizapp.core.errors import AppError
from quizapp.core.text import N_

FAMILIES = (
    "Noto Serif CJK SC",
    "Source Han Serif SC",
    "Songti SC",
    "SimSun",
    "Noto Sans CJK SC",
    "Source Han Sans SC",
    "WenQuanYi Zen Hei",
    "AR PL UMing CN",
)
"""Chinese fonts, the first that is installed sets the page. Debian: fonts-noto-cjk."""
MIMETYPE = "application/pdf"


class NoChineseFont(AppError):
    code = "pdf_needs_font"
    message = N_("服务器上没有中文字体，做不了 PDF。请管理员安装 fonts-noto-cjk，或者先下载 Excel。")
    http_status = 503


@functools.cache
def find_font() -> str | None:
    installed = set(typst.Fonts(include_embedded_fonts=False).families())
    return next((family for family in FAMILIES if family in installed), None)


def compile_page(template: Path, data: Mapping[str, Any], files: Mapping[str, bytes] | None = None) -> bytes:
    """Set one document. The template reads ``json(bytes(sys.inputs.data))``, with the font's name under ``font``.

    :param files: further files by name that the template may read, such as a drawing
    :raises NoChineseFont: where none is installed
    """
    font = find_font()
    if font is None:
        raise NoChineseFont
    text = json.dumps({**data, "font": font}, ensure_ascii=False)
    with tempfile.TemporaryDirectory(prefix="quizapp-pdf-") as folder:
        root = Path(folder)
        source = root / template.name
        source.write_bytes(template.read_bytes())
        for name, content in (files or {}).items():
            (root / name).write_bytes(content)
        made = typst.compile(source, root=root, sys_inputs={"data": text})
    if not isinstance(made, bytes):
        raise TypeError("one document is one file")
    return made


@functools.cache
def _sheet() -> Path:
    return Path(__file__).with_name("sheet.typ")


def write_sheet(title: str, facts: list[tuple[str, str]], tables: list[dict[str, Any]], foot: str = "") -> bytes:
    """A sheet for the file cabinet: title, facts, tables.

    :param tables: each ``{title, columns: [text], right: [bool], rows: [[text]]}``
    """
    return compile_page(_sheet(), {"title": title, "facts": facts, "tables": tables, "foot": foot})
