"""Bodies of the attempt endpoints of ``/api/v1``. The builders make them (hot paths pass no schema); the schemas
document them."""

from typing import Any

import marshmallow as ma

from quizapp.attempts.papers import GradedQuestion, Result, ShownCorrection, ShownQuestion, open_paper
from quizapp.attempts.queries import AttemptView, HistoryItem
from quizapp.campaigns.rules import CampaignView
from quizapp.core.clock import rfc3339
from quizapp.questions.rules import FAULT_REASONS

# ---- builders


def _question(question: ShownQuestion | GradedQuestion) -> dict[str, Any]:
    return {
        "position": question.position,
        "kind": question.kind,
        "stem": question.stem,
        "choices": [{"key": key, "text": text} for key, text in question.choices],
    }


def paper_body(attempt: AttemptView, guest_token: str | None = None) -> dict[str, Any]:
    """A paper as it is given out: the same for every repeat, without a key and without what was chosen."""
    body: dict[str, Any] = {
        "id": str(attempt.id),
        "started_at": rfc3339(attempt.started_at),
        "deadline_at": rfc3339(attempt.deadline_at),
        "question_count": attempt.question_count,
        "questions": [_question(question) for question in open_paper(attempt)],
    }
    if guest_token is not None:
        body["guest_token"] = guest_token
    return body


def _head(attempt: AttemptView, campaign: CampaignView, state: str) -> dict[str, Any]:
    return {
        "id": str(attempt.id),
        "state": state,
        "campaign": {"slug": campaign.slug, "title": campaign.title},
        "started_at": rfc3339(attempt.started_at),
        "deadline_at": rfc3339(attempt.deadline_at),
        "handed_in_at": rfc3339(attempt.handed_in_at),
        "question_count": attempt.question_count,
    }


def open_body(attempt: AttemptView, campaign: CampaignView, state: str) -> dict[str, Any]:
    """An attempt that is not graded: while it is open its paper with what was chosen so far."""
    body = _head(attempt, campaign, state)
    if state == "open":
        body["questions"] = [{**_question(question), "chosen": list(question.chosen)} for question in open_paper(attempt)]
    return body


def submission_body(result: Result) -> dict[str, Any]:
    """The result as the hand-in answers it."""
    attempt = result.attempt
    return {
        "id": str(attempt.id),
        "correct_count": attempt.correct_count,
        "question_count": attempt.question_count,
        "passed": attempt.is_passed,
        "ticket_count": attempt.ticket_count,
        "points": attempt.points,
        "submitted_at": rfc3339(attempt.submitted_at),
        "feedback_at": rfc3339(result.feedback_at),
        "questions": [_graded(question) for question in result.questions],
    }


def _graded(question: GradedQuestion) -> dict[str, Any]:
    return {
        "position": question.position,
        "chosen": list(question.chosen),
        "answer": None if question.answer is None else list(question.answer),
        "correct": question.correct,
        "explanation": question.explanation,
        "citations": None if question.citations is None else list(question.citations),
        "correction": None if question.correction is None else _correction(question.correction),
    }


def _correction(correction: ShownCorrection) -> dict[str, Any]:
    return {
        "corrected_at": rfc3339(correction.corrected_at),
        "notice": correction.notice,
        "answer_before": list(correction.answer_before),
        "is_credited": correction.is_credited,
    }


def graded_body(result: Result, campaign: CampaignView) -> dict[str, Any]:
    """A graded attempt with its questions, to be read again later."""
    body = {**_head(result.attempt, campaign, "graded"), **submission_body(result)}
    body["questions"] = [{**_question(question), **_graded(question)} for question in result.questions]
    return body


def history_body(item: HistoryItem) -> dict[str, Any]:
    return {
        "id": str(item.id),
        "campaign": {"slug": item.campaign_slug, "title": item.campaign_title},
        "state": item.state,
        "started_at": rfc3339(item.started_at),
        "submitted_at": rfc3339(item.submitted_at),
        "question_count": item.question_count,
        "correct_count": item.correct_count,
        "passed": item.is_passed,
        "ticket_count": item.ticket_count,
        "points": item.points,
    }


