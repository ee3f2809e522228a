"""What a campaign will cost and how long its prizes last, if people come as expected: arithmetic over the terms.

Nothing is drawn here and nothing is shared with the draw or the simulation: binomial and normal laws, the crowd of
``turnout`` and a recursion over the hours of the campaign.
"""

from quizapp.campaigns.forecast.chances import Range
from quizapp.campaigns.forecast.figures import DayOut, Forecast, HourForecast, PoolForecast, TierForecast
from quizapp.campaigns.forecast.plan import forecast_plan, turnout_of
from quizapp.campaigns.forecast.quick import Estimate, PrizeEstimate, days_in, estimate
from quizapp.campaigns.forecast.turnout import HOURS, SHAPES, Turnout
from quizapp.campaigns.forecast.whole import forecast

__all__ = [
    "HOURS",
    "SHAPES",
    "DayOut",
    "Estimate",
    "Forecast",
    "HourForecast",
    "PoolForecast",
    "PrizeEstimate",
    "Range",
    "TierForecast",
    "Turnout",
    "days_in",
    "estimate",
    "forecast",
    "forecast_plan",
    "turnout_of",
]
