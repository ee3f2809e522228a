"""Bodies of campaigns with several quizzes, rounds or tracks."""

from collections.abc import Mapping
from typing import Any

import marshmallow as ma

from quizapp.attempts.models import CampaignEntry
from quizapp.attempts.seasons import Season
from quizapp.core.clock import rfc3339


class QuizStateSchema(ma.Schema):
    id = ma.fields.String()
    title = ma.fields.String()
    question_count = ma.fields.Integer()
    can_start = ma.fields.Boolean()
    code = ma.fields.String(allow_none=True, metadata={"description": "现在不能开始的原因代码"})
    detail = ma.fields.String(allow_none=True)
    next_at = ma.fields.String(allow_none=True, metadata={"description": "下次开放的时间"})


class CampaignEntrySchema(ma.Schema):
    track = ma.fields.String()
    team = ma.fields.String()
    answers = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.String())
    is_on_boards = ma.fields.Boolean()
    entered_at = ma.fields.String()


class GiftSchema(ma.Schema):
    kind = ma.fields.String()
    amount = ma.fields.Integer()
    name = ma.fields.String()


class EarnedSchema(ma.Schema):
    title = ma.fields.String()
    gifts = ma.fields.List(ma.fields.Nested(GiftSchema))
    points = ma.fields.Integer()
    granted_at = ma.fields.String()


class ProgressSchema(ma.Schema):
    title = ma.fields.String()
    value = ma.fields.Integer()


class SeasonSchema(ma.Schema):
    needs_entry = ma.fields.Boolean()
    entry = ma.fields.Nested(CampaignEntrySchema, allow_none=True)
    quizzes = ma.fields.List(ma.fields.Nested(QuizStateSchema))
    earned = ma.fields.List(ma.fields.Nested(EarnedSchema))
    progress = ma.fields.List(ma.fields.Nested(ProgressSchema))


def entry_body(entry: CampaignEntry, team_name: str, answers: Mapping[str, str]) -> dict[str, Any]:
    """A citizen's registration for a campaign."""
    return {
        "track": entry.track,
        "team": team_name,
        "answers": dict(answers),
        "is_on_boards": entry.is_on_boards,
        "entered_at": rfc3339(entry.entered_at),
    }


def season_body(season: Season, answers: Mapping[str, str]) -> dict[str, Any]:
    """Where a citizen stands in a campaign of several quizzes."""
    return {
        "needs_entry": season.needs_entry,
        "entry": entry_body(season.entry, season.team_name, answers) if season.entry else None,
        "quizzes": [
            {
                "id": state.quiz.id,
                "title": state.title,
                "question_count": state.quiz.question_count,
                "can_start": not state.code,
                "code": state.code or None,
                "detail": state.sentence or None,
                "next_at": rfc3339(state.next_at) if state.next_at else None,
            }
            for state in season.quizzes
        ],
        "earned": [
            {
                "title": item.title,
                "gifts": [{"kind": gift.kind, "amount": gift.amount, "name": gift.name} for gift in item.gifts],
                "points": item.points,
                "granted_at": rfc3339(item.at),
            }
            for item in season.earned
        ],
        "progress": [{"title": item.title, "value": item.value} for item in season.progress],
    }
