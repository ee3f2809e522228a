"""Bodies of the lottery's endpoints of ``/api/v1``."""

import marshmallow as ma

from quizapp.web.api import CodeSchema


class DrawArgs(ma.Schema):
    ticket = ma.fields.Integer(
        load_default=1, strict=True, validate=ma.validate.Range(1, 1000), metadata={"description": "第几次机会，从 1 数起"}
    )


class PrizeSchema(ma.Schema):
    name = ma.fields.String(required=True)
    tier = ma.fields.String()
    kind = ma.fields.String(required=True, metadata={"description": "cash, code, pickup, post, points, service, ticket"})
    value_fen = ma.fields.Integer(required=True)
    points = ma.fields.Integer()


class DrawSchema(ma.Schema):
    draw_id = ma.fields.String(required=True)
    outcome = ma.fields.String(required=True, validate=ma.validate.OneOf(("won", "none")))
    prize = ma.fields.Nested(PrizeSchema, required=True, allow_none=True)
    win_id = ma.fields.String(required=True, allow_none=True)
    alias = ma.fields.String(required=True, metadata={"description": "抽奖号"})
    serial = ma.fields.Integer(required=True, metadata={"description": "抽奖序号，从 1 数起不断号"})
    proof_url = ma.fields.String(required=True)


class DaySchema(ma.Schema):
    day = ma.fields.Integer(required=True)
    on = ma.fields.String(required=True, allow_none=True)
    commitment = ma.fields.String(required=True)
    secret = ma.fields.String(required=True, allow_none=True, metadata={"description": "公布前为 null"})
    revealed_at = ma.fields.String(required=True, allow_none=True)


class ProofSchema(ma.Schema):
    """A receipt. ``record_text`` is the link of the chain to the byte; ``seal`` is the SHA-256 of it."""

    draw_id = ma.fields.String(required=True)
    version = ma.fields.String(required=True)
    pool = ma.fields.String(required=True)
    campaign = ma.fields.Dict(required=True)
    alias = ma.fields.String(required=True)
    serial = ma.fields.Integer(required=True)
    outcome = ma.fields.String(required=True)
    prize = ma.fields.Nested(PrizeSchema, required=True, allow_none=True)
    reason = ma.fields.String(required=True, metadata={"description": "落在奖品上却没有得到它的原因代码；发了安慰奖时也写明"})
    amount_fen = ma.fields.Integer(required=True, allow_none=True, metadata={"description": "这份奖值多少分"})
    segment = ma.fields.Integer(required=True, allow_none=True, metadata={"description": "地区组；只有设地区名额的活动才有"})
    position = ma.fields.Integer(required=True)
    client_nonce = ma.fields.String(required=True)
    ticket = ma.fields.String(required=True)
    record = ma.fields.Dict(required=True)
    record_text = ma.fields.String(required=True)
    seal = ma.fields.String(required=True)
    manifest_hash = ma.fields.String(required=True)
    day = ma.fields.Nested(DaySchema, required=True)
    ledger_url = ma.fields.String(required=True)


class LedgerArgs(ma.Schema):
    format = ma.fields.String(load_default="json", validate=ma.validate.OneOf(("json", "jsonl")))
    after = ma.fields.Integer(load_default=0, validate=ma.validate.Range(0, 2**53), metadata={"description": "上一页最后一条记录的号"})
    limit = ma.fields.Integer(load_default=100, validate=ma.validate.Range(1, 500))
    until = ma.fields.Integer(
        load_default=None, allow_none=True, validate=ma.validate.Range(1, 2**53), metadata={"description": "到第几条记录为止，可单独查验"}
    )


class RecordSchema(ma.Schema):
    number = ma.fields.Integer(required=True)
    seal = ma.fields.String(required=True)
    text = ma.fields.String(required=True, metadata={"description": "一字节不差的记录；封存码是它的 SHA-256"})


class LedgerSchema(ma.Schema):
    manifest = ma.fields.String(required=True, metadata={"description": "一字节不差的清单"})
    manifest_hash = ma.fields.String(required=True)
    draw_count = ma.fields.Integer(required=True)
    record_count = ma.fields.Integer(required=True)
    head = ma.fields.String(required=True)
    items = ma.fields.List(ma.fields.Nested(RecordSchema), required=True)
    next = ma.fields.Integer(required=True, allow_none=True)


class HeadsArgs(ma.Schema):
    after = ma.fields.Integer(load_default=0, validate=ma.validate.Range(0, 2**53), metadata={"description": "已经保存的最后一行的号"})
    limit = ma.fields.Integer(load_default=500, validate=ma.validate.Range(1, 1000))


class HeadsSchema(ma.Schema):
    """Lines of the public list of chain heads. ``text`` is each line to the byte; ``seal`` is its SHA-256."""

    items = ma.fields.List(ma.fields.Nested(RecordSchema), required=True)
    next = ma.fields.Integer(required=True, allow_none=True, metadata={"description": "还有更多时，下一次的 after"})


class ClaimArgs(ma.Schema):
    publicity = ma.fields.Boolean(load_default=False, metadata={"description": "同意公示里显示打码的手机号，可选"})


class WinSchema(ma.Schema):
    id = ma.fields.String(required=True)
    campaign = ma.fields.Dict(required=True)
    prize = ma.fields.Nested(PrizeSchema, required=True)
    state = ma.fields.Nested(CodeSchema, required=True)
    alias = ma.fields.String(required=True)
    won_at = ma.fields.String(required=True)
    claim_deadline_at = ma.fields.String(required=True, allow_none=True)
    claimed_at = ma.fields.String(required=True, allow_none=True)
    done_at = ma.fields.String(required=True, allow_none=True)
    code = ma.fields.String(required=True, allow_none=True, metadata={"description": "兑换码，领取后才有"})
    pickup_code = ma.fields.String(required=True, allow_none=True, metadata={"description": "自取核验码，领取后才有"})
    proof_url = ma.fields.String(required=True)


class WinListSchema(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(WinSchema), required=True)
    next = ma.fields.String(required=True, allow_none=True)
