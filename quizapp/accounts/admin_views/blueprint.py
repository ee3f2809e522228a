"""The blueprint of the bureau's pages about people."""

from flask import Blueprint

bp = Blueprint("accounts_admin", __name__, url_prefix="/admin", template_folder="../templates")
