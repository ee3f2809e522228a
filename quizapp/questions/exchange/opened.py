"""Text out of bytes, and archives weighed before anything opens them."""

import io
import zipfile
from zlib import error as zlib_error

from quizapp.questions.exchange.parsed import Parsed, refused

MAX_TEXT_BYTES = 20 * 1024 * 1024
MAX_MEMBERS = 3000
MAX_UNPACKED_BYTES = 200 * 1024 * 1024
"""Of one archive. A workbook of 20,000 questions unpacks to about 20 MB, a Word file of as many to 60."""
_CHUNK = 1024 * 1024


def is_zip(raw: bytes) -> bool:
    return raw[:4] == b"PK\x03\x04"


def is_ole(raw: bytes) -> bool:
    """The container of .xls, .et, .doc, .wps, and of encrypted .xlsx."""
    return raw[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


class NotText(ValueError):
    """The bytes are text in no encoding we know."""


def decode(raw: bytes) -> str:
    """UTF-8 (with or without mark), UTF-16 with its mark, else GB18030, the encoding of Chinese Windows.

    :raises NotText: if it is none of them
    """
    if raw[:3] == b"\xef\xbb\xbf":
        encodings: tuple[str, ...] = ("utf-8-sig",)
    elif raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encodings = ("utf-16",)
    else:
        encodings = ("utf-8", "gb18030")
    for encoding in encodings:
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text.replace("\r\n", "\n").replace("\r", "\n")
    raise NotText


def weigh_zip(raw: bytes, format: str) -> Parsed | None:
    """Refuse an archive that is broken, locked or unpacks to more than we hold. Every member is unpacked once and thrown
    away: what comes out counts, not what the archive claims; the checksums are verified on the way."""
    total = 0
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            members = archive.infolist()
            if len(members) > MAX_MEMBERS:
                return refused(format, f"压缩包里有 {len(members)} 个文件，不像题目文件", "请另存一份新的再传")
            for member in members:
                if member.flag_bits & 1:
                    return refused(format, "文件有密码", "请去掉密码再传")
                with archive.open(member) as stream:
                    while chunk := stream.read(_CHUNK):
                        total += len(chunk)
                        if total > MAX_UNPACKED_BYTES:
                            return refused(format, f"文件展开后超过 {MAX_UNPACKED_BYTES // 1024 // 1024} MB", "请拆成几个文件再传")
    except (
        zipfile.BadZipFile,
        zipfile.LargeZipFile,
        NotImplementedError,
        RuntimeError,
        EOFError,
        OSError,
        ValueError,
        MemoryError,
        zlib_error,
    ):
        return refused(format, "文件打不开，可能没有传完或者坏了", "请重新打开、另存一份再传")
    return None


def member_names(raw: bytes) -> list[str]:
    """Names in an archive that was weighed; [] for what is none."""
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            return archive.namelist()
    except zipfile.BadZipFile:
        return []


def beginning(text: str, limit: int = 4000) -> str:
    """The first characters, for recognising a format."""
    return text[:limit].lstrip("\ufeff \t\n")
