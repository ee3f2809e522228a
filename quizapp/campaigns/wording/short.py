"""The few sentences on a campaign's own page."""

from quizapp.campaigns.terms import DrawTerms, Terms
from quizapp.campaigns.wording.words import pass_words, time_words, tries_words


def paper_sentence(terms: Terms) -> str:
    if len(terms.quizzes) > 1:
        return f"一共 {len(terms.quizzes)} 套题：{'、'.join(quiz.title or quiz.id for quiz in terms.quizzes)}。"
    return f"每轮 {terms.question_count} 道题，{time_words(terms, terms.main)}。"


def tries_sentence(terms: Terms) -> str:
    words = tries_words(terms.main)
    rewards_sharing = any(extra.is_confirmed for quiz in terms.quizzes for extra in quiz.tries.extra)
    return f"{words}。" if rewards_sharing or words == "答题次数不限" else f"{words}。转发、点赞不换次数。"


def pass_sentence(terms: Terms) -> str:
    return f"{pass_words(terms, terms.main)}。"


def draw_sentence(terms: Terms, draw: DrawTerms) -> str:
    caps = [f"每人最多中奖 {draw.wins_total} 次" if draw.wins_total is not None else ""]
    caps.append(f"每天最多 {draw.wins_per_day} 次" if draw.wins_per_day is not None else "")
    cap = "，".join(part for part in caps if part)
    hours = f"{draw.ticket_hours} 小时内有效"
    is_plain = draw.tickets and not draw.bands
    chances = f"合格后可以抽奖 {draw.tickets} 次，{hours}。" if is_plain else f"抽奖机会按下面的办法给，{hours}。"
    return chances + (f"{cap}。" if cap else "")


def how_to_play(terms: Terms) -> list[str]:
    """The few sentences on the campaign page."""
    sentences = [paper_sentence(terms)]
    if len(terms.quizzes) == 1:
        sentences.append(pass_sentence(terms))
    if terms.draw is not None:
        sentences.append(draw_sentence(terms, terms.draw))
    if len(terms.quizzes) == 1:
        sentences.append(tries_sentence(terms))
    return [*sentences, "没合格也不要紧，看完讲解再来一次。"]


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


def about_minutes(question_count: int) -> int:
    """How long a paper takes most people: some 35 seconds a question, in whole minutes."""
    return max(1, -(-question_count * 35 // 60))
