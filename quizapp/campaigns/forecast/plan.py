"""The forecast of what the bureau's plan says."""

import functools
from collections.abc import Mapping
from typing import Any

from quizapp.campaigns.forecast.figures import Forecast
from quizapp.campaigns.forecast.turnout import Turnout
from quizapp.campaigns.forecast.whole import forecast
from quizapp.campaigns.terms import Terms

USUAL = Turnout(people=0)


def turnout_of(plan: Mapping[str, Any]) -> Turnout | None:
    """The turnout a plan states: by people, or by the number of draws alone; None if it states neither."""
    shape = str(plan.get("shape") or USUAL.shape)
    people = int(plan.get("expected_people") or 0)
    if people:
        return Turnout(
            people=people,
            attempts=int(plan.get("attempts_tenths") or 16) / 10,
            right=int(plan.get("right_percent") or 80) / 100,
            drawing=(100 if plan.get("drawing_percent") is None else int(plan["drawing_percent"])) / 100,
            shape=shape,
        )
    return None


def forecast_plan(terms: Terms, plan: Mapping[str, Any]) -> Forecast | None:
    """The forecast for a plan that names the people expected."""
    turnout = turnout_of(plan)
    return _kept(terms, turnout) if turnout is not None else None


@functools.lru_cache(maxsize=32)
def _kept(terms: Terms, turnout: Turnout) -> Forecast:
    return forecast(terms, turnout)
