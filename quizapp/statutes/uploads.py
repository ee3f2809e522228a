"""Files that staff send, kept between the check and the taking in: one place for each member of staff, so that forgotten ones
do not pile up."""

import io
import json
import tempfile
import uuid
import zipfile
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from quizapp.adapters.storage import Storage
from quizapp.core.errors import NotFound
from quizapp.core.ids import new_id
from quizapp.statutes.errors import FileError, LawFilesInvalid
from quizapp.statutes.loader import MAX_FILES, Upload


def _key(staff_id: uuid.UUID) -> str:
    return f"laws-{staff_id.hex}"


def pack(uploads: Sequence[Upload]) -> bytes:
    """Several files as one, each under its own name.

    :raises LawFilesInvalid: if there are too many
    """
    if len(uploads) > MAX_FILES:
        raise LawFilesInvalid([FileError("", "", f"文件太多，一次最多 {MAX_FILES} 个")])
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for number, upload in enumerate(uploads):
            archive.writestr(zipfile.ZipInfo(f"{number:05d}"), upload.raw, zipfile.ZIP_DEFLATED)
        archive.writestr("names", json.dumps([upload.name for upload in uploads]))
    return out.getvalue()


def unpack(raw: bytes) -> list[Upload]:
    """The files that :func:`pack` packed."""
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        names = json.loads(archive.read("names"))
        return [Upload(name, archive.read(f"{number:05d}")) for number, name in enumerate(names)]


def keep(storage: Storage, staff_id: uuid.UUID, uploads: Iterable[Upload]) -> uuid.UUID:
    """Keep what was sent until it is taken in; what this member sent before is forgotten."""
    upload_id = new_id()
    with tempfile.NamedTemporaryFile() as file:
        file.write(upload_id.bytes + pack(list(uploads)))
        file.flush()
        storage.put(_key(staff_id), Path(file.name))
    return upload_id


def kept(storage: Storage, staff_id: uuid.UUID, upload_id: uuid.UUID) -> list[Upload]:
    """The files with this id, if they are this member's latest.

    :raises NotFound: if they were taken in, cancelled or followed by others
    """
    with suppress(FileNotFoundError), storage.open(_key(staff_id)) as file:
        if file.read(16) == upload_id.bytes:
            return unpack(file.read())
    raise NotFound("这次上传的文件已经处理过，或者后来又传了别的，请重新上传。")


def forget(storage: Storage, staff_id: uuid.UUID) -> None:
    storage.delete(_key(staff_id))
