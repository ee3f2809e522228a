"""Every ``os.environ`` read of the project. One class per environment; a bad setting is named, not guessed.

``QUIZAPP_ENV`` picks the class: ``demo`` (default, what ``make run`` starts), ``production`` or ``testing``.
"""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent
_TRUE = {"1", "true", "yes", "on"}


class BadSetting(SystemExit):
    """Start-up refused: the message names the setting and its cure."""

    def __init__(self, name: str, cure: str) -> None:
        super().__init__(f"{name}: {cure}")


class Config:
    """What all environments share. Instances are plain mappings of Flask settings."""

    ENVIRONMENT = "demo"
    IS_DEMO = True

    def __init__(self, env: Mapping[str, str] | None = None) -> None:
        self._env = os.environ if env is None else env
        self.values: dict[str, Any] = {}
        self._read()

    def get(self, name: str, default: str = "") -> str:
        return self._env.get(name, default).strip()

    def flag(self, name: str, default: bool = False) -> bool:
        text = self.get(name)
        return default if not text else text.lower() in _TRUE

    def whole(self, name: str, default: int) -> int:
        text = self.get(name)
        try:
            return int(text) if text else default
        except ValueError:
            raise BadSetting(name, "must be a whole number") from None

    def secret(self, name: str) -> str:
        """A secret from the environment; in demo, one made once and kept in the instance folder."""
        text = self.get(name)
        if text:
            return text
        path = self.data_dir / "secrets" / name.lower()
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.parent.chmod(0o700)
            path.touch(mode=0o600)
            path.write_text(secrets.token_urlsafe(48), encoding="ascii")
        return path.read_text(encoding="ascii")

    def _read(self) -> None:
        self.data_dir = Path(self.get("QUIZAPP_DATA_DIR") or ROOT / "var")
        database_url = self.get("DATABASE_URL") or f"sqlite:///{self.data_dir / 'quizapp.db'}"
        if database_url.startswith(("postgresql://", "postgres://")):
            database_url = "postgresql+psycopg://" + database_url.split("://", 1)[1]
        is_sqlite = database_url.startswith("sqlite")
        pool_size = self.whole("DATABASE_POOL_SIZE", 4)
        self.values.update(
            ENVIRONMENT=self.ENVIRONMENT,
            IS_DEMO=self.IS_DEMO,
            TESTING=self.ENVIRONMENT == "testing",
            DATA_DIR=str(self.data_dir),
            QUESTION_BANKS_DIR=self.get("QUESTION_BANKS_DIR") or str(ROOT / "question_banks"),
            SECRET_KEY=self.secret("SECRET_KEY"),
            FIELD_ENCRYPTION_KEYS=tuple(k for k in self.secret("FIELD_ENCRYPTION_KEYS").split(",") if k),
            FIELD_HASH_KEY=self.secret("FIELD_HASH_KEY"),
            SQLALCHEMY_DATABASE_URI=database_url,
            SQLALCHEMY_ENGINE_OPTIONS={
                "pool_size": pool_size,
                "max_overflow": self.whole("DATABASE_POOL_OVERFLOW", 4),
                **({} if is_sqlite else {"pool_pre_ping": False, "connect_args": {"prepare_threshold": 1, "options": "-c timezone=UTC"}}),
            },
            IS_SQLITE=is_sqlite,
            REDIS_URL=self.get("REDIS_URL"),
            MAX_CONTENT_LENGTH=1024 * 1024,
            MAX_UPLOAD_BYTES=20 * 1024 * 1024,
            MAX_FORM_MEMORY_SIZE=512 * 1024,
            MAX_FORM_PARTS=500,
            BIND_HOST=self.get("HOST") or "127.0.0.1",
            BIND_PORT=self.whole("PORT", 8000),
            PUBLIC_URL=self.get("PUBLIC_URL") or f"http://{self.get('HOST') or '127.0.0.1'}:{self.whole('PORT', 8000)}",
            TRUSTED_PROXY_COUNT=self.whole("TRUSTED_PROXY_COUNT", 0),
            SMS_SENDER=self.get("SMS_SENDER") or "log",
            IS_DEMO_SIGN_IN=self.flag("DEMO_SIGN_IN", self.IS_DEMO),
            IS_CASH_PAYOUT=self.flag("CASH_PAYOUTS"),
            ALLOWS_CASH_PRIZES=self.ENVIRONMENT != "production" or self.flag("CASH_PAYOUTS"),
            CASH_REVIEW_ABOVE_FEN=self.whole("CASH_REVIEW_ABOVE_FEN", 20_000),
            PUBLISH_NEEDS_SECOND_PERSON=self.flag("PUBLISH_NEEDS_SECOND_PERSON", True),
            CHALLENGE_PER_MINUTE=self.whole("CHALLENGE_PER_MINUTE", 1200),
            METRICS_TOKEN=self.get("METRICS_TOKEN"),
            LOG_LEVEL=self.get("LOG_LEVEL") or "INFO",
            # what the pages say
            SITE_NAME=self.get("SITE_NAME") or "赤峰市全民法律知识竞答",
            HOST_NAME=self.get("HOST_NAME") or "赤峰市司法局（演示）",
            PLAN_NAME=self.get("PLAN_NAME") or "“九五”普法规划",
            PLAN_YEARS=self.get("PLAN_YEARS") or "2026—2030",
            HOTLINE=self.get("HOTLINE") or "12348",
            CONTACT=self.get("CONTACT") or "0476-0000000",
            ICP_NUMBER=self.get("ICP_NUMBER") or "蒙ICP备00000000号-0",
            PSB_NUMBER=self.get("PSB_NUMBER") or "蒙公网安备 00000000000000号",
            SITE_CODE=self.get("SITE_CODE") or "0000000000",
            FEEDBACK_URL=self.get("FEEDBACK_URL") or "/feedback",
            # cookies and forms
            SESSION_COOKIE_NAME="quiz_state",
            SESSION_COOKIE_HTTPONLY=True,
            SESSION_COOKIE_SAMESITE="Lax",
            SESSION_COOKIE_SECURE=False,
            WTF_CSRF_TIME_LIMIT=None,
            WTF_CSRF_CHECK_DEFAULT=False,
            BABEL_DEFAULT_LOCALE="zh_Hans_CN",
            BABEL_DEFAULT_TIMEZONE="Asia/Shanghai",
            JSON_AS_ASCII=False,
            # the API document
            API_TITLE="全民法律知识竞答平台 API",
            API_VERSION="v1",
            OPENAPI_VERSION="3.1.0",
        )
        self.check()

    def check(self) -> None:
        """Refuse settings that cannot be right in this environment."""
        if self.values["SMS_SENDER"] not in ("log", "fake") and self.values["SMS_SENDER"].count(":") != 1:
            raise BadSetting("SMS_SENDER", "is log, or the sender's class as package.module:Class")
        url = urlsplit(self.values["PUBLIC_URL"])
        if url.scheme not in ("http", "https") or not url.hostname:
            raise BadSetting("PUBLIC_URL", "must be a full address such as https://quiz.example.cn")


