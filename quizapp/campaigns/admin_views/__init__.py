"""The bureau's campaigns: list, editor in five steps, approval, pause and extension, co-hosts' signatures."""

from quizapp.campaigns.admin_views import actions, copying, edit, lists, rule_file, signing
from quizapp.campaigns.admin_views.base import bp

blueprints = (bp,)

__all__ = ["actions", "blueprints", "copying", "edit", "lists", "rule_file", "signing"]
