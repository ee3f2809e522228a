"""Whole seasons played by invented people through the real services, in a scratch database at a simulated clock.

Owns the crowd, the players, and the account of what happened beside what was promised and forecast. It never touches the
database of the installation, and shares no arithmetic with ``campaigns.forecast``.
"""
