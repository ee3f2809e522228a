import datetime as dt
import itertools
import uuid
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quizapp.attempts import rules
from quizapp.attempts.errors import InvalidChoice
from quizapp.attempts.rules import Asker
from quizapp.campaigns.terms import DrawTerms, Eligibility, FixedReward, Paper, PaperPart, Points, PrizeTerms, Terms, plain_terms
from quizapp.core.crypto import token_hash
from quizapp.questions.rules import LETTERS, RevisionView

T0 = dt.datetime(2026, 11, 22, 8, 0, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)
ME, YOU = uuid.uuid4(), uuid.uuid4()


@dataclass(frozen=True)
class Sheet:
    citizen_id: uuid.UUID | None = ME
    guest_token_hash: bytes | None = None
    state: str = "open"
    started_at: dt.datetime = T0
    deadline_at: dt.datetime = T0 + 5 * MINUTE


@dataclass(frozen=True)
class Person:
    demographic_group: str | None = "resident"
    region_code: str | None = "150402"
    organisation_id: uuid.UUID | None = None
    consent_version: str | None = "1"


GUEST = Sheet(citizen_id=None, guest_token_hash=token_hash("secret"))


def _terms(**changes: object) -> Terms:
    values: dict[str, object] = {
        "opens_at": T0 - 60 * MINUTE,
        "closes_at": T0 + 600 * MINUTE,
        "paper": Paper((PaperPart(("b",), 5),)),
        "pass_count": 4,
        **changes,
    }
    return plain_terms(**values)  # type: ignore[arg-type]  # the values are Terms' own


# ---- whose


@pytest.mark.parametrize(
    ("sheet", "asker", "expected"),
    [
        (Sheet(), Asker(ME), True),
        (Sheet(), Asker(YOU), False),
        (Sheet(), Asker(), False),
        (GUEST, Asker(None, "secret"), True),
        (GUEST, Asker(ME, "secret"), True),
        (GUEST, Asker(ME), False),
        (GUEST, Asker(None, "other"), False),
        (GUEST, Asker(), False),
        (Sheet(ME, token_hash("secret")), Asker(None, "secret"), False),
        (Sheet(ME, token_hash("secret")), Asker(ME), True),
    ],
)
def test_a_paper_is_its_citizens_or_its_token_holders(sheet: Sheet, asker: Asker, expected: bool) -> None:
    assert rules.owns(sheet, asker) is expected


def test_a_paper_without_a_token_is_not_opened_by_an_empty_one() -> None:
    assert not rules.holds_token(Sheet(), "")
    assert not rules.holds_token(Sheet(guest_token_hash=token_hash("")), "")


# ---- until when


@pytest.mark.parametrize(
    ("after", "expected"),
    [(-1, True), (0, False), (1, False)],
)
def test_the_deadline_itself_is_too_late_for_an_answer(after: int, expected: bool) -> None:
    now = T0 + 5 * MINUTE + dt.timedelta(microseconds=after)
    assert rules.takes_answers(Sheet(), now) is expected


def test_grace_is_for_the_hand_in_only() -> None:
    now = T0 + 5 * MINUTE + dt.timedelta(seconds=29)
    assert not rules.takes_answers(Sheet(), now)
    assert rules.takes_hand_in(Sheet(), 30, now)
    assert not rules.takes_hand_in(Sheet(), 30, now + dt.timedelta(seconds=1))
    assert not rules.takes_hand_in(Sheet(state="graded"), 30, T0)


def test_a_guests_paper_does_not_outlive_its_adoption() -> None:
    long = Sheet(None, token_hash("x"), deadline_at=T0 + dt.timedelta(days=20))
    assert rules.closes_at(long) == T0 + dt.timedelta(hours=24)
    assert rules.closes_at(Sheet(deadline_at=long.deadline_at)) == long.deadline_at


@pytest.mark.parametrize(
    ("sheet", "answered", "minutes", "expected"),
    [
        (Sheet(), 0, 1, "open"),
        (Sheet(), 3, 5, "handed_in"),
        (Sheet(), 0, 5, "lapsed"),
        (Sheet(state="graded"), 3, 10_000, "graded"),
        (Sheet(state="lapsed"), 3, 1, "lapsed"),
        (Sheet(state="handed_in"), 3, 1439, "handed_in"),
        (Sheet(state="handed_in"), 3, 1440, "lapsed"),
        (GUEST, 3, 1439, "handed_in"),
        (GUEST, 3, 1440, "lapsed"),
    ],
)
def test_a_paper_reads_as_closed_even_if_no_worker_runs(sheet: Sheet, answered: int, minutes: int, expected: str) -> None:
    assert rules.standing(sheet, answered, T0 + minutes * MINUTE) == expected


