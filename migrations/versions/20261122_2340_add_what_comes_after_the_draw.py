"""What comes after the draw: notices and objections, forfeits, holds, places and days of pick-up, budgets of co-hosts,
certificates.

An objection's answers are only ever added to: the database refuses changes to them.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '20261122_2340'
down_revision = 'campaign_lifecycle'
branch_labels = None
depends_on = None

STATES = "state IN ('claimable', 'processing', 'ready', 'done', 'unknown', 'returned', 'expired', 'forfeited', 'void')"
STATES_WITH_HELD = "state IN ('claimable', 'processing', 'ready', 'done', 'unknown', 'returned', 'expired', 'forfeited', 'void', 'held')"


def upgrade() -> None:
    op.create_table('workday_changes',
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('is_working', sa.Boolean(), nullable=False),
    sa.Column('note', sa.String(length=40), nullable=False),
    sa.PrimaryKeyConstraint('day', name=op.f('pk_workday_changes'))
    )
    op.create_table('budgets',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('campaign_id', sa.Uuid(), nullable=False),
    sa.Column('organisation_id', sa.Uuid(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['campaign_id'], ['campaigns.id'], name=op.f('fk_budgets_campaign_id_campaigns')),
    sa.ForeignKeyConstraint(['organisation_id'], ['organisations.id'], name=op.f('fk_budgets_organisation_id_organisations')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_budgets')),
    sa.UniqueConstraint('campaign_id', 'organisation_id', name=op.f('uq_budgets_campaign_id_organisation_id'))
    )
    op.create_table('certificates',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('number', sa.String(length=24), nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('source_type', sa.String(length=16), nullable=False),
    sa.Column('source_id', sa.Uuid(), nullable=False),
    sa.Column('citizen_id', sa.Uuid(), nullable=False),
    sa.Column('title', sa.String(length=60), nullable=False),
    sa.Column('lines', sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), 'postgresql'), nullable=False),
    sa.Column('issuer', sa.String(length=100), nullable=False),
    sa.Column('organisation_path', sa.String(length=400), nullable=False),
    sa.Column('issued_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('revoke_reason', sa.String(length=100), nullable=False),
    sa.Column('revoked_by', sa.Uuid(), nullable=True),
    sa.CheckConstraint("kind IN ('win', 'certificate', 'title', 'hours')", name=op.f('ck_certificates_kind')),
    sa.ForeignKeyConstraint(['citizen_id'], ['citizens.id'], name=op.f('fk_certificates_citizen_id_citizens')),
    sa.ForeignKeyConstraint(['revoked_by'], ['staff_accounts.id'], name=op.f('fk_certificates_revoked_by_staff_accounts')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_certificates')),
    sa.UniqueConstraint('number', name=op.f('uq_certificates_number')),
    sa.UniqueConstraint('source_type', 'source_id', 'kind', name=op.f('uq_certificates_source_type_source_id_kind'))
    )
    with op.batch_alter_table('certificates', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_certificates_citizen_id_issued_at'), ['citizen_id', 'issued_at'], unique=False)

    op.create_table('winners_notices',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('campaign_id', sa.Uuid(), nullable=False),
    sa.Column('draw_key', sa.String(length=64), nullable=False),
    sa.Column('title', sa.String(length=100), nullable=False),
    sa.Column('publish_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('published_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('objection_until', sa.DateTime(timezone=True), nullable=False),
    sa.Column('down_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('taken_down_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['campaign_id'], ['campaigns.id'], name=op.f('fk_winners_notices_campaign_id_campaigns')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_winners_notices')),
    sa.UniqueConstraint('campaign_id', 'draw_key', name=op.f('uq_winners_notices_campaign_id_draw_key'))
    )
    with op.batch_alter_table('winners_notices', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_winners_notices_down_at'), ['down_at'], unique=False)

    op.create_table('budget_moves',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('budget_id', sa.Uuid(), nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('amount_fen', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('document', sa.String(length=60), nullable=False),
    sa.Column('note', sa.String(length=100), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('created_by', sa.Uuid(), nullable=False),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('decided_by', sa.Uuid(), nullable=True),
    sa.CheckConstraint("kind IN ('deposit', 'withdrawal')", name=op.f('ck_budget_moves_kind')),
    sa.CheckConstraint("state IN ('waiting', 'posted', 'refused')", name=op.f('ck_budget_moves_state')),
    sa.CheckConstraint('amount_fen > 0', name=op.f('ck_budget_moves_amount_positive')),
    sa.ForeignKeyConstraint(['budget_id'], ['budgets.id'], name=op.f('fk_budget_moves_budget_id_budgets')),
    sa.ForeignKeyConstraint(['created_by'], ['staff_accounts.id'], name=op.f('fk_budget_moves_created_by_staff_accounts')),
    sa.ForeignKeyConstraint(['decided_by'], ['staff_accounts.id'], name=op.f('fk_budget_moves_decided_by_staff_accounts')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_budget_moves'))
    )
    with op.batch_alter_table('budget_moves', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_budget_moves_budget_id_created_at'), ['budget_id', 'created_at'], unique=False)

    op.create_table('notice_objections',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('number', sa.String(length=16), nullable=False),
    sa.Column('notice_id', sa.Uuid(), nullable=False),
    sa.Column('reference', sa.String(length=24), nullable=False),
    sa.Column('reason', sa.String(length=500), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('due_on', sa.Date(), nullable=False),
    sa.Column('answered_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("state IN ('open', 'upheld', 'rejected')", name=op.f('ck_notice_objections_state')),
    sa.ForeignKeyConstraint(['notice_id'], ['winners_notices.id'], name=op.f('fk_notice_objections_notice_id_winners_notices')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_notice_objections')),
    sa.UniqueConstraint('number', name=op.f('uq_notice_objections_number'))
    )
    with op.batch_alter_table('notice_objections', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_notice_objections_notice_id'), ['notice_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_notice_objections_state_due_on'), ['state', 'due_on'], unique=False)

    op.create_table('payout_forfeits',
    sa.Column('payout_id', sa.Uuid(), nullable=False),
    sa.Column('source_type', sa.String(length=16), nullable=False),
    sa.Column('source_id', sa.Uuid(), nullable=False),
    sa.Column('campaign_id', sa.Uuid(), nullable=True),
    sa.Column('item_id', sa.Uuid(), nullable=False),
    sa.Column('cause', sa.String(length=16), nullable=False),
    sa.Column('rule', sa.String(length=16), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('worked_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('outcome', sa.String(length=32), nullable=False),
    sa.CheckConstraint("cause IN ('expired', 'forfeited', 'void')", name=op.f('ck_payout_forfeits_cause')),
    sa.CheckConstraint("rule IN ('void', 'stock', 'reserve')", name=op.f('ck_payout_forfeits_rule')),
    sa.ForeignKeyConstraint(['payout_id'], ['payouts.id'], name=op.f('fk_payout_forfeits_payout_id_payouts')),
    sa.PrimaryKeyConstraint('payout_id', name=op.f('pk_payout_forfeits'))
    )
    with op.batch_alter_table('payout_forfeits', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_payout_forfeits_campaign_id'), ['campaign_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_payout_forfeits_worked_at_source_type_rule'), ['worked_at', 'source_type', 'rule'], unique=False)

    op.create_table('objection_replies',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('objection_id', sa.Uuid(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('result', sa.String(length=16), nullable=False),
    sa.Column('text', sa.String(length=500), nullable=False),
    sa.Column('staff_id', sa.Uuid(), nullable=False),
    sa.Column('staff_name', sa.String(length=64), nullable=False),
    sa.ForeignKeyConstraint(['objection_id'], ['notice_objections.id'], name=op.f('fk_objection_replies_objection_id_notice_objections')),
    sa.ForeignKeyConstraint(['staff_id'], ['staff_accounts.id'], name=op.f('fk_objection_replies_staff_id_staff_accounts')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_objection_replies'))
    )
    with op.batch_alter_table('objection_replies', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_objection_replies_objection_id_at'), ['objection_id', 'at'], unique=False)

    with op.batch_alter_table('payout_items', schema=None) as batch_op:
        batch_op.add_column(sa.Column('budget_id', sa.Uuid(), nullable=True))
        batch_op.create_foreign_key(batch_op.f('fk_payout_items_budget_id_budgets'), 'budgets', ['budget_id'], ['id'])

    with op.batch_alter_table('payouts', schema=None) as batch_op:
        batch_op.add_column(sa.Column('draw_key', sa.String(length=64), server_default='', nullable=False))
        batch_op.add_column(sa.Column('pickup_point', sa.String(length=60), server_default='', nullable=False))
        batch_op.add_column(sa.Column('pickup_from_on', sa.Date(), nullable=True))
        batch_op.add_column(sa.Column('held_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('held_from', sa.String(length=16), server_default='', nullable=False))
        batch_op.add_column(sa.Column('hold_reason', sa.String(length=32), server_default='', nullable=False))
        batch_op.drop_constraint(batch_op.f('ck_payouts_state'), type_='check')
        batch_op.create_check_constraint(batch_op.f('ck_payouts_state'), STATES_WITH_HELD)
    _refuse_change('objection_replies')



def _refuse_change(table: str) -> None:
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
        return
    op.execute(f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()")
    op.execute(f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()")


def downgrade() -> None:
    op.execute("UPDATE payouts SET state = held_from WHERE state = 'held'")
    with op.batch_alter_table('payouts', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('ck_payouts_state'), type_='check')
        batch_op.create_check_constraint(batch_op.f('ck_payouts_state'), STATES)
        batch_op.drop_column('hold_reason')
        batch_op.drop_column('held_from')
        batch_op.drop_column('held_at')
        batch_op.drop_column('pickup_from_on')
        batch_op.drop_column('pickup_point')
        batch_op.drop_column('draw_key')

    with op.batch_alter_table('payout_items', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_payout_items_budget_id_budgets'), type_='foreignkey')
        batch_op.drop_column('budget_id')

    with op.batch_alter_table('objection_replies', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_objection_replies_objection_id_at'))

    op.drop_table('objection_replies')
    with op.batch_alter_table('payout_forfeits', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_payout_forfeits_worked_at_source_type_rule'))
        batch_op.drop_index(batch_op.f('ix_payout_forfeits_campaign_id'))

    op.drop_table('payout_forfeits')
    with op.batch_alter_table('notice_objections', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_notice_objections_state_due_on'))
        batch_op.drop_index(batch_op.f('ix_notice_objections_notice_id'))

    op.drop_table('notice_objections')
    with op.batch_alter_table('budget_moves', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_budget_moves_budget_id_created_at'))

    op.drop_table('budget_moves')
    with op.batch_alter_table('winners_notices', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_winners_notices_down_at'))

    op.drop_table('winners_notices')
    with op.batch_alter_table('certificates', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_certificates_citizen_id_issued_at'))

    op.drop_table('certificates')
    op.drop_table('budgets')
    op.drop_table('workday_changes')
