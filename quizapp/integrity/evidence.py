"""The one-page evidence file of one attempt: what was asked and answered and when, by the server's clock, under which rules, what
came of it, the draw and how anybody can check it, the hand-over, and whatever was decided since. It is read together from what
is stored; nothing in it is written for it."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from quizapp.accounts import queries as accounts
from quizapp.accounts.models import Consent, Organisation
from quizapp.accounts.rules import AGE_BAND_TITLES
from quizapp.attempts.models import Attempt, AttemptEvent, AttemptQuestion, AttemptRemark
from quizapp.campaigns.models import CampaignTermsVersion
from quizapp.core.clock import SHANGHAI
from quizapp.core.crypto import Vault
from quizapp.core.db import db
from quizapp.core.money import yuan
from quizapp.core.text import N_
from quizapp.integrity import queries, rules
from quizapp.integrity.errors import NotFoundAtDesk
from quizapp.integrity.models import Effect
from quizapp.integrity.queries import CampaignFacts
from quizapp.lottery import queries as lottery
from quizapp.lottery.models import Draw, DrawTicket
from quizapp.lottery.rules import ticket_number
from quizapp.payouts import queries as payout_queries
from quizapp.payouts import rules as payout_rules
from quizapp.payouts.models import Payout
from quizapp.questions import queries as questions
from quizapp.web.access import Grant


@dataclass(frozen=True)
class Line:
    """One thing that happened, by the server's clock."""

    at: dt.datetime
    what: str
    number: str = ""

    @property
    def clock(self) -> str:
        return f"{self.at.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}"


@dataclass(frozen=True)
class Asked:
    """One question. ``chosen`` and ``is_right`` are None where the reader may not see them."""

    position: int
    stem: str
    answered_at: dt.datetime | None
    chosen: str | None
    is_right: bool | None

    @property
    def clock(self) -> str:
        return f"{self.answered_at.astimezone(SHANGHAI):%H:%M:%S}" if self.answered_at else "—"


@dataclass(frozen=True)
class DrawLine:
    """One draw with what is needed to check it."""

    serial: int
    ticket: str
    drawn_at: dt.datetime
    outcome: str
    seal: str
    manifest_hash: str
    is_revealed: bool
    record_number: int


@dataclass(frozen=True)
class Evidence:
    """Everything the page and the PDF say."""

    number: str
    made_at: dt.datetime
    made_by: str
    attempt_id: uuid.UUID
    campaign: CampaignFacts
    alias: str
    phone: str
    profile: str
    consent: str
    terms: str
    terms_hash: str
    result: str
    timeline: tuple[Line, ...]
    asked: tuple[Asked, ...]
    shows_answers: bool
    draws: tuple[DrawLine, ...]
    payouts: tuple[tuple[str, str, tuple[Line, ...]], ...]
    decisions: tuple[Line, ...]

    @property
    def made_clock(self) -> str:
        return f"{self.made_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}"


def is_employer(grants: Sequence[Grant], unit_id: uuid.UUID | None, unit_path: str) -> bool:
    """Whether a reader works for the unit a citizen belongs to, or for one above it short of the root that hosts everything:
    an employer never sees a person's wrong answers."""
    if unit_id is None:
        return False
    return any(grant.organisation_id == unit_id or (grant.path != "/" and unit_path.startswith(grant.path)) for grant in grants)


def get_evidence(
    attempt_id: uuid.UUID, *, paths: Sequence[str], grants: Sequence[Grant], vault: Vault, number: str, made_by: str, now: dt.datetime
) -> Evidence:
    """Read one attempt together.

    :param paths: organisation subtrees of whose campaigns the reader may see files
    :raises NotFoundAtDesk: for a guest's paper, another unit's campaign, or none
    """
    attempt = db.session.get(Attempt, attempt_id)
    if attempt is None or attempt.citizen_id is None:
        raise NotFoundAtDesk
    facts = queries.get_campaign_facts(attempt.campaign_id, paths)
    unit_path = db.session.scalar(sa.select(Organisation.path).filter_by(id=attempt.organisation_id)) or ""
    shows = not is_employer(grants, attempt.organisation_id, unit_path)
    version = db.session.get_one(CampaignTermsVersion, attempt.terms_id)
    draws = _draws(attempt)
    payouts = _payouts(attempt)
    return Evidence(
        number=number,
        made_at=now,
        made_by=made_by,
        attempt_id=attempt.id,
        campaign=facts,
        alias=queries.find_alias(facts.id, attempt.citizen_id),
        phone=accounts.find_masked_phone(vault, attempt.citizen_id) or N_("没有登记"),
        profile=_profile(attempt),
        consent=_consent(attempt),
        terms=f"第 {version.number} 版",
        terms_hash=version.body_hash,
        result=_result(attempt),
        timeline=_timeline(attempt, draws),
        asked=_asked(attempt, shows),
        shows_answers=shows,
        draws=draws,
        payouts=payouts,
        decisions=_decisions(attempt),
    )


def _profile(attempt: Attempt) -> str:
    group = accounts.group_names().get(attempt.demographic_group or "", "")
    region = accounts.region_names().get(attempt.region_code or "", "")
    parts = [part for part in (group, region, AGE_BAND_TITLES.get(attempt.age_band or "", "")) if part]
    return "，".join(parts) or N_("没有填")


def _consent(attempt: Attempt) -> str:
    given = sa.select(Consent).filter_by(citizen_id=attempt.citizen_id, purpose=accounts.ACCOUNT).order_by(Consent.given_at).limit(1)
    row = db.session.scalar(given)
    return f"隐私说明 {row.version} 版，{row.given_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S} 同意" if row else N_("没有记录")


