import pytest
from hypothesis import given
from hypothesis import strategies as st

from quizapp.accounts import rules
from quizapp.accounts.models import EXCLUSIVE_ROLES, STAFF_ROLES


@pytest.mark.parametrize(
    ("text", "phone"),
    [
        ("13800005602", "13800005602"),
        ("138 0000 5602", "13800005602"),
        ("138-0000-5602", "13800005602"),
        ("+8613800005602", "13800005602"),
        ("008613800005602", "13800005602"),
        ("12800005602", None),
        ("1380000560", None),
        ("138000056021", None),
        ("１３８００００５６０２", None),
        ("", None),
        ("13800005602'; --", None),
    ],
)
def test_phone_numbers(text: str, phone: str | None) -> None:
    assert rules.clean_phone(text) == phone


@given(st.text(max_size=30))
def test_whatever_is_typed_is_a_number_of_eleven_digits_or_nothing(text: str) -> None:
    phone = rules.clean_phone(text)
    assert phone is None or (len(phone) == 11 and phone.isascii() and phone.isdigit())


@pytest.mark.parametrize("code", ["12345", "1234567", "12345a", "１２３４５６", "", " 12345"])
def test_what_is_no_code(code: str) -> None:
    assert not rules.is_code(code)


@pytest.mark.parametrize(
    ("nickname", "is_good"),
    [
        ("草原秀兰", True),
        ("A·b-1", True),
        ("兰", False),
        ("一二三四五六七八九十一二三", False),
        ("找我13800005602", False),
        ("150402199001010011", False),
        ("<b>兰花</b>", False),
        ("兰\x00花", False),
    ],
)
def test_nicknames(nickname: str, is_good: bool) -> None:
    assert (rules.nickname_problem(nickname) is None) is is_good


@pytest.mark.parametrize(
    ("password", "is_good"),
    [
        ("马走日象走田车走直路炮翻山", True),
        ("correct horse battery", True),
        ("short", False),
        ("x" * 129, False),
        ("aaaaaaaaaaaaaaaa", False),
        ("abababababababab", False),
        ("CF0137-is-my-name", False),
    ],
)
def test_passwords(password: str, is_good: bool) -> None:
    assert (rules.password_problem(password, "cf0137") is None) is is_good


def test_every_role_has_permissions_and_a_title() -> None:
    assert set(rules.ROLE_PERMISSIONS) == set(STAFF_ROLES) == set(rules.ROLE_TITLES)
    named = frozenset().union(*rules.ROLE_PERMISSIONS.values())
    assert named == set(rules.PERMISSION_TITLES)


def test_administrators_do_nothing_of_the_trade_and_share_nothing() -> None:
    trade = ("campaigns.", "questions.", "payouts.", "prizes.", "reports.", "phones.")
    for role in EXCLUSIVE_ROLES:
        assert not [name for name in rules.ROLE_PERMISSIONS[role] if name.startswith(trade)]
        for other in EXCLUSIVE_ROLES:
            assert role == other or not rules.ROLE_PERMISSIONS[role] & rules.ROLE_PERMISSIONS[other]


@pytest.mark.parametrize(
    ("roles", "clash"),
    [
        (["system_admin", "audit_admin"], True),
        (["system_admin", "security_admin", "audit_admin"], True),
        (["system_admin", "finance"], False),
        (["system_admin", "system_admin"], False),
        ([], False),
    ],
)
def test_clashing_roles(roles: list[str], clash: bool) -> None:
    assert bool(rules.clashing_roles(roles)) is clash


@pytest.mark.parametrize(
    ("band", "under_14", "minor"),
    [("under_14", True, True), ("14_17", False, True), ("18_59", False, False), ("60_plus", False, False), (None, False, False)],
)
def test_age_bands(band: str | None, under_14: bool, minor: bool) -> None:
    assert (rules.is_under_14(band), rules.is_minor(band)) == (under_14, minor)


@pytest.mark.parametrize(
    ("agent", "label"),
    [
        ("Mozilla/5.0 (Linux; Android 9) Chrome/66 MicroMessenger/8.0", "安卓手机 · 微信"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0)", "苹果手机 · 浏览器"),
        ("Mozilla/5.0 (Windows NT 10.0)", "电脑 · 浏览器"),
        ("curl/8", "其他设备 · 浏览器"),
    ],
)
def test_device_labels(agent: str, label: str) -> None:
    assert rules.device_label(agent) == label
