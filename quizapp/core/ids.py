"""Identifiers: UUID version 7 (RFC 9562), so that rows of one time lie together in the index."""

import os
import time
import uuid


def new_id() -> uuid.UUID:
    """Make an identifier: 48 bits of Unix milliseconds, 74 random bits. Made here and not by the database, so that
    a parent and its children can be written without asking for the parent's key in between."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds & (1 << 48) - 1) << 80 | int.from_bytes(os.urandom(10))
    value &= ~(0xF << 76) & ~(0x3 << 62)
    return uuid.UUID(int=value | 0x7 << 76 | 0x2 << 62)
