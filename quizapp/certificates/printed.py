"""A certificate as PDF, with the address of its check page as a QR drawing."""

import io
from pathlib import Path

import segno

from quizapp.certificates import rules
from quizapp.certificates.models import Certificate
from quizapp.core import pdf
from quizapp.core.clock import shanghai_day

_TEMPLATE = Path(__file__).with_name("certificate.typ")


def check_address(public_url: str, number: str) -> str:
    return f"{public_url}/certificates/{number}"


def write(certificate: Certificate, *, nickname: str, public_url: str) -> bytes:
    """:raises NoChineseFont: where no Chinese font is installed"""
    drawing = io.BytesIO()
    segno.make(check_address(public_url, certificate.number), error="m", micro=False).save(drawing, kind="svg", scale=4, border=1)
    data = {
        "kind": rules.kind_title(certificate.kind),
        "title": certificate.title,
        "nickname": nickname,
        "lines": certificate.lines,
        "issuer": certificate.issuer,
        "day": rules.day_words(shanghai_day(certificate.issued_at)),
        "number": certificate.number,
        "address": check_address(public_url, certificate.number),
    }
    return pdf.compile_page(_TEMPLATE, data, {"qr.svg": drawing.getvalue()})
