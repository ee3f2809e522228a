"""The citizens' side of hand-overs under one name; its views are ``views`` and ``notice_views``."""

from flask import Blueprint

bp = Blueprint("payouts", __name__, template_folder="templates")