def test_feedback_is_withheld_until_the_campaign_in_force_has_ended() -> None:
    end = T0 + 600 * MINUTE
    at_once, later = _terms(), _terms(feedback="after_close")
    extended = _terms(feedback="after_close", closes_at=end + 60 * MINUTE)
    assert rules.feedback_at(at_once, at_once, "published", T0) is None
    assert rules.feedback_at(later, later, "published", T0) == end
    assert rules.feedback_at(later, later, "published", end) is None
    assert rules.feedback_at(later, extended, "published", end) == end + 60 * MINUTE
    assert rules.feedback_at(later, later, "paused", T0) == end
    assert rules.feedback_at(later, later, "closed", T0) is None


# ---- answers


@pytest.mark.parametrize(
    ("kind", "order", "letters", "kept"),
    [
        ("single", "2013", ["D"], "D"),
        ("judge", "01", ["B"], "B"),
        ("multiple", "3210", ["C", "A"], "AC"),
        ("multiple", "3210", ["C"], "C"),
        ("indefinite", "0123", ["A", "B", "C", "D"], "ABCD"),
    ],
)
def test_letters_are_kept_sorted(kind: str, order: str, letters: list[str], kept: str) -> None:
    assert rules.check_choices(kind, order, letters) == kept


@pytest.mark.parametrize(
    ("kind", "order", "letters"),
    [
        ("single", "0123", []),
        ("single", "0123", ["A", "B"]),
        ("single", "012", ["D"]),
        ("judge", "01", ["C"]),
        ("judge", "01", ["A", "B"]),
        ("multiple", "0123", ["A", "A"]),
        ("multiple", "0123", ["AB"]),
        ("multiple", "0123", [""]),
        ("multiple", "0123", ["a"]),
        ("multiple", "0123", ["A", "E"]),
        ("indefinite", "0123", ["Ａ"]),
        ("indefinite", "0123", []),
    ],
)
def test_other_letters_are_refused(kind: str, order: str, letters: list[str]) -> None:
    with pytest.raises(InvalidChoice) as refusal:
        rules.check_choices(kind, order, letters)
    assert (refusal.value.code, refusal.value.http_status) == ("invalid_choice", 422)


@pytest.mark.parametrize("text", ["g", "0x12", "a" * 65, " ", "ä", "１"])
def test_a_nonce_is_at_most_64_hex_digits(text: str) -> None:
    with pytest.raises(ValueError):
        rules.check_nonce(text)


def test_a_nonce_is_kept_in_lower_case() -> None:
    assert rules.check_nonce("ABCDEF09" * 8) == "abcdef09" * 8
    assert rules.check_nonce("") == ""


# ---- grading


@st.composite
def questions(draw: st.DrawFn) -> tuple[RevisionView, str]:
    """A question of any kind and an order of its choices."""
    kind = draw(st.sampled_from(["single", "multiple", "indefinite", "judge"]))
    count = 2 if kind == "judge" else draw(st.integers(3, 8))
    indices = st.integers(0, count - 1)
    sizes = {"single": (1, 1), "judge": (1, 1), "multiple": (2, count), "indefinite": (1, count)}[kind]
    answer = draw(st.frozensets(indices, min_size=sizes[0], max_size=sizes[1]))
    order = "01" if kind == "judge" else "".join(map(str, draw(st.permutations(range(count)))))
    view = RevisionView(
        id=uuid.uuid4(),
        question_id=uuid.uuid4(),
        kind=kind,
        stem="题",
        choices=tuple(f"选项{n}" for n in range(count)),
        answer=answer,
        explanation="讲解",
        citations=(),
        difficulty=1,
        tags=(),
    )
    return view, order


def _letters(order: str, indices: frozenset[int]) -> str:
    return "".join(sorted(LETTERS[order.index(str(index))] for index in indices))


