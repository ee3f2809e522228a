import datetime as dt

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from quizapp.campaigns import rule_files
from quizapp.campaigns.files import CampaignFile
from quizapp.campaigns.rule_files import write
from quizapp.campaigns.terms import check_shape
from quizapp.campaigns.terms.mapping import moved, normal
from tests.campaigns.bodies import valid_bodies

UNSHRUNK = {"deadline": None, "suppress_health_check": list(HealthCheck), "phases": (Phase.explicit, Phase.generate)}
"""Bodies are large: making a failing one smaller takes minutes."""
TEXT = """\
# 春天竞答
opens_at: 2026-12-04 09:00
closes_at: "2026-12-10 24:00"
pass_count: 4
paper:
  parts:
    - banks: [consumer-rights]
      count: 5
stages:
  - {id: one, opens_at: 2026-12-04 09:00, closes_at: 2026-12-05T00:00:00+08:00, opens: 09:00, closes: 24:00}
eligibility:
  regions: [150402, "150403"]
"""


def _read(text: str) -> CampaignFile:
    return rule_files.read(text.encode())


def test_a_file_is_read_with_the_line_of_every_field() -> None:
    found = _read(TEXT)
    assert check_shape(found.body) == []
    assert found.body["opens_at"] == "2026-12-04T01:00:00Z"
    assert found.body["closes_at"] == "2026-12-10T16:00:00Z"
    assert found.body["stages"][0]["opens"] == "09:00", "not a number of base 60"
    assert found.body["stages"][0]["closes_at"] == "2026-12-04T16:00:00Z"
    assert found.body["eligibility"]["regions"] == ["150402", "150403"]
    assert found.line_of("paper.parts[1].count") == 8
    assert found.line_of("paper.parts[1].tags") == 7, "what is missing: the part it would stand in"
    assert found.line_of("stages[1].rounds.every") == 10


def test_terms_of_a_campaign_file_are_taken_with_their_lines() -> None:
    text = "title: 春天\nkind: voluntary\nterms:\n  opens_at: 2026-12-04 09:00\n  pass_count: 4\n"
    found = _read(text)
    assert found.body == {"opens_at": "2026-12-04T01:00:00Z", "pass_count": 4}
    assert found.line_of("pass_count") == 5
    assert found.head["kind"] == "voluntary"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: 1\nb: 2\na: 3\n", 3),
        ("a: &x 1\nb: [*x, *x]\n", 2),
        ("a: 1\nb: c: d\n", 2),
        ("a:\n\tb: 1\n", 2),
        ("- 1\n- 2\n", 1),
        ("just words", 1),
        ("[" * 3000, 1),
    ],
)
def test_what_cannot_be_read_is_named_with_its_line(text: str, line: int) -> None:
    found = _read(text)
    assert found.body is None
    assert [problem.field for problem in found.mistakes] == [""]
    assert found.line_of("") == line


@pytest.mark.parametrize("text", ["", "\n", "{}"])
def test_an_empty_file_is_an_empty_draft(text: str) -> None:
    assert _read(text).body == {}


@settings(max_examples=150, **UNSHRUNK)
@given(body=valid_bodies())
def test_what_is_written_is_read_back(body: dict) -> None:  # type: ignore[type-arg]
    assert _read(write(body)).body == normal(body)
    assert check_shape(normal(body)) == []
    assert normal(normal(body)) == normal(body)


@settings(max_examples=60, **UNSHRUNK)
@given(body=valid_bodies())
def test_moving_forth_and_back_changes_nothing(body: dict) -> None:  # type: ignore[type-arg]
    day = dt.timedelta(days=31)
    there = moved(body, day)
    assert moved(there, -day) == normal(body)
    assert there["opens_at"] != normal(body)["opens_at"]
