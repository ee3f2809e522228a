"""Lines of boards as the worker last computed them."""

import sqlalchemy as sa
from alembic import op

revision = "boards"
down_revision = "20261122_2358"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "board_rows",
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("board_id", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("figure", sa.BigInteger(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("computed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("place > 0", name=op.f("ck_board_rows_place")),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_board_rows_campaign_id_campaigns")),
        sa.PrimaryKeyConstraint("campaign_id", "board_id", "subject", name=op.f("pk_board_rows")),
    )
    op.create_index(op.f("ix_board_rows_campaign_id_board_id_place"), "board_rows", ["campaign_id", "board_id", "place"])


def downgrade() -> None:
    op.drop_table("board_rows")
