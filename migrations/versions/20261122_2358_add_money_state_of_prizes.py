"""How far the worth of each prize has gone through the budget that pays for it. The worker brings the rows of before up to date."""

import sqlalchemy as sa
from alembic import op

revision = "20261122_2358"
down_revision = "integrity"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("payouts", sa.Column("money_state", sa.String(length=16), server_default="", nullable=False))
    op.create_index(op.f("ix_payouts_money_state_state"), "payouts", ["money_state", "state"])


def downgrade() -> None:
    op.drop_index(op.f("ix_payouts_money_state_state"), "payouts")
    op.drop_column("payouts", "money_state")
