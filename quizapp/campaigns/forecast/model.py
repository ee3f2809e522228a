"""The forecast of an instant draw: hour by hour, what is asked of each prize, what it can give, what people may still win."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import comb

from quizapp.campaigns.forecast.chances import Personal, Visits, limited, multiplied, personal
from quizapp.campaigns.forecast.stock import Stock, releases
from quizapp.campaigns.forecast.turnout import Slot, Turnout, counts_right, most_attempts, most_attempts_a_day
from quizapp.campaigns.terms import DrawTerms, Quiz, Terms

PPM = 1_000_000
MOST_A_DAY = 30
"""Attempts of one person on one day that are told apart."""


def chance_of_tickets(terms: Terms, quiz: Quiz, row: Sequence[float]) -> tuple[float, ...]:
    """The chances of 0, 1, 2 … tickets for one attempt, from those of the right answers."""
    found: dict[int, float] = {}
    for right, chance in enumerate(row):
        count = _tickets(terms, quiz, right)
        found[count] = found.get(count, 0.0) + chance
    return tuple(found.get(count, 0.0) for count in range(max(found) + 1))


def is_passed(quiz: Quiz, right: int) -> bool:
    if quiz.pass_when is not None:
        return quiz.pass_when.is_met(lambda name: value_of(quiz, right, name))
    return right >= quiz.pass_count


def value_of(quiz: Quiz, right: int, measure: str) -> int:
    """A measure of an attempt with so many right answers, where that is enough to know it."""
    count = quiz.question_count
    whole = sum(quiz.paper.points)
    return {
        "correct": right,
        "wrong": count - right,
        "score": whole * right // count,
        "percent": 100 * right // count,
        "all_right": int(right == count),
        "passed": int(quiz.pass_when is None and right >= quiz.pass_count),
        "run": right,
        "seconds": 60,
    }.get(measure, 0)


def _tickets(terms: Terms, quiz: Quiz, right: int) -> int:
    draw = terms.draw
    if draw is None:
        return 0
    if not draw.bands:
        return draw.tickets if is_passed(quiz, right) else 0
    value = {"passed": int(is_passed(quiz, right))}
    for band in draw.bands:
        if band.when.is_met(lambda name: value.get(name, value_of(quiz, right, name))):
            return band.tickets
    return 0


@dataclass
class Crowd:
    """One person of those who may draw, on average, up to now: what caps of their own leave of their hits."""

    visits: Visits
    tickets: Sequence[Sequence[float]]
    """Per class: chances of 0, 1, 2 … tickets for an attempt."""
    tries_a_day: int | None
    tickets_a_day: int | None
    wins_a_day: int | None
    wins: int | None
    kept: Visits
    """How often one person answers when tries per day have cut some off: the attempts that can win."""
    day: int = -1
    day_share: float = 0.0
    day_tries: float = 0.0
    day_tickets: float = 0.0
    day_hits: list[list[float]] = field(default_factory=list)
    day_wins: float = 0.0
    hits: list[list[float]] = field(default_factory=list)
    won: Personal = field(default_factory=lambda: Personal(0.0, 0.0, 1.0))

    def __post_init__(self) -> None:
        width = max(len(row) for row in self.tickets)
        self.mean_tickets = [sum(count * chance for count, chance in enumerate(row)) for row in self.tickets]
        self.hits = [[0.0] * width for _ in self.tickets]
        self.day_hits = [[0.0] * width for _ in self.tickets]

    def tries_and_tickets(self, slot: Slot) -> tuple[float, float]:
        """How often one person answers in this hour, and the tickets each answer brings, under the caps of the day."""
        if slot.day != self.day:
            self.day, self.day_share, self.day_tries, self.day_tickets, self.day_wins = slot.day, 0.0, 0.0, 0.0, 0.0
            self.day_hits = [[0.0] * len(row) for row in self.day_hits]
        self.day_share += slot.share
        tries = self.visits.mean * slot.share
        if self.tries_a_day is not None and self.tries_a_day < self.visits.most:
            kept = personal(self.visits, [[1 - self.day_share, self.day_share]], self.tries_a_day).mean
            tries, self.day_tries = max(0.0, kept - self.day_tries), kept
        mean = sum(self.mean_tickets) / len(self.mean_tickets)
        if self.tickets_a_day is None or not tries:
            return tries, 1.0
        got = self._tickets_today()
        kept_tickets = max(0.0, got - self.day_tickets) / (tries * mean) if mean else 1.0
        self.day_tickets = got
        return tries, kept_tickets

    def _tickets_today(self) -> float:
        """Tickets of one person so far today: those of the attempts made, ``tickets_a_day`` at most."""
        cap = self.tickets_a_day or 0
        most = min(self.tries_a_day or self.visits.most, self.visits.most, MOST_A_DAY)
        made = self.visits.compound([1 - self.day_share, self.day_share, *([0.0] * (most - 2))][:most])
        made.append(max(0.0, 1 - sum(made)))
        total = 0.0
        for row in self.tickets:
            got = [1.0, *([0.0] * (cap - 1))]
            for chance in made:
                total += chance * (cap - sum((cap - count) * part for count, part in enumerate(got)))
                got = multiplied(got, [*row[:cap], *([0.0] * (cap - len(row)))])
        return total / len(self.tickets)

    def win(self, tries: float, kept: float, chance: float, is_final: bool) -> float:
        """The share of hits that a person may keep under the caps on wins, when each ticket of this hour hits with
        ``chance``; taken down when ``is_final``."""
        day_part, today, wins_today = 1.0, self.day_hits, self.day_wins
        new_hits = sum(self.mean_tickets) / len(self.mean_tickets) * tries * kept * chance
        if self.wins_a_day is not None:
            today = self._added(self.day_hits, tries, kept * chance)
            wins_today = personal(self.kept, _whole(today), self.wins_a_day).mean
            day_part = max(0.0, wins_today - self.day_wins) / new_hits if new_hits else 1.0
        hits = self._added(self.hits, tries, kept * chance * day_part)
        won = personal(self.kept, _whole(hits), self.wins)
        share = max(0.0, won.mean - self.won.mean) / new_hits if new_hits else day_part
        if is_final:
            self.hits, self.won, self.day_hits, self.day_wins = hits, won, today, wins_today
        return min(1.0, share)

    def _added(self, before: Sequence[Sequence[float]], tries: float, chance: float) -> list[list[float]]:
        share = tries / self.kept.mean
        found = []
        for row, old in zip(self.tickets, before, strict=True):
            new = list(old)
            for count, weight in enumerate(row):
                for hits in range(1, count + 1):
                    new[hits] += share * weight * comb(count, hits) * chance**hits * (1 - chance) ** (count - hits)
            found.append(new)
        return found


def _whole(rows: Sequence[Sequence[float]]) -> list[list[float]]:
    return [[max(0.0, 1 - sum(row[1:])), *row[1:]] for row in rows]


def tries_of_one(terms: Terms, visits: Visits, slots: Sequence[Slot]) -> float:
    """How often one person answers in all, under the tries of each day."""
    limit = most_attempts_a_day(terms)
    of_day: dict[int, float] = {}
    for slot in slots:
        of_day[slot.day] = of_day.get(slot.day, 0.0) + slot.share
    return sum(personal(visits, [[1 - share, share]], limit).mean for share in of_day.values())


@dataclass
class Season:
    """What the recursion leaves behind: per slot the attempts, tickets and wins of everybody."""

    slots: tuple[Slot, ...]
    stocks: list[Stock]
    crowd: Crowd
    people: float
    attempts: list[float]
    tickets: list[float]
    wins: list[float]


def play(terms: Terms, draw: DrawTerms, turnout: Turnout, slots: tuple[Slot, ...]) -> Season:
    """Follow the expected season hour by hour."""
    quiz = terms.main
    people = max(1e-9, turnout.people * turnout.drawing)
    tickets = [chance_of_tickets(terms, quiz, row) for row in counts_right(turnout, quiz.question_count)]
    visits = Visits(turnout.again, most_attempts(terms))
    kept_visits = visits.with_mean(tries_of_one(terms, visits, slots))
    crowd = Crowd(visits, tickets, most_attempts_a_day(terms), draw.draws_per_day, draw.wins_per_day, draw.wins_total, kept_visits)
    stocks = [Stock(prize, people, releases(prize, draw, slots)) for prize in draw.prizes]
    season = Season(slots, stocks, crowd, people, [], [], [])
    mean = sum(crowd.mean_tickets) / len(crowd.mean_tickets)
    last, over, quota = 1.0, 0.0, DayQuota(draw.per_day)
    for number, slot in enumerate(slots):
        tries, kept = crowd.tries_and_tickets(slot)
        drawn = people * tries * mean * kept
        chance, _ = _step(stocks, draw, quota, slot, number, drawn, last, over, is_final=False)
        last = crowd.win(tries, kept, chance, is_final=False)
        chance, fallen = _step(stocks, draw, quota, slot, number, drawn, last, over, is_final=True)
        last = crowd.win(tries, kept, chance, is_final=True)
        over = crowd.won.pairs / crowd.won.mean**2 - 1 if crowd.won.mean > 1e-9 else 0.0
        season.attempts.append(turnout.people * tries)
        season.tickets.append(drawn)
        season.wins.append(drawn * last * chance + fallen)
    for stock in stocks:
        if _is_fallback(stock, draw):
            stock.widen(sum(_missed_variance(other) for other in stocks if other is not stock))
    return season


def _missed_variance(stock: Stock) -> float:
    """Of the hits on a prize that it could not give."""
    state = stock.state
    return state.full * max(state.spread, state.demand) + (1 - state.full) * max(0.0, state.demand - state.given)


@dataclass
class DayQuota:
    """The quota of all prizes together on one day; ``asked`` is what the day's hours would give without it, ``ahead`` what
    this one would."""

    quota: int | None
    day: int = -1
    asked: float = 0.0
    ahead: float = 0.0

    def share(self, slot: Slot) -> float:
        """The share of this hour that passes before the day's quota is reached."""
        if slot.day != self.day:
            self.day, self.asked = slot.day, 0.0
        if self.quota is None or self.ahead <= 1e-9:
            return 1.0
        before, self.asked = self.asked, self.asked + self.ahead
        through = limited(self.asked, self.asked, self.quota).mean - limited(before, before, self.quota).mean
        return max(0.0, min(1.0, through / self.ahead))


