"""Demo data: each feature registers a seeder; ``flask demo seed`` runs them in order. A seeder may run twice."""

from collections.abc import Callable

from quizapp.core.db import transaction

SEEDERS: list[tuple[int, str, Callable[[], None]]] = []


def register(order: int, name: str, seeder: Callable[[], None]) -> None:
    """Add a seeder under a name, or replace the one of that name (an application may be built more than once).

    :param order: place in the row; accounts are 10, questions 20, campaigns 30 and so on
    """
    SEEDERS[:] = sorted([*(entry for entry in SEEDERS if entry[1] != name), (order, name, seeder)], key=lambda entry: entry[:2])


def run_all() -> list[str]:
    """Run every seeder, each in a transaction of its own, and return their names."""
    for _, _, seeder in SEEDERS:
        with transaction():
            seeder()
    return [name for _, name, _ in SEEDERS]
