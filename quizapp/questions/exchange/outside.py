"""Running :mod:`child`: another process, with limits, whose death is an answer and not an accident."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Literal

from quizapp.questions.exchange.parsed import Parsed, refused

SECONDS = 120
_CHILD = Path(__file__).with_name("child.py")
_REASONS = {
    "password": ("文件有密码", "请去掉密码再传"),
    "cells": ("表格太大：最后一个格子离开头太远", "请把题目复制到一张新的表里再传"),
    "entities": ("文件里有外部引用，不能读", "请用 Word 或 WPS 另存一份再传"),
    "not word": ("这不是 Word 文档", "请另存为 .docx 再传"),
}


def _python() -> str:
    """The interpreter of this environment; under some servers ``sys.executable`` is the server."""
    beside = Path(sys.prefix) / "bin" / "python"
    return str(beside) if beside.exists() else sys.executable


def open_outside(raw: bytes, what: Literal["sheets", "document"], format: str) -> dict[str, Any] | Parsed:
    """What the file holds, or why it cannot be read."""
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as out:
        source.write(raw)
        source.seek(0)
        try:
            done = subprocess.run(  # noqa: S603 - our own script with fixed arguments
                [_python(), "-I", str(_CHILD), what], stdin=source, stdout=out, stderr=subprocess.DEVNULL, timeout=SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            return refused(format, f"读了 {SECONDS} 秒还没有读完", "请拆成几个文件再传")
        if done.returncode != 0:
            return refused(format, "文件打不开：可能坏了、加了密码，或者展开后太大", "请重新打开、另存一份再传；太大就拆成几个")
        out.seek(0)
        result: dict[str, Any] = json.load(out)
    if "refused" in result:
        return refused(format, *_REASONS[result["refused"]])
    return result
