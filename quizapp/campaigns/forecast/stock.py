"""How one prize lasts under a demand that comes hour by hour: stock, quotas of the day and the hour, paced release."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import ceil, exp, sqrt

from quizapp.campaigns.forecast.chances import STANDARD, above_zero, below, limited
from quizapp.campaigns.forecast.turnout import Slot
from quizapp.campaigns.terms import DrawTerms, PrizeTerms
from quizapp.core.clock import SHANGHAI

STEPS = 4
"""Parts of an hour in which paced stock is followed."""
FEW = 150
"""Up to so many pieces their number is followed one by one."""


@dataclass(frozen=True)
class State:
    """Of one prize after an hour: means and variances of what was asked for and given.

    ``full`` is the chance that nothing is left for the rest of the campaign, ``day_full`` that the day's quota is gone.
    """

    demand: float = 0.0
    given: float = 0.0
    variance: float = 0.0
    full: float = 0.0
    day_full: float = 0.0
    day: int = -1
    day_mean: float = 0.0
    day_variance: float = 0.0
    past_mean: float = 0.0
    past_variance: float = 0.0
    released: float = 0.0
    backlog: float = 0.0
    backlog_variance: float = 0.0
    wanted: float = 0.0
    """Asked for within the quotas of hour and day; ``spread`` is its variance."""
    spread: float = 0.0
    few: tuple[float, ...] = ()
    """The chances of 0, 1, 2 … released and not yet won, for prizes of which there are few."""


@dataclass
class Stock:
    """One prize through the season. ``people`` is how many may draw."""

    prize: PrizeTerms
    people: float
    releases: Sequence[float]
    """What is released in each slot; empty where the whole stock is there from the start."""
    state: State = field(default_factory=State)
    history: list[State] = field(default_factory=list)

    def after(self, slot: Slot, number: int, demand: float, over: float, let: float = 1.0) -> State:
        """The state when ``demand`` hits have come in this hour.

        :param let: the share of this hour that a quota of all prizes together leaves
        :param over: by how much one person's hits come in pairs, beyond chance (0: like rain)
        """
        old = self.state
        if slot.day != old.day:
            old = _new_day(old, slot.day, self.prize.per_day)
        if self.releases:
            return self._paced(replace(old, demand=old.demand + demand), self.releases[number], demand, over, let)
        hour = limited(demand, demand, self.prize.per_hour)
        day_mean, day_variance = old.day_mean + let * hour.mean, old.day_variance + let * hour.variance
        day = limited(day_mean, day_variance, self.prize.per_day)
        state = replace(old, demand=old.demand + demand, day_mean=day_mean, day_variance=day_variance, day_full=day.full)
        return self._free(state, old.past_mean + day.mean, old.past_variance + day.variance, over)

    def _free(self, state: State, mean: float, variance: float, over: float) -> State:
        through = mean / state.demand if state.demand else 1.0
        whole = max(0.0, variance + over * (mean * through) ** 2 / self.people)
        cut = limited(mean, whole, self.prize.quantity)
        return replace(
            state, given=max(cut.mean, state.given), variance=cut.variance, full=max(cut.full, state.full), wanted=mean, spread=whole
        )

    def _paced(self, old: State, release: float, hits: float, over: float, let: float) -> State:
        """Follow what was released and not yet won: it grows by releases and shrinks by hits, never below nothing; the
        quotas of hour and day keep some of it back."""
        few, waiting, variance = old.few, old.backlog, old.backlog_variance
        if self.prize.quantity <= FEW:
            few = _born_and_gone(few or (1.0,), release, hits)
            waiting = sum(count * chance for count, chance in enumerate(few))
        for _ in range(STEPS):
            drift, noise = old.backlog + (release - hits) / STEPS, variance + hits / STEPS
            if self.prize.quantity > FEW:
                drift = waiting + (release - hits) / STEPS
                waiting = above_zero(drift, noise + release / STEPS)[0]
            variance = above_zero(drift, noise)[1]
        won = max(0.0, old.backlog + release - waiting)
        hour = limited(won, won, self.prize.per_hour)
        day_mean, day_variance = old.day_mean + let * hour.mean, old.day_variance + let * hour.variance
        before, day = limited(old.day_mean, old.day_variance, self.prize.per_day), limited(day_mean, day_variance, self.prize.per_day)
        kept = max(0.0, won - (day.mean - before.mean))
        released, given = old.released + release, old.given + won - kept
        is_bound = old.demand > 0 and given < 0.98 * old.demand
        extra = 0.0 if is_bound else max(-0.9 * variance, over * given**2 / self.people)
        is_out = released > self.prize.quantity - 0.5
        return replace(
            old,
            given=given,
            variance=min(variance + extra, old.past_variance + day.variance),
            full=_all_gone(few if kept < 0.01 else (), waiting + kept, variance) if is_out else 0.0,
            day_full=day.full,
            day_mean=day_mean,
            day_variance=day_variance,
            released=released,
            backlog=waiting + kept,
            backlog_variance=variance,
            few=_shifted(few, kept),
        )

    def commit(self, state: State) -> float:
        """Take the state; returns what this hour gave."""
        given = state.given - self.state.given
        self.state = state
        self.history.append(state)
        return given

    def widen(self, variance: float) -> None:
        """Let the demand be this uncertain at least: that of a fallback hangs on what the others had left."""
        state = self.state
        if variance > state.spread:
            cut = limited(state.wanted, variance, self.prize.quantity)
            self.state = replace(state, spread=variance, variance=cut.variance, full=cut.full)

    def quantile(self, chance: float) -> float:
        """How many go out in all, at this quantile."""
        state, most = self.state, float(self.prize.quantity)
        if self.releases:
            if state.few and state.given < 0.98 * state.demand:
                return min(most, max(0.0, state.released - _counted_quantile(state.few, 1 - chance)))
            return min(most, max(0.0, state.given + STANDARD.inv_cdf(chance) * sqrt(state.variance)))
        if state.wanted < 60 and 0.6 * state.wanted < state.spread < 1.6 * state.wanted:
            return min(most, _poisson_quantile(state.wanted, chance))
        return min(most, max(0.0, state.wanted + STANDARD.inv_cdf(chance) * sqrt(state.spread)))


def _new_day(old: State, day: int, per_day: int | None) -> State:
    """Yesterday is over: what it gave is settled."""
    whole = limited(old.day_mean, old.day_variance, per_day)
    return replace(
        old,
        day=day,
        past_mean=old.past_mean + whole.mean,
        past_variance=old.past_variance + whole.variance,
        day_mean=0.0,
        day_variance=0.0,
        day_full=0.0,
    )


def _born_and_gone(chances: tuple[float, ...], release: float, hits: float) -> tuple[float, ...]:
    """One hour of a waiting line: pieces come at rate ``release`` and go at rate ``hits``, in steps in which hardly two
    things happen."""
    steps = max(1, ceil((release + hits) / 0.2))
    born, gone = release / steps, hits / steps
    row = list(chances)
    for _ in range(steps):
        row.append(0.0)
        after = [chance * (1 - born - gone) for chance in row]
        after[0] += row[0] * gone
        for count, chance in enumerate(row):
            if chance:
                if count:
                    after[count - 1] += chance * gone
                if count + 1 < len(row):
                    after[count + 1] += chance * born
        row = after
        while len(row) > 1 and row[-1] < 1e-9:
            row.pop()
    whole = sum(row)
    return tuple(chance / whole for chance in row)


def _shifted(chances: tuple[float, ...], more: float) -> tuple[float, ...]:
    """The same line with ``more`` pieces in it on average."""
    if not chances or more < 1e-9:
        return chances
    whole = int(more)
    part = more - whole
    row = [0.0] * (len(chances) + whole + 1)
    for count, chance in enumerate(chances):
        row[count + whole] += chance * (1 - part)
        row[count + whole + 1] += chance * part
    return tuple(row)


def _all_gone(few: tuple[float, ...], backlog: float, variance: float) -> float:
    return few[0] if few else below((0.5 - backlog) / sqrt(variance + 0.25))


def _counted_quantile(chances: Sequence[float], chance: float) -> float:
    total = 0.0
    for count, part in enumerate(chances):
        total += part
        if total >= chance - 1e-9:
            return float(count)
    return float(len(chances) - 1)


def _poisson_quantile(mean: float, chance: float) -> float:
    term, total, count = exp(-mean), 0.0, 0
    while True:
        total += term
        if total >= chance or count > 400:
            return float(count)
        count += 1
        term *= mean / count


def releases(prize: PrizeTerms, draw: DrawTerms, slots: Sequence[Slot]) -> list[float]:
    """What paced stock is released in each hour: over the hours of release that lie inside the window, by their weights."""
    if prize.release == "all":
        return []
    open_seconds = [_overlap(slot, draw) for slot in slots]
    if not any(open_seconds):
        open_seconds = [(slot.ends_at - slot.starts_at).total_seconds() for slot in slots]
    whole = sum(open_seconds)
    return [prize.quantity * seconds / whole for seconds in open_seconds]


def _overlap(slot: Slot, draw: DrawTerms) -> float:
    if not draw.paced_from_hour <= slot.hour < draw.paced_to_hour:
        return 0.0
    weight = draw.paced_weights[slot.hour] if draw.paced_weights else 1
    return weight * (slot.ends_at - slot.starts_at).total_seconds()


def moment_of(slots: Sequence[Slot], chances: Sequence[float], chance: float) -> dt.datetime | None:
    """When a chance that only grows reaches ``chance``; None if it does not."""
    before = 0.0
    for slot, reached in zip(slots, chances, strict=True):
        if reached >= chance:
            share = (chance - before) / (reached - before) if reached > before else 0.0
            return slot.starts_at + share * (slot.ends_at - slot.starts_at)
        before = reached
    return None


def shanghai(moment: dt.datetime) -> str:
    """``11-24 16:30``."""
    return f"{moment.astimezone(SHANGHAI):%m-%d %H:%M}"
