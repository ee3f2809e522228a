"""The themes of banks and campaigns: their Chinese names and icons, in one place.

Each has its colour as ``th-<code>`` in the stylesheets of citizens and bureau; a code that is not here shows as it is, with
a book and in the colour of the house.
"""

from dataclasses import dataclass

from quizapp.core.text import N_


@dataclass(frozen=True)
class Theme:
    """``icon`` is a symbol of the icon sheet."""

    title: str
    icon: str


THEMES = {
    "consumer": Theme(N_("消费公平"), "bag"),
    "tax": Theme(N_("税收优惠"), "tax"),
    "labour": Theme(N_("劳动权益"), "work"),
    "unity": Theme(N_("民族团结"), "unity"),
    "eco": Theme(N_("生态环境"), "leaf"),
    "constitution": Theme(N_("宪法"), "scales"),
    "civil": Theme(N_("民法典"), "home"),
    "minors": Theme(N_("未成年人保护"), "users"),
    "fraud": Theme(N_("反诈防非"), "alert"),
    "network": Theme(N_("网络和个人信息"), "phone"),
    "rural": Theme(N_("农村牧区"), "pin"),
    "safety": Theme(N_("治安和公共安全"), "bell"),
    "security": Theme(N_("国家安全"), "shield"),
    "service": Theme(N_("公共法律服务"), "chat"),
}
TITLES = {code: theme.title for code, theme in THEMES.items()}


def icon_of(code: str) -> str:
    return THEMES[code].icon if code in THEMES else "book"
