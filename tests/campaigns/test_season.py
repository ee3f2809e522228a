"""Rounds, scores, tries, measures and awards, by the shapes that real notices have."""

import datetime as dt
import itertools
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quizapp.campaigns.season.awards import due_awards
from quizapp.campaigns.season.measures import Done, History, is_met, measure, value_of
from quizapp.campaigns.season.rounds import next_opening, paper_seed, round_at, rounds_of
from quizapp.campaigns.season.scoring import Item, has_passed, highest_score, score
from quizapp.campaigns.season.tries import Begun, Refusal, refuse_try
from quizapp.campaigns.terms import (
    Award,
    Band,
    Condition,
    ExtraTries,
    Gift,
    Measure,
    Paper,
    PaperPart,
    Quiz,
    Rounds,
    Scoring,
    Stage,
    Terms,
    Tries,
    check_shape,
    from_dict,
    plain_terms,
    to_dict,
)
from quizapp.core.clock import SHANGHAI

PAPER = Paper((PaperPart(("consumer-rights",), 5),))


def at(day: int, hour: int = 12, minute: int = 0, *, month: int = 3) -> dt.datetime:
    return dt.datetime(2027, month, day, hour, minute, tzinfo=SHANGHAI).astimezone(dt.UTC)


def terms_with(**values: Any) -> Terms:
    return plain_terms(**{"opens_at": at(1, 0), "closes_at": at(1, 0, month=6), "paper": PAPER, "pass_count": 4, **values})


def done(key: str, day: int, *, hour: int = 12, quiz: str = "main", correct: int = 5, seconds: int = 60, **values: Any) -> Done:
    measures = {"correct": correct, "wrong": 5 - correct, "score": correct, "percent": Fraction(20 * correct), "run": correct}
    return Done(
        "attempt",
        key,
        at(day, hour),
        dt.date(2027, 3, day),
        {**measures, "all_right": int(correct == 5), "passed": int(correct >= 4), "seconds": seconds},
        quiz=quiz,
        **values,
    )


def action(kind: str, key: str, day: int, amount: int = 1, name: str = "") -> Done:
    return Done(f"action:{kind}", key, at(day), dt.date(2027, 3, day), {"amount": amount}, name=name)


# ---- rounds


def test_days_of_a_month_repeat_and_leave_the_rest_closed() -> None:
    stage = Stage("wx", at(1, 0), at(1, 0, month=6), rounds=Rounds("month", 1, 20))
    terms = terms_with(stages=(stage,))
    assert [found.key for found in rounds_of(stage)] == ["wx/1", "wx/2", "wx/3"]
    inside, outside = round_at(terms, terms.main, at(20, 23, 59)), round_at(terms, terms.main, at(21, 0))
    assert inside is not None
    assert inside.number == 1
    assert outside is None
    assert next_opening(terms, terms.main, at(21, 0)) == at(1, 0, month=4)


def test_hours_of_a_day_close_the_evening() -> None:
    stage = Stage("exam", at(6, 8), at(10, 17), opens="09:00", closes="17:00")
    terms = terms_with(stages=(stage,))
    assert round_at(terms, terms.main, at(6, 8, 30)) is None
    assert round_at(terms, terms.main, at(6, 9)) is not None
    assert round_at(terms, terms.main, at(6, 17)) is None
    assert next_opening(terms, terms.main, at(6, 17)) == at(7, 9)
    assert next_opening(terms, terms.main, at(10, 17)) is None


def test_weeks_begin_on_monday_and_the_first_may_be_short() -> None:
    stage = Stage("w", at(3, 0), at(16, 0), rounds=Rounds("week"))  # 3 March 2027 is a Wednesday
    assert [(found.opens_at, found.closes_at) for found in rounds_of(stage)] == [
        (at(3, 0), at(8, 0)),
        (at(8, 0), at(15, 0)),
        (at(15, 0), at(16, 0)),
    ]


def test_a_quiz_of_another_stage_is_closed() -> None:
    one, two = Stage("one", at(1, 0), at(5, 0)), Stage("two", at(5, 0), at(9, 0))
    late = Quiz(PAPER, 4, id="late", stages=("two",))
    terms = replace(terms_with(stages=(one, two)), quizzes=(Quiz(PAPER, 4), late))
    assert round_at(terms, late, at(2)) is None
    found = round_at(terms, late, at(5, 0))
    assert found is not None
    assert found.stage_id == "two"


