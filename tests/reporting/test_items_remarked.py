"""A corrected key moves the figures: they follow the marks in force, also where as many rise as fall."""

import datetime as dt

from flask import Flask

from quizapp.questions import rules as question_rules
from quizapp.questions.queries import get_revisions
from quizapp.reporting import queries
from quizapp.reporting.items_fold import fold_due
from tests.attempts.conftest import MINUTE, NOW
from tests.factories import attempts as make
from tests.factories import corrections as fix
from tests.factories.accounts import make_citizen
from tests.factories.campaigns import make_campaign
from tests.factories.questions import make_bank


def test_figures_follow_the_marks_in_force(app: Flask) -> None:
    make_bank(count=5, kinds=("single",), now=NOW)
    campaign = make_campaign(now=NOW)
    revision_id = fix.revision_of("q-001")
    for number in range(6):
        citizen = make_citizen()
        attempt = make.start(campaign, citizen, now=NOW).attempt
        for question in attempt.questions:
            letters = make.right_letters(question)
            if question.revision_id == revision_id:
                letters = [question_rules.LETTERS[question.choice_order.index(str(number % 2))]]
            make.save(attempt, citizen, question.position, letters, now=NOW)
        make.hand_in(attempt, citizen, now=NOW + number * dt.timedelta(seconds=1))
    later = NOW + 10 * MINUTE
    assert fold_due(later) == 1

    def figures() -> tuple[float | None, dict[str, bool], list[bool]]:
        question_id = get_revisions([revision_id])[revision_id].question_id
        found = queries.item_statistics(question_id).revision(1).figures
        return found.facility, {one.taken: one.is_right for one in found.patterns}, [choice.is_right for choice in found.choices]

    assert figures() == (0.5, {"0": True, "1": False}, [True, False, False, False, False])
    fix.correct(revision_id, {1}, now=later)
    fix.work(later + MINUTE)
    assert fold_due(later + 2 * MINUTE) == 1, "the sum of right answers is what it was"
    assert figures() == (0.5, {"0": False, "1": True}, [False, True, False, False, False])
    assert fold_due(later + 3 * MINUTE) == 0
