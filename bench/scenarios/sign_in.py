"""Citizens asking for a code and signing in with it (demo answers with the code)."""

import os

FIRST = int(os.environ.get("BENCH_FIRST", "0"))
_made = iter(range(FIRST, FIRST + 100_000))


async def step(s):
    number = next(_made)
    phone = f"139{number:08d}"
    address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"  # limits by address are not what is measured
    device = {"X-Device-Id": f"bench{number:016d}", "X-Forwarded-For": address}
    sent = await s.post("/api/v1/auth/sms-codes", json={"phone": phone}, headers=device, name="code", ok=(200, 201, 202))
    code = sent.json().get("demo_code")
    await s.post("/api/v1/auth/sessions", json={"phone": phone, "code": code}, headers=device, name="sign_in", ok=(201,))