@given(st.integers(0, 365 * 24 * 60), st.sampled_from(["day", "week", "month"]))
def test_a_moment_is_in_one_round_at_most_and_rounds_never_overlap(minutes: int, every: Any) -> None:
    stage = Stage("s", at(3, 7), at(9, 19, month=5), rounds=Rounds(every))
    found = rounds_of(stage)
    assert all(one.closes_at <= two.opens_at for one, two in itertools.pairwise(found))
    aware = at(1, 0, month=1) + dt.timedelta(minutes=minutes)
    holding = [item for item in found if item.opens_at <= aware < item.closes_at]
    assert len(holding) == (1 if stage.opens_at <= aware < stage.closes_at else 0)


def test_a_shared_paper_has_one_seed_for_everybody_of_that_day() -> None:
    daily = replace(PAPER, same_for="day")
    terms = terms_with(paper=daily)
    one = round_at(terms, terms.main, at(2, 0))
    assert one is not None
    assert paper_seed(terms.main, one, at(2, 0)) == paper_seed(terms.main, one, at(2, 23, 59)) == "main|day:2027-03-02"
    assert paper_seed(terms.main, one, at(3, 0)) == "main|day:2027-03-03"
    assert paper_seed(Quiz(PAPER, 4), one, at(3, 0)) == ""


# ---- scores


def test_seconds_left_and_runs_bring_points_and_wrong_ones_cost() -> None:
    quiz = Quiz(PAPER, 3, scoring=Scoring(wrong=2, per_second_left=3, item_seconds=20, run_bonus=5))
    items = [Item(True, seconds=5), Item(True, seconds=30), Item(False), Item(True, seconds=20), Item(True)]
    found = score(quiz, items)
    assert found.score == (1 + 45) + (1 + 5) - 2 + 1 + (1 + 5)
    assert (found.correct, found.run) == (4, 2)
    assert highest_score(quiz) == 5 + 5 * 60 + 4 * 5


def test_sudden_death_ends_the_paper_and_part_points_weigh() -> None:
    paper = Paper((PaperPart(("a",), 2, points=2), PaperPart(("a",), 3, points=4)))
    quiz = Quiz(paper, 3, scoring=Scoring(sudden_death=True), pass_when=Condition("percent", at_least=50))
    found = score(quiz, [Item(True), Item(True), Item(True), Item(False), Item(True)])
    assert found.marks == (True, True, True, False, False)
    assert (found.score, found.percent) == (8, Fraction(50))
    assert has_passed(quiz, found, 10)
    assert not has_passed(replace(quiz, pass_when=Condition("percent", at_least=51)), found, 10)


def test_a_multiple_choice_partly_right_brings_its_share() -> None:
    quiz = Quiz(Paper((PaperPart(("a",), 1, points=10),)), 1, scoring=Scoring(partial=50))
    assert score(quiz, [Item(False, is_partly_right=True)]).score == 5
    assert score(quiz, [Item(False)]).score == 0


# ---- tries


def test_tries_are_counted_per_quiz_round_and_channel() -> None:
    quiz = Quiz(PAPER, 4, tries=Tries(per_day=None, per_round=2, per_channel=True))
    begun = [Begun("main", "web", "s/1", dt.date(2027, 3, 1)), Begun("main", "web", "s/1", dt.date(2027, 3, 2))]
    ask = {"today": dt.date(2027, 3, 2), "actions": {}}
    assert refuse_try(quiz, begun, channel="web", round_key="s/1", **ask) == Refusal("per_round", 2)  # type: ignore[arg-type]  # keyword table
    assert refuse_try(quiz, begun, channel="app", round_key="s/1", **ask) is None  # type: ignore[arg-type]  # keyword table
    assert refuse_try(quiz, begun, channel="web", round_key="s/2", **ask) is None  # type: ignore[arg-type]  # keyword table


def test_an_invitation_gives_one_more_try_a_day_and_sharing_none_unless_confirmed() -> None:
    day = dt.date(2027, 3, 2)
    begun = [Begun("main", "web", "", day)]
    invited = {"invite": [day, day], "share": [day]}

    def refusal(*extra: ExtraTries, begun: Sequence[Begun] = begun) -> Refusal | None:
        quiz = Quiz(PAPER, 4, tries=Tries(per_day=1, extra=extra))
        return refuse_try(quiz, begun, channel="web", round_key="", today=day, actions=invited)

    assert refusal() == Refusal("per_day", 1)
    assert refusal(ExtraTries("invite")) is None
    assert refusal(ExtraTries("invite"), begun=begun * 2) == Refusal("per_day", 2)
    assert refusal(ExtraTries("share")) == Refusal("per_day", 1)
    assert refusal(ExtraTries("share", is_confirmed=True)) is None


