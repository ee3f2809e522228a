"""The rule page: instant draws and pool draws, with everything that has to be published about them."""

from collections.abc import Iterator, Mapping

from quizapp.campaigns.pool_plans import due_at, windows
from quizapp.campaigns.terms import DrawTerms, PoolDraw, PoolTier, PrizeTerms, Terms
from quizapp.campaigns.wording.short import draw_sentence, fairness
from quizapp.campaigns.wording.words import DELIVERY, PRIZE_KINDS, amount, condition_words, joined, stage_title, track_title, when
from quizapp.web.ui import odds_words

PER_DRAW = {"day": "每天一次", "round": "每轮一次", "stage": "每个阶段一次", "campaign": "整场一次"}
SCOPE = {"day": "当天", "round": "这一轮", "stage": "这个阶段", "campaign": "活动"}


def tier_words(tier: PoolTier) -> str:
    """``一等奖“手机”（邮寄，价值 1500 元）5 名``."""
    how_many = f"{tier.quantity:,} 名" if tier.quantity else f"符合条件的人的 {(tier.ratio_ppm or 0) / 10_000:g}%"
    facts = [f"{tier.points} 积分" if tier.points else PRIZE_KINDS[tier.kind]]
    facts += [f"{'每份' if tier.kind == 'cash' else '价值'} {amount(tier.value_fen)}"] if tier.value_fen else []
    return f"{tier.tier}“{tier.name}”（{'，'.join(facts)}）{how_many}"


# ---- instant


def instant_sentences(terms: Terms, draw: DrawTerms, group_names: Mapping[str, str], region_names: Mapping[str, str]) -> Iterator[str]:
    yield draw_sentence(terms, draw)
    for band in draw.bands:
        yield f"{condition_words(terms, band.when)}的，抽奖 {band.tickets} 次。"
    if draw.draws_per_day is not None:
        yield f"每人每天最多抽奖 {draw.draws_per_day} 次。"
    for prize in draw.prizes:
        yield _prize(draw, prize)
    if draw.per_day is not None:
        yield f"所有奖品合起来，每天最多发出 {draw.per_day:,} 份。"
    if any(prize.release == "paced" for prize in draw.prizes):
        more = "，人多的钟点放得多" if draw.paced_weights else ""
        yield f"标明“分散投放”的奖品，每天 {draw.paced_from_hour}:00 到 {draw.paced_to_hour}:00 在事先封存、没人知道的时刻放出{more}。"
    if draw.fallback:
        yield f"抽中的奖品已经发完时，改发“{draw.fallback}”。"
    for quota in draw.region_quotas:
        names = "、".join(region_names.get(code, code) for code in quota.regions)
        yield f"{names}合起来最多中奖 {quota.quantity:,} 次。"
    yield "答完当场抽，当场开奖。每次抽奖的结果由事先封存的当日密码和抽奖序号算出，任何人事后都能用公开数据重算，谁也不能指定中奖人。"
    kinds = dict.fromkeys(prize.kind for prize in draw.prizes)
    yield f"领奖：中奖后 {draw.claim_days} 天内到“我的奖品”里领取，过期视为放弃。{'；'.join(DELIVERY[kind] for kind in kinds)}。"
    yield from fairness(terms, dict(group_names))


def _prize(draw: DrawTerms, prize: PrizeTerms) -> str:
    facts = [f"{prize.points} 积分" if prize.points else PRIZE_KINDS[prize.kind]]
    if prize.max_fen is not None:
        low, high = amount(prize.value_fen).replace(" ", ""), amount(prize.max_fen).replace(" ", "")
        facts.append(f"每份 {low}到 {high}随机，总共 {amount(prize.budget_fen or 0)}")
    elif prize.value_fen:
        facts.append(f"{'每份' if prize.kind == 'cash' else '价值'} {amount(prize.value_fen)}")
    facts += ["分散投放"] if prize.release == "paced" else []
    facts += [f"每天最多 {prize.per_day:,} 份"] if prize.per_day else []
    facts += [f"每小时最多 {prize.per_hour:,} 份"] if prize.per_hour else []
    odds = "保底奖" if prize.name == draw.fallback and not prize.odds_ppm else f"每抽一次的中奖机会是{odds_words(prize.odds_ppm)}"
    return f"{prize.tier}“{prize.name}”（{'，'.join(facts)}）共 {prize.quantity:,} 份，{odds}，发完为止。"


