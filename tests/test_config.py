from pathlib import Path

import pytest

from config import BadSetting, load_config

GOOD = {
    "QUIZAPP_ENV": "production",
    "SECRET_KEY": "kQ3v9Zr1tYw8Lx2Nm7Bf6Hc5Jd4Ps0Ga-Ue_Io",
    "FIELD_ENCRYPTION_KEYS": "A9s8d7f6g5h4j3k2l1q0w9e8r7t6y5u4i3o2p1zX",
    "FIELD_HASH_KEY": "Zx9cv8bn7m6a5s4d3f2g1hQ0w9e8r7t6y5u4i3o2",
    "DATABASE_URL": "postgresql://quiz@localhost/quiz",
    "PUBLIC_URL": "https://quiz.example.cn",
    "SMS_SENDER": "bureau_sms:Sender",
}


def test_a_complete_production_environment_starts() -> None:
    values = load_config(GOOD).values
    assert values["SQLALCHEMY_DATABASE_URI"] == "postgresql+psycopg://quiz@localhost/quiz"
    assert values["SESSION_COOKIE_SECURE"] is True
    assert values["TRUSTED_HOSTS"] == ["quiz.example.cn"]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY"),
        ({"SECRET_KEY": "a" * 64}, "SECRET_KEY"),
        ({"FIELD_ENCRYPTION_KEYS": ""}, "FIELD_ENCRYPTION_KEYS"),
        ({"FIELD_ENCRYPTION_KEYS": GOOD["FIELD_ENCRYPTION_KEYS"] + ",weak"}, "FIELD_ENCRYPTION_KEYS"),
        ({"FIELD_HASH_KEY": ""}, "FIELD_HASH_KEY"),
        ({"FIELD_HASH_KEY": GOOD["SECRET_KEY"]}, "FIELD_HASH_KEY"),
        ({"SMS_SENDER": ""}, "SMS_SENDER"),
        ({"SMS_SENDER": "log"}, "SMS_SENDER"),
        ({"SMS_SENDER": "fake"}, "SMS_SENDER"),
        ({"SMS_SENDER": "carrier-pigeon"}, "SMS_SENDER"),
        ({"DEMO_SIGN_IN": "1"}, "DEMO_SIGN_IN"),
        ({"PUBLIC_URL": ""}, "PUBLIC_URL"),
        ({"PUBLIC_URL": "http://quiz.example.cn"}, "PUBLIC_URL"),
        ({"DATABASE_URL": "", "CASH_PAYOUTS": "1"}, "DATABASE_URL"),
        ({"QUIZAPP_ENV": "prod"}, "QUIZAPP_ENV"),
        ({"TRUSTED_PROXY_COUNT": "one"}, "TRUSTED_PROXY_COUNT"),
        ({"PORT": "eighty"}, "PORT"),
    ],
)
def test_a_bad_setting_stops_production_and_is_named(change: dict[str, str], named: str) -> None:
    with pytest.raises(BadSetting) as refused:
        load_config({**GOOD, **change})
    assert str(refused.value).startswith(f"{named}:")


def test_sqlite_without_cash_payouts_is_allowed_in_production(tmp_path: Path) -> None:
    values = load_config({**GOOD, "DATABASE_URL": "", "QUIZAPP_DATA_DIR": str(tmp_path)}).values
    assert values["IS_SQLITE"] is True


def test_demo_makes_its_secrets_once_and_keeps_them_private(tmp_path: Path) -> None:
    env = {"QUIZAPP_ENV": "demo", "QUIZAPP_DATA_DIR": str(tmp_path)}
    first, second = load_config(env).values, load_config(env).values
    assert first["SECRET_KEY"] == second["SECRET_KEY"]
    assert len({first["SECRET_KEY"], first["FIELD_HASH_KEY"], *first["FIELD_ENCRYPTION_KEYS"]}) == 3
    assert all(path.stat().st_mode & 0o077 == 0 for path in (tmp_path / "secrets").iterdir())


@pytest.mark.parametrize(("text", "needs"), [("", True), ("1", True), ("0", False), ("off", False)])
def test_publishing_needs_a_second_person_unless_turned_off(text: str, needs: bool) -> None:
    assert load_config({**GOOD, "PUBLISH_NEEDS_SECOND_PERSON": text}).values["PUBLISH_NEEDS_SECOND_PERSON"] is needs
