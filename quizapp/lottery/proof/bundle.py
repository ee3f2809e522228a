"""The checker as one file for Python's standard library, made of the very modules the server draws with."""

import ast
import functools
import inspect
from types import ModuleType

from quizapp.lottery.proof import basics, book, check, manifests, outcomes

MODULES: tuple[ModuleType, ...] = (basics, manifests, outcomes, book, check)
"""In the order in which they lean on each other."""
_HEAD = '''"""Checks a ledger of prize draws by docs/draw-proof.md. Standard library only: no web, no database, no clock, no dice.

    python3 draw_check.py LEDGER.jsonl [SEAL FROM A RECEIPT ...]
"""
'''
_FOOT = '\n\nif __name__ == "__main__":\n    sys.exit(main(sys.argv[1:]))\n'


def _without_own_imports(source: str) -> str:
    """The source without its docstring and without imports of this package, whose modules stand in the same file."""
    lines = source.split("\n")
    for node in ast.parse(source).body:
        is_own = isinstance(node, ast.ImportFrom) and (node.module or "").startswith("quizapp.")
        is_docstring = node.lineno == 1 and isinstance(node, ast.Expr)
        if is_own or is_docstring:
            lines[node.lineno - 1 : node.end_lineno] = [""] * ((node.end_lineno or 0) - node.lineno + 1)
    return "\n".join(lines).strip()


@functools.cache
def checker() -> str:
    """The text of ``draw_check.py``."""
    parts = [f"# ---- {module.__name__.rpartition('.')[2]}\n\n{_without_own_imports(inspect.getsource(module))}" for module in MODULES]
    return _HEAD + "\n" + "\n\n\n".join(parts) + "\n" + _FOOT
