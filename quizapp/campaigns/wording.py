"""The terms in sentences a citizen understands: the rules page, the campaign page and the API say the same."""

from dataclasses import dataclass

from quizapp.campaigns import rules
from quizapp.campaigns.rules import CampaignView, Phase
from quizapp.campaigns.terms import DrawTerms, Terms
from quizapp.core.text import N_

KINDS = {"voluntary": N_("自愿竞答"), "statutory_exam": N_("法定学法考试")}
PHASES: dict[Phase, str] = {"soon": N_("即将开始"), "open": N_("进行中"), "paused": N_("已暂停"), "ended": N_("已结束")}
PRIZE_KINDS = {
    "cash": N_("现金"),
    "code": N_("兑换码"),
    "pickup": N_("到点领取"),
    "post": N_("邮寄"),
    "points": N_("积分"),
    "service": N_("服务"),
    "ticket": N_("参与机会"),
}
QUESTION_KINDS = {"single": N_("单选题"), "multiple": N_("多选题"), "indefinite": N_("不定项选择题"), "judge": N_("判断题")}


def minutes(seconds: int) -> str:
    """``300`` → ``5 分钟``, ``90`` → ``1 分 30 秒``."""
    whole, rest = divmod(seconds, 60)
    if not rest:
        return f"{whole} 分钟"
    return f"{whole} 分 {rest} 秒" if whole else f"{rest} 秒"


def paper_sentence(terms: Terms) -> str:
    count = terms.question_count
    if terms.limit_seconds is None:
        return f"每轮 {count} 道题，活动结束前交卷就行。"
    large = rules.time_allowed(terms, True) or terms.limit_seconds
    extra = f"大字版自动延长到 {minutes(large)}。" if large > terms.limit_seconds else ""
    return f"每轮 {count} 道题，时间 {minutes(terms.limit_seconds)}。{extra}"


def tries_sentence(terms: Terms) -> str:
    day, total = terms.tries.per_day, terms.tries.total
    if day is None and total is None:
        return "答题次数不限。"
    parts = [f"每人每天 {day} 次，零点更新" if day is not None else "", f"整场最多 {total} 次" if total is not None else ""]
    return "，".join(part for part in parts if part) + "。转发、点赞不换次数。"


def pass_sentence(terms: Terms) -> str:
    if terms.pass_count == terms.question_count:
        return f"{terms.question_count} 道题全对为合格。"
    return f"答对 {terms.pass_count} 道及以上为合格。"


def draw_sentence(terms: Terms, draw: DrawTerms) -> str:
    caps = [f"每人最多中奖 {draw.wins_total} 次" if draw.wins_total is not None else ""]
    caps.append(f"每天最多 {draw.wins_per_day} 次" if draw.wins_per_day is not None else "")
    cap = "，".join(part for part in caps if part)
    return f"合格后可以抽奖 {draw.tickets} 次，{draw.ticket_hours} 小时内有效。" + (f"{cap}。" if cap else "")


def how_to_play(terms: Terms) -> list[str]:
    """The few sentences on the campaign page."""
    sentences = [paper_sentence(terms), pass_sentence(terms)]
    if terms.draw is not None:
        sentences.append(draw_sentence(terms, terms.draw))
    sentences += [tries_sentence(terms), "没合格也不要紧，看完讲解再来一次。"]
    return sentences


def fairness(terms: Terms, group_names: dict[str, str]) -> list[str]:
    """What stands under the prizes."""
    draw = terms.draw
    if draw is None:
        return []
    sentences = []
    if any(prize.value_fen for prize in draw.prizes):
        if draw.tax_bearer == "host":
            sentences.append("表里是到手的数额，应缴的个人所得税由主办单位承担。")
        else:
            sentences.append("表里是税前的数额，应缴的个人所得税由中奖人承担，发放时代扣代缴。")
    if not draw.allows_minors:
        sentences.append("未成年人不抽奖、不发现金。")
    if draw.excluded_groups:
        names = "、".join(group_names.get(code, code) for code in draw.excluded_groups)
        sentences.append(f"{names}不参加抽奖。")
    if terms.fixed_reward.points and (draw.excluded_groups or not draw.allows_minors):
        sentences.append(f"不抽奖的人合格后得固定奖励 {terms.fixed_reward.points} 积分，每天一次。")
    sentences.append("参加和抽奖都不收钱，也不会让您转账。")
    return sentences


