"""The ways to be refused by the ledger."""

from quizapp.core.errors import AppError, Conflict
from quizapp.core.text import N_


class AlreadyPosted(Conflict):
    """This source has been posted for this reason before; nothing was written a second time."""

    code = "already_posted"
    message = N_("这一笔已经记过账了。")


class InsufficientBalance(AppError):
    code = "insufficient_balance"
    message = N_("余额不够。")
    http_status = 409
