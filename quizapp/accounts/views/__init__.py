"""Pages of citizens, and who is asking."""

from flask import Flask

from quizapp.accounts.views import me, principals, sign_in
from quizapp.accounts.views.blueprint import bp

blueprints = (bp,)
"""The modules imported above add their routes to it."""

__all__ = ["blueprints", "init_app", "me", "sign_in"]


def init_app(app: Flask) -> None:
    principals.register(app)
