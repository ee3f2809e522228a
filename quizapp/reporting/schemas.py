"""Bodies of the report endpoints."""

import marshmallow as ma
from marshmallow import validate

from quizapp.questions.models import KINDS
from quizapp.reporting import exports, items_queries, items_rules, rules


class ParticipationQuery(ma.Schema):
    """Query string of the participation report. Unknown dimensions, regions and campaigns are refused by the service."""

    campaign = ma.fields.List(ma.fields.String(validate=validate.Length(1, 64)), metadata={"description": "活动代号，可以多个；不写是全部"})
    first_day = ma.fields.Date(data_key="from", metadata={"description": "从哪天起，含当天，北京时间"})
    last_day = ma.fields.Date(data_key="to", metadata={"description": "到哪天止，含当天"})
    by = ma.fields.List(
        ma.fields.String(metadata={"enum": list(rules.DIMENSIONS)}), metadata={"description": "按什么分组，可以多个；不写只给合计"}
    )
    region_level = ma.fields.String(load_default="county", metadata={"enum": list(rules.REGION_LEVELS)})
    region = ma.fields.String(metadata={"description": "只看这个地区和它下面的"})
    demographic_group = ma.fields.String(metadata={"description": "只看这个人群"})


class FiguresSchema(ma.Schema):
    attempt_count = ma.fields.Integer(required=True)
    valid_attempt_count = ma.fields.Integer(required=True)
    participant_count = ma.fields.Integer(required=True)
    passed_count = ma.fields.Integer(required=True, allow_none=True, metadata={"description": "单位的账号看不足 5 人的，是 null"})
    pass_rate = ma.fields.Float(required=True, allow_none=True)
    person_passed_count = ma.fields.Integer(required=True, allow_none=True, metadata={"description": "单位的账号看不足 5 人的，是 null"})
    person_pass_rate = ma.fields.Float(required=True, allow_none=True)
    mean_correct = ma.fields.Float(required=True, allow_none=True)


class ParticipationRow(FiguresSchema):
    """One line; it has the code and the label of each dimension asked for. A null code is 未填写."""

    demographic_group = ma.fields.String(allow_none=True)
    demographic_group_label = ma.fields.String()
    region = ma.fields.String(allow_none=True)
    region_label = ma.fields.String()
    organisation = ma.fields.String(allow_none=True)
    organisation_label = ma.fields.String()
    day = ma.fields.String(allow_none=True)
    day_label = ma.fields.String()
    campaign = ma.fields.String(allow_none=True)
    campaign_label = ma.fields.String()


class FilterSchema(ma.Schema):
    campaign = ma.fields.List(ma.fields.String(), required=True, allow_none=True)
    first_day = ma.fields.Date(data_key="from", required=True, allow_none=True)
    last_day = ma.fields.Date(data_key="to", required=True, allow_none=True)
    region = ma.fields.String(required=True, allow_none=True)
    demographic_group = ma.fields.String(required=True, allow_none=True)
    by = ma.fields.List(ma.fields.String(), required=True)
    region_level = ma.fields.String(required=True)
    sentence = ma.fields.String(required=True, metadata={"description": "筛选条件的中文说明"})


class ExclusionSchema(ma.Schema):
    reason = ma.fields.String(required=True)
    count = ma.fields.Integer(required=True)


class ParticipationReport(ma.Schema):
    """Figures with what must be printed beside them."""

    rows = ma.fields.List(ma.fields.Nested(ParticipationRow), required=True)
    total = ma.fields.Nested(FiguresSchema, required=True)
    definitions = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.String(), required=True)
    filter = ma.fields.Nested(FilterSchema, required=True)
    as_of = ma.fields.String(required=True, metadata={"format": "date-time"})
    excluded_count = ma.fields.Integer(required=True)
    exclusions = ma.fields.List(ma.fields.Nested(ExclusionSchema), required=True)


class ReportOrderSchema(ParticipationQuery):
    """An export to be built in the background."""

    report = ma.fields.String(load_default="participation", validate=validate.Equal("participation"))
    format = ma.fields.String(required=True, validate=validate.OneOf(exports.FORMATS))
    is_public = ma.fields.Boolean(load_default=False, metadata={"description": "公开版：不足 5 人的隐去"})


class ReportRequestSchema(ma.Schema):
    id = ma.fields.UUID(required=True)
    report = ma.fields.String(required=True)
    format = ma.fields.String(required=True)
    is_public = ma.fields.Boolean(required=True)
    state = ma.fields.String(required=True, metadata={"enum": ["pending", "building", "ready", "failed", "expired"]})
    percent = ma.fields.Integer(required=True)
    message = ma.fields.String(required=True)
    row_count = ma.fields.Integer(required=True)
    file_name = ma.fields.String(required=True)
    file_url = ma.fields.String(required=True, allow_none=True)
    created_at = ma.fields.String(required=True, metadata={"format": "date-time"})
    ready_at = ma.fields.String(required=True, allow_none=True)
    expires_at = ma.fields.String(required=True, allow_none=True)


# ---- item analysis


