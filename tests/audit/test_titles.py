import ast
import re
from pathlib import Path

from quizapp.audit.titles import TITLES

SOURCE = Path(__file__).resolve().parents[2] / "quizapp"
CODE = re.compile(r"[a-z_]+\.[a-z_]+")
RECORDERS = {"record", "_record", "record_change"}


def _codes() -> dict[str, str]:
    """Every dotted code given as first argument to a function that records, also either branch of a condition."""
    found: dict[str, str] = {}
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name not in RECORDERS:
                continue
            for part in ast.walk(node.args[0]):
                if isinstance(part, ast.Constant) and isinstance(part.value, str) and CODE.fullmatch(part.value):
                    found[part.value] = f"{path.name}:{node.lineno}"
    return found


def test_every_recorded_code_has_a_chinese_title() -> None:
    codes = _codes()
    assert len(codes) > 15
    assert {code: place for code, place in codes.items() if code not in TITLES} == {}


def test_titles_are_chinese_sentences_without_codes() -> None:
    assert all(re.search(r"[\u4e00-\u9fff]", title) for title in TITLES.values())
    assert len(set(TITLES.values())) == len(TITLES)
