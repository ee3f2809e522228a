"""The verbs of the lottery: open a pool, grant tickets, draw, chain, expire, void, return, reveal, publish heads.

No verb takes an outcome, a prize or a chance: what a draw gives is computed in ``lottery.proof`` and nowhere else.
"""

from quizapp.lottery.queries import DrawResult
from quizapp.lottery.services.bars import Barred, bar_person, end_bar
from quizapp.lottery.services.chain import alias_for, manifest_for, ticket_end
from quizapp.lottery.services.draws import draw_ticket
from quizapp.lottery.services.heads import publish_heads
from quizapp.lottery.services.pools import open_pool
from quizapp.lottery.services.tickets import Grant, grant_many, grant_tickets, ticket_writes
from quizapp.lottery.services.upkeep import chain_grants, expire_tickets, give_up_tickets, return_wins, reveal_secrets, void_tickets

__all__ = [
    "Barred",
    "DrawResult",
    "Grant",
    "alias_for",
    "bar_person",
    "chain_grants",
    "draw_ticket",
    "end_bar",
    "expire_tickets",
    "give_up_tickets",
    "grant_many",
    "grant_tickets",
    "manifest_for",
    "open_pool",
    "publish_heads",
    "return_wins",
    "reveal_secrets",
    "ticket_end",
    "ticket_writes",
    "void_tickets",
]
