"""Campaigns that are released by the clock, paused with notice, closed early; co-hosts' budget and logo; kept rule sets."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "campaign_lifecycle"
down_revision = "0002"
branch_labels = None
depends_on = None

MOMENTS = ("resumes_at", "approved_at", "release_at", "closing_requested_at", "closed_at")
STAFF = ("approved_by", "closing_requested_by")
TEXTS = ("return_reason", "closing_reason")


def _is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def _add_staff(name: str) -> None:
    """SQLite takes a foreign key with a new column, but not afterwards; making the table anew would break those that name it."""
    key = f"fk_campaigns_{name}_staff_accounts"
    if _is_sqlite():
        if name in {column["name"] for column in sa.inspect(op.get_bind()).get_columns("campaigns")}:
            return  # left by a downgrade
        op.execute(f"ALTER TABLE campaigns ADD COLUMN {name} CHAR(32) CONSTRAINT {key} REFERENCES staff_accounts (id)")
        return
    op.add_column("campaigns", sa.Column(name, sa.Uuid(), nullable=True))
    op.create_foreign_key(key, "campaigns", "staff_accounts", [name], ["id"])


def upgrade() -> None:
    for name in MOMENTS:
        op.add_column("campaigns", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    for name in TEXTS:
        op.add_column("campaigns", sa.Column(name, sa.String(length=200), server_default="", nullable=False))
    for name in STAFF:
        _add_staff(name)
    op.add_column("campaign_hosts", sa.Column("budget_fen", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True))
    op.add_column("campaign_hosts", sa.Column("logo_key", sa.String(length=90), nullable=True))
    op.add_column("campaign_hosts", sa.Column("logo_alt", sa.String(length=60), server_default="", nullable=False))
    op.create_table(
        "campaign_templates",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.String(length=40), nullable=False),
        sa.Column("about", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("body", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["created_by"], ["staff_accounts.id"], name=op.f("fk_campaign_templates_created_by_staff_accounts")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_campaign_templates_organisation_id_organisations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign_templates")),
        sa.UniqueConstraint("organisation_id", "title", name=op.f("uq_campaign_templates_organisation_id_title")),
    )


def downgrade() -> None:
    """What was scheduled waits for approval again; pledges, logos' names and kept rule sets are lost.

    On SQLite the two columns that name staff stay, empty of meaning: it cannot drop a column with a foreign key.
    """
    op.drop_table("campaign_templates")
    for name in ("logo_alt", "logo_key", "budget_fen"):
        op.drop_column("campaign_hosts", name)
    for name in STAFF:
        if not _is_sqlite():
            op.drop_column("campaigns", name)
    for name in (*TEXTS, *MOMENTS):
        op.drop_column("campaigns", name)
