"""The ways a bank or a paper is refused."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from quizapp.core.errors import AppError, Conflict, InvalidInput, NotFound
from quizapp.core.text import N_


class PoolTooSmall(AppError):
    """``needed`` questions were asked for and ``available`` are there."""

    code = "pool_too_small"
    message = N_("题库里可用的题不够，暂时不能出卷。")
    http_status = 409

    def __init__(self, needed: int, available: int) -> None:
        super().__init__(needed=needed, available=available)
        self.needed = needed
        self.available = available


@dataclass(frozen=True)
class RowError:
    """One mistake in a bank file: where it stands and what is wrong.

    ``number`` counts entries from 1 (0: the file as a whole); ``entry`` is the entry's id where it has one.
    """

    file: str
    number: int
    entry: str
    field: str
    reason: str

    def __str__(self) -> str:
        place = self.file
        if self.number:
            place += f" 第 {self.number} 条" + (f"（{self.entry}）" if self.entry else "")
        return f"{place} {self.field}：{self.reason}" if self.field else f"{place}：{self.reason}"

    def as_dict(self) -> dict[str, str | int]:
        return asdict(self)


class BankFileInvalid(InvalidInput):
    """The file holds mistakes; nothing of it was taken in. ``rows`` names each of them."""

    code = "bank_file_invalid"
    message = N_("题库文件有错误，一道题也没有导入。请按清单改好后再试。")

    def __init__(self, rows: Sequence[RowError]) -> None:
        super().__init__(rows=[row.as_dict() for row in rows[:200]], row_count=len(rows))
        self.rows = tuple(rows)

    def __str__(self) -> str:
        return "\n".join(str(row) for row in self.rows)


class BankNotFound(NotFound):
    message = N_("没有这个题库。")


class QuestionChanged(Conflict):
    code = "question_changed"
    message = N_("这道题刚刚有人改过，请刷新后再看。")


class OwnWork(AppError):
    code = "own_work"
    message = N_("自己导入或改过的题，要请另一位复核员来复核。")
    http_status = 403


class SecondPersonNeeded(AppError):
    """The same person may not take two steps of one decision."""

    code = "second_person_needed"
    message = N_("这一步要请另一位同事来做，前面的步骤是您做的。")
    http_status = 403


class NotInReview(Conflict):
    code = "not_in_review"
    message = N_("这道题现在不在等这一步复核，请刷新后再看。")


class SignOffOnly(AppError):
    code = "sign_off_only"
    message = N_("协办单位只做签字确认，复核由司法局的复核员来做。")
    http_status = 403


class AlreadyReported(Conflict):
    code = "already_reported"
    message = N_("这道题您已经反映过了，答复会显示在答题结果里。")


class TooManyReports(AppError):
    code = "too_many_reports"
    message = N_("今天反映的题比较多了，明天再来，谢谢您。")
    http_status = 429


class CorrectionPending(Conflict):
    code = "correction_pending"
    message = N_("这道题已经有一份改正方案在等确认，先处理那一份。")


class CorrectionClosed(Conflict):
    code = "correction_closed"
    message = N_("这份改正方案已经处理过了。")


class NothingCorrected(InvalidInput):
    code = "nothing_corrected"
    message = N_("改正后的答案和现在的一样，不用改。")


class QuestionIncomplete(Conflict):
    code = "question_incomplete"
    message = N_("这道题还缺讲解或依据，先点“编辑”补上，再送复核。")


class ImportNotReady(Conflict):
    code = "import_not_ready"
    message = N_("这个文件现在还不能导入，请刷新页面再看。")


class PdfNeedsFont(AppError):
    code = "pdf_needs_font"
    message = N_("服务器上没有中文字体，做不了 PDF。请先下载 Word 版，或者请管理员装上 fonts-noto-cjk。")
    http_status = 409
