from collections.abc import Iterator

import pytest

from quizapp.campaigns import queries
from quizapp.questions.queries import forget_pools


@pytest.fixture(autouse=True)
def _fresh_caches() -> Iterator[None]:
    """Each test has its own database; what a process keeps belongs to the one before."""
    queries.forget_campaigns()
    forget_pools()
    yield
    queries.forget_campaigns()
    forget_pools()
