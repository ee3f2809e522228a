import gzip
import os
from pathlib import Path

import pytest
from werkzeug.test import Client
from whitenoise.compress import main as compress

from quizapp.web.static_files import FreshFiles

CSS = "body { color: black; }\n" * 50


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "site.css").write_text(CSS)
    compress(["--quiet", str(tmp_path)])
    return tmp_path


def _get(folder: Path) -> tuple[str, str | None]:
    """What a browser that takes gzip reads, and how it came."""
    files = FreshFiles(lambda environ, start: [], root=f"{folder}/", prefix="static/")
    with Client(files).get("/static/site.css", headers={"Accept-Encoding": "gzip"}) as answer:
        encoding = answer.headers.get("Content-Encoding")
        return (gzip.decompress(answer.data) if encoding else answer.data).decode(), encoding


def test_a_compressed_file_is_served_where_there_is_one(folder: Path) -> None:
    assert _get(folder) == (CSS, "gzip")
    (folder / "site.css.gz").unlink()
    assert _get(folder) == (CSS, None)


@pytest.mark.parametrize("seconds", [1, -3600])
def test_an_edited_file_is_never_served_as_it_was(folder: Path, seconds: int) -> None:
    """Also one put back to an older version, with an older time."""
    css, before = folder / "site.css", (folder / "site.css").stat()
    css.write_text(CSS.replace("black", "white"))
    os.utime(css, (before.st_atime, before.st_mtime + seconds))
    assert _get(folder) == (CSS.replace("black", "white"), None)
    compress(["--quiet", str(folder)])
    assert _get(folder) == (CSS.replace("black", "white"), "gzip")
