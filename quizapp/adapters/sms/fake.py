"""A sender that remembers, for tests."""

from quizapp.adapters.sms import SmsError


class FakeSmsSender:
    shows_codes = False

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []
        self.failure: SmsError | None = None

    def send_code(self, phone: str, code: str, minutes: int) -> None:
        if self.failure is not None:
            raise self.failure
        self.sent.append((phone, code))
