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


class RuleVersionSchema(ma.Schema):
    version = ma.fields.Integer(required=True)
    hash = ma.fields.String(required=True)
    published_at = ma.fields.String(required=True)
    changes = ma.fields.List(ma.fields.String(), required=True, metadata={"description": "比上一版改了什么，一句一条"})
    rules = ma.fields.List(ma.fields.Nested(RuleSchema), required=True)


class RulesSchema(ma.Schema):
    slug = ma.fields.String(required=True)
    title = ma.fields.String(required=True)
    terms_version = ma.fields.Integer(required=True)
    terms_hash = ma.fields.String(required=True)
    manifest_hash = ma.fields.String(allow_none=True)
    rules = ma.fields.List(ma.fields.Nested(RuleSchema), required=True)
    versions = ma.fields.List(ma.fields.Nested(RuleVersionSchema), required=True)


# ---- the bureau's side


class UnitSchema(ma.Schema):
    id = ma.fields.String(required=True)
    name = ma.fields.String(required=True)


class CohostSchema(UnitSchema):
    signed_off_at = ma.fields.String(allow_none=True, required=True)


class CheckProblemSchema(ma.Schema):
    field = ma.fields.String(required=True, metadata={"description": "在 terms 里的位置，例如 draw.prizes[1].odds_ppm"})
    severity = ma.fields.String(required=True, metadata={"description": "error 挡发布，warning 只提醒"})
    message = ma.fields.String(required=True)


class BureauCampaignSchema(ma.Schema):
    """A campaign as its editors see it: the draft, the terms in force, what the rule check says."""

    id = ma.fields.String(required=True)
    slug = ma.fields.String(required=True)
    title = ma.fields.String(required=True)
    summary = ma.fields.String(required=True)
    kind = ma.fields.String(required=True)
    legal_basis = ma.fields.String(required=True)
    theme = ma.fields.String(required=True)
    status = ma.fields.String(required=True, metadata={"description": "draft, pending_approval, published, paused, closed"})
    state = ma.fields.String(required=True, metadata={"description": "draft, pending_approval, scheduled, soon, open, paused, ended"})
    pause_reason = ma.fields.String(required=True)
    resumes_at = ma.fields.String(allow_none=True, required=True, metadata={"description": "预计恢复的时间，给群众看"})
    return_reason = ma.fields.String(required=True, metadata={"description": "最近一次退回的原因"})
    release_at = ma.fields.String(allow_none=True, required=True, metadata={"description": "已批准，到这一刻自动发布"})
    closing_reason = ma.fields.String(required=True, metadata={"description": "申请提前结束或已提前结束的原因"})
    closing_requested_at = ma.fields.String(allow_none=True, required=True)
    closed_at = ma.fields.String(allow_none=True, required=True)
    version = ma.fields.Integer(required=True, metadata={"description": "每次改动加一，PATCH 时带上"})
    host = ma.fields.Nested(UnitSchema, required=True)
    cohosts = ma.fields.List(ma.fields.Nested(CohostSchema), required=True)
    is_waiting = ma.fields.Boolean(required=True, metadata={"description": "等审批人批准"})
    draft = ma.fields.Dict(required=True, metadata={"description": "编辑中的规则，可以不完整"})
    terms = ma.fields.Dict(allow_none=True, required=True, metadata={"description": "现行规则"})
    terms_version = ma.fields.Integer(allow_none=True, required=True)
    terms_hash = ma.fields.String(allow_none=True, required=True)
    opens_at = ma.fields.String(allow_none=True, required=True)
    closes_at = ma.fields.String(allow_none=True, required=True)
    problems = ma.fields.List(ma.fields.Nested(CheckProblemSchema), required=True)


class BureauCampaignItemSchema(ma.Schema):
    """A line of the list."""

    id = ma.fields.String(required=True)
    slug = ma.fields.String(required=True)
    title = ma.fields.String(required=True)
    kind = ma.fields.String(required=True)
    status = ma.fields.String(required=True)
    state = ma.fields.String(required=True)
    version = ma.fields.Integer(required=True)
    opens_at = ma.fields.String(allow_none=True, required=True)
    closes_at = ma.fields.String(allow_none=True, required=True)


