"""python -m tools.registry LAWS [--as-of DAY]: build quizapp/statutes/data/registry.json for what the shipped banks cite.

LAWS is a folder of statutes as data: index.json, repealed.json and one JSON file per statute (see quizapp/statutes/loader.py).
"""

import argparse
import datetime as dt
from collections.abc import Iterator
from pathlib import Path

from quizapp.questions.lint.citations import CitedArticle, cited_articles
from quizapp.questions.loader import BANK_FILE, load_bank
from quizapp.questions.seeds import bank_folders
from quizapp.statutes.registry import REGISTRY_FILE
from quizapp.statutes.registry_file import FolderInvalid, build_registry, write_registry

BANKS = Path(__file__).resolve().parents[1] / "question_banks"


def shipped_citations() -> Iterator[CitedArticle]:
    """Every article that a shipped question cites."""
    for folder in bank_folders(BANKS):
        if (folder / BANK_FILE).exists():
            for entry in load_bank(folder).entries:
                yield from cited_articles(entry.citations)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("laws", type=Path)
    parser.add_argument("--as-of", default=dt.datetime.now(dt.UTC).date().isoformat())
    args = parser.parse_args()
    try:
        cited = list(shipped_citations())
        registry = build_registry(
            args.laws,
            must={(article.name, article.number) for article in cited if not article.is_document},
            may={(article.name, article.number) for article in cited if article.is_document},
            as_of=args.as_of,
        )
    except FolderInvalid as error:
        parser.exit(1, f"{error}\n")
    REGISTRY_FILE.write_text(write_registry(registry), encoding="utf-8", newline="\n")
    count = sum(len(numbers) for numbers in registry["articles"].values())
    print(f"{REGISTRY_FILE.name}: {len(registry['statutes'])} statutes, {count} cited articles")


if __name__ == "__main__":
    main()