def _step(
    stocks: Sequence[Stock],
    draw: DrawTerms,
    quota: DayQuota,
    slot: Slot,
    number: int,
    drawn: float,
    may_win: float,
    over: float,
    *,
    is_final: bool,
) -> tuple[float, float]:
    """Ask every prize; what is missed, for want of stock or by a cap of the person's own, asks the fallback, which counts
    for no cap. Returns the chance that a ticket whose person may win wins, and what the fallback gave."""
    asked = drawn * may_win
    given = hits = fallen = 0.0
    let = quota.share(slot) if is_final else 1.0
    for stock in stocks:
        if _is_fallback(stock, draw):
            continue
        hits += drawn * stock.prize.odds_ppm / PPM
        given += _ask(stock, slot, number, asked * stock.prize.odds_ppm / PPM, over, is_final, let)
    quota.ahead = given
    for stock in stocks:
        if _is_fallback(stock, draw):
            fallen += _ask(stock, slot, number, max(0.0, hits - given), over, is_final)
    return min(1.0, given / asked) if asked > 1e-12 else 0.0, fallen


def _is_fallback(stock: Stock, draw: DrawTerms) -> bool:
    return bool(draw.fallback) and stock.prize.name == draw.fallback


def _ask(stock: Stock, slot: Slot, number: int, demand: float, over: float, is_final: bool, let: float = 1.0) -> float:
    state = stock.after(slot, number, demand, over, let)
    if is_final:
        return stock.commit(state)
    return state.given - stock.state.given
