"""The ways to be refused by the lottery."""

import datetime as dt

from quizapp.core.clock import SHANGHAI
from quizapp.core.errors import AppError, Conflict
from quizapp.core.text import N_


class NoTicket(AppError):
    code = "no_ticket"
    message = N_("没有这一次抽奖机会。")
    http_status = 409


class TicketExpired(AppError):
    code = "ticket_expired"
    message = N_("这次抽奖机会已经过期了。")
    http_status = 409


class TicketVoid(AppError):
    code = "ticket_void"
    message = N_("这次抽奖机会已经作废，原因可以打服务热线问。")
    http_status = 409


class DrawLater(AppError):
    """The ticket is one of a pool draw: it waits for the public draw."""

    code = "draw_later"
    message = N_("这次机会参加活动后的公开摇号，到时候在这里看结果。")
    http_status = 409


class ProfileIncomplete(AppError):
    code = "profile_incomplete"
    message = N_("请先把年龄段补上，再来抽奖。")
    http_status = 409


class MinorExcluded(AppError):
    code = "minor_excluded"
    message = N_("未满 18 周岁不参加抽奖，答题的积分照样给您记着。")
    http_status = 409


class BarredFromDraw(AppError):
    """On the campaign's list of people who take no part in its chances."""

    code = "barred_from_draw"
    message = N_("按活动规则，您不参加这场的抽奖，答题照常。有不同意见可以申诉。")
    http_status = 409


class DrawUnavailable(AppError):
    """No secret is left to draw with: the campaign ran longer than its spare days, or the day's is public already."""

    code = "draw_unavailable"
    message = N_("这次抽奖开不了，不是您的错。请打服务热线，我们来处理。")
    http_status = 409


class PoolAlreadyOpen(Conflict):
    code = "pool_already_open"
    message = N_("这个活动的奖池已经公布，不能再改。")


class PrizeKindNotServed(AppError):
    code = "prize_kind_not_served"
    message = N_("有一种奖品现在还发不出去，请换成积分、兑换码、自取或现金名单。")
    http_status = 422


# ---- pool draws


class NotDueYet(Conflict):
    code = "pool_draw_not_due"
    message = N_("还没到公布的冻结时间，名单不能提前冻结。")

    def __init__(self, due_at: dt.datetime | None) -> None:
        when = f"公布的冻结时间是 {due_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}，名单不能提前冻结。" if due_at else None
        super().__init__(when)


class PoolDrawFrozen(Conflict):
    code = "pool_draw_frozen"
    message = N_("这次摇号的名单已经冻结，不能再加人。")


class NotFrozen(Conflict):
    code = "pool_draw_not_frozen"
    message = N_("先冻结名单，再做这一步。")


class InputTaken(Conflict):
    code = "public_input_taken"
    message = N_("名单没有冻结，或者现场数已经录入，不能再排除谁。")


class InputsDiffer(AppError):
    code = "inputs_differ"
    message = N_("两次录入的数不一样，请听清楚再录。")
    http_status = 422


class BadPublicInput(AppError):
    code = "bad_public_input"
    message = N_("现场数应当是 4 到 64 位数字；公开数据只写数字和小数点。")
    http_status = 422


class NotReady(Conflict):
    code = "pool_draw_not_ready"
    message = N_("现场数已经录入过，不能再换；还没录入的，请先录入。")


class OtherDrawRunning(Conflict):
    code = "other_draw_running"
    message = N_("同一活动的另一场摇号正在进行，请先把那一场摇完。")


class HeldElsewhere(Conflict):
    code = "held_elsewhere"
    message = N_("这次摇号公布的是场外进行，只能录入场外的结果。")


class NotHeldElsewhere(Conflict):
    code = "not_held_elsewhere"
    message = N_("这次摇号公布的是在本平台进行，不能录入场外的结果。")


class WaitsForConfirmation(Conflict):
    code = "waits_for_confirmation"
    message = N_("已经有一份场外记录等着另一个人确认。")


class NothingWaiting(Conflict):
    code = "nothing_waiting"
    message = N_("没有等着确认的场外记录。")


class SameHand(Conflict):
    code = "same_hand"
    message = N_("录入的人不能自己确认，请换一个人。")


class BadOutsideRecord(AppError):
    code = "bad_outside_record"
    message = N_("场外记录和公布的名单、数量对不上。")
    http_status = 422


class NotDrawn(Conflict):
    code = "pool_draw_not_drawn"
    message = N_("还没有摇出结果。")


class UnknownPlace(AppError):
    code = "unknown_place"
    message = N_("没有这个中奖名次。")
    http_status = 404


class PlaceStillHeld(Conflict):
    code = "place_still_held"
    message = N_("这份奖品还在中奖人名下，过期、放弃或作废以后才能递补。")


class NoReserveLeft(Conflict):
    code = "no_reserve_left"
    message = N_("候补名单已经用完。")


class SpareSlotsUsedUp(Conflict):
    code = "spare_slots_used_up"
    message = N_("备用的摇号密钥不够延长这么多天。")
