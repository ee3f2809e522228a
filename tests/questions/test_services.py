import time
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from quizapp.audit.models import AuditEntry
from quizapp.audit.services import SYSTEM, Actor
from quizapp.core.clock import utc_now
from quizapp.core.db import db, transaction
from quizapp.questions import loader, queries, services
from quizapp.questions.errors import BankFileInvalid, OwnWork, QuestionChanged
from quizapp.questions.exchange import banks
from quizapp.questions.loader import BankFile, BankHead, Entry
from quizapp.questions.models import Question, QuestionBank, QuestionRevision
from quizapp.questions.seeds import load_shipped_banks
from tests.factories.accounts import make_staff
from tests.factories.questions import BANKS, make_bank, make_entry, set_status

pytestmark = pytest.mark.usefixtures("app")
HEAD = BankHead("b", "题库", "consumer", "", "")


def _import(*entries: Entry, publish: bool = True, replace_: bool = False, head: BankHead | None = None) -> services.ImportResult:
    with transaction():
        return services.import_entries(BankFile(head or HEAD, entries), now=utc_now(), actor=SYSTEM, publish=publish, replace=replace_)


def _revision_count() -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(QuestionRevision)) or 0


def _staff_revision(code: str, **changes: object) -> QuestionRevision:
    """Somebody of the bureau edits a question."""
    with transaction():
        question = db.session.scalars(sa.select(Question).filter_by(code=code)).one()
        latest = queries.list_revisions(question.id)[0]
        entry = replace(services.as_entry(question, latest), **changes)  # type: ignore[arg-type]
        revision = QuestionRevision(
            question_id=question.id,
            number=latest.number + 1,
            origin="staff",
            content_hash=entry.content_hash(),
            created_at=utc_now(),
            **{
                name: list(value) if isinstance(value, tuple) else value
                for name, value in vars(entry).items()
                if name not in ("code", "reviewed_on")
            },
        )
        db.session.add(revision)
        db.session.flush()
        question.current_revision_id = revision.id
    queries.forget_pools()
    return revision


def test_a_made_bank_can_be_drawn_from() -> None:
    make_bank(count=12)
    pool = queries.list_pool(banks=["consumer-rights"])
    assert len(pool) == 12
    assert queries.count_pool(banks=["consumer-rights"], kinds=["judge"]) == 3
    assert queries.count_pool(banks=["consumer-rights"], difficulties=[1, 2]) == 5
    assert queries.count_pool(banks=["consumer-rights"], tags=["part:1", "part:2"]) == 8
    assert queries.count_pool(banks=["consumer-rights"], tags=["part:1"], kinds=["multiple"], difficulties=[1, 2]) == 1
    assert queries.count_pool(banks=["another"]) == 0


def test_importing_the_same_again_adds_nothing() -> None:
    first = _import(make_entry(1), make_entry(2))
    again = _import(make_entry(1), make_entry(2))
    assert (len(first.added), len(again.added), again.unchanged) == (2, 0, 2)
    assert _revision_count() == 2
    assert db.session.scalar(sa.select(sa.func.count()).select_from(AuditEntry).filter_by(action="questions.imported")) == 1


def test_a_changed_question_gets_a_revision_and_the_old_one_stays() -> None:
    _import(make_entry(1), make_entry(2))
    before = queries.list_pool(banks=["b"])
    result = _import(make_entry(1, stem="改过的题干"), make_entry(2))
    assert (result.revised, result.unchanged) == (("q-001",), 1)
    after = queries.list_pool(banks=["b"])
    assert {item.question_id for item in after} == {item.question_id for item in before}
    changed = {item.revision_id for item in after} - {item.revision_id for item in before}
    (new_id,) = changed
    old_id = next(item.revision_id for item in before if item.revision_id not in {one.revision_id for one in after})
    views = queries.get_revisions([new_id, old_id])
    assert views[new_id].stem == "改过的题干"
    assert views[old_id].stem == make_entry(1).stem
    assert (views[old_id].number, views[new_id].number) == (1, 2)


def test_the_database_refuses_to_change_or_delete_a_revision() -> None:
    _import(make_entry(1))
    for statement in (sa.update(QuestionRevision).values(stem="x"), sa.delete(QuestionRevision)):
        with pytest.raises(sa.exc.DatabaseError), transaction():
            db.session.execute(statement)
    assert _revision_count() == 1


