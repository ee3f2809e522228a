from collections.abc import Iterator

import pytest

from quizapp.statutes import queries


@pytest.fixture(autouse=True)
def fresh_names() -> Iterator[None]:
    """Names that one test's process remembers are not another's."""
    queries.forget_names()
    yield
    queries.forget_names()


@pytest.fixture
def no_csrf(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quizapp.web.security.csrf.protect", lambda: None)