class ItemFilterSchema(ma.Schema):
    """What the list of questions is narrowed to. Unknown codes are refused by the service."""

    bank = ma.fields.String(load_default="", validate=validate.Length(max=64), metadata={"description": "题库代号"})
    kind = ma.fields.String(load_default="", metadata={"enum": ["", *KINDS]})
    campaign = ma.fields.String(load_default="", validate=validate.Length(max=64), metadata={"description": "活动代号；不写是全部合起来"})
    flag = ma.fields.String(load_default="", metadata={"enum": ["", "any", *items_rules.FLAGS]})
    text = ma.fields.String(load_default="", validate=validate.Length(max=100), metadata={"description": "题干或题号里的字"})
    revisions = ma.fields.String(load_default="current", metadata={"enum": list(items_queries.REVISIONS)})
    order = ma.fields.String(load_default="shown", metadata={"enum": list(items_queries.ORDERS)})


class ItemListQuery(ItemFilterSchema):
    after = ma.fields.String(metadata={"description": "上一页给的 next"})


class ItemQuery(ma.Schema):
    campaign = ma.fields.String(load_default="", validate=validate.Length(max=64), metadata={"description": "活动代号；不写是全部合起来"})


class ItemOrderSchema(ItemFilterSchema):
    """An export to be built in the background."""

    format = ma.fields.String(required=True, validate=validate.OneOf(exports.FORMATS))


class ItemFiguresSchema(ma.Schema):
    shown_count = ma.fields.Integer(required=True)
    answered_count = ma.fields.Integer(required=True)
    correct_count = ma.fields.Integer(required=True, allow_none=True)
    facility = ma.fields.Float(required=True, allow_none=True, metadata={"description": "答对 ÷ 出现"})
    discrimination = ma.fields.Float(required=True, allow_none=True, metadata={"description": "corrected point-biserial, -1 to 1"})
    timed_count = ma.fields.Integer(required=True)
    median_seconds = ma.fields.Float(required=True, allow_none=True)
    flags = ma.fields.List(ma.fields.String(), required=True, metadata={"description": "negative, hard, easy, idle"})
    is_judged = ma.fields.Boolean(required=True, metadata={"description": "答过 30 次以上才评"})
    is_withheld = ma.fields.Boolean(required=True)


class ItemLineSchema(ItemFiguresSchema):
    question_id = ma.fields.UUID(required=True)
    revision_id = ma.fields.UUID(required=True)
    bank = ma.fields.String(required=True)
    bank_title = ma.fields.String(required=True)
    code = ma.fields.String(required=True)
    revision = ma.fields.Integer(required=True)
    is_current = ma.fields.Boolean(required=True)
    kind = ma.fields.String(required=True)
    difficulty = ma.fields.Integer(required=True)
    stem = ma.fields.String(required=True)


class ItemStateSchema(ma.Schema):
    """What must be printed beside the figures."""

    definitions = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.String(), required=True)
    filter = ma.fields.String(required=True)
    as_of = ma.fields.String(required=True, allow_none=True, metadata={"format": "date-time"})
    paper_count = ma.fields.Integer(required=True)
    excluded_count = ma.fields.Integer(required=True)
    exclusions = ma.fields.List(ma.fields.Nested(ExclusionSchema), required=True)


class ItemListSchema(ItemStateSchema):
    items = ma.fields.List(ma.fields.Nested(ItemLineSchema), required=True)
    next = ma.fields.String(required=True, allow_none=True)


class ItemChoiceSchema(ma.Schema):
    """Who took one choice; without a key: who took none."""

    key = ma.fields.String(required=True, allow_none=True, metadata={"description": "题库里的顺序，A 起"})
    text = ma.fields.String(required=True, allow_none=True)
    is_right = ma.fields.Boolean(required=True)
    count = ma.fields.Integer(required=True)
    share = ma.fields.Float(required=True, allow_none=True)
    upper_share = ma.fields.Float(required=True, allow_none=True, metadata={"description": "其余题答得最好的三分之一里的占比"})
    lower_share = ma.fields.Float(required=True, allow_none=True)
    is_idle = ma.fields.Boolean(required=True)


class ItemLevelSchema(ma.Schema):
    question_count = ma.fields.Integer(required=True)
    rest_correct_count = ma.fields.Integer(required=True)
    count = ma.fields.Integer(required=True)
    correct_count = ma.fields.Integer(required=True)


class ItemRevisionSchema(ItemFiguresSchema):
    revision_id = ma.fields.UUID(required=True)
    revision = ma.fields.Integer(required=True)
    is_current = ma.fields.Boolean(required=True)
    kind = ma.fields.String(required=True)
    stem = ma.fields.String(required=True)
    choices = ma.fields.List(ma.fields.Nested(ItemChoiceSchema), required=True)
    levels = ma.fields.List(ma.fields.Nested(ItemLevelSchema), required=True)


class ItemSchema(ItemStateSchema):
    question_id = ma.fields.UUID(required=True)
    bank = ma.fields.String(required=True)
    bank_title = ma.fields.String(required=True)
    code = ma.fields.String(required=True)
    status = ma.fields.String(required=True)
    revisions = ma.fields.List(ma.fields.Nested(ItemRevisionSchema), required=True, metadata={"description": "新的在前"})