def _result(attempt: Attempt) -> str:
    if attempt.state != "graded":
        return {"open": N_("还没有交卷"), "handed_in": N_("交了，等登录补资料"), "lapsed": N_("过时没有交，不算")}[attempt.state]
    passed = N_("合格") if attempt.is_passed else N_("没合格")
    return f"答对 {attempt.correct_count}/{attempt.question_count} 题，{passed}，抽奖机会 {attempt.ticket_count} 次，积分 {attempt.points}"


def _timeline(attempt: Attempt, draws: Sequence[DrawLine]) -> tuple[Line, ...]:
    lines = [Line(attempt.started_at, N_("开始答题") if attempt.adopted_at is None else N_("没登录开始答题"), str(attempt.id)[-12:])]
    saved = sa.select(sa.func.count(), sa.func.max(AttemptQuestion.answered_at)).where(
        AttemptQuestion.attempt_id == attempt.id, AttemptQuestion.answered_at.is_not(None)
    )
    count, last = db.session.execute(saved).one()
    if last is not None:
        lines.append(Line(last, f"最后一次存答案，共 {count} 题有答案，一共存了 {attempt.save_count} 次"))
    if attempt.handed_in_at:
        lines.append(Line(attempt.handed_in_at, N_("到时自动交卷") if attempt.is_automatic else N_("交卷")))
    if attempt.adopted_at:
        lines.append(Line(attempt.adopted_at, N_("用手机号登录，这份答卷归到本人")))
    if attempt.submitted_at:
        lines.append(Line(attempt.submitted_at, N_("判分计入：") + _result(attempt)))
    late = {"late_answer": N_("过时的答案，没有计入"), "late_hand_in": N_("过时交卷，没有计入")}
    for event in db.session.scalars(sa.select(AttemptEvent).filter_by(attempt_id=attempt.id)):
        lines.append(Line(event.at, late.get(event.kind, event.kind)))
    for remark in db.session.scalars(sa.select(AttemptRemark).filter_by(attempt_id=attempt.id)):
        lines.append(
            Line(remark.remarked_at, f"第 {remark.position} 题改正答案，由 {remark.correct_before} 题改为 {remark.correct_after} 题")
        )
    lines += [Line(draw.drawn_at, f"抽奖：{draw.outcome}", f"第 {draw.serial:,} 号抽奖") for draw in draws]
    return tuple(sorted(lines, key=lambda line: line.at))


def _asked(attempt: Attempt, shows: bool) -> tuple[Asked, ...]:
    rows = db.session.scalars(sa.select(AttemptQuestion).filter_by(attempt_id=attempt.id).order_by(AttemptQuestion.position)).all()
    views = questions.get_revisions({row.revision_id for row in rows})
    found = []
    for row in rows:
        view = views[row.revision_id]
        chosen = None
        if shows:
            chosen = "；".join(view.choices[int(row.choice_order[ord(letter) - ord("A")])] for letter in row.chosen or "") or "—"
        is_right = attempt.marks[row.position - 1] == "1" if shows and attempt.marks else None
        found.append(Asked(row.position, view.stem, row.answered_at, chosen, is_right))
    return tuple(found)


def _draws(attempt: Attempt) -> tuple[DrawLine, ...]:
    drawn = sa.select(Draw.id, DrawTicket.id).join(DrawTicket, DrawTicket.id == Draw.ticket_id)
    mine = drawn.where(DrawTicket.source_type == "attempt", DrawTicket.source_id == attempt.id).order_by(Draw.serial)
    found = []
    for draw_id, ticket_id in db.session.execute(mine).all():
        proof, draw = lottery.get_proof(draw_id), db.session.get_one(Draw, draw_id)
        outcome = f"{proof.result.prize_tier}{proof.result.prize_name}" if proof.result.is_won else N_("没有中")
        revealed = proof.day.secret is not None
        manifest = proof.pool.manifest_hash
        found.append(
            DrawLine(draw.serial, ticket_number(ticket_id), draw.drawn_at, outcome, proof.seal, manifest, revealed, draw.record_number)
        )
    return tuple(found)


def _payouts(attempt: Attempt) -> tuple[tuple[str, str, tuple[Line, ...]], ...]:
    sources = queries.list_sources_of([attempt.id])
    rows = db.session.scalars(sa.select(Payout).where(Payout.source_id.in_(sources)).order_by(Payout.id))
    return tuple((_title(row), payout_rules.state_title(row.state, row.kind), _steps(row)) for row in rows)


def _title(payout: Payout) -> str:
    return f"{payout.title}（{yuan(payout.amount_fen)} 元）" if payout.amount_fen else payout.title


def _steps(payout: Payout) -> tuple[Line, ...]:
    events = payout_queries.list_events(payout.id)
    return tuple(Line(event.at, payout_rules.state_title(event.to_state, payout.kind), event.actor_name) for event in events)


def _decisions(attempt: Attempt) -> tuple[Line, ...]:
    """Decisions that touched this attempt, and whether it counts."""
    case = queries.find_case(attempt.campaign_id, attempt.citizen_id) if attempt.citizen_id else None
    if case is None:
        return ()
    touched = set(
        db.session.scalars(
            sa.select(Effect.decision_id).where(
                Effect.subject == str(attempt.id), Effect.kind.in_(("attempt_excluded", "attempt_restored"))
            )
        )
    )
    return tuple(
        Line(each.decided_at, f"{rules.KIND_TITLES[each.kind]}：{rules.REASONS.get(each.reason, '')}，{each.note}", each.staff_name)
        for each in queries.list_decisions(case.id)
        if each.id in touched
    )
