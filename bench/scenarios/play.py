"""Whole rounds: start, five answers, submit, draw when there is a ticket. ``BENCH_FILE`` has a token per line."""

import os
from pathlib import Path

_tokens = Path(os.environ["BENCH_FILE"]).read_text(encoding="ascii").split()
SLUG = os.environ["BENCH_SLUG"]


async def step(s):
    head = {"Authorization": f"Bearer {_tokens[s.n % len(_tokens)]}"}
    started = await s.post(
        f"/api/v1/campaigns/{SLUG}/attempts", json={"client_nonce": "ab" * 16}, headers=head, name="start", ok=(200, 201)
    )
    if started.status not in (200, 201):
        return False
    paper = started.json()
    for question in paper["questions"]:
        keys = [choice["key"] for choice in question["choices"]]
        chosen = [s.rng.choice(keys)] if question["kind"] in ("single", "judge") else s.rng.sample(keys, 2)
        path = f"/api/v1/attempts/{paper['id']}/answers/{question['position']}"
        await s.request("PUT", path, json={"choices": sorted(chosen)}, headers=head, name="answer")
    result = await s.post(f"/api/v1/attempts/{paper['id']}/submission", headers=head, name="submit")
    if result.status == 200 and result.json()["ticket_count"]:
        await s.post(f"/api/v1/attempts/{paper['id']}/draws", json={"ticket": 1}, headers=head, name="draw")
    return True