# ---- pools


def pool_sentences(terms: Terms, draw: PoolDraw, group_names: Mapping[str, str], region_names: Mapping[str, str]) -> Iterator[str]:
    stages = "、".join(f"“{stage_title(terms, code)}”" for code in draw.stages)
    where = [*(f"{track_title(terms, code)}" for code in draw.tracks)]
    scope = SCOPE[draw.per]
    condition = condition_words(terms, draw.who)
    many = {"day": "当天", "round": "一轮里", "stage": "一个阶段里", "campaign": ""}[draw.per]
    everybody = "参加了的人都有资格" if draw.tickets == "one" else "得到抽奖号的人都有资格"
    parts = [PER_DRAW[draw.per], f"在{stages}里" if stages else "", "、".join(where)]
    yield joined([*parts, f"{many}{condition}的人有资格" if condition else everybody])
    yield from _limits_of_pool(draw, group_names, region_names)
    for place, band in enumerate(draw.cascade, 1):
        yield f"人数不够时，第 {place} 次放宽：{condition_words(terms, band)}的人也进来。"
    yield f"奖项，按顺序抽：{'；'.join(tier_words(tier) for tier in draw.tiers)}。"
    if draw.sponsor:
        yield f"这些奖品由{draw.sponsor}提供。"
    day = f"结束后第 {draw.after_days} 天" if draw.after_days else "结束当天"
    yield f"{scope}{day} {draw.at} 定下名单并公布名单的封存码，然后抽奖。{_dates(terms, draw)}"
    yield from _how(draw)
    if draw.reserves:
        yield f"另外依次抽出候补 {draw.reserves:,} 名，有人放弃时按顺序递补，不重新抽。"
    kinds = dict.fromkeys(tier.kind for tier in draw.tiers)
    yield f"领奖：结果公布后 {draw.claim_days} 天内到“我的奖品”里领取，过期视为放弃。{'；'.join(DELIVERY[kind] for kind in kinds)}。"


MAX_DATES = 12


def _dates(terms: Terms, draw: PoolDraw) -> str:
    """The moments themselves, where there are few of them."""
    due = [due_at(draw, closes_at) for _key, _opens_at, closes_at in windows(terms, draw)]
    if not 0 < len(due) <= MAX_DATES:
        return ""
    return f"开奖时间：{'、'.join(when(moment) for moment in due)}。"


def _limits_of_pool(draw: PoolDraw, group_names: Mapping[str, str], region_names: Mapping[str, str]) -> Iterator[str]:
    if draw.tickets == "awards":
        cap = f"，一个人最多 {draw.max_tickets} 个" if draw.max_tickets else ""
        yield f"抽奖号按上面的奖励办法得到{cap}；号多，机会也多。"
    else:
        yield "每人一个抽奖号。"
    if draw.regions:
        yield f"只在{'、'.join(region_names.get(code, code) for code in draw.regions)}的人里抽。"
    if draw.groups:
        yield f"只在{'、'.join(group_names.get(code, code) for code in draw.groups)}里抽。"
    if draw.excluded_groups:
        yield f"{'、'.join(group_names.get(code, code) for code in draw.excluded_groups)}不参加这次抽奖。"
    if not draw.allows_minors:
        yield "未成年人不参加这次抽奖。"
    if draw.one_win_per_campaign:
        yield "每人整场最多中一次。"
    elif draw.one_win:
        yield "每人在一次抽奖里最多中一次。"


def _how(draw: PoolDraw) -> Iterator[str]:
    if draw.mode == "outside":
        witness = f"由{draw.witness}见证，" if draw.witness else ""
        yield f"抽奖在平台以外进行，{witness}结果和记录登记在平台上公布；平台不能替它证明公正。"
        return
    figure = f"和事先约定的公开数字（{draw.public_figure}）"
    inputs = {"none": "", "spoken": "和来宾当场报出的数字", "public_figure": figure}[draw.seed_input]
    place = "到时由系统抽出" if draw.mode == "automatic" else "现场当众抽出"
    yield f"{place}：中奖人由事先封存的密码{inputs}按公开的算法算出，任何人事后都能重算，谁也不能指定中奖人。"
    if draw.witness:
        yield f"见证：{draw.witness}。"
