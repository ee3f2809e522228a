"""Certificates of wins, when their winners ask."""

import datetime as dt
import uuid

from quizapp.certificates import services as certificates
from quizapp.certificates.models import Certificate
from quizapp.payouts import queries, rules
from quizapp.payouts.errors import NotClaimable


def certify_win(*, payout_id: uuid.UUID, citizen_id: uuid.UUID, now: dt.datetime) -> Certificate:
    """Issue the certificate of one's own win, or give the one it has.

    :raises PayoutNotFound: if it is somebody else's
    :raises NotClaimable: for what was not won, was voided, or is under review
    """
    payout = queries.lock_payout(payout_id, citizen_id=citizen_id)
    if payout.campaign_id is None or not rules.may_certify(payout.source_type, payout.state):
        raise NotClaimable
    campaign = queries.get_campaign_facts(payout.campaign_id)
    tier = f"{payout.tier}，" if payout.tier else ""
    lines = [f"在“{campaign.title}”中获得", f"{tier}{payout.title}，特发此证。"]
    if payout.reference:
        lines.append(f"抽奖号 {payout.reference}")
    return certificates.issue(
        "win",
        payout.source_type,
        payout.source_id,
        citizen_id,
        campaign.title,
        lines,
        now,
        issuer=campaign.host_name,
        organisation_path=campaign.host_path,
    )
