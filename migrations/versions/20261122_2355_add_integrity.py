"""Signs, cases, decisions with their effects, appeals; complaints; whose prizes are held as they come; who takes no part in chances; what a phone
number shares with its neighbours. Decisions, effects and what happened to complaints are only ever added to."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "integrity"
down_revision = "pool_draws"
branch_labels = None
depends_on = None

APPEND_ONLY = ("integrity_decisions", "integrity_effects", "complaint_events")


def _is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def _protect() -> None:
    for table in APPEND_ONLY:
        if _is_sqlite():
            for verb in ("UPDATE", "DELETE"):
                op.execute(
                    f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
                )
            continue
        op.execute(f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()")
        op.execute(f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()")


def upgrade() -> None:
    op.create_table('complaints',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('number', sa.String(length=24), nullable=False),
    sa.Column('kind', sa.String(length=24), nullable=False),
    sa.Column('source', sa.String(length=8), nullable=False),
    sa.Column('text', sa.String(length=2000), nullable=False),
    sa.Column('reference', sa.String(length=64), nullable=False),
    sa.Column('citizen_id', sa.Uuid(), nullable=True),
    sa.Column('campaign_id', sa.Uuid(), nullable=True),
    sa.Column('organisation_id', sa.Uuid(), nullable=True),
    sa.Column('word_hash', sa.LargeBinary(length=32), nullable=True),
    sa.Column('state', sa.String(length=12), nullable=False),
    sa.Column('filed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('due_on', sa.Date(), nullable=False),
    sa.Column('reply', sa.String(length=2000), nullable=False),
    sa.Column('replied_by', sa.Uuid(), nullable=True),
    sa.Column('replied_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("source IN ('page', 'phone', 'visit')", name=op.f('ck_complaints_source')),
    sa.CheckConstraint("state IN ('open', 'review', 'answered')", name=op.f('ck_complaints_state')),
    sa.ForeignKeyConstraint(['campaign_id'], ['campaigns.id'], name=op.f('fk_complaints_campaign_id_campaigns')),
    sa.ForeignKeyConstraint(['citizen_id'], ['citizens.id'], name=op.f('fk_complaints_citizen_id_citizens')),
    sa.ForeignKeyConstraint(['organisation_id'], ['organisations.id'], name=op.f('fk_complaints_organisation_id_organisations')),
    sa.ForeignKeyConstraint(['replied_by'], ['staff_accounts.id'], name=op.f('fk_complaints_replied_by_staff_accounts')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_complaints')),
    sa.UniqueConstraint('number', name=op.f('uq_complaints_number'))
    )
    with op.batch_alter_table('complaints', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_complaints_citizen_id_filed_at'), ['citizen_id', 'filed_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_complaints_state_due_on'), ['state', 'due_on'], unique=False)

    op.create_table('integrity_cases',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('campaign_id', sa.Uuid(), nullable=False),
    sa.Column('citizen_id', sa.Uuid(), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('score', sa.Integer(), nullable=False),
    sa.Column('cleared_score', sa.Integer(), nullable=True),
    sa.Column('was_held', sa.Boolean(), nullable=False),
    sa.Column('opened_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.CheckConstraint("state IN ('waiting', 'proposed', 'cleared', 'excluded')", name=op.f('ck_integrity_cases_state')),
    sa.ForeignKeyConstraint(['campaign_id'], ['campaigns.id'], name=op.f('fk_integrity_cases_campaign_id_campaigns')),
    sa.ForeignKeyConstraint(['citizen_id'], ['citizens.id'], name=op.f('fk_integrity_cases_citizen_id_citizens')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_integrity_cases')),
    sa.UniqueConstraint('campaign_id', 'citizen_id', name=op.f('uq_integrity_cases_campaign_id_citizen_id'))
    )
    with op.batch_alter_table('integrity_cases', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_integrity_cases_citizen_id'), ['citizen_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_integrity_cases_state_opened_at'), ['state', 'opened_at'], unique=False)

    op.create_table('integrity_cursors',
    sa.Column('campaign_id', sa.Uuid(), nullable=False),
    sa.Column('seen_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('seen_id', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['campaign_id'], ['campaigns.id'], name=op.f('fk_integrity_cursors_campaign_id_campaigns')),
    sa.PrimaryKeyConstraint('campaign_id', name=op.f('pk_integrity_cursors'))
    )

    op.create_table('integrity_marks',
    sa.Column('campaign_id', sa.Uuid(), nullable=False),
    sa.Column('kind', sa.String(length=8), nullable=False),
    sa.Column('tag', sa.LargeBinary(length=32), nullable=False),
    sa.Column('citizen_id', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['campaign_id'], ['campaigns.id'], name=op.f('fk_integrity_marks_campaign_id_campaigns')),
    sa.ForeignKeyConstraint(['citizen_id'], ['citizens.id'], name=op.f('fk_integrity_marks_citizen_id_citizens')),
    sa.PrimaryKeyConstraint('campaign_id', 'kind', 'tag', 'citizen_id', name=op.f('pk_integrity_marks'))
    )

    op.create_table('integrity_policies',
    sa.Column('campaign_id', sa.Uuid(), nullable=False),
    sa.Column('hold_score', sa.Integer(), nullable=False),
    sa.Column('second_above_fen', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('changed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('changed_by', sa.Uuid(), nullable=True),
    sa.CheckConstraint('hold_score BETWEEN 1 AND 1000', name=op.f('ck_integrity_policies_hold_score')),
    sa.CheckConstraint('second_above_fen >= -1', name=op.f('ck_integrity_policies_second_above_fen')),
    sa.ForeignKeyConstraint(['campaign_id'], ['campaigns.id'], name=op.f('fk_integrity_policies_campaign_id_campaigns')),
    sa.ForeignKeyConstraint(['changed_by'], ['staff_accounts.id'], name=op.f('fk_integrity_policies_changed_by_staff_accounts')),
    sa.PrimaryKeyConstraint('campaign_id', name=op.f('pk_integrity_policies'))
    )

    op.create_table('integrity_signals',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('campaign_id', sa.Uuid(), nullable=False),
    sa.Column('citizen_id', sa.Uuid(), nullable=False),
    sa.Column('code', sa.String(length=32), nullable=False),
    sa.Column('subject', sa.String(length=64), nullable=False),
    sa.Column('points', sa.Integer(), nullable=False),
    sa.Column('facts', sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), 'postgresql'), nullable=False),
    sa.Column('found_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['campaign_id'], ['campaigns.id'], name=op.f('fk_integrity_signals_campaign_id_campaigns')),
    sa.ForeignKeyConstraint(['citizen_id'], ['citizens.id'], name=op.f('fk_integrity_signals_citizen_id_citizens')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_integrity_signals')),
    sa.UniqueConstraint('campaign_id', 'citizen_id', 'code', 'subject', name=op.f('uq_integrity_signals_campaign_id_citizen_id_code_subject'))
    )

    op.create_table('payout_watches',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('citizen_id', sa.Uuid(), nullable=False),
    sa.Column('campaign_id', sa.Uuid(), nullable=False),
    sa.Column('began_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['citizen_id'], ['citizens.id'], name=op.f('fk_payout_watches_citizen_id_citizens')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_payout_watches'))
    )
    with op.batch_alter_table('payout_watches', schema=None) as batch_op:
        batch_op.create_index('uq_payout_watches_one_on', ['citizen_id', 'campaign_id'], unique=True, sqlite_where=sa.text('ended_at IS NULL'), postgresql_where=sa.text('ended_at IS NULL'))

    op.create_table('prize_bars',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('campaign_id', sa.Uuid(), nullable=False),
    sa.Column('citizen_id', sa.Uuid(), nullable=True),
    sa.Column('phone_tag', sa.LargeBinary(length=32), nullable=True),
    sa.Column('reason', sa.String(length=32), nullable=False),
    sa.Column('note', sa.String(length=200), nullable=False),
    sa.Column('barred_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('barred_by', sa.Uuid(), nullable=True),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('ended_by', sa.Uuid(), nullable=True),
    sa.CheckConstraint('(citizen_id IS NULL) <> (phone_tag IS NULL)', name=op.f('ck_prize_bars_one_person')),
    sa.ForeignKeyConstraint(['barred_by'], ['staff_accounts.id'], name=op.f('fk_prize_bars_barred_by_staff_accounts')),
    sa.ForeignKeyConstraint(['campaign_id'], ['campaigns.id'], name=op.f('fk_prize_bars_campaign_id_campaigns')),
    sa.ForeignKeyConstraint(['citizen_id'], ['citizens.id'], name=op.f('fk_prize_bars_citizen_id_citizens')),
    sa.ForeignKeyConstraint(['ended_by'], ['staff_accounts.id'], name=op.f('fk_prize_bars_ended_by_staff_accounts')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_prize_bars'))
    )
    with op.batch_alter_table('prize_bars', schema=None) as batch_op:
        batch_op.create_index('uq_prize_bars_citizen', ['campaign_id', 'citizen_id'], unique=True, sqlite_where=sa.text('ended_at IS NULL AND citizen_id IS NOT NULL'), postgresql_where=sa.text('ended_at IS NULL AND citizen_id IS NOT NULL'))
        batch_op.create_index('uq_prize_bars_phone', ['campaign_id', 'phone_tag'], unique=True, sqlite_where=sa.text('ended_at IS NULL AND phone_tag IS NOT NULL'), postgresql_where=sa.text('ended_at IS NULL AND phone_tag IS NOT NULL'))

    op.create_table('complaint_events',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('complaint_id', sa.Uuid(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('text', sa.String(length=2000), nullable=False),
    sa.Column('actor_name', sa.String(length=64), nullable=False),
    sa.Column('staff_id', sa.Uuid(), nullable=True),
    sa.ForeignKeyConstraint(['complaint_id'], ['complaints.id'], name=op.f('fk_complaint_events_complaint_id_complaints')),
    sa.ForeignKeyConstraint(['staff_id'], ['staff_accounts.id'], name=op.f('fk_complaint_events_staff_id_staff_accounts')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_complaint_events'))
    )
    with op.batch_alter_table('complaint_events', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_complaint_events_complaint_id_at'), ['complaint_id', 'at'], unique=False)

    op.create_table('integrity_decisions',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('case_id', sa.Uuid(), nullable=False),
    sa.Column('kind', sa.String(length=20), nullable=False),
    sa.Column('step', sa.String(length=12), nullable=False),
    sa.Column('follows_id', sa.Uuid(), nullable=True),
    sa.Column('reason', sa.String(length=32), nullable=False),
    sa.Column('note', sa.String(length=500), nullable=False),
    sa.Column('attempt_ids', sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), 'postgresql'), nullable=False),
    sa.Column('worth_fen', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('staff_id', sa.Uuid(), nullable=False),
    sa.Column('staff_name', sa.String(length=64), nullable=False),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("(kind = 'restore' OR step IN ('confirmed', 'returned')) = (follows_id IS NOT NULL)", name=op.f('ck_integrity_decisions_follows')),
    sa.CheckConstraint("kind IN ('clear', 'exclude_attempts', 'exclude_person', 'restore')", name=op.f('ck_integrity_decisions_kind')),
    sa.CheckConstraint("step IN ('decided', 'proposed', 'confirmed', 'returned')", name=op.f('ck_integrity_decisions_step')),
    sa.ForeignKeyConstraint(['case_id'], ['integrity_cases.id'], name=op.f('fk_integrity_decisions_case_id_integrity_cases')),
    sa.ForeignKeyConstraint(['follows_id'], ['integrity_decisions.id'], name=op.f('fk_integrity_decisions_follows_id_integrity_decisions')),
    sa.ForeignKeyConstraint(['staff_id'], ['staff_accounts.id'], name=op.f('fk_integrity_decisions_staff_id_staff_accounts')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_integrity_decisions')),
    sa.UniqueConstraint('follows_id', name=op.f('uq_integrity_decisions_follows_id'))
    )
    with op.batch_alter_table('integrity_decisions', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_integrity_decisions_case_id_decided_at'), ['case_id', 'decided_at'], unique=False)

    op.create_table('integrity_appeals',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('decision_id', sa.Uuid(), nullable=False),
    sa.Column('citizen_id', sa.Uuid(), nullable=False),
    sa.Column('text', sa.String(length=1000), nullable=False),
    sa.Column('filed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('due_on', sa.Date(), nullable=False),
    sa.Column('state', sa.String(length=12), nullable=False),
    sa.Column('reply', sa.String(length=1000), nullable=False),
    sa.Column('replied_by', sa.Uuid(), nullable=True),
    sa.Column('replied_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("(state = 'open') = (replied_at IS NULL)", name=op.f('ck_integrity_appeals_replied')),
    sa.CheckConstraint("state IN ('open', 'granted', 'dismissed')", name=op.f('ck_integrity_appeals_state')),
    sa.ForeignKeyConstraint(['citizen_id'], ['citizens.id'], name=op.f('fk_integrity_appeals_citizen_id_citizens')),
    sa.ForeignKeyConstraint(['decision_id'], ['integrity_decisions.id'], name=op.f('fk_integrity_appeals_decision_id_integrity_decisions')),
    sa.ForeignKeyConstraint(['replied_by'], ['staff_accounts.id'], name=op.f('fk_integrity_appeals_replied_by_staff_accounts')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_integrity_appeals')),
    sa.UniqueConstraint('decision_id', name=op.f('uq_integrity_appeals_decision_id'))
    )
    with op.batch_alter_table('integrity_appeals', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_integrity_appeals_state_filed_at'), ['state', 'filed_at'], unique=False)

    op.create_table('integrity_effects',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('decision_id', sa.Uuid(), nullable=False),
    sa.Column('kind', sa.String(length=24), nullable=False),
    sa.Column('subject', sa.String(length=64), nullable=False),
    sa.Column('amount', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('happened_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['decision_id'], ['integrity_decisions.id'], name=op.f('fk_integrity_effects_decision_id_integrity_decisions')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_integrity_effects')),
    sa.UniqueConstraint('decision_id', 'kind', 'subject', name=op.f('uq_integrity_effects_decision_id_kind_subject'))
    )
    with op.batch_alter_table('identities', schema=None) as batch_op:
        batch_op.add_column(sa.Column('block_tag', sa.LargeBinary(length=32), nullable=True))
        batch_op.create_index(batch_op.f('ix_identities_block_tag'), ['block_tag'], unique=False)

    _protect()


def downgrade() -> None:
    with op.batch_alter_table('identities', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_identities_block_tag'))
        batch_op.drop_column('block_tag')

    op.drop_table('integrity_effects')
    with op.batch_alter_table('integrity_appeals', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_integrity_appeals_state_filed_at'))

    op.drop_table('integrity_appeals')
    with op.batch_alter_table('integrity_decisions', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_integrity_decisions_case_id_decided_at'))

    op.drop_table('integrity_decisions')
    with op.batch_alter_table('complaint_events', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_complaint_events_complaint_id_at'))

    op.drop_table('complaint_events')
    with op.batch_alter_table('prize_bars', schema=None) as batch_op:
        batch_op.drop_index('uq_prize_bars_phone', sqlite_where=sa.text('ended_at IS NULL AND phone_tag IS NOT NULL'), postgresql_where=sa.text('ended_at IS NULL AND phone_tag IS NOT NULL'))
        batch_op.drop_index('uq_prize_bars_citizen', sqlite_where=sa.text('ended_at IS NULL AND citizen_id IS NOT NULL'), postgresql_where=sa.text('ended_at IS NULL AND citizen_id IS NOT NULL'))

    op.drop_table('prize_bars')
    op.drop_table('payout_watches')
    op.drop_table('integrity_signals')
    op.drop_table('integrity_policies')
    op.drop_table('integrity_marks')
    op.drop_table('integrity_cursors')
    with op.batch_alter_table('integrity_cases', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_integrity_cases_state_opened_at'))
        batch_op.drop_index(batch_op.f('ix_integrity_cases_citizen_id'))

    op.drop_table('integrity_cases')
    with op.batch_alter_table('complaints', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_complaints_state_due_on'))
        batch_op.drop_index(batch_op.f('ix_complaints_citizen_id_filed_at'))

    op.drop_table('complaints')
