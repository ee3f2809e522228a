"""Attempts as JSON. Bodies are parsed by hand and answered without a schema: these are the hot endpoints.

A guest's calls carry the token of their paper as ``X-Guest-Token`` or as ``guest_token`` in the body.
"""

import datetime as dt
import uuid
from typing import Any

from flask import Response

from quizapp.attempts import edge, queries, rules, season_api
from quizapp.attempts.papers import result_of
from quizapp.attempts.schemas import (
    ADOPTION_BODY,
    ANSWER_BODY,
    CHANNELS,
    FAULT_BODY,
    GUEST_BODY,
    GUEST_HEADER,
    START_BODY,
    AttemptSchema,
    FaultSchema,
    HistoryArgs,
    HistorySchema,
    PaperSchema,
    ResultSchema,
    SavedAnswerSchema,
    body_doc,
    graded_body,
    history_body,
    open_body,
    paper_body,
    submission_body,
)
from quizapp.campaigns import queries as campaign_queries
from quizapp.core.clock import rfc3339, utc_now
from quizapp.core.errors import InvalidInput
from quizapp.core.text import has_forbidden_characters
from quizapp.web.access import citizen, current_principal, guest
from quizapp.web.api import Blueprint, json_body, json_response
from quizapp.web.pagination import decode_cursor, encode_cursor

blp = Blueprint("attempts_api", __name__, url_prefix="/api/v1", description="答题")
blueprints = (blp, season_api.blp)

MAX_CHOICES = 8
MAX_TOKEN = 100


def _body(*allowed: str) -> dict[str, Any]:
    """The JSON object of this request.

    :raises InvalidInput: for fields this endpoint does not know
    """
    body = json_body()
    unknown = [str(name)[:40] for name in body if name not in allowed]
    if unknown:
        raise InvalidInput(fields=dict.fromkeys(unknown, "没有这一项。"))
    return body


def _token(body: dict[str, Any]) -> str:
    token = body.get("guest_token", "")
    if not isinstance(token, str) or len(token) > MAX_TOKEN or has_forbidden_characters(token):
        raise InvalidInput(fields={"guest_token": "答卷凭证的格式不对。"})
    return token


def _nonce(body: dict[str, Any]) -> str:
    try:
        return rules.check_nonce(body.get("client_nonce") or "")
    except (AttributeError, ValueError, TypeError):
        raise InvalidInput(fields={"client_nonce": "随机数是 64 个以内的十六进制字符。"}) from None


def _is_large(body: dict[str, Any]) -> bool:
    value = body.get("large_type", False)
    if not isinstance(value, bool):
        raise InvalidInput(fields={"large_type": "填 true 或 false。"})
    return value


def _word(body: dict[str, Any], name: str) -> str:
    value = body.get(name, "")
    if not isinstance(value, str) or len(value) > 32 or has_forbidden_characters(value):
        raise InvalidInput(fields={name: "代号的格式不对。"})
    return value


def _channel(body: dict[str, Any]) -> str:
    value = _word(body, "channel")
    if value and value not in CHANNELS:
        raise InvalidInput(fields={"channel": f"应当是 {'、'.join(CHANNELS)} 之一。"})
    return value


def _choices(body: dict[str, Any]) -> list[str]:
    choices = body.get("choices")
    if not isinstance(choices, list) or len(choices) > MAX_CHOICES or not all(isinstance(c, str) and len(c) <= 4 for c in choices):
        raise InvalidInput(fields={"choices": '答案是选项字母的列表，例如 ["A"]。'})
    return choices


@blp.route("/campaigns/<string:slug>/attempts", methods=["POST"])
@blp.doc(**body_doc(START_BODY, required=False))
@blp.response(201, PaperSchema)
@blp.alt_response(200, schema=PaperSchema, description="已经开着的那份答卷")
@blp.alt_response(403, description="not_eligible")
@blp.alt_response(
    409,
    description="campaign_not_open, campaign_ended, campaign_paused, attempt_limit_reached, guest_limit_reached, "
    "round_closed, not_unlocked, entry_required, channel_closed",
)
@guest
def start(slug: str) -> Response:
    """开始答题

    不登录也能开始，答复里有 guest_token，只给这一次。每人每场活动只有一份开着的答卷，再次请求答复 200 和同样的内容。
    """
    body = _body("client_nonce", "large_type", "quiz", "channel")
    started = edge.start(
        slug,
        client_nonce=_nonce(body),
        is_large=_is_large(body),
        now=utc_now(),
        quiz_id=_word(body, "quiz"),
        entrance=_channel(body),
    )
    return json_response(paper_body(started.attempt, started.guest_token), 201 if started.is_new else 200)


@blp.route("/attempts/<uuid:attempt_id>", methods=["GET"])
@blp.doc(parameters=[GUEST_HEADER])
@blp.response(200, AttemptSchema)
@blp.alt_response(404, description="not_found")
@guest
def get(attempt_id: uuid.UUID) -> Response:
    """看一份答卷

    开着时给题目和已选的答案；判分以后给结果；没登录的人交的卷在登录认领以前不给结果。
    """
    attempt, now = edge.read_attempt(attempt_id, edge.asker_of(attempt_id)), utc_now()
    campaign = campaign_queries.get_campaign_by_id(attempt.campaign_id)
    if attempt.state == "graded":
        return json_response(graded_body(result_of(attempt, now), campaign))
    return json_response(open_body(attempt, campaign, attempt.standing(now)))


