"""Add what instant draws of draw-proof version 2 need: budgets, quotas, region groups, fallbacks, returns, and the public list of
chain heads.

On SQLite the check of the budget comes with its column: recreating ``prizes`` would drop a table that others refer to.
"""

import sqlalchemy as sa
from alembic import op

from quizapp.core.db import UtcDateTime

revision = "20261122_2335"
down_revision = "seasons"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BUDGET = "spent_fen >= 0 AND (budget_fen IS NULL OR spent_fen <= budget_fen)"


def upgrade() -> None:
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    op.add_column("prizes", sa.Column("budget_fen", BIG, nullable=True))
    if is_sqlite:
        op.execute(f"ALTER TABLE prizes ADD COLUMN spent_fen INTEGER DEFAULT 0 NOT NULL CONSTRAINT ck_prizes_budget CHECK ({BUDGET})")
    else:
        op.add_column("prizes", sa.Column("spent_fen", BIG, server_default="0", nullable=False))
        op.create_check_constraint("budget", "prizes", BUDGET)
    op.add_column("draws", sa.Column("amount_fen", BIG, nullable=True))
    op.add_column("draws", sa.Column("segment", sa.Integer(), nullable=True))
    op.add_column("wins", sa.Column("is_fallback", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("wins", sa.Column("returned_at", UtcDateTime(), nullable=True))
    op.create_table(
        "quota_uses",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("pool_id", sa.Uuid(), nullable=False),
        sa.Column("scope", sa.String(40), nullable=False),
        sa.Column("quota", BIG, nullable=False),
        sa.Column("used_count", BIG, nullable=False),
        sa.CheckConstraint("used_count >= 0 AND used_count <= quota", name=op.f("ck_quota_uses_quota")),
        sa.ForeignKeyConstraint(["pool_id"], ["prize_pools.id"], name=op.f("fk_quota_uses_pool_id_prize_pools")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quota_uses")),
        sa.UniqueConstraint("pool_id", "scope", name=op.f("uq_quota_uses_pool_id_scope")),
    )
    op.create_table(
        "chain_heads",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", BIG, nullable=False),
        sa.Column("pool_id", sa.Uuid(), nullable=False),
        sa.Column("record_count", BIG, nullable=False),
        sa.Column("head", sa.String(64), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("seal", sa.String(64), nullable=False),
        sa.Column("published_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["pool_id"], ["prize_pools.id"], name=op.f("fk_chain_heads_pool_id_prize_pools")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chain_heads")),
        sa.UniqueConstraint("number", name=op.f("uq_chain_heads_number")),
    )
    op.create_index(op.f("ix_chain_heads_pool_id_number"), "chain_heads", ["pool_id", "number"])
    if is_sqlite:
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER chain_heads_no_{verb.lower()} BEFORE {verb} ON chain_heads "
                "BEGIN SELECT RAISE(ABORT, 'chain_heads is append-only'); END"
            )
        return
    op.execute(
        "CREATE TRIGGER chain_heads_append_only BEFORE UPDATE OR DELETE ON chain_heads FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute("CREATE TRIGGER chain_heads_no_truncate BEFORE TRUNCATE ON chain_heads FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()")


def downgrade() -> None:
    """Back, as long as no pool of version 2 is open: its manifest could not be drawn by the older program."""
    op.drop_table("chain_heads")
    op.drop_table("quota_uses")
    op.drop_column("wins", "returned_at")
    op.drop_column("wins", "is_fallback")
    op.drop_column("draws", "segment")
    op.drop_column("draws", "amount_fen")
    if op.get_bind().dialect.name == "sqlite":
        with op.batch_alter_table("prizes") as batch:
            batch.drop_constraint("ck_prizes_budget", type_="check")
            batch.drop_column("spent_fen")
            batch.drop_column("budget_fen")
        return
    op.drop_constraint(op.f("ck_prizes_budget"), "prizes", type_="check")
    op.drop_column("prizes", "spent_fen")
    op.drop_column("prizes", "budget_fen")