def test_an_abandoned_paper_costs_a_try_only_where_the_terms_say_so() -> None:
    day = dt.date(2027, 3, 2)
    begun = [Begun("main", "web", "", day, has_lapsed=True)]
    for counts, expected in ((True, Refusal("per_day", 1)), (False, None)):
        quiz = Quiz(PAPER, 4, tries=Tries(per_day=1, counts_abandoned=counts))
        assert refuse_try(quiz, begun, channel="web", round_key="", today=day, actions={}) == expected


# ---- measures


GOOD_DAYS = Measure("good_days", where=Condition("all_right", at_least=1), within="day", inner="any")


def test_days_with_everything_right_are_counted_once_each() -> None:
    history = History((done("a", 1), done("b", 1), done("c", 2, correct=4), done("d", 3)))
    assert measure(GOOD_DAYS, history) == 2


def test_a_row_of_days_breaks_at_a_gap() -> None:
    row = replace(GOOD_DAYS, outer="run")
    assert measure(row, History(tuple(done(str(day), day) for day in (1, 2, 3, 5, 6)))) == 3


@pytest.mark.parametrize(("inner", "outer", "expected"), [("best", "sum", 9), ("sum", "sum", 12), ("best", "best", 5), ("last", "sum", 8)])
def test_the_best_of_each_day_is_summed(inner: Any, outer: Any, expected: int) -> None:
    history = History((done("a", 1, correct=5), done("b", 1, correct=3), done("c", 2, correct=0), done("d", 3, correct=4)))
    if inner == "last":
        history = History((done("a", 1, correct=5), done("b", 1, correct=4), done("c", 2, correct=0), done("d", 3, correct=4)))
    assert measure(Measure("m", value="correct", within="day", inner=inner, outer=outer), history) == expected


def test_watched_videos_count_once_each_by_name() -> None:
    history = History((action("watch", "1", 1, name="v1"), action("watch", "2", 1, name="v1"), action("watch", "3", 2, name="v2")))
    assert measure(Measure("m", of="action:watch", within="name", inner="any"), history) == 2


def test_conditions_join_and_attempt_measures_are_the_best_attempts() -> None:
    terms = terms_with(measures=(GOOD_DAYS,))
    history = History((done("a", 1, seconds=90), done("b", 2, correct=3, seconds=30)))
    ask = value_of(terms, history)
    assert (ask("correct"), ask("seconds"), ask("wrong")) == (5, 30, 0)
    reached = Condition("good_days", at_least=1)
    missed = Condition("correct", at_least=6)
    assert is_met(terms, Condition(any=(reached, missed)), history)
    assert not is_met(terms, Condition(all=(reached, missed)), history)
    assert is_met(terms, Condition(some=1, of=(reached, missed)), history)
    assert not is_met(terms, Condition(some=2, of=(reached, missed)), history)


# ---- awards


def grants(terms: Terms, events: Sequence[Done], *, may_draw: bool = True) -> list[tuple[str, str, int, int]]:
    """Play the events one after the other, as the hand-ins come in."""
    history = History()
    found = []
    for event in events:
        history = replace(history, done=(*history.done, event))
        for due in due_awards(terms, history, event, may_draw=may_draw, now=event.at):
            history = replace(history, granted=(*history.granted, due.granted))
            found.append((due.award.id, due.granted.scope, due.granted.band, due.granted.points))
    return found


def test_success_and_failure_bring_different_points_each_time() -> None:
    bands = (Band((Gift("points", 2), Gift("tickets")), Condition("correct", at_least=4)), Band((Gift("points", 1),)))
    terms = terms_with(awards=(Award("play", bands),))
    assert grants(terms, [done("a", 1), done("b", 1, correct=2)]) == [("play", "attempt:a", 0, 2), ("play", "attempt:b", 1, 1)]