# ---- documents


class ChoiceSchema(ma.Schema):
    key = ma.fields.String(required=True, metadata={"description": "显示字母，按这份答卷的顺序"})
    text = ma.fields.String(required=True)


class QuestionSchema(ma.Schema):
    position = ma.fields.Integer(required=True)
    kind = ma.fields.String(required=True, metadata={"description": "single, multiple, indefinite, judge"})
    stem = ma.fields.String(required=True)
    choices = ma.fields.List(ma.fields.Nested(ChoiceSchema), required=True)


class PaperSchema(ma.Schema):
    """A paper as it is given out; no key, no explanation."""

    id = ma.fields.String(required=True)
    started_at = ma.fields.String(required=True)
    deadline_at = ma.fields.String(required=True)
    question_count = ma.fields.Integer(required=True)
    questions = ma.fields.List(ma.fields.Nested(QuestionSchema), required=True)
    guest_token = ma.fields.String(metadata={"description": "只给没登录的人，只给这一次"})


class CampaignNameSchema(ma.Schema):
    slug = ma.fields.String(required=True)
    title = ma.fields.String(required=True)


class CorrectionSchema(ma.Schema):
    """The key was corrected after people had answered: what counted before, and the bureau's word about it."""

    corrected_at = ma.fields.String(required=True)
    notice = ma.fields.String(required=True)
    answer_before = ma.fields.List(ma.fields.String(), required=True)
    is_credited = ma.fields.Boolean(required=True, metadata={"description": "送分：抽到的人都算对"})


class GradedQuestionSchema(ma.Schema):
    position = ma.fields.Integer(required=True)
    chosen = ma.fields.List(ma.fields.String(), required=True)
    answer = ma.fields.List(ma.fields.String(), required=True, allow_none=True)
    correct = ma.fields.Boolean(required=True, allow_none=True)
    explanation = ma.fields.String(required=True, allow_none=True)
    citations = ma.fields.List(
        ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.String()),
        required=True,
        allow_none=True,
        metadata={"description": "{law, article} 或 {document, issuer, number, clause, date}"},
    )
    correction = ma.fields.Nested(CorrectionSchema, required=True, allow_none=True)


class ResultSchema(ma.Schema):
    """While the terms withhold feedback, answer, correct, explanation and citations are null and ``feedback_at`` is given."""

    id = ma.fields.String(required=True)
    correct_count = ma.fields.Integer(required=True)
    question_count = ma.fields.Integer(required=True)
    passed = ma.fields.Boolean(required=True)
    ticket_count = ma.fields.Integer(required=True)
    points = ma.fields.Integer(required=True)
    submitted_at = ma.fields.String(required=True)
    feedback_at = ma.fields.String(required=True, allow_none=True)
    questions = ma.fields.List(ma.fields.Nested(GradedQuestionSchema), required=True)


class AttemptQuestionSchema(QuestionSchema):
    chosen = ma.fields.List(ma.fields.String(), required=True)
    answer = ma.fields.List(ma.fields.String(), allow_none=True, metadata={"description": "只在交卷判分以后"})
    correct = ma.fields.Boolean(allow_none=True)
    explanation = ma.fields.String(allow_none=True)
    citations = ma.fields.List(ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.String()), allow_none=True)
    correction = ma.fields.Nested(CorrectionSchema, allow_none=True)


class AttemptSchema(ma.Schema):
    """``state``: open (with the paper) · handed_in (kept until registration) · graded (with the result) · lapsed."""

    id = ma.fields.String(required=True)
    state = ma.fields.String(required=True)
    campaign = ma.fields.Nested(CampaignNameSchema, required=True)
    started_at = ma.fields.String(required=True)
    deadline_at = ma.fields.String(required=True)
    handed_in_at = ma.fields.String(required=True, allow_none=True)
    question_count = ma.fields.Integer(required=True)
    questions = ma.fields.List(ma.fields.Nested(AttemptQuestionSchema))
    correct_count = ma.fields.Integer()
    passed = ma.fields.Boolean()
    ticket_count = ma.fields.Integer()
    points = ma.fields.Integer()
    submitted_at = ma.fields.String()
    feedback_at = ma.fields.String(allow_none=True)


