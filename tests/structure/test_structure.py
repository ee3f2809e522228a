"""What the map of the house promises: doors, one migration head, import order, no commit outside core."""

import ast
import re
from pathlib import Path

import flask_migrate
import pytest
from alembic.script import ScriptDirectory
from flask import Flask

from quizapp import FEATURES
from quizapp.accounts.rules import ROLE_PERMISSIONS
from quizapp.web.access import find_door

ROOT = Path(__file__).resolve().parents[2]
ORDER = ("extensions", "core", "adapters", "web", *FEATURES, "worker")


def test_every_route_states_its_door_and_staff_doors_stand_on_the_staff_side(app: Flask) -> None:
    permissions = frozenset().union(*ROLE_PERMISSIONS.values())
    for rule in app.url_map.iter_rules():
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            door = find_door(app, rule.endpoint, method)
            assert door is not None, f"{rule.endpoint} states no door"
            is_staff_path = rule.rule.startswith(("/admin", "/api/v1/admin"))
            if door.name in ("staff", "bureau"):
                assert is_staff_path, f"{rule.endpoint} is for staff outside /admin"
            elif is_staff_path:
                assert rule.endpoint in ("accounts_admin.sign_in", "accounts_admin.sign_in_totp", "accounts_admin.demo_sign_in"), (
                    rule.endpoint
                )
            if door.name == "bureau":
                assert door.permission in permissions, f"{rule.endpoint} asks for a permission nobody has"


def test_a_route_without_a_door_is_closed(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def forgotten() -> str:
        return "open"

    monkeypatch.setitem(app.view_functions, "web.healthz", forgotten)
    assert app.test_client().get("/healthz").status_code == 403


def test_there_is_one_migration_head(app: Flask) -> None:
    config = app.extensions["migrate"].migrate.get_config()
    assert len(ScriptDirectory.from_config(config).get_heads()) == 1


def test_models_and_migrations_agree(app: Flask) -> None:
    flask_migrate.check()


def _imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("quizapp."):
            found.add(node.module.split(".")[1])
        elif isinstance(node, ast.ImportFrom) and node.module == "quizapp":
            found.update(alias.name for alias in node.names)
    return found


def test_imports_follow_the_map() -> None:
    wrong = []
    for path in (ROOT / "quizapp").rglob("*.py"):
        package = path.relative_to(ROOT / "quizapp").parts[0].removesuffix(".py")
        if package not in ORDER:
            continue
        below = ORDER[ORDER.index(package) + 1 :]
        wrong += [f"{path.relative_to(ROOT)} imports {name}" for name in _imports(path) if name in below]
    assert wrong == []


def test_only_core_commits() -> None:
    wrong = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "quizapp").rglob("*.py")
        if "core" not in path.parts and re.search(r"\.commit\(\)", path.read_text(encoding="utf-8"))
    ]
    assert wrong == []


def test_only_config_reads_the_environment() -> None:
    wrong = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "quizapp").rglob("*.py")
        if re.search(r"os\.(environ|getenv)", path.read_text(encoding="utf-8"))
    ]
    assert wrong == []


def test_rules_know_no_flask_session_clock_or_dice() -> None:
    for path in (ROOT / "quizapp").rglob("rules.py"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"^(from|import) (flask|sqlalchemy)|utc_now|SystemRandom|db\.session|datetime\.now", text, re.M), path


@pytest.mark.parametrize("name", ["requirements/runtime.txt", "requirements/dev.txt"])
def test_lock_files_name_no_address_and_hold_hashes(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert "://" not in text
    assert text.count("--hash=sha256:") > 50


def test_no_template_is_orphaned(app: Flask) -> None:
    """Each template is rendered or included somewhere in the code."""
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "quizapp").rglob("*.py")]
    sources += [path.read_text(encoding="utf-8") for path in (ROOT / "quizapp").rglob("*.html")]
    everything = "\n".join(sources)
    orphans = []
    for path in (ROOT / "quizapp").rglob("templates/**/*.html"):
        name = path.relative_to(next(parent for parent in path.parents if parent.name == "templates")).as_posix()
        family = re.sub(r"\d+\.html$", "{", name)
        if not any(f"{quote}{used}" in everything for quote in "\"'" for used in (name, family)):
            orphans.append(name)
    assert orphans == []
