"""The plain sum for a number of draws; the whole forecast is ``campaigns.forecast``."""

from quizapp.campaigns.forecast import Estimate, PrizeEstimate, days_in, estimate

__all__ = ["Estimate", "PrizeEstimate", "days_in", "estimate"]
