"""Challenges that let a request through, each once, and staff's switch."""

import sqlalchemy as sa
from alembic import op

revision = "challenges"
down_revision = "boards"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "used_challenges",
        sa.Column("tag", sa.LargeBinary(length=32), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tag", name=op.f("pk_used_challenges")),
    )
    op.create_index(op.f("ix_used_challenges_expires_at"), "used_challenges", ["expires_at"])
    op.create_table(
        "challenge_switch",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("mode", sa.String(length=8), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("mode IN ('auto', 'on', 'off')", name=op.f("ck_challenge_switch_mode")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_challenge_switch")),
    )


def downgrade() -> None:
    op.drop_table("challenge_switch")
    op.drop_table("used_challenges")
