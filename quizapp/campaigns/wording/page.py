"""The rule page: all terms of a campaign in plain Chinese, heading by heading."""

from collections.abc import Iterable, Mapping, Sequence

from quizapp.campaigns.rules import CampaignView
from quizapp.campaigns.wording import after, answering, drawing, rewards, taking_part
from quizapp.campaigns.wording.words import Rule
from quizapp.core.text import N_


def rule_page(view: CampaignView, group_names: Mapping[str, str], region_names: Mapping[str, str], contact: str = "") -> list[Rule]:
    """All terms of a campaign in plain Chinese.

    Says what 规范促销行为暂行规定 13 asks to publish: kinds, conditions and manner of taking part, when and how prizes are drawn,
    amounts or values, names, quantities or odds, when and how they are claimed, forfeits, host and contact.

    :param contact: where complaints go; the host's line is left out without it
    """
    terms = view.terms
    page = [
        _rule(N_("主办和联系"), taking_part.host_sentences(view, contact)),
        _rule(N_("时间"), taking_part.window_sentences(terms)),
        _rule(N_("谁可以参加"), taking_part.circle_sentences(view, group_names, region_names)),
        _rule(N_("赛道"), taking_part.track_sentences(terms, group_names)),
        _rule(N_("报名"), taking_part.entry_sentences(terms.entry) if terms.entry is not None else ()),
        *answering.quiz_rules(terms),
        _rule(N_("怎么计数"), (*rewards.action_sentences(terms), *rewards.measure_sentences(terms))),
        _rule(N_("积分"), rewards.point_sentences(terms)),
        _rule(N_("奖励"), rewards.award_sentences(terms)),
    ]
    if terms.draw is not None:
        page.append(_rule(N_("当场抽奖"), drawing.instant_sentences(terms, terms.draw, group_names, region_names)))
    page += [_rule(draw.title, drawing.pool_sentences(terms, draw, group_names, region_names)) for draw in terms.draws]
    page.append(_rule(N_("榜单和名次"), rewards.board_sentences(terms)))
    if after.has_prizes(terms):
        page.append(_rule(N_("领奖和弃奖"), after.claim_sentences(terms)))
    page.append(_rule(N_("公示和异议"), after.publicity_sentences(terms)))
    page.append(_rule(N_("违规处理"), after.sanction_sentences(terms)))
    page.append(Rule(N_("答案和讲解"), (answering.feedback_sentence(terms),)))
    return [rule for rule in page if rule.sentences]


def _rule(title: str, sentences: Iterable[str]) -> Rule:
    return Rule(title, tuple(sentence for sentence in sentences if sentence))


def changes(old: Sequence[Rule], new: Sequence[Rule]) -> list[str]:
    """What a later version's rule page says differently, heading by heading, in words."""
    before = {rule.title: rule.sentences for rule in old}
    after_ = {rule.title: rule.sentences for rule in new}
    found = []
    for title in dict.fromkeys([*after_, *before]):
        gone = [one for one in before.get(title, ()) if one not in after_.get(title, ())]
        come = [one for one in after_.get(title, ()) if one not in before.get(title, ())]
        for place in range(max(len(gone), len(come))):
            if place >= len(gone):
                found.append(f"{title}：新增“{come[place].rstrip('。')}”。")
            elif place >= len(come):
                found.append(f"{title}：去掉“{gone[place].rstrip('。')}”。")
            else:
                found.append(f"{title}：原来是“{gone[place].rstrip('。')}”，现在是“{come[place].rstrip('。')}”。")
    return found
