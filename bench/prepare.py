"""Fill the bench's database: banks, one campaign per round, citizens with tokens, papers ready to hand in.

Runs in a process of its own: ``python -m bench.prepare FOLDER CITIZENS ROUNDS``. Writes ``tokens.txt`` and
``papers-<round>.txt`` (``token attempt_id`` per line) into FOLDER.
"""

import datetime as dt
import random
import sys
from pathlib import Path

import flask_migrate
import sqlalchemy as sa

from quizapp import create_app
from quizapp.accounts import seeds
from quizapp.accounts.models import Citizen, Consent, Organisation, UserSession
from quizapp.attempts.models import Attempt, AttemptQuestion
from quizapp.audit.services import SYSTEM
from quizapp.campaigns import terms as t
from quizapp.campaigns.models import Campaign
from quizapp.core.clock import shanghai_day, utc_now
from quizapp.core.crypto import new_token, token_hash
from quizapp.core.db import db, transaction
from quizapp.core.ids import new_id
from quizapp.questions import queries as questions
from quizapp.questions import services as question_services
from tests.factories import campaigns

ROOT = Path(__file__).resolve().parent.parent
GROUPS = ("enterprise", "youth", "farmer_herder", "resident")
REGIONS = ("150402", "150403", "150404", "150421", "150422", "150423")
PRIZES = (
    t.PrizeTerms(name="普法帆布袋", kind="pickup", quantity=100_000, odds_ppm=100_000, tier="纪念奖"),
    t.PrizeTerms(name="10 积分", kind="points", quantity=1_000_000, odds_ppm=200_000, points=10),
)


def _terms(now: dt.datetime) -> t.Terms:
    return t.plain_terms(
        opens_at=now,
        closes_at=now + dt.timedelta(days=5),
        paper=t.Paper((t.PaperPart(("consumer-rights",), 5),)),
        pass_count=4,
        limit_seconds=7200,
        tries=t.Tries(50, None),
        draw=t.DrawTerms(PRIZES, wins_total=None, excluded_groups=(), spare_days=2),
        points=t.Points(passed=5, failed=1, daily_limit=1000),
        eligibility=t.Eligibility(guest_starts_per_device_day=1000),
    )


def _campaign(slug: str, host: Organisation, now: dt.datetime) -> Campaign:
    return campaigns.make_campaign(slug, terms=_terms(now), host=host, now=now)


def main(folder: Path, citizen_count: int, rounds: int) -> None:
    app = create_app()
    rng = random.Random(1)
    with app.app_context():
        flask_migrate.upgrade(directory=str(ROOT / "migrations"))
        now = utc_now()
        with transaction():
            seeds.load_reference_data()
            seeds.load_demo_staff()
        with transaction():
            question_services.import_bank(ROOT / "question_banks" / "consumer-rights", now=now, actor=SYSTEM, publish=True)
        tokens = [new_token() for _ in range(citizen_count)]
        (folder / "tokens.txt").write_text("\n".join(tokens) + "\n", encoding="ascii")
        with transaction():
            session = db.session
            host = session.scalars(sa.select(Organisation).order_by(Organisation.path).limit(1)).one()
            ids = [new_id() for _ in tokens]
            session.execute(sa.insert(Citizen), [
                {"id": i, "nickname": f"市民{n}", "demographic_group": GROUPS[n % 4], "region_code": REGIONS[n % 6], "age_band": "18_59", "status": "active", "created_at": now}
                for n, i in enumerate(ids)
            ])  # fmt: skip
            session.execute(sa.insert(Consent), [
                {"id": new_id(), "citizen_id": i, "purpose": "account", "version": "1", "given_by": "self", "given_at": now} for i in ids
            ])  # fmt: skip
            session.execute(sa.insert(UserSession), [
                {"id": new_id(), "token_hash": token_hash(token), "citizen_id": i, "is_bearer": True, "device_label": "", "created_at": now,
                 "last_seen_at": now, "idle_seconds": 86400, "expires_at": now + dt.timedelta(days=2)}
                for i, token in zip(ids, tokens, strict=True)
            ])  # fmt: skip
            _campaign("bench-play", host, now)
            pool = questions.list_pool(banks=("consumer-rights",))
            views = questions.get_revisions([item.revision_id for item in pool])
            for number in range(rounds):
                campaign = _campaign(f"bench-{number}", host, now)
                _papers(folder / f"papers-{number}.txt", campaign, ids, tokens, list(views.values()), rng, now)
        if db.engine.dialect.name == "postgresql":
            db.session.rollback()
            with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql("VACUUM ANALYZE")


def _papers(path, campaign, ids, tokens, views, rng, now) -> None:  # type: ignore[no-untyped-def]  # a script's helper
    attempts, rows, lines = [], [], []
    for citizen, token in zip(ids, tokens, strict=True):
        attempt = new_id()
        attempts.append({
            "id": attempt, "campaign_id": campaign.id, "terms_id": campaign.terms_id, "citizen_id": citizen, "device_tag": bytes(32),
            "client_nonce": "ab" * 16, "state": "open", "day_try": 1, "total_try": 1, "started_at": now, "started_on": shanghai_day(now),
            "deadline_at": now + dt.timedelta(hours=2), "question_count": 5,
        })  # fmt: skip
        for position, view in enumerate(rng.sample(views, 5), 1):
            order = "".join(str(n) for n in range(len(view.choices)))
            right = "".join("ABCDE"[n] for n in sorted(view.answer))
            chosen = right if rng.random() < 0.85 else "A"
            rows.append(
                {
                    "attempt_id": attempt,
                    "position": position,
                    "revision_id": view.id,
                    "choice_order": order,
                    "chosen": chosen,
                    "answered_at": now,
                }
            )
        lines.append(f"{token} {attempt}\n")
    db.session.execute(sa.insert(Attempt), attempts)
    db.session.execute(sa.insert(AttemptQuestion), rows)
    path.write_text("".join(lines), encoding="ascii")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