def test_a_revision_staff_made_is_kept_unless_replace() -> None:
    _import(make_entry(1), make_entry(2))
    _staff_revision("q-001", stem="后台改的题干")
    result = _import(make_entry(1), make_entry(2, stem="文件改的题干"))
    assert (result.kept, result.revised) == (("q-001",), ("q-002",))
    (item,) = [one for one in queries.list_pool(banks=["b"]) if queries.get_revisions([one.revision_id])[one.revision_id].number == 2][:1]
    assert item
    stems = {queries.get_revisions([one.revision_id])[one.revision_id].stem for one in queries.list_pool(banks=["b"])}
    assert stems == {"后台改的题干", "文件改的题干"}
    forced = _import(make_entry(1), make_entry(2, stem="文件改的题干"), replace_=True)
    assert forced.revised == ("q-001",)
    stems = {queries.get_revisions([one.revision_id])[one.revision_id].stem for one in queries.list_pool(banks=["b"])}
    assert stems == {make_entry(1).stem, "文件改的题干"}


def test_questions_missing_from_the_file_stay_and_are_reported() -> None:
    _import(make_entry(1), make_entry(2))
    result = _import(make_entry(2))
    assert result.missing == ("q-001",)
    assert len(queries.list_pool(banks=["b"])) == 2


def test_without_publishing_new_questions_wait_for_review() -> None:
    _import(make_entry(1), publish=False)
    assert db.session.scalars(sa.select(Question.status)).all() == ["in_review"]
    assert queries.list_pool(banks=["b"]) == ()


def test_an_import_that_needs_review_never_empties_a_running_pool() -> None:
    _import(make_entry(1))
    (before,) = queries.list_pool(banks=["b"])
    _import(make_entry(1, stem="等复核的新题干"), publish=False)
    assert queries.list_pool(banks=["b"]) == (before,)
    (counts,) = queries.list_bank_counts()
    assert counts.waiting == 1
    question = db.session.scalars(sa.select(Question)).one()
    newest = queries.list_revisions(question.id)[0]
    with transaction():
        services.approve_question(question.id, revision_id=newest.id, now=utc_now(), actor=SYSTEM)
    (after,) = queries.list_pool(banks=["b"])
    assert after.revision_id == newest.id
    assert queries.list_bank_counts()[0].waiting == 0


def test_publishing_an_unchanged_question_that_waits_releases_it() -> None:
    _import(make_entry(1), publish=False)
    assert _import(make_entry(1), publish=True).unchanged == 1
    assert len(queries.list_pool(banks=["b"])) == 1


def test_a_suspended_question_stays_out_whatever_is_imported() -> None:
    _import(make_entry(1))
    set_status("q-001", "suspended")
    _import(make_entry(1, stem="新的题干"))
    assert queries.list_pool(banks=["b"]) == ()


def test_reviewing_what_is_no_longer_newest_is_refused() -> None:
    _import(make_entry(1), publish=False)
    question = db.session.scalars(sa.select(Question)).one()
    old = queries.list_revisions(question.id)[0]
    _import(make_entry(1, stem="又改了"), publish=False)
    with pytest.raises(QuestionChanged), transaction():
        services.approve_question(question.id, revision_id=old.id, now=utc_now(), actor=SYSTEM)


def test_nobody_reviews_the_own_import() -> None:
    editor, reviewer = make_staff("question_editor"), make_staff("question_reviewer")
    with transaction():
        services.import_entries(BankFile(HEAD, (make_entry(1),)), now=utc_now(), actor=SYSTEM, publish=False, created_by=editor.id)
    bank = queries.get_bank("b")
    question = db.session.scalars(sa.select(Question)).one()
    revision_id = queries.list_revisions(question.id)[0].id
    with pytest.raises(OwnWork), transaction():
        services.approve_question(question.id, revision_id=revision_id, now=utc_now(), actor=Actor("staff", editor.id, "编"))
    with transaction():
        assert services.approve_bank(bank, now=utc_now(), actor=Actor("staff", editor.id, "编")) == 0
    with transaction():
        assert services.approve_bank(bank, now=utc_now(), actor=Actor("staff", reviewer.id, "审")) == 1
    assert len(queries.list_pool(banks=["b"])) == 1


