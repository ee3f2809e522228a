"""``make run``: migrate, fill an empty database, then the server and the worker under one parent (Ctrl-C ends both)."""

import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path
from types import FrameType

import flask_migrate
import sqlalchemy as sa
from alembic.script import ScriptDirectory
from whitenoise.compress import main as compress_static

from config import load_config
from quizapp import create_app
from quizapp.core.db import db

ROOT = Path(__file__).resolve().parent.parent


def is_ready(database_url: str) -> bool:
    """Whether a database has this release's tables and holds banks, found out without making the application: that would
    be half of a second start."""
    head = ScriptDirectory(str(ROOT / "migrations")).get_current_head()
    engine = sa.create_engine(database_url)
    try:
        with engine.connect() as connection:
            revision = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
            banks = connection.scalar(sa.text("SELECT count(*) FROM question_banks"))
    except sa.exc.SQLAlchemyError:
        return False
    finally:
        engine.dispose()
    return revision == head and bool(banks)


def _prepare(database_url: str) -> bool:
    """Bring the database up to date. Returns whether demo data was loaded now."""
    from quizapp.core import seeding

    if is_ready(database_url):
        return False
    app = create_app()
    with app.app_context():
        flask_migrate.upgrade(directory=str(ROOT / "migrations"))
        is_empty = db.session.scalar(sa.text("SELECT count(*) FROM question_banks")) == 0
        db.session.rollback()
        if app.config["IS_DEMO"] and is_empty:
            seeding.run_all()
            return True
    return False


def _is_free(host: str, port: int) -> bool:
    """Whether nobody listens there: granian would share the port, and requests would go to either server."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, port)) != 0


def _say_hello(url: str) -> None:
    lines = (
        "",
        f"  全民法律知识竞答平台（演示）  {url}",
        "",
        f"  市民：用手机宽度打开 {url} ，点开正在进行的活动直接答题；",
        "        交卷后用任意 11 位手机号登记，验证码显示在页面的演示提示条里。",
        f"  后台：{url}/admin/ ，每个角色的演示账号和密码显示在登录页上。",
        f"  接口：{url}/api/v1/docs",
        "",
        "  Citizen: open the address, play, register with any 11-digit number; the code is shown on the page.",
        f"  Staff:   {url}/admin/ lists a demo account for each role. Ctrl-C ends server and worker.",
        "",
    )
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def _is_up(url: str) -> bool:
    with suppress(OSError), urllib.request.urlopen(f"{url}/healthz", timeout=1) as answer:  # noqa: S310 - our own loopback address
        return bool(answer.status == 200)
    return False


def main() -> int:
    """Run until a child ends or a signal arrives; returns the exit code."""
    config = load_config()
    host, port = config.values["BIND_HOST"], config.values["BIND_PORT"]
    url = f"http://{'127.0.0.1' if host in ('0.0.0.0', '::') else host}:{port}"  # noqa: S104 - a comparison, not a bind
    if not _is_free(host, config.values["BIND_PORT"]):
        sys.stderr.write(f"PORT: {port} is in use; end the other server or choose another, e.g. PORT=8001 make run\n")
        return 1
    with suppress(OSError):
        compress_static(["--quiet", str(ROOT / "quizapp/web/static")])
    _prepare(config.values["SQLALCHEMY_DATABASE_URI"])
    base = [sys.executable, "-m"]
    server = [*base, "granian", "--interface", "wsgi", "--workers", "1", "--blocking-threads", "4", "--no-ws", "--log-level", "warning"]
    children = [
        subprocess.Popen([*server, "--host", host, "--port", str(port), "wsgi:app"], cwd=ROOT),
        subprocess.Popen([*base, "flask", "--app", "wsgi", "worker", "run"], cwd=ROOT),
    ]

    def stop(signum: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    is_greeted = False
    try:
        while all(child.poll() is None for child in children):
            if not is_greeted and _is_up(url):
                _say_hello(url)
                is_greeted = True
            time.sleep(0.1 if not is_greeted else 0.5)
        return max(child.poll() or 0 for child in children) or 1
    except KeyboardInterrupt:
        return 0
    finally:
        for child in children:
            child.terminate()
        for child in children:
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()


if __name__ == "__main__":
    raise SystemExit(main())
