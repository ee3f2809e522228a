"""Bodies of the report endpoints."""

import marshmallow as ma
from marshmallow import validate

from quizapp.reporting import exports, rules


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
