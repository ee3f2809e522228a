"""The real application with two references beside it, so that all three run on the same server:

``null``       reads the signed cookie and answers JSON, no database
``reference``  the submit as one hand-written statement over a psycopg pool, tables of its own, the same body
"""

import json
import os
import threading
from typing import Any

import psycopg
from flask import Blueprint, Response, request, session

from bench.reference import REFERENCE
from quizapp.web.access import public
from wsgi import app

bp = Blueprint("bench", __name__, url_prefix="/api/bench")
_local = threading.local()

_EXPLANATION = (
    "网购的多数商品，收到之日起七日内可以退，不需要理由，商品要完好，退货运费除另有约定外由自己承担。定作的、鲜活易腐的等几类除外。"
)
BODY: dict[str, Any] = {
    "correct_count": 4,
    "question_count": 5,
    "passed": True,
    "ticket_count": 1,
    "feedback_at": None,
    "questions": [
        {
            "position": position,
            "chosen": ["A"],
            "answer": ["A"],
            "correct": position != 3,
            "explanation": _EXPLANATION,
            "citations": [{"law": "消费者权益保护法", "article": "25"}],
        }
        for position in range(1, 6)
    ],
}


def _connection() -> "psycopg.Connection[Any]":
    if not hasattr(_local, "connection"):
        url = os.environ["DATABASE_URL"].replace("postgresql+psycopg://", "postgresql://", 1)
        _local.connection = psycopg.connect(url, autocommit=True, prepare_threshold=1)
    connection: psycopg.Connection[Any] = _local.connection
    return connection


@bp.post("/null")
@public
def null() -> Response:
    """The least a submit could do: read the cookie and the body, answer the same JSON."""
    session.get("bench")
    request.get_json()
    return Response(json.dumps(BODY, ensure_ascii=False, separators=(",", ":")), mimetype="application/json")


@bp.post("/reference")
@public
def reference() -> Response:
    session.get("bench")
    sent = request.get_json()
    parameters = {"person": sent["person"], "number": sent["number"], "paper": sent["number"] % 100 + 1, "chosen": "ABCDB"}
    correct = _connection().execute(REFERENCE, parameters).fetchone()[0]  # type: ignore[index]  # one row always
    body = {**BODY, "correct_count": correct}
    return Response(json.dumps(body, ensure_ascii=False, separators=(",", ":")), mimetype="application/json")


app.register_blueprint(bp)
