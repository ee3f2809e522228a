"""The ways a report is refused."""

from quizapp.core.errors import AppError, Conflict
from quizapp.core.text import N_


class ReportNotReady(Conflict):
    code = "report_not_ready"
    message = N_("文件还没整理好，请稍等。")


class ReportGone(AppError):
    code = "report_gone"
    message = N_("文件已经过期或者没有整理出来，请重新导出。")
    http_status = 410