class SavedAnswerSchema(ma.Schema):
    position = ma.fields.Integer(required=True)
    choices = ma.fields.List(ma.fields.String(), required=True)


class HistoryItemSchema(ma.Schema):
    id = ma.fields.String(required=True)
    campaign = ma.fields.Nested(CampaignNameSchema, required=True)
    state = ma.fields.String(required=True)
    started_at = ma.fields.String(required=True)
    submitted_at = ma.fields.String(required=True, allow_none=True)
    question_count = ma.fields.Integer(required=True)
    correct_count = ma.fields.Integer(required=True, allow_none=True)
    passed = ma.fields.Boolean(required=True, allow_none=True)
    ticket_count = ma.fields.Integer(required=True)
    points = ma.fields.Integer(required=True)


class HistorySchema(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(HistoryItemSchema), required=True)
    next = ma.fields.String(required=True, allow_none=True, metadata={"description": "下一页的 after"})


class FaultSchema(ma.Schema):
    """``state``: open · accepted (已处理) · declined (核对过，没有错)."""

    id = ma.fields.String(required=True)
    position = ma.fields.Integer(required=True)
    reason = ma.fields.String(required=True)
    text = ma.fields.String(required=True)
    state = ma.fields.String(required=True)
    reported_at = ma.fields.String(required=True)


class HistoryArgs(ma.Schema):
    after = ma.fields.String(metadata={"description": "上一页给的 next"})
    limit = ma.fields.Integer(load_default=20, validate=ma.validate.Range(1, 100))


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "additionalProperties": False}


_TOKEN = {"type": "string", "maxLength": 100, "description": "没登录时开始答题得到的 guest_token；也可以放在 X-Guest-Token 里"}
FAULT_BODY = {
    **_object(
        reason={
            "type": "string",
            "enum": list(FAULT_REASONS),
            "description": "key 答案不对 · outdated 法条改了 · unclear 说不清 · typo 错字 · other",
        },
        text={"type": "string", "maxLength": 300},
    ),
    "required": ["reason"],
}
CHANNELS = ("web", "official_account", "mini_program", "app")
START_BODY = _object(
    client_nonce={"type": "string", "maxLength": 64, "pattern": "^[0-9a-fA-F]*$", "description": "手机自己出的随机数，抽奖查验用"},
    large_type={"type": "boolean", "description": "大字显示，答题时间按活动规则加长"},
    quiz={"type": "string", "maxLength": 32, "description": "答哪一关，活动只有一关时不填"},
    channel={"type": "string", "enum": list(CHANNELS), "description": "从哪个入口来"},
)
ENTRY_BODY = _object(
    track={"type": "string", "maxLength": 32, "description": "赛道代号"},
    team={"type": "string", "maxLength": 20, "description": "队名：有就加入，没有就新建"},
    answers={"type": "object", "additionalProperties": {"type": "string"}, "description": "活动自己的问题，按代号"},
    is_on_boards={"type": "boolean", "description": "愿意用昵称上榜"},
)
ANSWER_BODY = {
    **_object(choices={"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 8}, guest_token=_TOKEN),
    "required": ["choices"],
}
GUEST_BODY = _object(guest_token=_TOKEN)
ADOPTION_BODY = {**_object(guest_token=_TOKEN), "required": ["guest_token"]}


def body_doc(schema: dict[str, Any], *, required: bool) -> dict[str, Any]:
    """The request body of a hand-parsed endpoint, for its document."""
    return {"requestBody": {"required": required, "content": {"application/json": {"schema": schema}}}}


GUEST_HEADER = {
    "in": "header",
    "name": "X-Guest-Token",
    "schema": {"type": "string", "maxLength": 100},
    "description": "没登录时开始答题得到的 guest_token",
}
