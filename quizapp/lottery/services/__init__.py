"""The verbs of the lottery: open a pool, grant tickets, draw, chain, expire, void, reveal.

No verb takes an outcome, a prize or a chance: what a draw gives is computed in ``lottery.proof`` and nowhere else.
"""

from quizapp.lottery.services.pools import open_pool
from quizapp.lottery.services.tickets import grant_tickets, ticket_writes

__all__ = ["grant_tickets", "open_pool", "ticket_writes"]
