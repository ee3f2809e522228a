"""Add pool draws: manifests, draws, frozen lists, chains, results, wins, and what keeps them as they were written."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "pool_draws"
down_revision = "20261122_2335"
branch_labels = None
depends_on = None

APPEND_ONLY = ("pool_manifests", "pool_draw_tiers", "pool_draw_entries", "pool_draw_records", "pool_draw_results", "pool_wins")
FIXED = ("campaign_id", "draw_code", "slot", "mode", "seed_input", "commitment", "secret_encrypted")
"""Of a draw: what no update may change; what stands below may be set once."""
SET_ONCE = ("scope", "list_hash", "frozen_at", "public_input", "ready_at", "secret_revealed", "drawn_at")
CLOSED = {"pool_draw_entries": "list_hash", "pool_draw_results": "drawn_at"}
"""Tables that take no row of a draw any more once that column of it is set."""


def _changed(column: str) -> str:
    return f"NEW.{column} IS NOT OLD.{column}"


def _protect_on_sqlite() -> None:
    for table in (*APPEND_ONLY, "pool_draws"):
        for verb in ("UPDATE", "DELETE") if table != "pool_draws" else ("DELETE",):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
    again = [_changed(column) for column in FIXED]
    again += [f"(OLD.{column} IS NOT NULL AND {_changed(column)})" for column in SET_ONCE]
    op.execute(
        f"CREATE TRIGGER pool_draws_fixed BEFORE UPDATE ON pool_draws WHEN {' OR '.join(again)} "
        "BEGIN SELECT RAISE(ABORT, 'pool_draws: this is settled'); END"
    )
    for table, column in CLOSED.items():
        op.execute(
            f"CREATE TRIGGER {table}_closed BEFORE INSERT ON {table} "
            f"WHEN EXISTS (SELECT 1 FROM pool_draws WHERE id = NEW.pool_draw_id AND {column} IS NOT NULL) "
            f"BEGIN SELECT RAISE(ABORT, '{table} is closed'); END"
        )


def _protect_on_postgresql() -> None:
    for table in (*APPEND_ONLY, "pool_draws"):
        verbs = "DELETE" if table == "pool_draws" else "UPDATE OR DELETE"
        op.execute(f"CREATE TRIGGER {table}_append_only BEFORE {verbs} ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()")
        op.execute(f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()")
    again = [f"NEW.{column} IS DISTINCT FROM OLD.{column}" for column in FIXED]
    again += [f"(OLD.{column} IS NOT NULL AND NEW.{column} IS DISTINCT FROM OLD.{column})" for column in SET_ONCE]
    op.execute(
        f"CREATE TRIGGER pool_draws_fixed BEFORE UPDATE ON pool_draws FOR EACH ROW WHEN ({' OR '.join(again)}) "
        "EXECUTE FUNCTION refuse_change()"
    )
    for table, column in CLOSED.items():
        op.execute(
            f"CREATE FUNCTION refuse_late_{table}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"IF EXISTS (SELECT 1 FROM pool_draws d WHERE d.{column} IS NOT NULL AND d.id IN (SELECT pool_draw_id FROM added)) "
            "THEN RAISE EXCEPTION '% is closed', TG_TABLE_NAME; END IF; RETURN NULL; END $$"
        )
        op.execute(
            f"CREATE TRIGGER {table}_closed AFTER INSERT ON {table} REFERENCING NEW TABLE AS added "
            f"FOR EACH STATEMENT EXECUTE FUNCTION refuse_late_{table}()"
        )


def _is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def upgrade() -> None:
    op.create_table('pool_draw_entries',
    sa.Column('pool_draw_id', sa.Uuid(), nullable=False),
    sa.Column('serial', sa.Integer(), nullable=False),
    sa.Column('citizen_id', sa.Uuid(), nullable=False),
    sa.Column('alias', sa.String(length=24), nullable=False),
    sa.Column('tickets', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('band', sa.SmallInteger(), nullable=False),
    sa.PrimaryKeyConstraint('pool_draw_id', 'serial', name=op.f('pk_pool_draw_entries'))
    )
    with op.batch_alter_table('pool_draw_entries', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_pool_draw_entries_citizen_id_pool_draw_id'), ['citizen_id', 'pool_draw_id'], unique=False)

    op.create_table('pool_draw_tiers',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('campaign_id', sa.Uuid(), nullable=False),
    sa.Column('draw_code', sa.String(length=32), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(length=64), nullable=False),
    sa.Column('tier', sa.String(length=32), nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('value_fen', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('points', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.ForeignKeyConstraint(['campaign_id'], ['campaigns.id'], name=op.f('fk_pool_draw_tiers_campaign_id_campaigns')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_pool_draw_tiers')),
    sa.UniqueConstraint('campaign_id', 'draw_code', 'position', name=op.f('uq_pool_draw_tiers_campaign_id_draw_code_position'))
    )
    op.create_table('pool_draws',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('campaign_id', sa.Uuid(), nullable=False),
    sa.Column('draw_code', sa.String(length=32), nullable=False),
    sa.Column('slot', sa.Integer(), nullable=False),
    sa.Column('scope', sa.String(length=40), nullable=True),
    sa.Column('title', sa.String(length=100), nullable=False),
    sa.Column('mode', sa.String(length=16), nullable=False),
    sa.Column('seed_input', sa.String(length=16), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('commitment', sa.String(length=64), nullable=True),
    sa.Column('secret_encrypted', sa.LargeBinary(), nullable=True),
    sa.Column('secret_revealed', sa.String(length=64), nullable=True),
    sa.Column('entry_count', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('ticket_count', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('list_hash', sa.String(length=64), nullable=True),
    sa.Column('frozen_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('public_input', sa.String(length=128), nullable=True),
    sa.Column('ready_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('drawn_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('is_outside', sa.Boolean(), nullable=False),
    sa.Column('record_count', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('chain_head', sa.String(length=64), nullable=False),
    sa.CheckConstraint("(state = 'spare') = (scope IS NULL)", name=op.f('ck_pool_draws_spare')),
    sa.CheckConstraint("(state IN ('frozen', 'ready', 'drawn')) = (list_hash IS NOT NULL)", name=op.f('ck_pool_draws_list')),
    sa.CheckConstraint("state IN ('spare', 'open', 'frozen', 'ready', 'drawn')", name=op.f('ck_pool_draws_state')),
    sa.ForeignKeyConstraint(['campaign_id'], ['campaigns.id'], name=op.f('fk_pool_draws_campaign_id_campaigns')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_pool_draws')),
    sa.UniqueConstraint('campaign_id', 'draw_code', 'scope', name=op.f('uq_pool_draws_campaign_id_draw_code_scope')),
    sa.UniqueConstraint('campaign_id', 'draw_code', 'slot', name=op.f('uq_pool_draws_campaign_id_draw_code_slot'))
    )
    with op.batch_alter_table('pool_draws', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_pool_draws_state_due_at'), ['state', 'due_at'], unique=False)

    op.create_table('pool_manifests',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('campaign_id', sa.Uuid(), nullable=False),
    sa.Column('manifest', sa.Text(), nullable=False),
    sa.Column('manifest_hash', sa.String(length=64), nullable=False),
    sa.Column('published_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['campaign_id'], ['campaigns.id'], name=op.f('fk_pool_manifests_campaign_id_campaigns')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_pool_manifests')),
    sa.UniqueConstraint('campaign_id', name=op.f('uq_pool_manifests_campaign_id'))
    )
    op.create_table('outside_draws',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('pool_draw_id', sa.Uuid(), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('place', sa.String(length=100), nullable=False),
    sa.Column('witness', sa.String(length=100), nullable=False),
    sa.Column('held_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('document_hash', sa.String(length=64), nullable=False),
    sa.Column('document_name', sa.String(length=200), nullable=False),
    sa.Column('lines', sa.JSON().with_variant(postgresql.JSONB(), 'postgresql'), nullable=False),
    sa.Column('entered_by', sa.Uuid(), nullable=False),
    sa.Column('entered_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('decided_by', sa.Uuid(), nullable=True),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("state IN ('waiting', 'confirmed', 'refused')", name=op.f('ck_outside_draws_state')),
    sa.ForeignKeyConstraint(['decided_by'], ['staff_accounts.id'], name=op.f('fk_outside_draws_decided_by_staff_accounts')),
    sa.ForeignKeyConstraint(['entered_by'], ['staff_accounts.id'], name=op.f('fk_outside_draws_entered_by_staff_accounts')),
    sa.ForeignKeyConstraint(['pool_draw_id'], ['pool_draws.id'], name=op.f('fk_outside_draws_pool_draw_id_pool_draws')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_outside_draws'))
    )
    with op.batch_alter_table('outside_draws', schema=None) as batch_op:
        batch_op.create_index('uq_outside_draws_one_waiting', ['pool_draw_id'], unique=True, sqlite_where=sa.text("state = 'waiting'"), postgresql_where=sa.text("state = 'waiting'"))

    op.create_table('pool_draw_records',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('pool_draw_id', sa.Uuid(), nullable=False),
    sa.Column('number', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('body', sa.Text(), nullable=False),
    sa.Column('hash', sa.String(length=64), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['pool_draw_id'], ['pool_draws.id'], name=op.f('fk_pool_draw_records_pool_draw_id_pool_draws')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_pool_draw_records')),
    sa.UniqueConstraint('pool_draw_id', 'number', name=op.f('uq_pool_draw_records_pool_draw_id_number'))
    )
    op.create_table('pool_draw_results',
    sa.Column('pool_draw_id', sa.Uuid(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(length=8), nullable=False),
    sa.Column('tier', sa.Integer(), nullable=True),
    sa.Column('place', sa.Integer(), nullable=True),
    sa.Column('serial', sa.Integer(), nullable=True),
    sa.Column('alias', sa.String(length=24), nullable=False),
    sa.Column('body', sa.String(length=200), nullable=False),
    sa.CheckConstraint("kind IN ('band', 'skip', 'win', 'reserve')", name=op.f('ck_pool_draw_results_kind')),
    sa.ForeignKeyConstraint(['pool_draw_id'], ['pool_draws.id'], name=op.f('fk_pool_draw_results_pool_draw_id_pool_draws')),
    sa.PrimaryKeyConstraint('pool_draw_id', 'number', name=op.f('pk_pool_draw_results'))
    )
    with op.batch_alter_table('pool_draw_results', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_pool_draw_results_pool_draw_id_serial'), ['pool_draw_id', 'serial'], unique=False)

    op.create_table('pool_wins',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('pool_draw_id', sa.Uuid(), nullable=False),
    sa.Column('tier_id', sa.Uuid(), nullable=False),
    sa.Column('campaign_id', sa.Uuid(), nullable=False),
    sa.Column('citizen_id', sa.Uuid(), nullable=False),
    sa.Column('tier', sa.Integer(), nullable=False),
    sa.Column('place', sa.Integer(), nullable=False),
    sa.Column('turn', sa.Integer(), nullable=False),
    sa.Column('serial', sa.Integer(), nullable=False),
    sa.Column('alias', sa.String(length=24), nullable=False),
    sa.Column('substitute_of', sa.Uuid(), nullable=True),
    sa.Column('reserve', sa.Integer(), nullable=True),
    sa.Column('is_outside', sa.Boolean(), nullable=False),
    sa.Column('won_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('claim_deadline_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['campaign_id'], ['campaigns.id'], name=op.f('fk_pool_wins_campaign_id_campaigns')),
    sa.ForeignKeyConstraint(['citizen_id'], ['citizens.id'], name=op.f('fk_pool_wins_citizen_id_citizens')),
    sa.ForeignKeyConstraint(['pool_draw_id'], ['pool_draws.id'], name=op.f('fk_pool_wins_pool_draw_id_pool_draws')),
    sa.ForeignKeyConstraint(['substitute_of'], ['pool_wins.id'], name=op.f('fk_pool_wins_substitute_of_pool_wins')),
    sa.ForeignKeyConstraint(['tier_id'], ['pool_draw_tiers.id'], name=op.f('fk_pool_wins_tier_id_pool_draw_tiers')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_pool_wins')),
    sa.UniqueConstraint('pool_draw_id', 'tier', 'place', 'turn', name=op.f('uq_pool_wins_pool_draw_id_tier_place_turn'))
    )
    with op.batch_alter_table('pool_wins', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_pool_wins_campaign_id_won_at'), ['campaign_id', 'won_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_pool_wins_citizen_id_campaign_id'), ['citizen_id', 'campaign_id'], unique=False)

    if _is_sqlite():
        _protect_on_sqlite()
    else:
        _protect_on_postgresql()


def downgrade() -> None:
    """Tables take their triggers and indexes along."""
    for table in ("outside_draws", "pool_wins", "pool_draw_results", "pool_draw_records", "pool_draw_entries"):
        op.drop_table(table)
    for table in ("pool_draws", "pool_draw_tiers", "pool_manifests"):
        op.drop_table(table)
    if not _is_sqlite():
        for table in CLOSED:
            op.execute(f"DROP FUNCTION refuse_late_{table}")
