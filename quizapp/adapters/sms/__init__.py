"""Sending text messages: the protocol and its three errors. ``SMS_SENDER`` picks the implementation."""

from typing import Protocol


class SmsError(Exception):
    """A message was not sent."""


class SmsUnreachable(SmsError):
    """The service did not answer; whether it was sent is unknown."""


class SmsRecipientRefused(SmsError):
    """The number cannot receive messages."""


class SmsMessageRefused(SmsError):
    """The service refused the text or the account."""


class SmsSender(Protocol):
    """Sends one-time codes."""

    shows_codes: bool
    """Whether the code may be shown on the page (demo only)."""

    def send_code(self, phone: str, code: str, minutes: int) -> None:
        """Send ``code``, good for ``minutes``, to a mainland number of 11 digits.

        :raises SmsError: one of the three kinds
        """
        ...
