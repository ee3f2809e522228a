"""Bodies of the question banks' API."""

import marshmallow as ma


class BankHeadSchema(ma.Schema):
    """What a new bank says of itself."""

    title = ma.fields.String(required=True)
    theme = ma.fields.String(required=True)
    description = ma.fields.String(load_default="")
    licence = ma.fields.String(load_default="")


class ImportSchema(ma.Schema):
    """Either ``yaml`` (the text of questions.yaml) or ``entries`` (the same as JSON); ``bank`` for a bank that is new."""

    yaml = ma.fields.String(metadata={"description": "questions.yaml 的全文"})
    entries = ma.fields.List(ma.fields.Raw(), metadata={"description": "题目，字段同 questions.yaml"})
    bank = ma.fields.Nested(BankHeadSchema)
    replace = ma.fields.Boolean(load_default=False)

    @ma.validates_schema
    def check_one(self, data: dict[str, object], **kwargs: object) -> None:
        if ("yaml" in data) == ("entries" in data):
            raise ma.ValidationError("yaml 和 entries 要给一个，只给一个。", "entries")


class ImportResultSchema(ma.Schema):
    """What the import did, in question ids of the file."""

    bank = ma.fields.String(required=True)
    is_new = ma.fields.Boolean(required=True)
    added = ma.fields.List(ma.fields.String(), required=True)
    revised = ma.fields.List(ma.fields.String(), required=True)
    unchanged_count = ma.fields.Integer(required=True)
    kept = ma.fields.List(ma.fields.String(), required=True, metadata={"description": "后台改过，没有覆盖"})
    missing = ma.fields.List(ma.fields.String(), required=True, metadata={"description": "题库里有、文件里没有，保留"})


class RowErrorSchema(ma.Schema):
    file = ma.fields.String(required=True)
    number = ma.fields.Integer(required=True, metadata={"description": "第几条，从 1 起；0 是整个文件"})
    entry = ma.fields.String(required=True)
    field = ma.fields.String(required=True)
    reason = ma.fields.String(required=True)


class ImportProblemSchema(ma.Schema):
    """A problem document that names every mistake of the file."""

    code = ma.fields.String(required=True)
    detail = ma.fields.String(required=True)
    rows = ma.fields.List(ma.fields.Nested(RowErrorSchema), required=True)
    row_count = ma.fields.Integer(required=True)
