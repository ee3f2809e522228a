"""What it costs: the spread of a sum over prizes, with the tax. Money is fen."""

from collections.abc import Sequence
from math import sqrt

from quizapp.campaigns.forecast.chances import Range
from quizapp.campaigns.forecast.stock import Stock

TAX_PERCENT = 20
"""Individual income tax on occasional income (个人所得税法 3)."""
POINTS = 49
CELLS = 600


def with_tax(net: float) -> int:
    """What the host spends so that ``net`` is in hand."""
    return -int(-net * 100 // (100 - TAX_PERCENT))


def unit_fen(stock: Stock) -> float:
    """What one prize costs on average; a random amount spends its budget over the whole stock."""
    prize = stock.prize
    if prize.max_fen and prize.budget_fen and prize.quantity:
        return prize.budget_fen / prize.quantity
    return float(prize.value_fen)


def total(stocks: Sequence[Stock], over: float, people: float) -> Range:
    """The sum in fen: its mean, and the bounds that hold it nine times in ten.

    The shape is that of independent prizes; its width is mended for what they share: people's own number of draws.
    """
    paid = [(stock, unit_fen(stock)) for stock in stocks if unit_fen(stock)]
    mean = sum(stock.state.given * fen for stock, fen in paid)
    variance = sum(_variance(stock) * fen * fen + _amounts(stock) for stock, fen in paid)
    shared = [fen * stock.state.given * (1 - stock.state.full) for stock, fen in paid if not stock.releases]
    together = over / people * (sum(shared) ** 2 - sum(part * part for part in shared))
    wide = max(0.0, variance + together, 0.02 * variance)
    if wide < 1:
        return Range(mean, mean, mean)
    most = sum(stock.prize.quantity * fen for stock, fen in paid)
    shape = _shape(paid)
    centre = sum(value * chance for value, chance in shape)
    width = sqrt(max(1e-9, sum((value - centre) ** 2 * chance for value, chance in shape)))
    bounds = [mean + (_quantile(shape, chance) - centre) * sqrt(wide) / width for chance in (0.05, 0.95)]
    return Range(mean, max(0.0, bounds[0]), min(most, bounds[1]))


def _variance(stock: Stock) -> float:
    if not stock.releases:
        return stock.state.variance
    points = [stock.quantile((place + 0.5) / POINTS) for place in range(POINTS)]
    mean = sum(points) / POINTS
    return sum((point - mean) ** 2 for point in points) / POINTS


def _amounts(stock: Stock) -> float:
    """How random amounts spread while the stock is not used up; nothing once it is."""
    prize, out = stock.prize, stock.state.given
    if not (prize.max_fen and prize.budget_fen and prize.quantity > 1):
        return 0.0
    mean = prize.budget_fen / prize.quantity
    one = max(0.0, min(mean - prize.value_fen, prize.max_fen - mean)) ** 2 / 3
    return one * out * max(0.0, prize.quantity - out) / (prize.quantity - 1)


def _shape(paid: Sequence[tuple[Stock, float]]) -> list[tuple[float, float]]:
    """The chances of the sum of independent prizes, on a grid."""
    shape = {0.0: 1.0}
    for stock, fen in paid:
        points = [fen * stock.quantile((place + 0.5) / POINTS) for place in range(POINTS)]
        if points[-1] - points[0] < 1e-9:
            shape = {value + points[0]: chance for value, chance in shape.items()}
            continue
        wider: dict[float, float] = {}
        for value, chance in shape.items():
            for point in points:
                wider[value + point] = wider.get(value + point, 0.0) + chance / POINTS
        shape = _thinned(wider)
    return sorted(shape.items())


def _thinned(shape: dict[float, float]) -> dict[float, float]:
    """At most :data:`CELLS` values: neighbours become their mean."""
    if len(shape) <= CELLS:
        return shape
    low, high = min(shape), max(shape)
    cells: dict[int, tuple[float, float]] = {}
    for value, chance in shape.items():
        cell = int((value - low) / (high - low) * (CELLS - 1))
        weight, moment = cells.get(cell, (0.0, 0.0))
        cells[cell] = (weight + chance, moment + value * chance)
    return {moment / weight: weight for weight, moment in cells.values() if weight > 0}


def _quantile(shape: Sequence[tuple[float, float]], chance: float) -> float:
    total = 0.0
    for value, weight in shape:
        total += weight
        if total >= chance - 1e-9:
            return value
    return shape[-1][0]
