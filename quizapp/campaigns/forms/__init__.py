"""What the campaign editor posts, step by step, and what it shows: inputs are named by their path in the terms.

A mistake of typing is kept under the input's name; an empty input is no mistake, since a draft may be incomplete: the rule
check says what is missing.
"""

from quizapp.campaigns.forms.inputs import show_moment
from quizapp.campaigns.forms.posted import Posted
from quizapp.campaigns.forms.steps import (
    DIFFICULTIES,
    READERS,
    ROW_ACTION,
    SETS,
    change_rows,
    new_draft,
    quiz_number,
    quiz_of,
    read_head,
    shown_values,
)

__all__ = [
    "DIFFICULTIES",
    "READERS",
    "ROW_ACTION",
    "SETS",
    "Posted",
    "change_rows",
    "new_draft",
    "quiz_number",
    "quiz_of",
    "read_head",
    "show_moment",
    "shown_values",
]
