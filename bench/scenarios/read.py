"""GET one attempt of the caller, or the campaign: ``BENCH_FILE`` has ``token attempt_id`` lines, ``BENCH_WHAT`` says which."""

import os
from pathlib import Path

_lines = [line.split(" ") for line in Path(os.environ["BENCH_FILE"]).read_text(encoding="ascii").split("\n")[:-1]]
SLUG, WHAT = os.environ["BENCH_SLUG"], os.environ["BENCH_WHAT"]


async def step(s):
    token, attempt = _lines[s.rng.randrange(len(_lines))]
    path = f"/api/v1/attempts/{attempt}" if WHAT == "attempt" else f"/api/v1/campaigns/{SLUG}"
    await s.get(path, headers={"Authorization": f"Bearer {token}"}, name=WHAT)
