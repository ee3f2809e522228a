"""全民法律知识竞答平台. In import order - each package imports only from those above it:

extensions (unbound objects) · core (plumbing) · adapters (the outside) · web (page furniture) · audit · accounts ·
statutes · questions · ledger · certificates · payouts · lottery · campaigns · attempts · integrity · reporting ·
simulation (invented seasons) · admin (the console's shell) · worker (the timetable) · create_app.
"""

import importlib
import logging
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from flask import Flask, request
from werkzeug.middleware.proxy_fix import ProxyFix

from config import Config, load_config
from quizapp import worker
from quizapp.adapters.sms import SmsSender
from quizapp.adapters.sms.fake import FakeSmsSender
from quizapp.adapters.sms.log import LogSmsSender
from quizapp.adapters.storage.folder import FolderStorage
from quizapp.core import logs, statements
from quizapp.core.crypto import Vault
from quizapp.core.db import db
from quizapp.extensions import babel, csrf, login_manager, migrate, redis_client
from quizapp.web import access, api, error_handlers, security, ui, views
from quizapp.web.static_files import FreshFiles

FEATURES = (
    "audit",
    "accounts",
    "statutes",
    "questions",
    "ledger",
    "certificates",
    "payouts",
    "lottery",
    "campaigns",
    "attempts",
    "integrity",
    "reporting",
    "simulation",
    "admin",
)
"""In map order. Each opens only the rooms it needs; ``models`` are loaded for the metadata."""

ROOMS = ("models", "views", "admin_views", "api", "commands")


def create_app(config: Config | None = None) -> Flask:
    """Build the application. It never migrates or fills the database."""
    app = Flask(__name__, static_folder="web/static")
    _configure(app, config or load_config())
    _connect_outside(app)
    _init_extensions(app)
    _add_furniture(app)
    _add_features(app)
    app.cli.add_command(worker.worker)
    app.before_request(access.check_door)
    return app


def _configure(app: Flask, config: Config) -> None:
    app.config.update(config.values)
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.json.sort_keys = False  # type: ignore[attr-defined]
    logs.configure(app.config["LOG_LEVEL"])
    if app.config["IS_SQLITE"]:
        Path(app.config["DATA_DIR"]).mkdir(parents=True, exist_ok=True)
    if app.config["TRUSTED_PROXY_COUNT"]:
        count = app.config["TRUSTED_PROXY_COUNT"]
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=count)  # type: ignore[method-assign]
    whitenoise = FreshFiles(app.wsgi_app, root=f"{app.static_folder}/", prefix="static/", max_age=365 * 86400)
    app.wsgi_app = whitenoise  # type: ignore[method-assign]


def _connect_outside(app: Flask) -> None:
    app.extensions["vault"] = Vault(app.config["FIELD_ENCRYPTION_KEYS"], app.config["FIELD_HASH_KEY"])
    app.extensions["storage"] = FolderStorage(Path(app.config["DATA_DIR"]) / "files")
    app.extensions["sms"] = _make_sms_sender(app.config["SMS_SENDER"])


def _make_sms_sender(name: str) -> SmsSender:
    """``log``, ``fake``, or the bureau's own sender as ``package.module:Class`` (made without arguments)."""
    built_in: dict[str, type[SmsSender]] = {"log": LogSmsSender, "fake": FakeSmsSender}
    if name in built_in:
        return built_in[name]()
    module, class_name = name.split(":")
    sender: SmsSender = getattr(importlib.import_module(module), class_name)()
    return sender


def _init_extensions(app: Flask) -> None:
    db.init_app(app)
    statements.init_app(app)
    migrate.init_app(app, db, render_as_batch=True, compare_type=True)
    babel.init_app(app)
    csrf.init_app(app)
    login_manager.init_app(app)
    redis_client.init_app(app.config["REDIS_URL"])


def _add_furniture(app: Flask) -> None:
    security.register(app)
    error_handlers.register(app)
    ui.register(app)
    views.register(app)
    app.context_processor(lambda: _page_context(app))
    app.extensions["quiz_api"] = api.register(app)


def _page_context(app: Flask) -> dict[str, Any]:
    config = app.config
    site = SimpleNamespace(
        name=config["SITE_NAME"],
        host_name=config["HOST_NAME"],
        plan_name=config["PLAN_NAME"],
        icp=config["ICP_NUMBER"],
        psb=config["PSB_NUMBER"],
        site_code=config["SITE_CODE"],
        hotline=config["HOTLINE"],
        contact=config["CONTACT"],
        feedback_url=config["FEEDBACK_URL"],
        is_demo=config["IS_DEMO"],
        public_url=config["PUBLIC_URL"],
    )
    return {
        "site": site,
        "principal": access.current_principal(),
        "is_large": request.cookies.get("large") == "1" or request.args.get("large") == "1",
    }


def _add_features(app: Flask) -> None:
    for feature in FEATURES:
        for room in ROOMS:
            name = f"quizapp.{feature}.{room}"
            if find_spec(name) is None:
                continue
            module = importlib.import_module(name)
            for blueprint in getattr(module, "blueprints", ()):
                if isinstance(blueprint, api.Blueprint):
                    app.extensions["quiz_api"].register_blueprint(blueprint)
                else:
                    app.register_blueprint(blueprint)
            for group in getattr(module, "commands", ()):
                app.cli.add_command(group)
            if hasattr(module, "init_app"):
                module.init_app(app)


logging.getLogger(__name__).addHandler(logging.NullHandler())
