"""``python -m tools.rule_seasons [R04 …] [--write]``: play a season of every rule set and say what it did.

Writes the table between ``<!-- season -->`` and ``<!-- /season -->`` of docs/rule-sets.md.
"""

import argparse
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path

from config import load_config
from quizapp import create_app
from quizapp.campaigns import checks, files
from quizapp.core.errors import AppError
from quizapp.core.money import yuan
from quizapp.simulation.account import Account, account_for, as_text
from quizapp.simulation.crowd import Curve
from quizapp.simulation.scratch import scratch_app
from quizapp.simulation.season import play

ROOT = Path(__file__).resolve().parent.parent
FOLDER, DOCUMENT = ROOT / "tests" / "rule_sets", ROOT / "docs" / "rule-sets.md"
START, END = "<!-- season -->", "<!-- /season -->"
CITIZENS, SEED = 60, 7
EAGER = Curve(attempts=4.0, right=0.85, faithful=0.35, abandoned=0.02)
"""Some come every day, so that streaks, stages and collections have somebody to reach them."""


@dataclass(frozen=True)
class Result:
    """One line of the table."""

    name: str
    title: str
    state: str
    what: str


def season(path: Path, citizens: int, curve: Curve) -> Result:
    """Play one file; a refusal is a result too."""
    name = path.stem.partition("-")[0]
    file = files.read_file(path)
    title = str(file.head.get("title") or path.stem)
    errors = [problem for problem in files.check_file(file) if problem.is_error]
    if checks.has_errors(errors):
        return Result(name, title, "规则检查不通过", errors[0].message)
    try:
        with scratch_app():
            account = account_for(play(file, citizens=citizens, seed=SEED, curve=curve))
    except AppError as refusal:
        return Result(name, title, "没有演", refusal.message)
    print(f"==== {path.name}", as_text(account), sep="\n", flush=True)
    return Result(name, title, "守住" if account.is_kept else "打破", summary(account))


def summary(account: Account) -> str:
    """What the season did, in one sentence."""
    parts = [f"{account.people} 人 {account.valid} 人次，合格 {account.passed}"]
    if account.tiers:
        parts.append(f"抽 {account.draws} 中 {account.wins}（" + "、".join(f"{tier.name} {tier.wins}" for tier in account.tiers) + "）")
    parts += [f"{pool.title} {pool.held} 次、名单 {pool.entries}、中奖 {pool.winners}" for pool in account.pools]
    if account.grants:
        parts.append("奖励 " + "、".join(f"{name} {count}" for name, count in sorted(account.grants.items())))
    if account.net_fen:
        parts.append(f"奖金 {yuan(account.net_fen)} 元")
    broken = [f"{promise.title}（{promise.broken[0]}）" for promise in account.promises if not promise.is_kept]
    broken += [f"任务 {name} 失败 {count} 次" for name, count in sorted(account.played.failed_jobs.items())]
    return "；".join(parts + broken)


def write(results: list[Result]) -> None:
    """Put the table into the document, between its marks."""
    rows = [f"| {one.name} | {one.title} | {one.state} | {one.what.replace('|', '/')} |" for one in results]
    head = f"每份规则由 {CITIZENS} 位虚构的参加者演完一季（种子 {SEED}，`python -m tools.rule_seasons --write`）。"
    table = "\n".join([head, "", "| 编号 | 活动 | 承诺 | 演出来是什么样 |", "|---|---|---|---|", *rows])
    text = DOCUMENT.read_text(encoding="utf-8") if DOCUMENT.exists() else f"# 各地真实的活动规则\n\n## 演一季\n\n{START}\n{END}\n"
    if START not in text:
        text = f"{text.rstrip()}\n\n## 演一季\n\n{START}\n{END}\n"
    before, _, rest = text.partition(START)
    _, _, after = rest.partition(END)
    DOCUMENT.write_text(f"{before}{START}\n{table}\n{END}{after}", encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="R04 …; every one when left out")
    parser.add_argument("--citizens", type=int, default=CITIZENS)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    paths = [path for path in sorted(FOLDER.glob("R*.yaml")) if not options.names or path.stem.partition("-")[0] in options.names]
    app = create_app(load_config({"QUIZAPP_ENV": "testing", "SMS_SENDER": "fake"}))
    results = []
    with app.app_context():
        for path in paths:
            try:
                results.append(season(path, options.citizens, EAGER))
            except Exception:
                traceback.print_exc()
                results.append(Result(path.stem.partition("-")[0], path.stem, "出错", traceback.format_exc().splitlines()[-1]))
            print(f"{results[-1].name} {results[-1].state}: {results[-1].what}", flush=True)
    if options.write:
        write(results)
    return 0 if all(one.state in ("守住", "规则检查不通过") for one in results) else 1


if __name__ == "__main__":
    sys.exit(main())
