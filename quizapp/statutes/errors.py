"""The ways a statute, an article or a file of them is refused."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from quizapp.core.errors import AppError, Conflict, InvalidInput, NotFound
from quizapp.core.text import N_


@dataclass(frozen=True)
class FileError:
    """One mistake: the file, the field or article in it, what is wrong and how to mend it."""

    file: str
    field: str
    reason: str

    def __str__(self) -> str:
        return f"{self.file} {self.field}：{self.reason}" if self.field else f"{self.file}：{self.reason}"


class LawFilesInvalid(InvalidInput):
    """The files hold mistakes; nothing of them was taken in. ``rows`` names each of them."""

    code = "law_files_invalid"
    message = N_("法条文件有错误，一部也没有导入。请按清单改好后再试。")

    def __init__(self, rows: Sequence[FileError]) -> None:
        super().__init__(rows=[asdict(row) for row in rows[:200]], row_count=len(rows))
        self.rows = tuple(rows)

    def __str__(self) -> str:
        return "\n".join(str(row) for row in self.rows)


class StatuteNotFound(NotFound):
    message = N_("没有这部法律或文件。")


class ArticleNotFound(NotFound):
    message = N_("没有这一条。")


class StatuteExists(Conflict):
    code = "statute_exists"
    message = N_("法条库里已经有这个简称，请打开它来改。")


class ArticleChanged(Conflict):
    code = "article_changed"
    message = N_("这一条刚刚有人改过，请刷新后再看。")


class NothingChanged(InvalidInput):
    code = "nothing_changed"
    message = N_("文字和那天有效的文本一样，没有要存的。")


class NotAtTheTop(AppError):
    code = "not_at_the_top"
    message = N_("法条库全平台共用，只有市级的题目编辑能改。")
    http_status = 403
