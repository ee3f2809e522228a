"""Pages of citizens, and who is asking."""

from flask import Flask

from quizapp.accounts.queries import group_names, region_names
from quizapp.accounts.views import me, principals, sign_in
from quizapp.accounts.views.blueprint import bp
from quizapp.audit.wording import value_names

blueprints = (bp,)
"""The modules imported above add their routes to it."""

__all__ = ["blueprints", "init_app", "me", "sign_in"]


def init_app(app: Flask) -> None:
    principals.register(app)
    value_names.update(groups=group_names, excluded_groups=group_names, regions=region_names)
