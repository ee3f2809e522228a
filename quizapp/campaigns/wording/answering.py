"""The rule page: papers, tries, scoring and passing of each quiz."""

from collections.abc import Iterator

from quizapp.campaigns.terms import ALWAYS, ExtraTries, Quiz, Terms
from quizapp.campaigns.terms.quizzes import PLAIN_SCORING
from quizapp.campaigns.wording.words import (
    CHANNELS,
    QUESTION_KINDS,
    Rule,
    action_title,
    condition_words,
    minutes,
    pass_words,
    stage_title,
    time_words,
    tries_words,
)

SAME_FOR = {
    "day": "每天一份题，当天人人相同。",
    "round": "每轮一份题，这一轮人人相同。",
    "stage": "每个阶段一份题，人人相同。",
    "campaign": "整场一份题，人人相同。",
}
RISKY = frozenset({"share", "follow", "like"})


def quiz_rules(terms: Terms) -> Iterator[Rule]:
    """A heading per quiz; a campaign with one has its paper and its tries under two headings."""
    if len(terms.quizzes) == 1:
        yield Rule("怎么答", (*paper_sentences(terms, terms.main), *general_sentences(terms)))
        yield Rule("次数和合格", tuple(tries_sentences(terms, terms.main)))
        return
    told = {quiz.id: (*paper_sentences(terms, quiz), *tries_sentences(terms, quiz)) for quiz in terms.quizzes}
    shared = [one for one in told[terms.main.id] if all(one in sentences for sentences in told.values())]
    for quiz in terms.quizzes:
        own = tuple(one for one in told[quiz.id] if one not in shared)
        yield Rule(f"答题：{quiz.title or quiz.id}", own)
    titles = "、".join(f"“{quiz.title or quiz.id}”" for quiz in terms.quizzes)
    yield Rule("每套题都一样", (f"一共 {len(terms.quizzes)} 套题：{titles}。", *shared, *general_sentences(terms)))


def paper_sentences(terms: Terms, quiz: Quiz) -> Iterator[str]:
    yield f"每轮 {quiz.question_count} 道题，{time_words(terms, quiz)}。"
    if quiz.stages:
        yield f"在{'、'.join(f'“{stage_title(terms, code)}”' for code in quiz.stages)}开放。"
    if quiz.channels:
        yield f"入口：{'、'.join(CHANNELS.get(code, code) for code in quiz.channels)}。"
    yield SAME_FOR.get(quiz.paper.same_for, "题目从题库里随机抽取，每个人、每一轮都可能不同。")
    parts = quiz.paper.parts
    for number, part in enumerate(parts, 1):
        worth = f"，每道 {part.points} 分" if part.points > 1 or len({one.points for one in parts}) > 1 else ""
        if len(parts) > 1 or part.kinds or worth:
            kinds = "、".join(QUESTION_KINDS[kind] for kind in part.kinds) or "各种题型"
            yield f"{f'第 {number} 部分：' if len(parts) > 1 else ''}{kinds} {part.count} 道{worth}。"
    yield from _scoring(quiz)
    if quiz.requires != ALWAYS:
        scope = {"day": "当天", "round": "这一轮里", "campaign": ""}[quiz.requires_per]
        yield f"开始以前，{scope}要先做到：{condition_words(terms, quiz.requires)}。"


def _scoring(quiz: Quiz) -> Iterator[str]:
    scoring = quiz.scoring
    if scoring == PLAIN_SCORING:
        return
    if scoring.item_seconds is not None:
        yield f"每道题限 {minutes(scoring.item_seconds)}。"
    if scoring.per_second_left:
        yield f"答对的题，每剩一秒加 {scoring.per_second_left} 分。"
    if scoring.run_bonus:
        yield f"接着答对，每道再加 {scoring.run_bonus} 分。"
    if scoring.wrong:
        yield f"答错或者没答，每道扣 {scoring.wrong} 分，总分最低是 0。"
    if scoring.sudden_death:
        yield "第一道答错以后，后面的题都不算对。"
    if scoring.partial:
        yield f"多选题没有选错、没有选全的，得这道题的 {scoring.partial}%。"


def tries_sentences(terms: Terms, quiz: Quiz) -> Iterator[str]:
    words = tries_words(quiz)
    extras = [extra for extra in quiz.tries.extra if extra.action not in RISKY or extra.is_confirmed]
    plain = "" if any(extra.action in RISKY for extra in extras) or words == "答题次数不限" else "转发、点赞不换次数。"
    yield f"{words}。{plain}"
    if quiz.tries.per_day is not None:
        yield "次数算在开始答题的那一天。"
    yield from (_extra(terms, extra) for extra in extras)
    if quiz.tries.repairs:
        yield "没有全对的，下一次还是这份题，答对的保留，改到全对为止。"
    limits = (quiz.tries.per_day, quiz.tries.per_round, quiz.tries.total)
    if any(limit is not None for limit in limits):
        yield "打开了没答完也算一次。" if quiz.tries.counts_abandoned else "打开了一题没答的不算次数。"
    yield f"{pass_words(terms, quiz)}。"


def _extra(terms: Terms, extra: ExtraTries) -> str:
    caps = [f"每天最多加 {extra.per_day} 次" if extra.per_day else "", f"整场最多加 {extra.total} 次" if extra.total else ""]
    cap = "，".join(part for part in caps if part)
    return f"每完成一次“{action_title(terms, extra.action)}”，多答 {extra.tries} 次{f'（{cap}）' if cap else ''}。"


def general_sentences(terms: Terms) -> Iterator[str]:
    if all(not quiz.scoring.partial for quiz in terms.quizzes):
        yield "多选题和不定项选择题要全部选对才算对。"
    if terms.grace_seconds:
        yield f"时间以服务器收到为准；到点后 {terms.grace_seconds} 秒内送到的交卷仍然算数。"
    else:
        yield "时间以服务器收到为准；到点没交的，按已经保存的答案自动交卷。"


def feedback_sentence(terms: Terms) -> str:
    when = "交卷后马上看到" if terms.feedback == "after_hand_in" else "活动结束后才能看到"
    return f"得分、正确答案和讲解{when}。题目如有改正，以前的答卷照原样保留，改判会公开记录。"
