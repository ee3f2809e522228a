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

from quizapp import create_app
from quizapp.web.access import public

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

REFERENCE_TABLES = """
CREATE TABLE bench_questions (id int PRIMARY KEY, answers text NOT NULL);
INSERT INTO bench_questions SELECT n, 'ABCDA' FROM generate_series(1, 100) n;
CREATE TABLE bench_attempts (id bigserial PRIMARY KEY, person int NOT NULL, number int NOT NULL, paper int NOT NULL, chosen text NOT NULL,
  correct int NOT NULL, grp text NOT NULL, region text NOT NULL, submitted_at timestamptz NOT NULL DEFAULT now(), UNIQUE (person, number));
CREATE TABLE bench_entries (id bigserial PRIMARY KEY, person int NOT NULL, amount int NOT NULL, source bigint NOT NULL UNIQUE);
CREATE TABLE bench_balances (person int PRIMARY KEY, balance int NOT NULL);
CREATE TABLE bench_tickets (id bigserial PRIMARY KEY, person int NOT NULL, source bigint NOT NULL UNIQUE);
"""

REFERENCE = """
WITH q AS (SELECT answers FROM bench_questions WHERE id = %(paper)s),
g AS (SELECT (SELECT count(*) FROM generate_series(1, 5) p WHERE substr(q.answers, p, 1) = substr(%(chosen)s, p, 1))::int AS correct FROM q),
a AS (INSERT INTO bench_attempts (person, number, paper, chosen, correct, grp, region)
  SELECT %(person)s, %(number)s, %(paper)s, %(chosen)s, g.correct, 'resident', '150402' FROM g RETURNING id, correct),
e AS (INSERT INTO bench_entries (person, amount, source) SELECT %(person)s, 5, id FROM a),
b AS (INSERT INTO bench_balances AS t (person, balance) VALUES (%(person)s, 5) ON CONFLICT (person) DO UPDATE SET balance = t.balance + 5),
t AS (INSERT INTO bench_tickets (person, source) SELECT %(person)s, id FROM a WHERE correct >= 4)
SELECT correct FROM a
"""


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


app = create_app()
app.register_blueprint(bp)
