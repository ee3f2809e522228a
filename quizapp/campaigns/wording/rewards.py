"""The rule page: points, awards, how things are counted, boards and prizes by rank."""

from collections.abc import Iterator

from quizapp.campaigns.checks.bounds import max_points_per_day
from quizapp.campaigns.terms import RISKY_ACTIONS, Award, Board, Component, Terms
from quizapp.campaigns.wording.drawing import tier_words
from quizapp.campaigns.wording.words import (
    DELIVERY,
    PER,
    action_title,
    amount,
    award_title,
    condition_words,
    gift_words,
    joined,
    measure_sentence,
    measure_title,
    quiz_title,
    stage_title,
    track_title,
)

TIES = {"least_seconds": "用时少的在前", "earliest": "先达到的在前", "attempts": "答题次数少的在前"}
OF = {"person": "个人", "team": "队伍", "organisation": "学校", "region": "地区"}
LEVELS = {"city": "盟市", "county": "旗县区", "town": "苏木乡镇街道"}


def action_sentences(terms: Terms) -> Iterator[str]:
    for action in terms.actions:
        if action.kind in RISKY_ACTIONS and not action.is_confirmed:
            continue
        parts = [f"“{action.title}”由平台自动记录"]
        parts.append(f"至少 {action.seconds} 秒才算" if action.seconds else "")
        parts.append(f"每天最多算 {action.per_day} 次" if action.per_day else "")
        parts.append(f"整场最多算 {action.total} 次" if action.total else "")
        yield joined(parts)


def measure_sentences(terms: Terms) -> Iterator[str]:
    yield from (measure_sentence(terms, measure) for measure in terms.measures)


def point_sentences(terms: Terms) -> Iterator[str]:
    points = terms.points
    if points.passed or points.failed:
        yield f"合格得 {points.passed} 积分，没合格得 {points.failed} 积分；每天前 {points.daily_limit} 次计分。"
    if terms.draw is None and terms.fixed_reward.points:
        yield f"合格另得固定奖励 {terms.fixed_reward.points} 积分，每天一次。"
    most = max_points_per_day(terms)
    if most and terms.awards:
        yield f"一个人一天最多得 {most:,} 积分。"
    if most:
        yield "积分只在平台里用，不能买卖、转让，也不能换现金。"


def award_sentences(terms: Terms) -> Iterator[str]:
    for award in terms.awards:
        yield _award(terms, award)
    for prize in terms.prizes:
        value = f"，价值 {amount(prize.value_fen)}" if prize.value_fen else ""
        yield f"奖品“{prize.name}”共 {prize.quantity:,} 份{value}，发完为止；{DELIVERY[prize.kind]}，{prize.claim_days} 天内领取。"


def _award(terms: Terms, award: Award) -> str:
    title = award_title(award)
    words = [f"{title}：" if title else ""]
    scope = action_title(terms, award.action) if award.action else PER[award.per]
    where = [f"“{quiz_title(terms, code)}”" for code in award.quizzes] + [f"“{stage_title(terms, code)}”" for code in award.stages]
    where += [f"“{track_title(terms, code)}”" for code in award.tracks]
    start = f"每完成一次“{scope}”" if award.action else "" if award.per == "quiz" and where else scope
    start = "、".join(where) + start
    bands = []
    for number, band in enumerate(award.bands):
        condition = condition_words(terms, band.when)
        otherwise = "其他情况" if number else ""
        words_of = [gift_words(terms, gift) for gift in band.gifts]
        gifts = "和".join(f" {one}" if one[0].isdigit() else one for one in words_of)
        named = f"（{band.title}）" if band.title and band.title != title else ""
        bands.append(f"{condition or otherwise}{named}得{gifts}" if condition or otherwise else f"得{gifts}")
    words.append(f"{start}，{'；'.join(bands)}")
    words += _limits(award)
    return f"{words[0]}{'，'.join(part for part in words[1:] if part)}。"


def _limits(award: Award) -> list[str]:
    return [
        f"每人每天最多 {award.per_day} 次" if award.per_day else "",
        f"每人整场最多 {award.total} 次" if award.total else "",
        f"每天前 {award.first_per_day:,} 名，以服务器收到的先后为准" if award.first_per_day else "",
        f"总共前 {award.first_total:,} 名，以服务器收到的先后为准" if award.first_total else "",
        f"每天 {award.from_hour}:00 到 {award.to_hour}:00 积分乘 {award.times}" if award.times > 1 else "",
    ]


# ---- boards


def board_sentences(terms: Terms) -> Iterator[str]:
    for board in terms.boards:
        yield _board(terms, board)
        if board.of == "person":
            joining = "要本人同意才上榜，用昵称显示；不上榜不影响答题和别的奖励" if board.opt_in else "用昵称显示"
            yield f"“{board.title}”{joining}。"
        elif board.of in ("organisation", "region"):
            yield f"“{board.title}”里不到 {board.min_people} 人的不显示。"
    for prizes in terms.rank_prizes:
        title = next((board.title for board in terms.boards if board.id == prizes.board), prizes.board)
        tiers, place = [], 1
        for tier in prizes.tiers:
            tiers.append(f"第 {place} 到 {place + tier.quantity - 1} 名得{tier_words(tier)}" if tier.quantity else tier_words(tier))
            place += tier.quantity
        yield f"“{title}”名次奖，按名次发、不抽奖：{'；'.join(tiers)}；{prizes.claim_days} 天内领取。"


def _board(terms: Terms, board: Board) -> str:
    by = "，".join(_component(terms, board, part) for part in board.by)
    ties = "，".join(TIES[tie] for tie in board.ties)
    level = f"（{LEVELS[board.region_level]}）" if board.of == "region" else ""
    parts = [f"“{board.title}”排{OF[board.of]}{level}，看{by}"]
    parts.append(f"相同的{ties}，还相同的名次并列" if ties else "相同的名次并列")
    parts.append(f"排前 {board.places:,} 名")
    return joined(parts)


def _component(terms: Terms, board: Board, part: Component) -> str:
    names = {"score": "得分", "percent": "得分率", "correct": "答对的题数", "all_right": "全对", "passed": "合格"}
    title = names.get(part.measure) or measure_title(terms, part.measure)
    if board.of == "person":
        words = f"“{title}”"
    else:
        words = {
            "mean": f"“{title}”的平均",
            "sum": f"“{title}”的总和",
            "best": f"最好的 {part.k} 人“{title}”相加",
            "rate": "参与率（参加的人数比名册人数）",
            "passed": "合格率（合格的人数比参加的人数）",
            "people": "参加的人数",
            "people_above": f"“{title}”大于 0 的人数",
            "units": "参加的学校或单位数",
        }[part.how]
    return f"{words}占 {part.weight}%" if part.weight < 100 else words
