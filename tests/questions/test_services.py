import pytest

from quizapp.questions import queries
from tests.factories.questions import make_bank, right_indices

pytestmark = pytest.mark.usefixtures("app")


def test_a_made_bank_can_be_drawn_from() -> None:
    make_bank(count=12)
    pool = queries.list_pool(banks=["consumer-rights"])
    assert len(pool) == 12
    assert queries.count_pool(banks=["consumer-rights"], kinds=["judge"]) == 3
    assert right_indices(pool[0].revision_id)
