"""The blueprint of the citizens' pages."""

from flask import Blueprint

bp = Blueprint("accounts", __name__, template_folder="../templates")
