"""Banks of the demo: everything under ``question_banks/``."""

from pathlib import Path

from flask import current_app

from quizapp.audit.services import SYSTEM
from quizapp.core.clock import utc_now
from quizapp.questions import services


def bank_folders(root: Path) -> list[Path]:
    """Folders that hold a bank: the root itself or those directly below it, by name."""
    if (root / "bank.yaml").exists():
        return [root]
    return sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))


def load_shipped_banks() -> None:
    """Import the shipped banks; what is there already stays as it is. In the demo they may be drawn from at once."""
    for folder in bank_folders(Path(current_app.config["QUESTION_BANKS_DIR"])):
        services.import_bank(folder, now=utc_now(), actor=SYSTEM, publish=current_app.config["IS_DEMO"])