@given(questions(), st.data())
def test_a_question_is_right_exactly_when_the_chosen_set_is_the_key(question: tuple[RevisionView, str], data: st.DataObject) -> None:
    view, order = question
    chosen = data.draw(st.frozensets(st.integers(0, len(view.choices) - 1), min_size=1))
    assert rules.grade([(view, order, _letters(order, chosen))]).marks == (chosen == view.answer,)


@given(questions(), st.data())
def test_grading_does_not_depend_on_the_order_of_choices(question: tuple[RevisionView, str], data: st.DataObject) -> None:
    view, order = question
    chosen = data.draw(st.frozensets(st.integers(0, len(view.choices) - 1), min_size=1))
    other = "".join(data.draw(st.permutations(order)))
    first = rules.grade([(view, order, _letters(order, chosen))])
    assert first == rules.grade([(view, other, _letters(other, chosen))])


@given(questions())
def test_one_choice_more_or_less_is_wrong_and_nothing_chosen_is_wrong(question: tuple[RevisionView, str]) -> None:
    view, order = question
    right = _letters(order, view.answer)
    assert rules.grade([(view, order, right)]).correct_count == 1
    assert rules.grade([(view, order, None)]).correct_count == 0
    for index in range(len(view.choices)):
        changed = view.answer ^ {index}
        assert rules.grade([(view, order, _letters(order, changed) or None)]).correct_count == 0


@given(st.lists(st.tuples(questions(), st.booleans()), min_size=1, max_size=12))
def test_the_count_is_the_sum_of_the_marks(paper: list[tuple[tuple[RevisionView, str], bool]]) -> None:
    graded = rules.grade([(view, order, _letters(order, view.answer) if is_right else None) for (view, order), is_right in paper])
    assert graded.marks == tuple(is_right for _, is_right in paper)
    assert graded.correct_count == sum(is_right for _, is_right in paper)


def test_every_subset_of_four_choices_is_right_once() -> None:
    view = RevisionView(uuid.uuid4(), uuid.uuid4(), "indefinite", "题", tuple("甲乙丙丁"), frozenset({1, 3}), "", (), 1, ())
    subsets = ["".join(c) for size in range(1, 5) for c in itertools.combinations("ABCD", size)]
    assert [letters for letters in subsets if rules.grade([(view, "3120", letters)]).correct_count] == ["AB"]


# ---- what it earns

DRAW = DrawTerms(prizes=(PrizeTerms("红包", "cash", 10, 1000, value_fen=200),), tickets=2)
REWARDED = _terms(draw=DRAW, fixed_reward=FixedReward(30), points=Points(passed=20, failed=5, daily_limit=2))


@pytest.mark.parametrize(
    ("passed", "group", "age_band", "graded", "rewarded", "expected"),
    [
        (True, "resident", "18_59", 0, 0, (2, 20, 0)),
        (True, "resident", None, 0, 0, (2, 20, 0)),
        (False, "resident", "18_59", 0, 0, (0, 5, 0)),
        (True, "resident", "18_59", 2, 0, (2, 0, 0)),
        (True, "resident", "14_17", 0, 0, (0, 50, 30)),
        (True, "resident", "under_14", 1, 1, (0, 20, 0)),
        (True, "resident", "14_17", 2, 0, (0, 30, 30)),
        (True, "civil_servant", "18_59", 0, 0, (0, 50, 30)),
        (False, "civil_servant", "18_59", 0, 0, (0, 5, 0)),
    ],
)
def test_minors_and_excluded_groups_get_the_fixed_reward_once_a_day_instead_of_tickets(
    passed: bool, group: str, age_band: str | None, graded: int, rewarded: int, expected: tuple[int, int, int]
) -> None:
    earned = rules.earnings(REWARDED, passed=passed, group=group, age_band=age_band, graded_today=graded, rewarded_today=rewarded)
    assert (earned.ticket_count, earned.points, earned.fixed_points) == expected


def test_what_is_missing_is_named() -> None:
    terms = _terms()
    assert rules.missing_fields(Person(), terms) == ()
    assert rules.missing_fields(Person(None, None, None, None), terms) == ("consent", "demographic_group", "region")
    asks = _terms(eligibility=Eligibility(asks_organisation=True))
    assert rules.missing_fields(Person(), asks) == ("organisation",)
    assert rules.missing_fields(Person(organisation_id=ME), asks) == ()
