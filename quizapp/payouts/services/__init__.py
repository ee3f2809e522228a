"""The verbs of handing over: open, claim, hand over at the desk, give a code, make and settle a cash list, hold, expire; the
winners' notices."""

from quizapp.payouts.services.cash import export_rows, make_cash_list, mark_payouts, review_cash_list
from quizapp.payouts.services.certifying import certify_win
from quizapp.payouts.services.claims import claim_payout, expire_payouts, forfeit_payouts, refuse_payout, withdraw_publicity
from quizapp.payouts.services.codes import UploadResult, serve_waiting, upload_codes
from quizapp.payouts.services.desk import hand_over
from quizapp.payouts.services.forfeits import lock_forfeits, settle_forfeit
from quizapp.payouts.services.holds import cancel, hold, release
from quizapp.payouts.services.notices import (
    object_to,
    plan_due_notices,
    plan_notice,
    publish_notices,
    reply_to_objection,
    take_down_notices,
)
from quizapp.payouts.services.opening import (
    NewItem,
    Opening,
    open_many,
    open_payout,
    opening_writes,
    pay_deferred_points,
    raise_item_quantity,
    register_items,
)
from quizapp.payouts.services.settlement import assign_item, decide_money, enter_money, find_move_campaign, settle_money
from quizapp.payouts.services.unreachable import give_up_unreachable, record_contact
from quizapp.payouts.services.watches import end_watch, hold_watched, watch_prizes, withhold
from quizapp.payouts.services.workdays import clear_workday, set_workday

__all__ = [
    "NewItem",
    "Opening",
    "UploadResult",
    "assign_item",
    "cancel",
    "certify_win",
    "claim_payout",
    "clear_workday",
    "decide_money",
    "end_watch",
    "enter_money",
    "expire_payouts",
    "export_rows",
    "find_move_campaign",
    "forfeit_payouts",
    "give_up_unreachable",
    "hand_over",
    "hold",
    "hold_watched",
    "lock_forfeits",
    "make_cash_list",
    "mark_payouts",
    "object_to",
    "open_many",
    "open_payout",
    "opening_writes",
    "pay_deferred_points",
    "plan_due_notices",
    "plan_notice",
    "publish_notices",
    "raise_item_quantity",
    "record_contact",
    "refuse_payout",
    "register_items",
    "release",
    "reply_to_objection",
    "review_cash_list",
    "serve_waiting",
    "set_workday",
    "settle_forfeit",
    "settle_money",
    "take_down_notices",
    "upload_codes",
    "watch_prizes",
    "withdraw_publicity",
    "withhold",
]
