#!/usr/bin/env python3
"""Bounded HTTP load generator with logged-in sessions (standard library only).

Runs a small scenario against any base URL and prints req/s, p50/p95/p99/max
per request name, status and error counts, and the CPU the generator itself
used (it shares the machine with the server, so that figure matters).

    loadgen.py --base http://127.0.0.1:8000 --get /health --duration 5
    loadgen.py --base http://127.0.0.1:8000 --scenario quiz.py \
               --users 2000 --concurrency 32 --duration 15 --json out.json

A scenario is a Python file with up to three functions, each taking a Session
(one logged-in user; it keeps cookies, an index `n`, a dict `vars`, an `rng`):

    async def setup(s):                     # once per user, not measured
        r = await s.get("/login")
        s.vars["csrf"] = r.find(r'name="csrf_token" value="([^"]+)"')
        await s.post("/login", form={"name": f"u{s.n}", "password": "x",
                                     "csrf_token": s.vars["csrf"]}, ok=(302,))

    async def step(s):                      # repeated; every request measured
        r = await s.post("/api/submit", json={"answers": [1, 2, 3, 1, 0]},
                         headers={"X-CSRF": s.vars["csrf"]}, name="submit")
        s.check(r.status == 200 and r.json()["score"] >= 0, "no score")

    def done(report): ...                   # may add keys to the report

`step` may return loadgen's STOP (False) to retire that user, so that a
scenario with one-shot work (one submission per user) ends by itself.

Closed loop by default: `--concurrency` workers, each with one keep-alive
connection, take users in turn.  `--rate R` switches to an open loop: steps
start at R per second and latency counts from the intended start (time spent
queueing is not hidden).  Every run is bounded by --duration, --max-requests
and --timeout, and a base URL off this machine is refused unless
--allow-remote is given.
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import gc
import json
import random
import re
import resource
import runpy
import ssl
import sys
import time
from urllib.parse import urlencode, urlsplit

STOP = False
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class HTTPError(Exception):
    pass


class Response:
    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, headers: list[tuple[str, str]], body: bytes):
        self.status, self.headers, self.body = status, headers, body

    def header(self, name: str, default: str = "") -> str:
        return next((v for k, v in self.headers if k == name.lower()), default)

    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    def json(self):
        return json.loads(self.body)

    def find(self, pattern: str, default: str = "") -> str:
        """First group of a regular expression in the body."""
        m = re.search(pattern, self.text())
        return m.group(1) if m else default


class Connection:
    """One HTTP/1.1 keep-alive connection; reconnects when the peer closes."""

    def __init__(self, host: str, port: int, tls: bool):
        self.host, self.port, self.tls = host, port, tls
        self.reader: asyncio.StreamReader | None = None
        self.writer: asyncio.StreamWriter | None = None
        self.opened = 0

    def close(self) -> None:
        if self.writer:
            self.writer.close()
        self.reader = self.writer = None

    async def exchange(self, raw: bytes, method: str) -> Response:
        reused = self.writer is not None
        try:
            return await self._exchange(raw, method)
        except (ConnectionError, asyncio.IncompleteReadError):
            self.close()
            if not reused:  # a kept connection may have been closed while idle
                raise
            return await self._exchange(raw, method)

    async def _exchange(self, raw: bytes, method: str) -> Response:
        if self.writer is None:
            ctx = ssl.create_default_context() if self.tls else None
            self.reader, self.writer = await asyncio.open_connection(self.host, self.port, ssl=ctx, limit=1 << 20)
            self.opened += 1
        self.writer.write(raw)
        r = self.reader
        head = (await r.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        version, status = head[0].split(" ", 2)[:2]
        headers, length, chunked, keep = [], None, False, version == "HTTP/1.1"
        for line in head[1:-2]:
            k, _, v = line.partition(":")
            k, v = k.lower(), v.strip()
            headers.append((k, v))
            if k == "content-length":
                length = int(v)
            elif k == "transfer-encoding":
                chunked = v.lower() == "chunked"
            elif k == "connection":
                keep = v.lower() != "close" and (keep or v.lower() == "keep-alive")
        code = int(status)
        if method == "HEAD" or code in (204, 304):
            body = b""
        elif chunked:
            parts = []
            while size := int((await r.readuntil(b"\r\n")).split(b";")[0], 16):
                parts.append(await r.readexactly(size))
                await r.readexactly(2)
            while (await r.readuntil(b"\r\n")) != b"\r\n":
                pass
            body = b"".join(parts)
        elif length is not None:
            body = await r.readexactly(length) if length else b""
        else:
            body, keep = await r.read(), False
        if not keep:
            self.close()
        return Response(code, headers, body)


class Recorder:
    def __init__(self) -> None:
        self.latency: dict[str, list[float]] = collections.defaultdict(list)
        self.status: collections.Counter = collections.Counter()
        self.errors: collections.Counter = collections.Counter()
        self.bytes = 0
        self.on = False
        self.count = 0


class Session:
    """One user: cookies, free variables, and the requests it makes."""

    def __init__(self, n: int, base: str, recorder: Recorder, timeout: float, seed: int):
        u = urlsplit(base)
        self.n, self.base, self.rec, self.timeout = n, u.path.rstrip("/"), recorder, timeout
        self.host = u.netloc
        self.cookies: dict[str, str] = {}
        self.vars: dict = {}
        self.rng = random.Random(seed * 1_000_003 + n)
        self.conn: Connection | None = None
        self.due: float | None = None  # intended start, open loop only

    async def get(self, path: str, **kw) -> Response:
        return await self.request("GET", path, **kw)

    async def post(self, path: str, **kw) -> Response:
        return await self.request("POST", path, **kw)

    def check(self, good: bool, why: str) -> bool:
        """Count an application-level failure that no status code shows."""
        if not good and self.rec.on:
            self.rec.errors["check: " + why] += 1
        return good

    async def request(
        self, method: str, path: str, *, json=None, form=None, body: bytes = b"", headers: dict | None = None, name: str = "", ok=(200,)
    ) -> Response:
        head = {"Host": self.host, "User-Agent": "loadgen", "Accept": "*/*"}
        if json is not None:
            body, head["Content-Type"] = _dumps(json), "application/json"
        elif form is not None:
            body = urlencode(form).encode()
            head["Content-Type"] = "application/x-www-form-urlencoded"
        if self.cookies:
            head["Cookie"] = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
        if body or method in ("POST", "PUT", "PATCH"):
            head["Content-Length"] = str(len(body))
        head.update(headers or {})
        lines = "".join(f"{k}: {v}\r\n" for k, v in head.items())
        raw = f"{method} {self.base}{path} HTTP/1.1\r\n{lines}\r\n".encode() + body
        name = name or f"{method} {path.split('?')[0]}"
        start, self.due = self.due or time.perf_counter(), None
        try:
            resp = await asyncio.wait_for(self.conn.exchange(raw, method), self.timeout)
        except (TimeoutError, OSError, EOFError, ValueError, asyncio.LimitOverrunError) as e:
            self.conn.close()
            if self.rec.on:
                self.rec.count += 1
                self.rec.errors[f"{name}: {type(e).__name__}"] += 1
            raise HTTPError(f"{name}: {e!r}") from e
        for k, v in resp.headers:
            if k == "set-cookie":
                pair = v.split(";", 1)[0]
                ck, _, cv = pair.partition("=")
                self.cookies[ck.strip()] = cv.strip()
        if self.rec.on:
            rec = self.rec
            rec.count += 1
            rec.latency[name].append(time.perf_counter() - start)
            rec.status[f"{name} {resp.status}"] += 1
            rec.bytes += len(resp.body)
            if resp.status not in ok:
                rec.errors[f"{name}: status {resp.status}"] += 1
        elif resp.status not in ok:
            raise HTTPError(f"{name}: status {resp.status}: {resp.text()[:200]}")
        return resp


def _dumps(obj) -> bytes:
    return json.dumps(obj, separators=(",", ":")).encode()


def percentile(values: list[float], q: float) -> float:
    return values[min(len(values) - 1, int(q * len(values)))] if values else 0.0


async def run(args, scenario: dict) -> dict:
    u = urlsplit(args.base)
    if u.hostname not in LOOPBACK and not args.allow_remote:
        raise SystemExit(f"refused: {u.hostname} is not this machine (--allow-remote)")
    tls = u.scheme == "https"
    port = u.port or (443 if tls else 80)
    rec = Recorder()
    users = [Session(args.first + i, args.base, rec, args.timeout, args.seed) for i in range(args.users)]
    conns = [Connection(u.hostname, port, tls) for _ in range(args.concurrency)]
    step, setup = scenario["step"], scenario.get("setup")
    report: dict = {}

    if setup:
        queue, failed, t0 = collections.deque(users), [], time.perf_counter()

        async def prepare(conn):
            while queue:
                s = queue.popleft()
                s.conn = conn
                try:
                    await setup(s)
                except HTTPError as e:
                    failed.append(s)
                    if len(failed) <= 3:
                        print("setup failed:", e, file=sys.stderr)

        await asyncio.gather(*(prepare(c) for c in conns))
        bad = set(map(id, failed))
        users = [s for s in users if id(s) not in bad]
        report["setup"] = {"users": len(users), "failed": len(failed), "seconds": round(time.perf_counter() - t0, 2)}
        if not users:
            raise SystemExit("no user got through setup")

    ready = collections.deque(users)
    gc.collect()
    gc.freeze()
    started = time.perf_counter() + args.warmup
    end = started + args.duration
    steps, live, missed = 0, len(users), 0

    async def one(s: Session, conn: Connection) -> None:
        nonlocal steps, live
        s.conn = conn
        keep = True
        try:
            keep = await step(s)
        except HTTPError:
            await asyncio.sleep(0.05)  # do not spin against a server that is down
        steps += rec.on
        if keep is STOP:
            live -= 1
        else:
            ready.append(s)

    def over() -> bool:
        return time.perf_counter() >= end or rec.count >= args.max_requests or not live

    async def closed(conn: Connection) -> None:
        while ready and not over():
            await one(ready.popleft(), conn)

    async def opened(conn: Connection, ticks: asyncio.Queue) -> None:
        nonlocal missed
        while (due := await ticks.get()) is not None:
            if over() or not ready:
                missed += 1  # due, but never started: the server fell behind
                continue
            s = ready.popleft()
            s.due = due
            await one(s, conn)

    async def clock(ticks: asyncio.Queue) -> None:
        t, gap = time.perf_counter(), 1.0 / args.rate
        while not over():
            now = time.perf_counter()
            while t <= now:
                ticks.put_nowait(t)
                t += gap
            await asyncio.sleep(min(gap, 0.005))
        for _ in conns:
            ticks.put_nowait(None)

    async def begin() -> tuple[float, float]:
        await asyncio.sleep(max(0.0, started - time.perf_counter()))
        rec.on = True
        ru = resource.getrusage(resource.RUSAGE_SELF)
        return time.perf_counter(), ru.ru_utime + ru.ru_stime

    starter = asyncio.ensure_future(begin())
    if not args.warmup:
        await starter
    if args.rate:
        ticks: asyncio.Queue = asyncio.Queue()
        await asyncio.gather(clock(ticks), *(opened(c, ticks) for c in conns))
    else:
        await asyncio.gather(*(closed(c) for c in conns))
    t0, cpu0 = await starter
    rec.on = False
    wall = time.perf_counter() - t0
    ru = resource.getrusage(resource.RUSAGE_SELF)
    for c in conns:
        c.close()

    good = sum(map(len, rec.latency.values()))
    report.update(
        seconds=round(wall, 3),
        steps=steps,
        requests=good,
        requests_per_s=round(good / wall, 1),
        steps_per_s=round(steps / wall, 1),
        concurrency=args.concurrency,
        users=len(users),
        users_left=len(ready),
        rate=args.rate or None,
        missed=missed,
        connections=sum(c.opened for c in conns),
        mbytes=round(rec.bytes / 1e6, 2),
        client_cpu_share=round((ru.ru_utime + ru.ru_stime - cpu0) / wall, 3),
        latency_ms={},
        status=dict(rec.status),
        errors=dict(rec.errors),
    )
    for name, values in rec.latency.items():
        values.sort()
        report["latency_ms"][name] = {
            "n": len(values),
            "mean": round(1e3 * sum(values) / len(values), 2),
            "p50": round(1e3 * percentile(values, 0.50), 2),
            "p95": round(1e3 * percentile(values, 0.95), 2),
            "p99": round(1e3 * percentile(values, 0.99), 2),
            "max": round(1e3 * values[-1], 2),
        }
    if scenario.get("done"):
        scenario["done"](report)
    return report


def main(argv: list[str] | None = None) -> int:
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--base", default="http://127.0.0.1:8000")
    what = p.add_mutually_exclusive_group(required=True)
    what.add_argument("--scenario", help="Python file with setup/step/done")
    what.add_argument("--get", metavar="PATH", help="just GET this path")
    p.add_argument("--users", type=int, default=0, help="sessions (default: one per worker)")
    p.add_argument("--first", type=int, default=0, help="index of the first user")
    p.add_argument("--concurrency", type=int, default=16)
    p.add_argument("--duration", type=float, default=10.0, help="seconds, after the warm-up")
    p.add_argument("--warmup", type=float, default=0.0)
    p.add_argument("--max-requests", type=int, default=1_000_000)
    p.add_argument("--rate", type=float, default=0.0, help="steps per second (open loop)")
    p.add_argument("--timeout", type=float, default=30.0)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--json", metavar="FILE", help="also write the report here")
    p.add_argument("--max-errors", type=int, default=None, help="exit 1 above this many")
    p.add_argument("--allow-remote", action="store_true")
    args = p.parse_args(argv)
    args.users = max(args.users or args.concurrency, args.concurrency)
    if args.get:

        async def step(s):
            await s.get(args.get)

        scenario = {"step": step}
    else:
        scenario = runpy.run_path(args.scenario)
    try:  # a faster event loop if there is one; nothing depends on it
        import uvloop

        runner = uvloop.run
    except ImportError:
        runner = asyncio.run
    report = runner(run(args, scenario))
    for name, v in report["latency_ms"].items():
        print(f"{name:30} n={v['n']:<7} p50={v['p50']:.2f}ms p95={v['p95']:.2f}ms p99={v['p99']:.2f}ms max={v['max']:.2f}ms")
    if "setup" in report:
        print("setup:", report["setup"])
    print(
        f"{report['requests']} requests in {report['seconds']}s = {report['requests_per_s']}/s "
        f"({report['steps_per_s']} steps/s), {report['concurrency']} workers, "
        f"client CPU {report['client_cpu_share']:.2f} core"
    )
    if report["missed"]:
        print(f"open loop: {report['missed']} steps were due and never started")
    print("status:", report["status"])
    print("errors:", report["errors"] or "none")
    if args.json:
        with open(args.json, "w") as f:
            json.dump(report, f, indent=1)
    return int(args.max_errors is not None and sum(report["errors"].values()) > args.max_errors)


if __name__ == "__main__":
    sys.exit(main())
