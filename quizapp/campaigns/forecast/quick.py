"""The plain sum for a number of draws: odds times draws, up to the stock. What the editor shows while somebody types."""

import datetime as dt
from dataclasses import dataclass

from quizapp.campaigns.forecast.spend import TAX_PERCENT, with_tax
from quizapp.campaigns.terms import DrawTerms, PrizeTerms, Terms
from quizapp.core.clock import shanghai_day

PPM = 1_000_000


@dataclass(frozen=True)
class PrizeEstimate:
    """``expected`` of ``quantity`` go out; ``empty_after`` draws use the stock up (0: never)."""

    expected: int
    quantity: int
    is_short: bool
    empty_after: int


@dataclass(frozen=True)
class Estimate:
    """``gross_fen`` is what the host spends, ``net_fen`` what winners receive; ``cap_fen`` if every prize goes out."""

    draws: int
    rows: tuple[PrizeEstimate, ...]
    gross_fen: int
    net_fen: int
    cap_fen: int
    odds_ppm: int

    @property
    def tax_fen(self) -> int:
        return self.gross_fen - self.net_fen


def estimate(draw: DrawTerms, draws: int) -> Estimate:
    """Expect ``draws`` draws.

    ``value_fen`` is in hand when the host bears the tax, so the host spends value / 0.8; when the winner bears it, the
    value is before tax. Points and things without a value cost nothing here.
    """
    rows = tuple(_row(prize, draws) for prize in draw.prizes)
    face = sum(row.expected * _unit(prize) // 1000 for row, prize in zip(rows, draw.prizes, strict=True))
    stock = sum(prize.quantity * _unit(prize) // 1000 for prize in draw.prizes)
    if draw.tax_bearer == "host":
        gross, net, cap = with_tax(face), face, with_tax(stock)
    else:
        gross, net, cap = face, face - face * TAX_PERCENT // 100, stock
    return Estimate(draws, rows, gross, net, cap, sum(prize.odds_ppm for prize in draw.prizes))


def _unit(prize: PrizeTerms) -> int:
    """Thousandths of a fen that one prize costs on average."""
    if prize.max_fen and prize.budget_fen and prize.quantity:
        return 1000 * prize.budget_fen // prize.quantity
    return 1000 * prize.value_fen


def _row(prize: PrizeTerms, draws: int) -> PrizeEstimate:
    wanted = draws * prize.odds_ppm // PPM
    empty_after = -(-prize.quantity * PPM // prize.odds_ppm) if prize.odds_ppm else 0
    return PrizeEstimate(min(prize.quantity, wanted), prize.quantity, wanted > prize.quantity, empty_after)


def days_in(terms: Terms) -> int:
    """Shanghai days that the window touches."""
    last = shanghai_day(terms.closes_at - dt.timedelta(microseconds=1))
    return (last - shanghai_day(terms.opens_at)).days + 1
