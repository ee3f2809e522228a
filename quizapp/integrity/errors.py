"""The ways to be refused when something is looked into."""

from quizapp.core.errors import AppError, Conflict, InvalidInput, NotFound
from quizapp.core.text import N_


class CaseNotFound(NotFound):
    message = N_("没有找到这件核查。")


class AlreadyDecided(Conflict):
    """Somebody else was quicker, or the page is old."""

    code = "already_decided"
    message = N_("这件核查刚刚有人处理过，请看看最新的情况再决定。")


class SamePerson(AppError):
    code = "same_person"
    message = N_("这一步要由另一个人来做，不能是作出决定的人。")
    http_status = 403


class NothingToDo(Conflict):
    code = "nothing_to_do"
    message = N_("没有选可以剔除的答卷。")


class NoteNeeded(InvalidInput):
    def __init__(self) -> None:
        super().__init__(fields={"note": N_("请写明理由，4 到 500 个字，当事人会看到。")})


class UnknownReason(InvalidInput):
    def __init__(self) -> None:
        super().__init__(fields={"reason": N_("请选一个理由。")})


class AppealExists(Conflict):
    code = "appeal_exists"
    message = N_("这件已经申诉过了，请等答复。")


class TextNeeded(InvalidInput):
    def __init__(self) -> None:
        super().__init__(fields={"text": N_("请写几句，说清楚情况。")})


class ComplaintNotFound(NotFound):
    message = N_("没有找到这件投诉。受理号和查询码要一起对上。")


class NotFoundAtDesk(NotFound):
    message = N_("没有找到。请核对手机号、抽奖号或答卷编号。")
