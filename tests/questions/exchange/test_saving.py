"""Taking in: whole questions only, once only, all or nothing where that was chosen, whatever dies on the way."""

import datetime as dt
import threading
import uuid

import pytest
import sqlalchemy as sa
from flask import Flask

from quizapp.accounts.models import StaffAccount
from quizapp.audit.services import SYSTEM
from quizapp.core.clock import utc_now
from quizapp.core.db import db, transaction
from quizapp.questions import queries, services
from quizapp.questions.errors import ImportNotReady, QuestionIncomplete
from quizapp.questions.exchange import formats, imports, jobs, saving
from quizapp.questions.exchange.saving import Options
from quizapp.questions.exchange_models import QuestionImport
from quizapp.questions.loader import Entry
from quizapp.questions.models import Question, QuestionRevision
from tests.conftest import postgresql_only
from tests.factories.accounts import make_staff
from tests.factories.questions import make_bank, make_entry

pytestmark = pytest.mark.usefixtures("app")


@pytest.fixture
def editor(app: Flask) -> StaffAccount:
    make_bank("target", count=1)
    return make_staff("question_editor")


def _bring(editor: StaffAccount, entries: list[Entry], *, name: str = "csv", now: dt.datetime | None = None) -> uuid.UUID:
    raw = formats.BY_NAME[name].write(entries)
    with transaction():
        row, _ = imports.request_check(
            bank_slug="target", file_name=f"x.{name}", size=len(raw), organisation_id=None, staff_id=editor.id, now=now or utc_now()
        )
        imports.put_bytes(jobs.storage(), imports.source_key(row.id), raw)
    return row.id


def _confirm(editor: StaffAccount, import_id: uuid.UUID, **options: bool) -> None:
    with transaction():
        imports.confirm_import(import_id, Options(**options), staff_id=editor.id)


def _row(import_id: uuid.UUID) -> QuestionImport:
    db.session.rollback()
    row = db.session.get(QuestionImport, import_id, populate_existing=True)
    assert row is not None
    return row


def _count(model: type) -> int:
    db.session.rollback()
    return db.session.scalar(sa.select(sa.func.count()).select_from(model)) or 0


def _many(count: int) -> list[Entry]:
    return [make_entry(number, code="") for number in range(2, count + 2)]


class _Death(BaseException):
    """The process is gone: nothing of ours can catch it."""


def test_a_file_is_checked_confirmed_and_taken_in(editor: StaffAccount) -> None:
    import_id = _bring(editor, _many(30))
    assert jobs.run_imports() == 1
    row = _row(import_id)
    assert (row.state, row.counts["good"], row.counts["plan"]) == ("checked", 30, {"added": 30})
    _confirm(editor, import_id)
    assert jobs.run_imports() == 1
    assert _row(import_id).counts["result"] == {"added": 30, "revised": 0, "unchanged": 0, "kept": 0, "skipped": 0}
    latest = queries.list_latest(queries.get_bank("target").id)
    assert [item.question.code for item in latest] == [*(f"n-{number:04d}" for number in range(1, 31)), "q-001"]
    assert {item.question.status for item in latest} == {"draft", "published"}
    assert {item.revision.created_by for item in latest} == {None, editor.id}


def test_a_draft_with_a_gap_does_not_get_into_review(editor: StaffAccount) -> None:
    for changes in ({"explanation": ""}, {"citations": ()}):
        import_id = _bring(editor, [make_entry(5, code="", **changes)])
        jobs.run_imports()
        _confirm(editor, import_id, submits=True, adds_doubles=True)
        jobs.run_imports()
        db.session.rollback()
        newest = queries.list_latest(queries.get_bank("target").id)[0]
        assert newest.question.status == "draft"
        with pytest.raises(QuestionIncomplete), transaction():
            services.submit_question(newest.question.id, revision_id=newest.revision.id, now=utc_now(), actor=SYSTEM)


def test_the_check_says_what_the_import_then_does(editor: StaffAccount) -> None:
    make_bank("target", count=4, kinds=("single",))
    entries = [make_entry(1), make_entry(2, stem="改过的题干改过的题干"), make_entry(3, code=""), make_entry(8), make_entry(8, code="")]
    import_id = _bring(editor, entries)
    jobs.run_imports()
    planned = _row(import_id).counts["plan"]
    _confirm(editor, import_id)
    jobs.run_imports()
    done = {name: count for name, count in _row(import_id).counts["result"].items() if count}
    assert done == planned == {"added": 1, "revised": 1, "unchanged": 1, "skipped": 2}


def test_a_worker_that_dies_between_batches_leaves_the_rest_to_the_next(editor: StaffAccount, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "BATCH", 10)
    import_id = _bring(editor, _many(35))
    jobs.run_imports()
    _confirm(editor, import_id)
    real, calls = saving.take_in, []

    def dying(*args: object, **kwargs: object) -> object:
        calls.append(1)
        if len(calls) == 3:
            raise _Death
        return real(*args, **kwargs)  # type: ignore[arg-type]  # handed through

    monkeypatch.setattr(saving, "take_in", dying)
    with pytest.raises(_Death):
        jobs.run_imports()
    assert (_row(import_id).done_count, _count(Question)) == (20, 21)
    assert jobs.run_imports() == 0
    assert jobs.run_imports(utc_now() + imports.CLAIM + dt.timedelta(seconds=1)) == 1
    assert _count(Question) == _count(QuestionRevision) == 36
    assert _row(import_id).counts["result"]["added"] == 35