class DemoConfig(Config):
    """``make run``: invented people, codes shown on the page, secrets kept beside the embedded database."""


class TestingConfig(Config):
    """The test suite: fixed secrets, nothing sent anywhere."""

    ENVIRONMENT = "testing"

    def secret(self, name: str) -> str:
        return self.get(name) or f"testing-only-{name}-0123456789abcdef0123456789abcdef"


class ProductionConfig(Config):
    """A bureau's installation: every secret given, HTTPS, a real SMS sender."""

    ENVIRONMENT = "production"
    IS_DEMO = False

    def secret(self, name: str) -> str:
        return self.get(name)

    def check(self) -> None:
        super().check()
        values = self.values
        for name, texts in (
            ("SECRET_KEY", (values["SECRET_KEY"],)),
            ("FIELD_ENCRYPTION_KEYS", values["FIELD_ENCRYPTION_KEYS"]),
            ("FIELD_HASH_KEY", (values["FIELD_HASH_KEY"],)),
        ):
            if not texts or any(len(text) < 32 or len(set(text)) < 10 for text in texts):
                raise BadSetting(
                    name,
                    "missing or weak; give at least 32 random characters (python -c 'import secrets; print(secrets.token_urlsafe(48))')",
                )
        if len({values["SECRET_KEY"], values["FIELD_HASH_KEY"], *values["FIELD_ENCRYPTION_KEYS"]}) < 2 + len(
            values["FIELD_ENCRYPTION_KEYS"]
        ):
            raise BadSetting("FIELD_HASH_KEY", "SECRET_KEY, FIELD_HASH_KEY and each of FIELD_ENCRYPTION_KEYS must differ")
        if values["SMS_SENDER"] in ("log", "fake"):
            raise BadSetting("SMS_SENDER", "the log sender sends nothing; give a real one as package.module:Class")
        if values["IS_DEMO_SIGN_IN"]:
            raise BadSetting("DEMO_SIGN_IN", "the demo sign-in must be off in production")
        if urlsplit(values["PUBLIC_URL"]).scheme != "https" or not self.get("PUBLIC_URL"):
            raise BadSetting("PUBLIC_URL", "must be an https:// address in production")
        if values["IS_SQLITE"] and values["IS_CASH_PAYOUT"]:
            raise BadSetting("DATABASE_URL", "cash payouts (CASH_PAYOUTS) need PostgreSQL; SQLite is refused together with them")
        host = urlsplit(values["PUBLIC_URL"]).hostname
        values.update(SESSION_COOKIE_SECURE=True, PREFERRED_URL_SCHEME="https", TRUSTED_HOSTS=[host])


_BY_NAME: dict[str, type[Config]] = {"demo": DemoConfig, "production": ProductionConfig, "testing": TestingConfig}


def load_config(env: Mapping[str, str] | None = None) -> Config:
    """The settings of the environment that ``QUIZAPP_ENV`` names.

    :raises BadSetting: naming the setting that is missing, weak or impossible
    """
    name = (os.environ if env is None else env).get("QUIZAPP_ENV", "demo").strip() or "demo"
    if name not in _BY_NAME:
        raise BadSetting("QUIZAPP_ENV", f"is {name!r}; known are demo, production, testing")
    return _BY_NAME[name](env)
