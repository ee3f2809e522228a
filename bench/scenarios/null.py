"""POST the references; ``BENCH_PATH`` says which."""

import itertools
import os

from flask import Flask
from flask.sessions import SecureCookieSessionInterface

PATH = os.environ["BENCH_PATH"]
_numbers = itertools.count(int(os.environ.get("BENCH_FIRST", "0")))
_app = Flask(__name__)
_app.secret_key = os.environ["SECRET_KEY"]
_cookie = SecureCookieSessionInterface().get_signing_serializer(_app).dumps({"bench": "x" * 43, "csrf_token": "y" * 40})


async def setup(s):
    s.cookies["quiz_citizen"] = _cookie


async def step(s):
    await s.post(PATH, json={"person": s.n, "number": next(_numbers)}, headers={"Authorization": "Bench"}, name="post")
