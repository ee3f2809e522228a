"""Bank files that staff send: a zip of a bank folder, or ``questions.yaml`` alone for a bank that exists."""

import io
import zipfile
from dataclasses import dataclass

from quizapp.questions.errors import BankFileInvalid, RowError
from quizapp.questions.loader import (
    BANK_FILE,
    MAX_FILE_BYTES,
    QUESTIONS_FILE,
    BankFile,
    BankHead,
    parse_bank,
    parse_questions_text,
    read_text,
)

MAX_MEMBERS = 50


@dataclass(frozen=True)
class Upload:
    """What was sent: its name and bytes."""

    name: str
    raw: bytes

    @property
    def is_zip(self) -> bool:
        return self.raw[:4] == b"PK\x03\x04"


def read_upload(upload: Upload, head: BankHead | None) -> BankFile:
    """Check an upload as a bank.

    :param head: what is known of the bank a lone ``questions.yaml`` is meant for
    :raises BankFileInvalid: with every mistake
    """
    if upload.is_zip:
        texts = _unzip(upload)
        return parse_bank(texts[BANK_FILE], texts[QUESTIONS_FILE])
    if head is None:
        raise _refused(upload.name, "单独的 questions.yaml 要先选题库；新题库请把 bank.yaml 和 questions.yaml 打成 zip")
    return BankFile(head, parse_questions_text(read_text(upload.raw, upload.name), upload.name))


def _refused(name: str, reason: str) -> BankFileInvalid:
    return BankFileInvalid([RowError(name, 0, "", "", reason)])


def _unzip(upload: Upload) -> dict[str, str]:
    """The two files of a zip, at its top or in one folder. Sizes are those that come out, not those that are claimed."""
    texts: dict[str, str] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(upload.raw)) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            if len(members) > MAX_MEMBERS:
                raise _refused(upload.name, f"压缩包里有 {len(members)} 个文件，最多 {MAX_MEMBERS} 个")
            for member in members:
                folder, _, name = member.filename.rpartition("/")
                if name not in (BANK_FILE, QUESTIONS_FILE) or folder.count("/") or folder.startswith("__MACOSX"):
                    continue
                if name in texts:
                    raise _refused(upload.name, f"压缩包里有两个 {name}，一次只能导入一个题库")
                with archive.open(member) as stream:
                    texts[name] = read_text(stream.read(MAX_FILE_BYTES + 1), member.filename)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError):
        raise _refused(upload.name, "压缩包打不开，请重新打包（不要加密）") from None
    missing = [name for name in (BANK_FILE, QUESTIONS_FILE) if name not in texts]
    if missing:
        raise _refused(upload.name, f"压缩包里没有 {'、'.join(missing)}")
    return texts
