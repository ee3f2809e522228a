"""Real organisers' rule sets as campaign files: each reads, and is checked as its notice deserves."""

from pathlib import Path

import pytest

from quizapp.campaigns import checks, files
from quizapp.campaigns.terms import SCHEMA, from_dict, to_dict

FOLDER = Path(__file__).resolve().parents[1] / "rule_sets"
FILES = {path.stem.partition("-")[0]: path for path in sorted(FOLDER.glob("R*.yaml"))}
NUMBERS = (1, 2, 3, 4, 6, 8, 9, 10, 11, 13, 14, 15, 16, 17, 18, 19, 20, 21, 23, 24)  # popularisation of law
NUMBERS += (25, 26, 28, 29, 30, 32, 33, 34, 36, 37, 38, 39, 40, 42, 43, 44, 45, 48)  # other campaigns of the same kind
ALL = [f"R{number:02}" for number in NUMBERS]

ERRORS = {"R06": {"draw.per_day"}}
"""The contradictions that notices really held."""
WARNINGS = {
    "R02": {"closes_at"},
    "R06": {"draws.mode"},
    "R10": {"draws.tiers.kind"},
    "R11": {"draws.mode"},
    "R25": {"actions", "actions.is_confirmed", "quizzes.tries.extra", "quizzes.tries.extra.is_confirmed"},
    "R28": {"actions.is_confirmed", "quizzes.tries.extra.is_confirmed"},
    "R32": {"closes_at", "draws.tiers.kind"},
    "R36": {"actions", "tries.extra"},
    "R39": {"actions.is_confirmed"},
}
"""What people have to decide, by part."""


def _part(field: str) -> str:
    """``quizzes[2].tries.extra[1]`` → ``quizzes.tries.extra``."""
    return "".join(piece.partition("]")[2] if number else piece for number, piece in enumerate(field.split("[")))


def test_every_rule_set_stands_as_a_file() -> None:
    assert sorted(FILES) == sorted(ALL)


@pytest.mark.parametrize("name", ALL)
def test_a_rule_set_passes_the_check_or_is_refused_for_its_contradiction(name: str) -> None:
    file = files.read_file(FILES[name])
    assert file.mistakes == ()
    found = files.check_file(file)
    assert {_part(one.field) for one in found if one.is_error} == ERRORS.get(name, set())
    assert {_part(one.field) for one in found if not one.is_error} == WARNINGS.get(name, set())
    assert all(file.line_of(one.field) for one in found)


@pytest.mark.parametrize("name", ALL)
def test_a_rule_set_survives_being_kept(name: str) -> None:
    terms = from_dict({"schema": SCHEMA, **files.read_file(FILES[name]).body})
    assert from_dict(to_dict(terms)) == terms


@pytest.mark.parametrize(("name", "points"), [("R01", 20), ("R08", 9), ("R38", 22), ("R39", 55), ("R40", 1440), ("R44", 100), ("R15", 0)])
def test_the_most_points_of_a_day_follow_from_the_terms(name: str, points: int) -> None:
    assert checks.max_points_per_day(from_dict({"schema": SCHEMA, **files.read_file(FILES[name]).body})) == points


def test_the_most_points_are_computed_without_the_written_limit() -> None:
    """R40's notice says 1,440 a day: thirty runs of 48."""
    body = {**files.read_file(FILES["R40"]).body, "points_per_day": None}
    assert checks.max_points_per_day(from_dict({"schema": SCHEMA, **body})) == 1440
