"""Signs that something may be wrong, the people who look at them, what they decide, appeals, complaints and evidence files.

It never refuses an attempt, never touches a draw that has been made and never decides by itself: a sign is a reason to look,
a score only holds a prize until a person has looked, and every decision can be answered and reversed.
"""
