"""``/api/v1/admin/question-banks``: banks from other systems."""

from typing import Any

import marshmallow as ma
from flask import current_app, request

from quizapp.audit.actors import current_actor
from quizapp.core.clock import utc_now
from quizapp.core.db import transaction
from quizapp.core.errors import InvalidInput
from quizapp.questions import queries, rules, services
from quizapp.questions.errors import BankNotFound
from quizapp.questions.loader import BankFile, BankHead, parse_entries, parse_head, parse_questions_text, read_text
from quizapp.questions.owners import owner_of_new
from quizapp.questions.schemas import ImportProblemSchema, ImportResultSchema, ImportSchema
from quizapp.web.access import bureau, current_principal
from quizapp.web.api import Blueprint, json_body

blp = Blueprint("questions_api", __name__, url_prefix="/api/v1/admin/question-banks", description="题库（管理端）")
blueprints = (blp,)


YAML_TYPES = ("application/yaml", "application/x-yaml", "text/yaml")


@blp.route("/<slug>/imports", methods=["POST"])
@blp.doc(
    requestBody={
        "required": True,
        "content": {"application/json": {"schema": ImportSchema}, "application/yaml": {"schema": {"type": "string"}}},
    }
)
@blp.response(201, ImportResultSchema)
@blp.alt_response(422, schema=ImportProblemSchema, description="文件有错误，一道题也没有导入")
@bureau("questions.edit")
def import_questions(slug: str) -> dict[str, Any]:
    """Import questions into a bank, all of them or none.

    New questions and revisions wait for review; in the demo they can be drawn at once. A revision that staff made since is
    left alone unless ``replace`` is true. Questions of the bank that are not in the body stay. The text of questions.yaml
    may also be the body itself (``application/yaml``), for a bank that exists.
    """
    body = _body()
    bank_file = BankFile(_head(slug, body.get("bank")), _entries(body))
    principal = current_principal()
    with transaction():
        result = services.import_entries(
            bank_file,
            now=utc_now(),
            actor=current_actor(),
            publish=current_app.config["IS_DEMO"],
            replace=body["replace"],
            organisation_id=owner_of_new(principal),
            created_by=principal.user_id,
        )
    return {
        "bank": result.slug,
        "is_new": result.is_new,
        "added": result.added,
        "revised": result.revised,
        "unchanged_count": result.unchanged,
        "kept": result.kept,
        "missing": result.missing,
    }


def _body() -> dict[str, Any]:
    if request.mimetype in YAML_TYPES:
        return {"yaml": read_text(request.get_data(), "yaml"), "replace": request.args.get("replace") in ("1", "true")}
    try:
        return dict(ImportSchema().load(json_body()))
    except ma.ValidationError as error:
        raise InvalidInput(fields={str(name): _sentence(messages) for name, messages in error.messages_dict.items()}) from None


def _sentence(messages: Any) -> str:
    return " ".join(map(str, messages)) if isinstance(messages, list) else str(messages)


def _head(slug: str, sent: dict[str, str] | None) -> BankHead:
    bank = queries.find_bank(slug)
    if bank is None:
        if sent is None:
            raise BankNotFound
        return parse_head({"slug": slug, **sent}, "bank")
    if not rules.may_change(current_principal().scopes("questions.edit"), queries.owner_path(bank)):
        raise BankNotFound
    if sent is not None:
        return parse_head({"slug": slug, **sent}, "bank")
    return BankHead(bank.slug, bank.title, bank.theme, bank.description, bank.licence)


def _entries(body: dict[str, Any]) -> tuple[Any, ...]:
    if "yaml" in body:
        return parse_questions_text(body["yaml"], "yaml")
    return parse_entries(body["entries"], "entries")
