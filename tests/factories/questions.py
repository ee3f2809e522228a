"""Banks for tests."""

import datetime as dt
import uuid
from collections.abc import Sequence
from pathlib import Path

import sqlalchemy as sa

from quizapp.audit.services import SYSTEM
from quizapp.core.clock import utc_now
from quizapp.core.db import db, in_transaction, transaction
from quizapp.questions import queries, services
from quizapp.questions.loader import BankFile, BankHead, Entry
from quizapp.questions.models import Question, QuestionBank

BANKS = Path(__file__).resolve().parents[2] / "question_banks"


def make_entry(number: int, kind: str = "single", **changes: object) -> Entry:
    """Question ``number`` of a bank. The key is known: single 甲 (the first choice), multiple and indefinite 甲 and 丙,
    judge 对 for even numbers and 错 for odd ones."""
    is_judge = kind == "judge"
    values: dict[str, object] = {
        "code": f"q-{number:03d}",
        "kind": kind,
        "stem": f"第 {number} 题：牧民老白网购的毛衣第 5 天想退，吊牌完好，依法可以怎么办？",
        "choices": ("对", "错") if is_judge else tuple(f"{name}：第 {number} 题的选项" for name in "甲乙丙丁"),
        "answer": (number % 2,) if is_judge else (0,) if kind == "single" else (0, 2),
        "explanation": f"第 {number} 题的讲解：收到之日起七日内可以退，不用说理由，商品要完好。先留好聊天记录，再打 12315。",
        "citations": ({"law": "消费者权益保护法", "article": "25"},),
        "difficulty": 1 + number % 5,
        "tags": ("topic:七日退货", f"part:{number % 3}"),
        **changes,
    }
    return Entry(**values)  # type: ignore[arg-type]  # values are checked by Entry's users


def make_bank(
    slug: str = "consumer-rights",
    count: int = 12,
    kinds: Sequence[str] = ("single", "multiple", "judge", "indefinite"),
    *,
    now: dt.datetime | None = None,
    publish: bool = True,
    organisation_id: uuid.UUID | None = None,
) -> QuestionBank:
    """A published bank of ``count`` questions whose kinds take turns; opens its own transaction where none is open."""
    entries = tuple(make_entry(number, kinds[(number - 1) % len(kinds)]) for number in range(1, count + 1))
    file = BankFile(BankHead(slug, f"题库 {slug}", "consumer", "测试用的题库。", "CC BY 4.0"), entries)
    return import_file(file, now=now, publish=publish, organisation_id=organisation_id)


def import_file(
    file: BankFile, *, now: dt.datetime | None = None, publish: bool = True, organisation_id: uuid.UUID | None = None
) -> QuestionBank:
    def work() -> None:
        services.import_entries(file, now=now or utc_now(), actor=SYSTEM, publish=publish, organisation_id=organisation_id)

    if in_transaction():
        work()
    else:
        with transaction():
            work()
    queries.forget_pools()
    return queries.get_bank(file.head.slug)


def right_indices(revision_id: uuid.UUID) -> frozenset[int]:
    """The key of a revision."""
    return queries.get_revisions([revision_id])[revision_id].answer


def set_status(code: str, status: str) -> None:
    """Change what a question is in every bank that has it."""
    with transaction():
        db.session.execute(sa.update(Question).filter_by(code=code).values(status=status))
    queries.forget_pools()
