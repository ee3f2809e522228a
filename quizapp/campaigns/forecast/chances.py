"""The small mathematics: counts cut off at a cap, and what one person of a crowd can reach under caps of their own."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import erf, exp, pi, sqrt
from statistics import NormalDist

STANDARD = NormalDist()
Z90 = STANDARD.inv_cdf(0.95)
FAR = 7.0
"""Standard deviations beyond which a cap does not matter, or is surely reached."""


@dataclass(frozen=True)
class Range:
    """An expected figure and the bounds that hold it in nine seasons out of ten."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Limited:
    """Mean and variance of min(cap, X), and the chance that X reaches the cap."""

    mean: float
    variance: float
    full: float


def density(z: float) -> float:
    return exp(-z * z / 2) / sqrt(2 * pi)


def below(z: float) -> float:
    return 0.5 * (1 + erf(z / sqrt(2)))


def limited(mean: float, variance: float, cap: float | None) -> Limited:
    """A count of this mean and variance, cut off at ``cap`` (None: not cut off)."""
    if cap is None:
        return Limited(mean, variance, 0.0)
    if cap <= 0:
        return Limited(0.0, 0.0, 1.0)
    if mean <= 0:
        return Limited(0.0, 0.0, 0.0)
    deviation = sqrt(max(variance, 1e-12))
    if mean + FAR * deviation + 3 < cap:
        return Limited(mean, variance, 0.0)
    if mean - FAR * deviation > cap:
        return Limited(float(cap), 0.0, 1.0)
    if mean < 60 and 0.6 * mean < variance < 1.6 * mean:
        return _limited_poisson(mean, int(cap))
    z = (cap - mean) / deviation
    short = deviation * (z * below(z) + density(z))
    square = variance * ((z * z + 1) * below(z) + z * density(z))
    return Limited(cap - short, max(0.0, square - short * short), 1 - below(z - 0.5 / deviation))


def _limited_poisson(mean: float, cap: int) -> Limited:
    chance, under, short, square = exp(-mean), 0.0, 0.0, 0.0
    for count in range(cap):
        under += chance
        short += (cap - count) * chance
        square += (cap - count) ** 2 * chance
        chance *= mean / (count + 1)
    return Limited(cap - short, max(0.0, square - short * short), max(0.0, 1 - under))


def above_zero(mean: float, variance: float) -> tuple[float, float]:
    """Mean and variance of max(0, X) for a normal X."""
    deviation = sqrt(max(variance, 1e-12))
    z = mean / deviation
    if z > FAR:
        return mean, variance
    if z < -FAR:
        return 0.0, 0.0
    first = mean * below(z) + deviation * density(z)
    second = (mean * mean + variance) * below(z) + mean * deviation * density(z)
    return first, max(0.0, second - first * first)


# ---- one person


@dataclass(frozen=True)
class Visits:
    """How often one person answers: once, and again with chance ``again`` each time, ``most`` times at most."""

    again: float
    most: int

    @property
    def mean(self) -> float:
        return (1 - self.again**self.most) / (1 - self.again) if self.again < 1 else float(self.most)

    @property
    def pairs(self) -> float:
        """Mean of n(n-1)."""
        total, tail = 0.0, self.again
        for count in range(1, self.most):
            total += 2 * count * tail
            tail *= self.again
            if tail < 1e-15:
                break
        return total

    def with_mean(self, mean: float) -> "Visits":
        """The same law with another mean, 1 to ``most``."""
        if mean >= self.mean - 1e-9:
            return self
        low, high = 0.0, 0.9999
        for _ in range(40):
            middle = (low + high) / 2
            low, high = (middle, high) if Visits(middle, self.most).mean < mean else (low, middle)
        return Visits(low, self.most)

    def compound(self, one: Sequence[float]) -> list[float]:
        """The chances of 0, 1, 2 … hits in all, as far as ``one`` goes, from those of a single attempt."""
        size = len(one)
        scaled = [self.again * chance for chance in one]
        whole = [(1 - self.again) * chance for chance in one]
        if self.most >= MANY or self.again**self.most < 1e-12:
            return _divide(whole, scaled)
        cut = _power(scaled, self.most - 1)
        kept = [-chance for chance in multiplied(whole, cut)]
        for place in range(size):
            kept[place] += whole[place]
        last = multiplied(cut, list(one))
        return [first + second for first, second in zip(_divide(kept, scaled), last, strict=True)]


MANY = 200


def multiplied(first: Sequence[float], second: Sequence[float]) -> list[float]:
    """The product of two series, as far as the first goes."""
    size = len(first)
    found = [0.0] * size
    for place, value in enumerate(first):
        if value:
            for other in range(size - place):
                found[place + other] += value * second[other]
    return found


def _power(base: Sequence[float], exponent: int) -> list[float]:
    found = [1.0, *([0.0] * (len(base) - 1))]
    square = list(base)
    while exponent:
        if exponent & 1:
            found = multiplied(found, square)
        square, exponent = multiplied(square, square), exponent >> 1
    return found


def _divide(upper: Sequence[float], scaled: Sequence[float]) -> list[float]:
    """The series upper / (1 - scaled)."""
    found: list[float] = []
    head = 1 - scaled[0]
    for place, value in enumerate(upper):
        value += sum(scaled[back] * found[place - back] for back in range(1, place + 1))
        found.append(value / head)
    return found


@dataclass(frozen=True)
class Personal:
    """Of one person on average: what is reached under the cap, n(n-1) of it, and the chance of nothing at all."""

    mean: float
    pairs: float
    none: float


def personal(visits: Visits, classes: Sequence[Sequence[float]], cap: int | None) -> Personal:
    """What a person gets whose single attempts bring 0, 1, 2 … with the chances in ``classes`` (each class as many
    people), ``cap`` at most."""
    mean = pairs = none = 0.0
    for one in classes:
        part = _one_class(visits, one, cap)
        mean, pairs, none = mean + part.mean, pairs + part.pairs, none + part.none
    count = len(classes)
    return Personal(mean / count, pairs / count, none / count)


def _one_class(visits: Visits, one: Sequence[float], cap: int | None) -> Personal:
    if cap is None:
        first = sum(count * chance for count, chance in enumerate(one))
        second = sum(count * (count - 1) * chance for count, chance in enumerate(one))
        none = visits.compound([one[0]])[0]
        return Personal(visits.mean * first, visits.mean * second + visits.pairs * first * first, none)
    padded = [*one[:cap], *([0.0] * (cap - len(one)))]
    chances = visits.compound(padded)
    rest = max(0.0, 1 - sum(chances))
    mean = sum(count * chance for count, chance in enumerate(chances)) + cap * rest
    pairs = sum(count * (count - 1) * chance for count, chance in enumerate(chances)) + cap * (cap - 1) * rest
    return Personal(mean, pairs, chances[0])
