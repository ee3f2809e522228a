"""Sending a code from a page or the API: the limits are counted before, the message goes after the commit."""

import datetime as dt
from dataclasses import dataclass

from flask import current_app

from quizapp.accounts import edge, services
from quizapp.web.challenge import require_at_peak
from quizapp.web.security import client_ip, device_id


@dataclass(frozen=True)
class SentCode:
    """``shown_code`` is filled only in the demo, whose sender sends nothing."""

    retry_after_seconds: int
    expires_at: dt.datetime
    shown_code: str = ""


def own_device() -> str | None:
    """The name of this browser, or None for a client that has none and is limited by its address alone."""
    device = device_id()
    return None if device.startswith("ip") else device


def send_sign_in_code(phone: str, purpose: str, now: dt.datetime) -> SentCode:
    """Make and send a code to ``phone`` (eleven digits).

    :raises TooManyCodes, SmsNotSent:
    :raises ChallengeRequired: at a peak
    """
    app = current_app
    require_at_peak()
    issued = edge.issue_code(phone=phone, purpose=purpose, device=own_device(), address=client_ip(), now=now)
    sender = app.extensions["sms"]
    services.send_code(sender, issued)
    is_shown = sender.shows_codes and app.config["IS_DEMO_SIGN_IN"]
    return SentCode(issued.retry_after_seconds, issued.expires_at, issued.code if is_shown else "")
