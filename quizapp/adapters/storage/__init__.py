"""Files the product makes (exports): the protocol. A folder on disk now; an object store can join."""

from pathlib import Path
from typing import IO, Protocol


class Storage(Protocol):
    def put(self, key: str, source: Path) -> None:
        """Keep the file under ``key``, replacing what was there."""
        ...

    def open(self, key: str) -> IO[bytes]:
        """:raises FileNotFoundError: if nothing is kept under ``key``"""
        ...

    def delete(self, key: str) -> None:
        """Forget ``key``; nothing happens if it is unknown."""
        ...