class BureauCampaignListSchema(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(BureauCampaignItemSchema), required=True)
    next = ma.fields.String(allow_none=True, required=True)


class BureauListArgs(ma.Schema):
    state = ma.fields.String(
        validate=ma.validate.OneOf(["draft", "pending_approval", "scheduled", "soon", "open", "paused", "ended"]),
        metadata={"description": "只要这个状态的活动"},
    )
    after = ma.fields.String(metadata={"description": "上一页给的 next"})
    limit = ma.fields.Integer(load_default=20, validate=ma.validate.Range(1, 100))


class NewCampaignSchema(ma.Schema):
    """``terms`` may be incomplete; it has the shape of ``draft`` in the answer. With ``template`` it replaces parts of the
    template's rules."""

    template = ma.fields.String(metadata={"description": "从哪个模板开始（campaign-templates 里的 key）"})
    opens_on = ma.fields.Date(metadata={"description": "从模板开始时，哪天开始；省略是一周以后"})

    slug = ma.fields.String(required=True)
    title = ma.fields.String(required=True)
    summary = ma.fields.String()
    kind = ma.fields.String(load_default="voluntary")
    legal_basis = ma.fields.String()
    theme = ma.fields.String()
    host_organisation_id = ma.fields.UUID()
    cohost_ids = ma.fields.List(ma.fields.UUID(), validate=ma.validate.Length(max=50))
    terms = ma.fields.Dict(keys=ma.fields.String())


class CampaignTemplateSchema(ma.Schema):
    key = ma.fields.String(required=True, metadata={"description": "新建活动时写在 template 里"})
    title = ma.fields.String(required=True)
    about = ma.fields.String(required=True)
    kind = ma.fields.String(required=True)
    owner = ma.fields.String(allow_none=True, required=True, metadata={"description": "存它的单位，null 是系统自带"})
    terms = ma.fields.Dict(required=True)


class CampaignTemplateListSchema(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(CampaignTemplateSchema), required=True)
    next = ma.fields.String(allow_none=True, required=True)


class CopySchema(ma.Schema):
    slug = ma.fields.String(required=True)
    title = ma.fields.String(metadata={"description": "省略就用原来的名称"})
    opens_on = ma.fields.Date(required=True, metadata={"description": "新的开始日期（北京时间），其他时间一起移动"})


class CampaignChangesSchema(ma.Schema):
    """What is left out stays; parts of ``terms`` that are given replace those parts."""

    version = ma.fields.Integer(required=True, metadata={"description": "改的是哪一版；别人先改过就是 409"})
    slug = ma.fields.String()
    title = ma.fields.String()
    summary = ma.fields.String()
    kind = ma.fields.String()
    legal_basis = ma.fields.String()
    theme = ma.fields.String()
    host_organisation_id = ma.fields.UUID()
    cohost_ids = ma.fields.List(ma.fields.UUID(), validate=ma.validate.Length(max=50))
    terms = ma.fields.Dict(keys=ma.fields.String())


class VersionSchema(ma.Schema):
    version = ma.fields.Integer(metadata={"description": "看过的是哪一版；省略就不比较"})


class PublicationSchema(VersionSchema):
    release_at = ma.fields.AwareDateTime(metadata={"description": "到这一刻再发布，RFC 3339；省略就是现在"})


class ReasonSchema(ma.Schema):
    reason = ma.fields.String(required=True, validate=ma.validate.Length(1, 200))


class PauseSchema(ReasonSchema):
    resumes_at = ma.fields.AwareDateTime(metadata={"description": "预计什么时候恢复，RFC 3339，给群众看"})


class ExtensionSchema(ma.Schema):
    closes_at = ma.fields.AwareDateTime(required=True, metadata={"description": "新的结束时间，RFC 3339，不含此刻"})


class SignatureSchema(ma.Schema):
    organisation_id = ma.fields.UUID(required=True)