@dataclass(frozen=True)
class Rule:
    """One heading of the rules page and its sentences."""

    title: str
    sentences: tuple[str, ...]


def _paper_rule(terms: Terms) -> Rule:
    sentences = [paper_sentence(terms), "题目从题库里随机抽取，每个人、每一轮都可能不同。"]
    for number, part in enumerate(terms.paper.parts, 1):
        if len(terms.paper.parts) > 1 or part.kinds:
            kinds = "、".join(QUESTION_KINDS[kind] for kind in part.kinds) or "各种题型"
            sentences.append(f"第 {number} 部分：{kinds} {part.count} 道。")
    sentences.append("多选题和不定项选择题要全部选对才算对。")
    if terms.grace_seconds:
        sentences.append(f"时间以服务器收到为准；到点后 {terms.grace_seconds} 秒内送到的交卷仍然算数。")
    else:
        sentences.append("时间以服务器收到为准；到点没交的，按已经保存的答案自动交卷。")
    return Rule(N_("怎么答"), tuple(sentences))


def _eligibility_rule(view: CampaignView, group_names: dict[str, str], region_names: dict[str, str]) -> Rule:
    eligibility = view.terms.eligibility
    sentences = []
    if eligibility.regions:
        sentences.append("面向：" + "、".join(region_names.get(code, code) for code in eligibility.regions) + "。")
    if eligibility.groups:
        sentences.append("面向：" + "、".join(group_names.get(code, code) for code in eligibility.groups) + "。")
    if eligibility.organisation_ids:
        sentences.append("面向指定的单位，单位以您登记的为准。")
    if not sentences:
        sentences.append("所有居民都可以参加。" if view.kind == "voluntary" else "面向应当参加考试的人员。")
    if eligibility.allows_guests:
        sentences.append("可以先答题，交卷后再登记；没登记的答卷保留 24 小时。")
    sentences.append("不满 14 周岁的，登记前要监护人同意。")
    if view.kind == "voluntary":
        sentences.append("参加全凭自愿。我们不登记谁没参加，也不给单位和旗县区排名次。")
    else:
        sentences.append(f"本考试依据：{view.legal_basis}。单位管理员能看到谁还没有参加，看不到个人答错的题。")
    return Rule(N_("谁可以参加"), tuple(sentences))


def _draw_rule(terms: Terms, draw: DrawTerms, group_names: dict[str, str]) -> Rule:
    sentences = [draw_sentence(terms, draw)]
    sentences.append("每次抽奖的结果由事先封存的当日密码和抽奖序号算出，任何人事后都能用公开数据重算，谁也不能指定中奖人。")
    sentences.append(f"中奖后请在 {draw.claim_days} 天内领取，过期视为放弃。")
    sentences += fairness(terms, group_names)
    sentences.append(f"中奖情况按抽奖号公示，{terms.objection_days} 天内可以提出异议。")
    return Rule(N_("抽奖和领奖"), tuple(sentences))


def _points_sentences(terms: Terms) -> list[str]:
    points, sentences = terms.points, []
    if points.passed or points.failed:
        sentences.append(f"合格得 {points.passed} 积分，没合格得 {points.failed} 积分；每天前 {points.daily_limit} 次计分。")
    if terms.draw is None and terms.fixed_reward.points:
        sentences.append(f"合格另得固定奖励 {terms.fixed_reward.points} 积分，每天一次。")
    return sentences


def about_minutes(question_count: int) -> int:
    """How long a paper takes most people: some 35 seconds a question, in whole minutes."""
    return max(1, -(-question_count * 35 // 60))


def rule_page(view: CampaignView, group_names: dict[str, str], region_names: dict[str, str]) -> list[Rule]:
    """All terms of a campaign in plain Chinese, heading by heading."""
    terms = view.terms
    page = [_eligibility_rule(view, group_names, region_names), _paper_rule(terms)]
    page.append(Rule(N_("次数和合格"), (tries_sentence(terms), "次数算在开始答题的那一天。", pass_sentence(terms))))
    earned = _points_sentences(terms)
    if earned:
        page.append(Rule(N_("积分"), tuple(earned)))
    if terms.draw is not None:
        page.append(_draw_rule(terms, terms.draw, group_names))
    when = "交卷后马上看到" if terms.feedback == "after_hand_in" else "活动结束后才能看到"
    page.append(Rule(N_("答案和讲解"), (f"得分、正确答案和讲解{when}。题目如有改正，以前的答卷照原样保留，改判会公开记录。",)))
    return page
