"""Pool draws as JSON and as files. All of it is public: it holds pseudonyms and prizes."""

import uuid
from typing import Any

import marshmallow as ma
from flask import Response, stream_with_context, url_for

from quizapp.core.clock import rfc3339
from quizapp.core.errors import NotFound
from quizapp.lottery.pooldraw import queries
from quizapp.lottery.pooldraw.export import file_lines, list_lines
from quizapp.lottery.pooldraw.queries import PublicDraw
from quizapp.web.access import public
from quizapp.web.api import Blueprint, json_response
from quizapp.web.limits import check_rate
from quizapp.web.security import client_ip

blp = Blueprint("pool_draws_api", __name__, url_prefix="/api/v1", description="摇号")
MOST_RESULTS = 1000


class PoolDrawSchema(ma.Schema):
    """One pool draw of a day, round, stage or the whole campaign."""

    id = ma.fields.String(required=True)
    draw = ma.fields.String(required=True, metadata={"description": "清单里的摇号代号"})
    title = ma.fields.String(required=True)
    scope = ma.fields.String(required=True, metadata={"description": "场次：日期、轮次、阶段，或 campaign"})
    mode = ma.fields.String(required=True, metadata={"description": "automatic, ceremony, outside"})
    state = ma.fields.String(required=True, metadata={"description": "open, frozen, ready, drawn"})
    is_outside = ma.fields.Boolean(required=True, metadata={"description": "结果在场外摇出、由人录入，不能重算"})
    due_at = ma.fields.String(required=True, allow_none=True)
    frozen_at = ma.fields.String(required=True, allow_none=True)
    drawn_at = ma.fields.String(required=True, allow_none=True)
    entry_count = ma.fields.Integer(required=True)
    ticket_count = ma.fields.Integer(required=True)
    list_hash = ma.fields.String(required=True, allow_none=True)
    public_input = ma.fields.String(required=True, allow_none=True)
    commitment = ma.fields.String(required=True, allow_none=True)
    secret = ma.fields.String(required=True, allow_none=True, metadata={"description": "摇号前为 null"})
    record_count = ma.fields.Integer(required=True)
    head = ma.fields.String(required=True)
    url = ma.fields.String(required=True)
    file_url = ma.fields.String(required=True)
    list_url = ma.fields.String(required=True, allow_none=True)


class PoolDrawListSchema(ma.Schema):
    manifest = ma.fields.String(required=True, metadata={"description": "一字节不差的清单"})
    manifest_hash = ma.fields.String(required=True)
    items = ma.fields.List(ma.fields.Nested(PoolDrawSchema), required=True)
    next = ma.fields.String(required=True, allow_none=True)


class PoolResultSchema(ma.Schema):
    kind = ma.fields.String(required=True, metadata={"description": "win, reserve, skip, band"})
    tier = ma.fields.Integer(required=True, allow_none=True)
    place = ma.fields.Integer(required=True, allow_none=True)
    serial = ma.fields.Integer(required=True, allow_none=True)
    alias = ma.fields.String(required=True)


class PoolDrawDetailSchema(PoolDrawSchema):
    terms = ma.fields.Dict(required=True, metadata={"description": "清单里这一项摇号的全部内容"})
    manifest_hash = ma.fields.String(required=True)
    results = ma.fields.List(ma.fields.Nested(PoolResultSchema), required=True)
    result_count = ma.fields.Integer(required=True, metadata={"description": "超过 1000 条的请下载文件"})


class FileArgs(ma.Schema):
    format = ma.fields.String(load_default="json", validate=ma.validate.OneOf(("json", "jsonl", "list")))


@blp.route("/campaigns/<slug>/pool-draws", methods=["GET"])
@blp.response(200, PoolDrawListSchema)
@public
def index(slug: str) -> Response:
    """一个活动的全部摇号和封存的清单"""
    check_rate("pool-draws", client_ip(), 600, 60)
    found = queries.list_public(slug)
    if not found:
        raise NotFound
    body = {"manifest": found[0].manifest, "manifest_hash": found[0].manifest_hash, "items": [_body(each) for each in found], "next": None}
    return json_response(body)


@blp.route("/campaigns/<slug>/pool-draws/<uuid:pool_draw_id>", methods=["GET"])
@blp.arguments(FileArgs, location="query")
@blp.response(200, PoolDrawDetailSchema)
@public
def show(args: dict[str, Any], slug: str, pool_draw_id: uuid.UUID) -> Response:
    """一场摇号；format=jsonl 是可以离线查验的文件，format=list 是冻结的名单"""
    check_rate("pool-draws", client_ip(), 600, 60)
    found = queries.get_public_of(slug, pool_draw_id)
    if args["format"] == "list" and found.run.list_hash is None:
        raise NotFound
    if args["format"] != "json":
        return _file(found, args["format"])
    results = queries.list_results(pool_draw_id, limit=MOST_RESULTS)
    names = ("kind", "tier", "place", "serial", "alias")
    return json_response(
        {
            **_body(found),
            "terms": found.terms,
            "manifest_hash": found.manifest_hash,
            "results": [{name: getattr(result, name) for name in names} for result in results],
            "result_count": queries.count_results(pool_draw_id),
        }
    )


def _file(found: PublicDraw, kind: str) -> Response:
    lines = file_lines(found) if kind == "jsonl" else list_lines(found)
    name = f"pool-{found.campaign.slug}-{found.run.draw_code}-{(found.run.scope or '').replace('/', '-')}-{kind}.jsonl"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Accel-Buffering": "no"}
    return Response(stream_with_context(lines), mimetype="application/jsonl", headers=headers)


def file_url(found: PublicDraw, kind: str = "jsonl") -> str:
    return url_for("pool_draws_api.show", slug=found.campaign.slug, pool_draw_id=found.run.id, format=kind)


def _body(found: PublicDraw) -> dict[str, Any]:
    run = found.run
    return {
        "id": str(run.id),
        "draw": run.draw_code,
        "title": run.title,
        "scope": run.scope,
        "mode": run.mode,
        "state": run.state,
        "is_outside": run.is_outside,
        "due_at": rfc3339(run.due_at),
        "frozen_at": rfc3339(run.frozen_at),
        "drawn_at": rfc3339(run.drawn_at),
        "entry_count": run.entry_count,
        "ticket_count": run.ticket_count,
        "list_hash": run.list_hash,
        "public_input": run.public_input,
        "commitment": run.commitment,
        "secret": run.secret_revealed,
        "record_count": run.record_count,
        "head": run.chain_head,
        "url": url_for("pool_draws.show", slug=found.campaign.slug, pool_draw_id=run.id),
        "file_url": file_url(found),
        "list_url": file_url(found, "list") if run.list_hash else None,
    }
