"""The ways to be refused by the lottery."""

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
    """Reserved for pool draws (draw-proof version 2): their tickets wait for the public draw."""

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
