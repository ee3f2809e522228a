"""The verbs of handing over: open, claim, hand over at the desk, give a code, make and settle a cash list, expire."""

from quizapp.payouts.services.cash import export_rows, make_cash_list, mark_payouts, review_cash_list
from quizapp.payouts.services.claims import claim_payout, expire_payouts, forfeit_payouts
from quizapp.payouts.services.codes import UploadResult, serve_waiting, upload_codes
from quizapp.payouts.services.desk import hand_over
from quizapp.payouts.services.opening import NewItem, Opening, open_payout, opening_writes, register_items

__all__ = [
    "NewItem",
    "Opening",
    "UploadResult",
    "claim_payout",
    "expire_payouts",
    "export_rows",
    "forfeit_payouts",
    "hand_over",
    "make_cash_list",
    "mark_payouts",
    "open_payout",
    "opening_writes",
    "register_items",
    "review_cash_list",
    "serve_waiting",
    "upload_codes",
]
