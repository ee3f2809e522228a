"""Bodies of the ledger's endpoints of ``/api/v1``."""

import marshmallow as ma

from quizapp.web.api import CodeSchema


class PageArgs(ma.Schema):
    """One page of a list, the newest first."""

    after = ma.fields.String(
        load_default=None, allow_none=True, validate=ma.validate.Length(max=200), metadata={"description": "上一页给出的 next"}
    )
    limit = ma.fields.Integer(load_default=20, validate=ma.validate.Range(1, 100))


class EntrySchema(ma.Schema):
    id = ma.fields.String(required=True)
    amount = ma.fields.Integer(required=True, metadata={"description": "得到的为正，用掉的为负"})
    reason = ma.fields.Nested(CodeSchema, required=True)
    posted_at = ma.fields.String(required=True)


class PointsSchema(ma.Schema):
    balance = ma.fields.Integer(required=True)
    items = ma.fields.List(ma.fields.Nested(EntrySchema), required=True)
    next = ma.fields.String(required=True, allow_none=True)
