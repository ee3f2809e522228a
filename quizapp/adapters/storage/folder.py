"""Storage in one folder."""

import re
import shutil
from pathlib import Path
from typing import IO

_KEY = re.compile(r"[a-z0-9][a-z0-9._-]{0,90}")


class FolderStorage:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def _path(self, key: str) -> Path:
        if not _KEY.fullmatch(key):
            raise ValueError("not a storage key")
        return self._folder / key

    def put(self, key: str, source: Path) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        target = self._path(key)
        part = target.with_name(target.name + ".part")
        shutil.copyfile(source, part)
        part.replace(target)

    def open(self, key: str) -> IO[bytes]:
        return self._path(key).open("rb")

    def delete(self, key: str) -> None:
        self._path(key).unlink(missing_ok=True)