def test_suspending_takes_a_question_out_of_the_pool_at_once() -> None:
    _import(make_entry(1), make_entry(2))
    assert len(queries.list_pool(banks=["b"])) == 2
    question = db.session.scalars(sa.select(Question).filter_by(code="q-001")).one()
    with transaction():
        services.suspend_question(question.id, reason="法律改了", now=utc_now(), actor=SYSTEM)
    assert len(queries.list_pool(banks=["b"])) == 1


def test_a_broken_folder_leaves_the_bank_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "bank.yaml").write_text(loader.write_head(HEAD), encoding="utf-8")
    (tmp_path / "questions.yaml").write_text(loader.write_entries((make_entry(1), make_entry(2, answer=(7,) * 1))[:1]), encoding="utf-8")
    with transaction():
        services.import_bank(tmp_path, now=utc_now(), actor=SYSTEM, publish=True)
    with (tmp_path / "questions.yaml").open("a", encoding="utf-8") as file:
        file.write("- id: q-002\n  kind: single\n")
    with pytest.raises(BankFileInvalid), transaction():
        services.import_bank(tmp_path, now=utc_now(), actor=SYSTEM, publish=True)
    assert _revision_count() == 1


def test_an_export_imports_again_without_a_change() -> None:
    make_bank(count=9)
    bank = services.export_bank("consumer-rights")
    result = _import(*bank.entries, head=bank.head)
    assert (result.added, result.revised, result.unchanged, result.missing) == ((), (), 9, ())
    assert _revision_count() == 9
    assert banks.write_zip(bank) == banks.write_zip(services.export_bank("consumer-rights"))


def test_an_import_keeps_what_staff_wrote_and_names_what_the_file_lacks() -> None:
    _import(make_entry(1), make_entry(2), make_entry(4))
    _staff_revision("q-002", stem="后台改的")
    done = _import(make_entry(1, stem="改"), make_entry(2), make_entry(3))
    assert (done.added, done.revised, done.kept, done.missing) == (("q-003",), ("q-001",), ("q-002",), ("q-004",))


def test_demo_banks_load_twice_without_a_change() -> None:
    with transaction():
        load_shipped_banks()
    count = _revision_count()
    assert count >= 150
    with transaction():
        load_shipped_banks()
    assert _revision_count() == count
    assert db.session.scalar(sa.select(sa.func.count()).select_from(QuestionBank)) == len(list(BANKS.iterdir()))


def test_revisions_are_read_once_per_process() -> None:
    make_bank(count=5)
    ids = [item.revision_id for item in queries.list_pool(banks=["consumer-rights"])]
    queries.get_revisions(ids)
    statements: list[str] = []

    def note(connection: object, cursor: object, statement: str, *rest: object) -> None:
        statements.append(statement)

    sa.event.listen(db.engine, "before_cursor_execute", note)
    try:
        queries.get_revisions(ids)
        queries.list_pool(banks=["consumer-rights"])
    finally:
        sa.event.remove(db.engine, "before_cursor_execute", note)
    assert statements == []
    with pytest.raises(KeyError):
        queries.get_revisions([db.session.scalars(sa.select(Question.id)).first()])


def test_another_process_sees_a_changed_pool_after_some_seconds(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    make_bank(count=3)
    assert len(queries.list_pool(banks=["consumer-rights"])) == 3
    with transaction():
        db.session.execute(sa.update(Question).filter_by(code="q-001").values(status="suspended"))
    assert len(queries.list_pool(banks=["consumer-rights"])) == 3
    later = time.monotonic() + queries.POOL_SECONDS + 1
    monkeypatch.setattr("quizapp.questions.queries.pools.time.monotonic", lambda: later)
    assert len(queries.list_pool(banks=["consumer-rights"])) == 2
    queries.forget_pools()


def test_two_imports_of_a_new_bank_at_once_make_one_bank(app: Flask) -> None:
    import threading

    failures: list[BaseException] = []

    def work() -> None:
        with app.app_context():
            try:
                _import(make_entry(1), make_entry(2))
            except sa.exc.IntegrityError as error:
                failures.append(error)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    db.session.rollback()
    assert db.session.scalar(sa.select(sa.func.count()).select_from(QuestionBank)) == 1
    assert _revision_count() == 2
