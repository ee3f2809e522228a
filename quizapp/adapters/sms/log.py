"""The demo's sender: nothing leaves the machine; the code is shown on the page. Neither number nor code is logged."""

import logging

log = logging.getLogger(__name__)


class LogSmsSender:
    shows_codes = True

    def send_code(self, phone: str, code: str, minutes: int) -> None:
        log.info("demo sender: a sign-in code was made, good for %d minutes", minutes)
