"""The bureau's pages of the lottery."""

from quizapp.lottery import pool_admin_views

blueprints = (pool_admin_views.bp,)
