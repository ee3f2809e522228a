"""Rate limits count in Redis when it is there, in the process when it is not, and survive its loss."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from quizapp.core.errors import TooManyRequests
from quizapp.extensions import redis_client
from quizapp.web.limits import check_rate
from tests.conftest import missing


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    given = os.environ.get("TEST_REDIS_URL")
    if given:
        yield given
        return
    program = shutil.which("redis-server")
    if program is None:
        missing("Redis (TEST_REDIS_URL or redis-server)")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder: Path = tmp_path_factory.mktemp("redis")
    process = subprocess.Popen(
        [program, "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--dir", str(folder)], stdout=subprocess.DEVNULL
    )
    url = f"redis://127.0.0.1:{port}/0"
    with redis.Redis.from_url(url) as client:
        for _ in range(100):
            try:
                client.ping()
                break
            except redis.ConnectionError:
                time.sleep(0.05)
    yield url
    process.terminate()
    process.wait()


@pytest.fixture(params=["process", "redis", "lost redis"])
def counting(request: pytest.FixtureRequest) -> Iterator[str]:
    url = {"process": "", "lost redis": "redis://127.0.0.1:1/0"}.get(request.param)
    redis_client.init_app(request.getfixturevalue("redis_url") if url is None else url)
    yield request.param
    if redis_client.client is not None:
        redis_client.client.close()
    redis_client.init_app("")


def test_the_call_after_the_limit_is_refused_and_says_when_to_come_back(counting: str) -> None:
    key = f"{counting}-{time.time_ns()}"
    for _ in range(5):
        check_rate("test", key, 5, 3600)
    with pytest.raises(TooManyRequests) as refused:
        check_rate("test", key, 5, 3600)
    assert 0 < refused.value.extra["retry_after_seconds"] <= 3600


def test_callers_do_not_count_for_each_other(counting: str) -> None:
    key = f"{counting}-{time.time_ns()}"
    check_rate("test", key, 1, 3600)
    check_rate("test", key + "-other", 1, 3600)
