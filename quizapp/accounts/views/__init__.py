"""Pages of citizens, and who is asking."""

from flask import Flask

from quizapp.accounts.views import principals


def init_app(app: Flask) -> None:
    principals.register(app)