@blp.route("/attempts/<uuid:attempt_id>/answers/<int:position>", methods=["PUT"])
@blp.doc(parameters=[GUEST_HEADER], **body_doc(ANSWER_BODY, required=True))
@blp.response(200, SavedAnswerSchema)
@blp.alt_response(404, description="not_found")
@blp.alt_response(409, description="attempt_closed")
@blp.alt_response(422, description="invalid_choice")
@guest
def answer(attempt_id: uuid.UUID, position: int) -> Response:
    """保存一题的答案

    交卷以前可以改。单选和判断选一个，多选和不定项至少选一个。以服务器的时间为准，过时的答案不计。
    """
    body = _body("choices", "guest_token")
    saved = edge.save(attempt_id, edge.asker_of(attempt_id, _token(body)), position, _choices(body), utc_now())
    return json_response({"position": saved.position, "choices": list(saved.chosen)})


@blp.route("/attempts/<uuid:attempt_id>/submission", methods=["POST"])
@blp.doc(parameters=[GUEST_HEADER], **body_doc(GUEST_BODY, required=False))
@blp.response(200, ResultSchema)
@blp.alt_response(401, description="registration_required：答卷已收下，登录认领后给结果")
@blp.alt_response(404, description="not_found")
@blp.alt_response(409, description="attempt_closed, profile_incomplete")
@guest
def submit(attempt_id: uuid.UUID) -> Response:
    """交卷

    重复交卷得到同样的结果。到时没交的，已存的答案按自动交卷判分。
    """
    asker, now = edge.asker_of(attempt_id, _token(_body("guest_token"))), utc_now()
    return json_response(submission_body(result_of(edge.submit(attempt_id, asker, now), now)))


@blp.route("/attempts/<uuid:attempt_id>/adoption", methods=["POST"])
@blp.doc(**body_doc(ADOPTION_BODY, required=True))
@blp.response(200, AttemptSchema)
@blp.alt_response(404, description="not_found")
@blp.alt_response(
    409, description="already_adopted, adoption_expired, attempt_limit_reached, open_attempt_exists, profile_incomplete, attempt_closed"
)
@citizen
def adopt(attempt_id: uuid.UUID) -> Response:
    """认领没登录时答的卷

    用掉本人的一次答题机会，不能撤销。已交的卷马上判分，答复是结果；没交的接着答。
    """
    token, now = _token(_body("guest_token")), utc_now()
    attempt = edge.adopt(attempt_id, current_principal().user_id, token, now)
    campaign = campaign_queries.get_campaign_by_id(attempt.campaign_id)
    if attempt.state == "graded":
        return json_response({**graded_body(result_of(attempt, now), campaign)})
    return json_response(open_body(attempt, campaign, attempt.standing(now)))


@blp.route("/attempts/<uuid:attempt_id>/questions/<int:position>/reports", methods=["POST"])
@blp.doc(**body_doc(FAULT_BODY, required=True))
@blp.response(201, FaultSchema)
@blp.alt_response(404, description="not_found")
@blp.alt_response(409, description="conflict：这道题已经反映过")
@blp.alt_response(422, description="invalid_input")
@blp.alt_response(429, description="too_many_reports")
@citizen
def report_fault(attempt_id: uuid.UUID, position: int) -> Response:
    """反映一道题有错

    只能反映自己答过、已经判分的题，每人每题一次。答复在答题结果里。
    """
    body = _body("reason", "text")
    reason, text = body.get("reason"), body.get("text") or ""
    if not isinstance(reason, str) or not isinstance(text, str):
        raise InvalidInput(fields={"reason": "填一个原因代码。"})
    if has_forbidden_characters(text):
        raise InvalidInput(fields={"text": "有不能用的字符。"})
    fault = edge.report_fault(attempt_id, current_principal().user_id, position, reason=reason, text=text, now=utc_now())
    found = {"id": str(fault.id), "position": position, "reason": fault.reason, "text": fault.text, "state": fault.state}
    return json_response({**found, "reported_at": rfc3339(fault.reported_at)}, 201)


@blp.route("/me/attempts", methods=["GET"])
@blp.arguments(HistoryArgs, location="query")
@blp.response(200, HistorySchema)
@citizen
def history(args: dict[str, Any]) -> Response:
    """我的答题记录，新的在前"""
    limit = args["limit"]
    items = queries.list_attempts(current_principal().user_id, utc_now(), limit=limit + 1, before=_place(args.get("after")))
    shown = items[:limit]
    following = encode_cursor(f"{shown[-1].started_at.isoformat()}|{shown[-1].id}") if len(items) > limit else None
    return json_response({"items": [history_body(item) for item in shown], "next": following})


def _place(after: str | None) -> tuple[dt.datetime, uuid.UUID] | None:
    text = decode_cursor(after)
    if text is None:
        return None
    moment, _, attempt_id = text.partition("|")
    try:
        place = dt.datetime.fromisoformat(moment), uuid.UUID(attempt_id)
        if place[0].tzinfo is None:
            raise ValueError("no zone")
    except ValueError:
        raise InvalidInput(fields={"after": "翻页的位置不对，请从头再看。"}) from None
    return place
