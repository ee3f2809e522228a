"""The terms in sentences a citizen understands: the rules page, the campaign page and the API say the same."""

from quizapp.campaigns.rules import Phase
from quizapp.campaigns.wording.page import changes, rule_page
from quizapp.campaigns.wording.short import about_minutes, fairness, how_to_play, paper_sentence, pass_sentence, tries_sentence
from quizapp.campaigns.wording.words import KINDS, PRIZE_KINDS, QUESTION_KINDS, Rule, minutes
from quizapp.core.text import N_

__all__ = [
    "KINDS",
    "PHASES",
    "PRIZE_KINDS",
    "QUESTION_KINDS",
    "Rule",
    "about_minutes",
    "changes",
    "fairness",
    "how_to_play",
    "minutes",
    "paper_sentence",
    "pass_sentence",
    "rule_page",
    "tries_sentence",
]

PHASES: dict[Phase, str] = {"soon": N_("即将开始"), "open": N_("进行中"), "paused": N_("已暂停"), "ended": N_("已结束")}
