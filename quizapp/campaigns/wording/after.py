"""The rule page: hand-over, tax, publicity, objections and sanctions."""

from collections.abc import Iterator

from quizapp.campaigns.terms import Terms
from quizapp.campaigns.wording.words import when

FORFEITS = {"void": "不再补发", "stock": "退回奖池，继续发给后面的人", "reserve": "按顺序由候补的人递补"}

TAX = {
    "host": "奖品应缴的个人所得税由主办单位承担。",
    "winner": "奖品应缴的个人所得税由得奖人承担，发放时代扣代缴。",
}


def has_prizes(terms: Terms) -> bool:
    return bool(terms.draw or terms.draws or terms.rank_prizes or terms.prizes)


def claim_sentences(terms: Terms) -> Iterator[str]:
    claim = terms.claim
    if claim.deferred_until is not None:
        yield f"奖品在{when(claim.deferred_until)} 统一发放。"
    if claim.void_hours is not None:
        yield f"中奖后 {claim.void_hours} 小时没有拆开的作废。"
    if claim.pickup_points:
        yield f"领取点：{'、'.join(claim.pickup_points)}。"
    if claim.pickup_after_days:
        yield f"中奖或换奖 {claim.pickup_after_days} 个工作日以后可以去领。"
    yield f"弃奖：过期不领、联系不上或者本人放弃的，奖品{FORFEITS[claim.forfeits]}。"
    yield "领奖凭登录的账号和取奖码，不收身份证号，不交任何费用。"
    if terms.draw is None:
        if _has_value(terms):
            yield TAX[claim.tax_bearer]
        yield "未成年人不领现金。"


def _has_value(terms: Terms) -> bool:
    tiers = [tier for draw in terms.draws for tier in draw.tiers] + [tier for ranked in terms.rank_prizes for tier in ranked.tiers]
    return any(tier.value_fen for tier in tiers) or any(prize.value_fen for prize in terms.prizes)


def publicity_sentences(terms: Terms) -> Iterator[str]:
    publicity = terms.publicity
    if terms.draw or terms.draws or terms.rank_prizes:
        start = "结果产生当天" if not publicity.after_days else f"结果产生后第 {publicity.after_days} 天"
        yield f"{start}按抽奖号公示，公示 {publicity.days} 天后撤下；只有中奖人另外同意，才显示打了星号的手机号。"
        yield f"公示之日起 {terms.objection_days} 天内可以提出异议，我们核实后答复。"
    for praise in publicity.praises:
        title = next((board.title for board in terms.boards if board.id == praise.board), praise.board)
        approval = f"（{praise.approval}）" if praise.approval else ""
        yield f"按“{title}”，前 {praise.quantity} 名{praise.title}{approval}。"


def sanction_sentences(terms: Terms) -> Iterator[str]:
    yield "用程序作答、一人多号等违规的，经核实和复核后，该次答卷不算；本人可以申诉。"
    if terms.sanctions.voids_person:
        yield "情节严重的，取消本人在这场活动里的全部成绩和奖品。"
    if terms.sanctions.reaches_unit:
        yield "有违规的，同时取消所在学校上榜和晋级的资格。"
