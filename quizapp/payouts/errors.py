"""The ways to be refused when something is handed over."""

import datetime as dt

from quizapp.core.clock import SHANGHAI
from quizapp.core.errors import AppError, Conflict, InvalidInput, NotFound
from quizapp.core.text import N_


class PayoutNotFound(NotFound):
    message = N_("没有找到这份奖品。")


class ClaimExpired(AppError):
    code = "claim_expired"
    message = N_("领取时间已经过了。")
    http_status = 409


class NotClaimable(Conflict):
    code = "not_claimable"
    message = N_("这份奖品现在不能领取。")


class OnItsWay(Conflict):
    code = "payout_on_its_way"
    message = N_("有现金奖品正在发放，到账后才能注销。")


class UnderReview(Conflict):
    code = "payout_under_review"
    message = N_("这份奖品正在核查，核查完会通知您，领取时间顺延。")


class OnAList(Conflict):
    code = "payout_on_a_list"
    message = N_("这份奖品已经在现金名单上，先在名单里处理。")


class PaidLater(Conflict):
    code = "paid_later"
    message = N_("活动规则写明统一发放，时间还没到。")


class StillInReach(Conflict):
    code = "still_in_reach"
    message = N_("联系记录还不够：至少三次、分在三天，才能按联系不上处理。")


class NoSuchPoint(InvalidInput):
    def __init__(self) -> None:
        super().__init__(fields={"point": N_("请选一个领取点。")})


class NoticeDown(NotFound):
    message = N_("公示已经撤下。")


class ObjectionOver(Conflict):
    code = "objection_over"
    message = N_("异议期已经过了。可以打公示上的电话反映。")


class WrongMove(Conflict):
    """The state machine has no such step."""

    code = "payout_state"
    message = N_("这份奖品的状态刚刚变了，请刷新后再看。")


class WrongPickupCode(NotFound):
    code = "pickup_code_unknown"
    message = N_("没有这个核验码，请再对一遍。")


class AlreadyHandedOver(Conflict):
    """Said at the desk: when and by whom it was handed over."""

    code = "already_handed_over"

    def __init__(self, done_at: dt.datetime | None, handler: str) -> None:
        when = done_at.astimezone(SHANGHAI) if done_at else None
        text = f"{when.year}年{when.month}月{when.day}日 {when:%H:%M}" if when else ""
        super().__init__(f"这份奖品已经领走了：{text}，经手人 {handler or '系统'}。")


class NothingToPay(Conflict):
    code = "nothing_to_pay"
    message = N_("没有等着发的现金奖品。")


class ReviewNeeded(Conflict):
    code = "review_needed"
    message = N_("这张名单超过了复核金额，要先由另一位复核人同意。")


class SameReviewer(AppError):
    code = "same_reviewer"
    message = N_("制单和复核不能是同一个人。")
    http_status = 403


class ReasonNeeded(InvalidInput):
    def __init__(self) -> None:
        super().__init__(fields={"reason": N_("请写明事由，至少 4 个字，会记入操作日志。")})
