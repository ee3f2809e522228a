"""Bodies of the statutes' API."""

import datetime as dt

import marshmallow as ma

from quizapp.web.api import CodeSchema

_SENSIBLE = ma.validate.Range(dt.datetime(2000, 1, 1, tzinfo=dt.UTC), dt.datetime(2200, 1, 1, tzinfo=dt.UTC))


class StatuteSchema(ma.Schema):
    """What is known of a statute; days are Shanghai days."""

    short_title = ma.fields.String(required=True)
    title = ma.fields.String(required=True)
    kind = ma.fields.Nested(CodeSchema, required=True)
    status = ma.fields.Nested(CodeSchema, required=True, metadata={"description": "那一天的状态"})
    issuer = ma.fields.String(required=True)
    number = ma.fields.String(required=True, metadata={"description": "文号"})
    adopted_on = ma.fields.Date(required=True, allow_none=True)
    effective_on = ma.fields.Date(required=True, allow_none=True)
    last_amended_on = ma.fields.Date(required=True, allow_none=True)
    repealed_on = ma.fields.Date(required=True, allow_none=True)
    repealed_by = ma.fields.String(required=True)
    has_text = ma.fields.Boolean(required=True, metadata={"description": "这里有没有全文"})
    read_at = ma.fields.String(required=True, metadata={"description": "正式文本在哪里看"})


class StatutePageSchema(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(StatuteSchema), required=True)
    next = ma.fields.String(required=True, allow_none=True)


class SearchSchema(ma.Schema):
    q = ma.fields.String(load_default="", metadata={"description": "名称里的词"})
    kind = ma.fields.String(load_default="")
    after = ma.fields.String(load_default="", metadata={"description": "上一页的 next"})


class DaySchema(ma.Schema):
    on = ma.fields.Date(load_default=None, metadata={"description": "看哪一天有效的文本，缺省今天"})
    at = ma.fields.AwareDateTime(load_default=None, validate=_SENSIBLE, metadata={"description": "某一刻看到的文本，例如交卷时；优先于 on"})


class ArticleSchema(ma.Schema):
    """An article as it was in force on a day."""

    law = ma.fields.String(required=True)
    number = ma.fields.String(required=True)
    label = ma.fields.String(required=True)
    text = ma.fields.String(required=True)
    effective_from = ma.fields.Date(required=True)
    effective_to = ma.fields.Date(required=True, allow_none=True, metadata={"description": "从这天起不再有效"})
