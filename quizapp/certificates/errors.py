"""The ways to be refused by certificates."""

from quizapp.core.errors import InvalidInput, NotFound
from quizapp.core.text import N_


class CertificateNotFound(NotFound):
    message = N_("没有这个编号的证书，请对着证书再核对一遍。")


class ReasonNeeded(InvalidInput):
    def __init__(self) -> None:
        super().__init__(fields={"reason": N_("请写明原因，4 到 100 个字，查证的人也会看到。")})
