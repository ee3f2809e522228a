"""Published campaigns for tests."""

import datetime as dt
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from quizapp.accounts.models import Organisation
from quizapp.audit.services import SYSTEM
from quizapp.campaigns import queries, services
from quizapp.campaigns.models import Campaign
from quizapp.campaigns.services import running
from quizapp.campaigns.terms import DrawTerms, Eligibility, Paper, PaperPart, Points, PrizeTerms, Terms, Tries, plain_terms, to_dict
from quizapp.core.clock import utc_now
from quizapp.core.db import db, in_transaction, transaction
from quizapp.questions.queries import find_bank
from tests.factories.accounts import make_organisation, reference_data
from tests.factories.questions import make_bank

HOUR = dt.timedelta(hours=1)
ONE_CODE_PRIZE = (PrizeTerms(name="话费券", kind="code", quantity=10, odds_ppm=1_000_000, tier="一等奖"),)
"""A prize that every draw wins while there is stock."""


def make_host(name: str | None = None, parent: Organisation | None = None) -> Organisation:
    """A unit that hosts: the root, or one below it by name, made once."""
    root = reference_data()
    if name is None:
        return root
    found = db.session.scalar(sa.select(Organisation).filter_by(name=name))
    return found or make_organisation(name, parent or root, is_host=True)


def make_terms(
    *,
    now: dt.datetime | None = None,
    opens_at: dt.datetime | None = None,
    closes_at: dt.datetime | None = None,
    banks: Sequence[str] = ("consumer-rights",),
    question_count: int = 5,
    pass_count: int = 4,
    per_day: int | None = 3,
    total: int | None = None,
    limit_seconds: int | None = 300,
    prizes: Iterable[PrizeTerms | Mapping[str, Any]] | None = None,
    draw: Mapping[str, Any] | None = None,
    points: Points | None = None,
    eligibility: Mapping[str, Any] | None = None,
    **changes: Any,
) -> Terms:
    """Terms that are open from a day ago to ten days ahead, five questions, four right to pass; a draw when ``prizes``.

    :param draw: further values of ``DrawTerms``
    :param eligibility: values of ``Eligibility``
    :param changes: further values of ``Terms``
    """
    now = now or utc_now()
    tiers = tuple(prize if isinstance(prize, PrizeTerms) else PrizeTerms(**prize) for prize in prizes) if prizes else ()
    return plain_terms(
        opens_at=opens_at or now - 24 * HOUR,
        closes_at=closes_at or now + 240 * HOUR,
        paper=Paper(parts=(PaperPart(banks=tuple(banks), count=question_count),)),
        pass_count=pass_count,
        limit_seconds=limit_seconds,
        tries=Tries(per_day=per_day, total=total),
        draw=DrawTerms(**{"prizes": tiers, "wins_total": None, **(draw or {})}) if tiers else None,
        points=points or Points(),
        eligibility=Eligibility(**(eligibility or {})),
        **changes,
    )


def make_draft(
    slug: str = "c",
    *,
    terms: Terms | Mapping[str, Any] | None = None,
    kind: str = "voluntary",
    legal_basis: str = "",
    host: Organisation | None = None,
    title: str = "测试竞答",
    cohost_ids: Sequence[uuid.UUID] = (),
    now: dt.datetime | None = None,
    banks: Sequence[str] = ("consumer-rights",),
) -> Campaign:
    """A draft with complete terms and its bank."""
    now = now or utc_now()
    host = host or make_host()
    for bank in banks:
        if find_bank(bank) is None:
            make_bank(bank, now=now)
    body = to_dict(terms) if isinstance(terms, Terms) else dict(terms) if terms is not None else to_dict(make_terms(now=now, banks=banks))

    def work() -> Campaign:
        return services.create_campaign(
            slug=slug,
            title=title,
            host_organisation_id=host.id,
            now=now,
            actor=SYSTEM,
            kind=kind,
            legal_basis=legal_basis,
            summary="5 分钟弄懂自己的权利。",
            draft=body,
            cohost_ids=cohost_ids,
        )

    return _in_transaction(work)


def make_campaign(
    slug: str = "c",
    *,
    now: dt.datetime | None = None,
    banks: Sequence[str] = ("consumer-rights",),
    kind: str = "voluntary",
    legal_basis: str = "",
    host: Organisation | None = None,
    title: str = "测试竞答",
    terms: Terms | None = None,
    **values: Any,
) -> Campaign:
    """A published campaign, by default open now; ``values`` as in :func:`make_terms`. Makes missing banks and the host.

    A window in the past is published at its beginning, so that ended campaigns can be made too.
    """
    now = now or utc_now()
    if kind == "statutory_exam":
        legal_basis = legal_basis or "法治宣传教育法第三十六条"
        values.setdefault("eligibility", {"allows_guests": False})
    terms = terms or make_terms(now=now, banks=banks, **values)
    campaign = make_draft(slug, terms=terms, kind=kind, legal_basis=legal_basis, host=host, title=title, now=now, banks=banks)
    at = min(now, terms.opens_at)

    def work() -> Campaign:
        services.submit_for_approval(campaign.id, now=at, actor=SYSTEM)
        return services.publish_campaign(campaign.id, now=at, actor=SYSTEM)

    published = _in_transaction(work)
    queries.forget_campaigns()
    return published


def pause(campaign: Campaign, reason: str = "奖品补货", now: dt.datetime | None = None) -> None:
    _in_transaction(lambda: running.pause_campaign(campaign.id, reason=reason, now=now or utc_now(), actor=SYSTEM))


def _in_transaction(work: Callable[[], Any]) -> Any:
    if in_transaction():
        return work()
    with transaction():
        return work()