def test_seven_good_days_in_a_stage_bring_its_certificate_once() -> None:
    award = Award("cert", (Band((Gift("certificate", name="普法达人"),), Condition("good_days", at_least=7)),), per="stage")
    terms = terms_with(measures=(GOOD_DAYS,), awards=(award,))
    events = [done(str(day), day, stage_id="s1" if day <= 10 else "s2") for day in range(1, 19)]
    assert grants(terms, events) == [("cert", "stage:s1", 0, 0), ("cert", "stage:s2", 0, 0)]


def test_a_better_band_is_given_later_and_a_worse_one_never() -> None:
    bands = tuple(
        Band((Gift("title", name=name),), Condition("percent", at_least=least), name) for name, least in (("优秀", 90), ("合格", 60))
    )
    terms = terms_with(awards=(Award("band", bands, per="campaign"),))
    assert [found[2] for found in grants(terms, [done("a", 1, correct=3), done("b", 2, correct=5), done("c", 3, correct=3)])] == [1, 0]


def test_caps_per_day_and_double_hours_hold() -> None:
    read = Award("read", (Band((Gift("points", 2),)),), per="action", action="read", per_day=3, times=2, from_hour=12, to_hour=13)
    terms = terms_with(awards=(read,), points_per_day=9)
    found = grants(terms, [action("read", str(number), 1) for number in range(5)] + [action("read", "x", 2)])
    assert [points for *_, points in found] == [4, 4, 1, 4]


def test_five_cards_open_the_last_draw() -> None:
    quizzes = tuple(Quiz(PAPER, 4, id=f"q{number}") for number in range(5))
    card = Award("card", (Band((Gift("card", name="theme"),), Condition("all_right", at_least=1)),), per="quiz")
    full = Award("full", (Band((Gift("tickets", name="final"),), Condition("cards", at_least=5)),), per="campaign")
    terms = replace(terms_with(measures=(Measure("cards", of="gift:card"),), awards=(card, full)), quizzes=quizzes)
    events = [done(f"{number}{again}", 1 + number, quiz=f"q{number}") for number in range(5) for again in "ab"]
    assert [found[0] for found in grants(terms, events)] == ["card"] * 5 + ["full"]
    assert [found[0] for found in grants(terms, events, may_draw=False)] == ["card"] * 5


@given(st.lists(st.tuples(st.integers(1, 20), st.integers(0, 5)), max_size=25))
def test_playing_on_never_takes_back_and_never_gives_a_scope_twice(plays: list[tuple[int, int]]) -> None:
    bands = (Band((Gift("points", 3),), Condition("good_days", at_least=3)), Band((Gift("points", 1),), Condition("correct", at_least=4)))
    terms = terms_with(
        measures=(GOOD_DAYS,), awards=(Award("a", bands, per="campaign"), Award("d", bands[1:], per="day", total=4)), points_per_day=5
    )
    events = [done(str(number), day, correct=correct) for number, (day, correct) in enumerate(sorted(plays))]
    found = grants(terms, events)
    assert len({(award, scope, band) for award, scope, band, _ in found}) == len(found)
    assert sum(award == "d" for award, *_ in found) <= 4
    for count in range(len(events)):
        assert found[: len(grants(terms, events[:count]))] == grants(terms, events[:count])


# ---- the format


def test_a_season_reads_back_as_it_was_written_and_24_00_is_the_next_day() -> None:
    body = {
        "opens_at": "2027-03-01 08:00",
        "closes_at": "2027-05-31 24:00",
        "quizzes": [
            {
                "id": "web",
                "title": "网页",
                "paper": {"parts": [{"banks": ["a"], "count": 5}]},
                "pass_when": {"measure": "all_right", "at_least": 1},
            }
        ],
        "measures": [{"id": "days", "where": {"measure": "all_right", "at_least": 1}, "within": "day", "inner": "any"}],
        "awards": [
            {"id": "x", "per": "stage", "bands": [{"when": {"all": [{"measure": "days", "at_least": 7}]}, "gifts": [{"kind": "points"}]}]}
        ],
    }
    assert check_shape(body) == []
    terms = from_dict({"schema": 1, **body})
    assert terms.closes_at == at(1, 0, month=6)
    assert from_dict(to_dict(terms)) == terms
    assert check_shape({**body, "closes_at": "2027-05-31 25:00"}) == [("closes_at", "时间写得不对。")]
    assert check_shape({**body, "quizzes": [{"id": "web", "paper": {"parts": []}}]}) != []