def test_all_or_nothing_leaves_nothing_when_it_dies(editor: StaffAccount, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "BATCH", 10)
    import_id = _bring(editor, _many(35))
    jobs.run_imports()
    _confirm(editor, import_id, takes_all=True)
    real = services.add_questions

    def dying(*args: object, **kwargs: object) -> object:
        real(*args, **kwargs)  # type: ignore[arg-type]  # handed through
        raise _Death

    monkeypatch.setattr(services, "add_questions", dying)
    with pytest.raises(_Death):
        jobs.run_imports()
    assert _count(Question) == 1
    monkeypatch.setattr(services, "add_questions", real)
    assert jobs.run_imports(utc_now() + imports.CLAIM + dt.timedelta(seconds=1)) == 1
    assert _count(Question) == 36


def test_what_always_fails_is_given_up_with_a_word(editor: StaffAccount, monkeypatch: pytest.MonkeyPatch) -> None:
    import_id = _bring(editor, _many(3))
    monkeypatch.setattr(formats, "read", lambda *args: 1 / 0)
    monkeypatch.setattr(jobs.log, "exception", lambda *args: None)
    for _ in range(imports.MAX_CLAIMS + 1):
        jobs.run_imports(utc_now() + dt.timedelta(seconds=1))
    row = _row(import_id)
    assert (row.state, bool(row.message)) == ("failed", True)
    assert jobs.run_imports(utc_now() + dt.timedelta(days=1)) == 0


def test_confirming_needs_a_check_and_something_good(editor: StaffAccount) -> None:
    import_id = _bring(editor, _many(1))
    with pytest.raises(ImportNotReady):
        _confirm(editor, import_id)
    jobs.run_imports()
    _confirm(editor, import_id)
    _confirm(editor, import_id)
    jobs.run_imports()
    _confirm(editor, import_id)
    assert jobs.run_imports() == 0
    assert _count(Question) == 2


def test_the_same_file_twice_adds_nothing(editor: StaffAccount) -> None:
    for expected in ({"added": 5}, {"skipped": 5}):
        import_id = _bring(editor, _many(5))
        jobs.run_imports()
        _confirm(editor, import_id)
        jobs.run_imports()
        assert {name: count for name, count in _row(import_id).counts["result"].items() if count} == expected


def test_a_file_of_last_week_is_forgotten_and_its_row_stays(editor: StaffAccount) -> None:
    long_ago = utc_now() - imports.KEEP - dt.timedelta(hours=1)
    import_id = _bring(editor, _many(2), now=long_ago)
    jobs.run_imports()
    done_id = _bring(editor, _many(2), now=utc_now())
    assert jobs.expire_imports() == 1
    assert _row(import_id).state == "cancelled"
    with pytest.raises(Exception, match="清理"):
        imports.read_report(jobs.storage(), import_id)
    jobs.run_imports()
    assert imports.read_report(jobs.storage(), done_id).sample


def test_a_bank_somebody_made_meanwhile_is_not_overwritten(editor: StaffAccount) -> None:
    from quizapp.questions.exchange import banks
    from quizapp.questions.loader import BankFile, BankHead

    raw = banks.write_zip(BankFile(BankHead("new-one", "新的", "tax", "", ""), (make_entry(1),)))
    with transaction():
        row, _ = imports.request_check(bank_slug="", file_name="x.zip", size=1, organisation_id=None, staff_id=editor.id, now=utc_now())
        imports.put_bytes(jobs.storage(), imports.source_key(row.id), raw)
    jobs.run_imports()
    make_bank("new-one", count=1)
    _confirm(editor, row.id)
    jobs.run_imports()
    assert _row(row.id).state == "failed"
    assert queries.get_bank("new-one").title == "题库 new-one"


@postgresql_only
def test_two_workers_take_in_one_file_once(app: Flask, editor: StaffAccount, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "BATCH", 20)
    import_id = _bring(editor, _many(200))
    jobs.run_imports()
    _confirm(editor, import_id)
    start = threading.Barrier(4)

    def work() -> None:
        with app.app_context():
            start.wait()
            jobs.run_imports()
            db.session.remove()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert _count(Question) == 201
    assert _row(import_id).counts["result"]["added"] == 200


def test_a_worker_that_was_taken_over_writes_nothing_more(editor: StaffAccount) -> None:
    import_id = _bring(editor, _many(5))
    jobs.run_imports()
    _confirm(editor, import_id)
    now = utc_now()
    with transaction():
        first = imports.claim_import(now)
    assert first is not None
    with transaction():
        second = imports.claim_import(now + imports.CLAIM)
    assert second is not None
    assert not jobs.work(first)
    assert _count(Question) == 1
    assert jobs.work(second)
    assert _count(Question) == 6
