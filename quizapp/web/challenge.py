"""A small piece of work before a guest's start or a text message, at peaks only.

The phone looks for the number behind a SHA-256 (the ALTCHA v1 challenge: ``challenge = SHA-256(salt + number)``, signed by us);
that takes an old phone under a second and a flood of scripts their whole machine. It is no test of being human and no picture
to make out. Whoever has no JavaScript waits a few seconds instead and goes on: nobody is locked out. Each solution and each
waiting slip lets one request through, of the device it was given to, and runs out.
"""

import base64
import binascii
import datetime as dt
import hashlib
import hmac
import json
import secrets
import time
from typing import Any

from flask import current_app, request

from quizapp.core import challenges
from quizapp.core.clock import utc_now
from quizapp.core.db import transaction
from quizapp.core.errors import AppError
from quizapp.core.text import N_
from quizapp.web.limits import count_up
from quizapp.web.security import client_ip, device_id

MAX_NUMBER = 50_000
"""On average half of it is tried: well under a second on an old phone."""
LIFE = dt.timedelta(minutes=10)
WAIT_SECONDS = 10
HEADER, FIELD = "X-Challenge-Solution", "challenge_solution"
_MODE_SECONDS = 10.0
_mode: list[tuple[float, str]] = []


class ChallengeRequired(AppError):
    """``challenge`` is to be solved and sent back as ``X-Challenge-Solution``; or ``wait.slip`` after its seconds."""

    code = "challenge_required"
    message = N_("现在参加的人多，请稍等几秒，马上就好。")
    http_status = 428


def require_at_peak() -> None:
    """Count this request; at a peak, or when staff switched it on, let it through only with a solution or a slip.

    :raises ChallengeRequired: with a fresh challenge, and the slip to wait with
    """
    load = count_up("challenge-load", "all", 60)
    mode = current_mode()
    if mode == "off" or (mode == "auto" and load <= current_app.config["CHALLENGE_PER_MINUTE"]):
        return
    now = utc_now()
    sent = request.headers.get(HEADER, "") or request.form.get(FIELD, "")
    slip, left = "", WAIT_SECONDS
    if sent.startswith("wait:"):
        slip, left = _judge_slip(sent.removeprefix("wait:"), now)
        if slip and left <= 0 and _use(slip, now):
            return
        if left <= 0:
            slip, left = "", WAIT_SECONDS
    elif sent and (signature := _judge_solution(sent, now)) and _use(signature, now):
        return
    wait = {"slip": f"wait:{slip or _new_slip(now)}", "ready_in_seconds": left}
    raise ChallengeRequired(challenge=_new_challenge(now), wait=wait)


def current_mode() -> str:
    """The switch, read anew every few seconds."""
    if not _mode or _mode[0][0] <= time.monotonic():
        _mode[:] = [(time.monotonic() + _MODE_SECONDS, challenges.get_mode())]
    return _mode[0][1]


def forget_mode() -> None:
    """Read the switch anew at the next request of this process."""
    _mode.clear()


def _key() -> bytes:
    return hashlib.sha256(b"quizapp/challenge/v1" + current_app.config["SECRET_KEY"].encode()).digest()


def _sign(text: str) -> str:
    return hmac.new(_key(), text.encode(), "sha256").hexdigest()


def _whose() -> str:
    """The device, or the address of a client without a name: a solution is no ticket for others."""
    return hashlib.sha256(f"{device_id()}|{client_ip() if device_id().startswith('ip') else ''}".encode()).hexdigest()[:16]


# ---- work


def _new_challenge(now: dt.datetime) -> dict[str, Any]:
    salt = f"{secrets.token_hex(12)}?expires={int((now + LIFE).timestamp())}&for={_whose()}&"
    challenge = hashlib.sha256(f"{salt}{secrets.randbelow(MAX_NUMBER)}".encode()).hexdigest()
    return {"algorithm": "SHA-256", "challenge": challenge, "salt": salt, "signature": _sign(challenge), "maxnumber": MAX_NUMBER}


def _judge_solution(sent: str, now: dt.datetime) -> str:
    """The signature of a right solution, else nothing."""
    try:
        given = json.loads(base64.b64decode(sent[:2000], validate=True))
        salt, challenge, signature, number = str(given["salt"]), str(given["challenge"]), str(given["signature"]), int(given["number"])
        expires = int(salt.split("?expires=")[1].split("&")[0])
    except (binascii.Error, ValueError, KeyError, TypeError, IndexError, UnicodeDecodeError, RecursionError):
        return ""
    is_ours = hmac.compare_digest(_sign(challenge).encode(), signature.encode())
    is_right = hashlib.sha256(f"{salt}{number}".encode()).hexdigest() == challenge and 0 <= number < MAX_NUMBER
    is_mine = f"&for={_whose()}&" in salt
    return signature if is_ours and is_right and is_mine and now.timestamp() < expires else ""


# ---- waiting


def _new_slip(now: dt.datetime) -> str:
    body = f"{int(now.timestamp())}.{secrets.token_hex(8)}.{_whose()}"
    return f"{body}.{_sign(body)}"


def _judge_slip(slip: str, now: dt.datetime) -> tuple[str, int]:
    """The slip if it is ours and this device's, and the seconds that are left to wait; an empty one for any other."""
    body, _, signature = slip[:300].rpartition(".")
    if not hmac.compare_digest(_sign(body).encode(), signature.encode()):
        return "", WAIT_SECONDS
    issued, _nonce, whose = body.split(".")
    age = int(now.timestamp()) - int(issued)
    if whose != _whose() or age > LIFE.total_seconds():
        return "", WAIT_SECONDS
    return slip, max(0, WAIT_SECONDS - age)


def _use(text: str, now: dt.datetime) -> bool:
    with transaction():
        return challenges.use_once(hashlib.sha256(text.encode()).digest(), now + LIFE)
