"""Bodies of the public campaign endpoints."""

import marshmallow as ma


class CampaignListArgs(ma.Schema):
    state = ma.fields.String(
        validate=ma.validate.OneOf(["soon", "open", "paused", "ended"]), metadata={"description": "只要这个阶段的活动"}
    )


class CampaignPrizeSchema(ma.Schema):
    name = ma.fields.String(required=True)
    tier = ma.fields.String()
    kind = ma.fields.String(required=True)
    value_fen = ma.fields.Integer()
    points = ma.fields.Integer()
    quantity = ma.fields.Integer()
    odds_ppm = ma.fields.Integer(metadata={"description": "百万分之几"})


class CampaignSchema(ma.Schema):
    slug = ma.fields.String(required=True)
    title = ma.fields.String(required=True)
    summary = ma.fields.String()
    kind = ma.fields.String(required=True, metadata={"description": "voluntary 自愿竞答, statutory_exam 法定学法考试"})
    legal_basis = ma.fields.String()
    theme = ma.fields.String()
    state = ma.fields.String(required=True, metadata={"description": "soon, open, paused, ended"})
    opens_at = ma.fields.String(required=True)
    closes_at = ma.fields.String(required=True, metadata={"description": "不含此刻"})
    host = ma.fields.String()
    cohosts = ma.fields.List(ma.fields.String())
    question_count = ma.fields.Integer(required=True)
    pass_count = ma.fields.Integer(required=True)
    limit_seconds = ma.fields.Integer(allow_none=True)
    large_type_percent = ma.fields.Integer()
    tries_per_day = ma.fields.Integer(allow_none=True)
    tries_total = ma.fields.Integer(allow_none=True)
    feedback = ma.fields.String()
    allows_guests = ma.fields.Boolean()
    has_draw = ma.fields.Boolean()
    prizes = ma.fields.List(ma.fields.Nested(CampaignPrizeSchema))
    terms_version = ma.fields.Integer()
    terms_hash = ma.fields.String()


class CampaignListSchema(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(CampaignSchema), required=True)
    next = ma.fields.String(allow_none=True)


class RuleSchema(ma.Schema):
    title = ma.fields.String(required=True)
    sentences = ma.fields.List(ma.fields.String(), required=True)


class RulesSchema(ma.Schema):
    slug = ma.fields.String(required=True)
    title = ma.fields.String(required=True)
    terms_version = ma.fields.Integer(required=True)
    terms_hash = ma.fields.String(required=True)
    manifest_hash = ma.fields.String(allow_none=True)
    rules = ma.fields.List(ma.fields.Nested(RuleSchema), required=True)
    versions = ma.fields.List(ma.fields.Dict(), required=True)
