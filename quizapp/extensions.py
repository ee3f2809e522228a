"""Extensions, unbound; ``create_app`` binds them. Each is used behind one module of ours."""

import redis
from flask_babel import Babel
from flask_login import LoginManager
from flask_migrate import Migrate
from flask_wtf.csrf import CSRFProtect

babel = Babel()
csrf = CSRFProtect()
login_manager = LoginManager()
migrate = Migrate()


class RedisClient:
    """The optional Redis: ``client`` is None without ``REDIS_URL``, and everything works without it."""

    client: redis.Redis | None = None

    def init_app(self, url: str) -> None:
        self.client = redis.Redis.from_url(url, socket_timeout=0.5, socket_connect_timeout=0.5) if url else None


redis_client = RedisClient()
