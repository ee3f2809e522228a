"""Handing over what was won or redeemed, at most once. It never decides who wins; unknown is never failure."""
