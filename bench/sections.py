"""Sections of docs/benchmarks.md that other measurements than ``make bench`` write, so that neither loses the other's."""

from pathlib import Path

OWN = ("Details",)
"""What ``make bench`` writes anew."""


def others(path: Path) -> list[str]:
    """The lines of every section that is not the bench's own."""
    kept: list[str] = []
    keeps = False
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        if line.startswith("## "):
            keeps = line[3:] not in OWN
        if keeps:
            kept.append(line)
    return kept


def replace(path: Path, title: str, lines: list[str]) -> None:
    """Put a section in the place of the one with this title, or at the end."""
    before: list[str] = []
    skips = False
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            skips = line == f"## {title}"
        if not skips:
            before.append(line)
    text = "\n".join(before).rstrip()
    path.write_text("\n".join([text, "", f"## {title}", "", *lines, ""]), encoding="utf-8")
