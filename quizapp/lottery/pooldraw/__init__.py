"""The verbs of pool draws: open, freeze, exclude, take the public input, draw, substitute, enter a draw held elsewhere.

Who wins is computed in ``lottery.pool_proof`` and nowhere else. Only :func:`enter_outside` takes results, of a draw that the
manifest announced as held elsewhere, and everything that shows them says so.
"""

from quizapp.lottery.pool_rules import Entry, Plan, Scope
from quizapp.lottery.pooldraw.drawing import draw, take_input
from quizapp.lottery.pooldraw.excluding import exclude_entries
from quizapp.lottery.pooldraw.freezing import freeze
from quizapp.lottery.pooldraw.opening import bind_scopes, open_pool_draws
from quizapp.lottery.pooldraw.outside import OutsideEntry, confirm_outside, enter_outside, refuse_outside
from quizapp.lottery.pooldraw.reserves import pass_reserve, substitute

__all__ = [
    "Entry",
    "OutsideEntry",
    "Plan",
    "Scope",
    "bind_scopes",
    "confirm_outside",
    "draw",
    "enter_outside",
    "exclude_entries",
    "freeze",
    "open_pool_draws",
    "pass_reserve",
    "refuse_outside",
    "substitute",
    "take_input",
]
