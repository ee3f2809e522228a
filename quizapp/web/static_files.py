"""Stylesheets, scripts and pictures from this process; nginx may serve them instead."""

import os
from collections.abc import Mapping
from typing import Any

from whitenoise import WhiteNoise

ENCODINGS = (".gz", ".br")


class FreshFiles(WhiteNoise):  # type: ignore[misc]  # whitenoise ships no types
    """WhiteNoise that leaves aside a compressed file made from another version of its source: whoever edits a stylesheet,
    or updates the code, is served the new one at once, uncompressed until ``make run`` has compressed it again."""

    def get_static_file(self, path: str, url: str, stat_cache: Mapping[str, os.stat_result] | None = None) -> Any:
        if stat_cache is not None:
            made_of = stat_cache[path].st_mtime
            fresh = [name for name in (path + suffix for suffix in ENCODINGS) if _is_same(stat_cache.get(name), made_of)]
            stat_cache = {name: stat_cache[name] for name in (path, *fresh)}
        return super().get_static_file(path, url, stat_cache=stat_cache)


def _is_same(compressed: os.stat_result | None, made_of: float) -> bool:
    """The compressor gives its file the time of the source; to the microsecond, since times pass through floats."""
    return compressed is not None and abs(compressed.st_mtime - made_of) < 1e-5
