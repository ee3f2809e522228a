"""Several quizzes, rounds and tracks on attempts; registration, actions, awards and their quotas.

The columns come with a default of their own, so that neither database rewrites the table.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql
revision = "seasons"
down_revision = "20261122_2340"
branch_labels = None
depends_on = None


def upgrade() -> None:

    op.create_table('award_quotas',
    sa.Column('campaign_id', sa.Uuid(), nullable=False),
    sa.Column('key', sa.String(length=96), nullable=False),
    sa.Column('quantity', sa.Integer(), nullable=False),
    sa.Column('used', sa.Integer(), nullable=False),
    sa.CheckConstraint('used >= 0 AND used <= quantity', name=op.f('ck_award_quotas_stock')),
    sa.ForeignKeyConstraint(['campaign_id'], ['campaigns.id'], name=op.f('fk_award_quotas_campaign_id_campaigns')),
    sa.PrimaryKeyConstraint('campaign_id', 'key', name=op.f('pk_award_quotas'))
    )
    op.create_table('campaign_actions',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('campaign_id', sa.Uuid(), nullable=False),
    sa.Column('citizen_id', sa.Uuid(), nullable=False),
    sa.Column('kind', sa.String(length=32), nullable=False),
    sa.Column('name', sa.String(length=64), nullable=False),
    sa.Column('source', sa.String(length=64), nullable=False),
    sa.Column('amount', sa.Integer(), nullable=False),
    sa.Column('acted_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('acted_on', sa.Date(), nullable=False),
    sa.CheckConstraint('amount > 0', name=op.f('ck_campaign_actions_amount')),
    sa.ForeignKeyConstraint(['campaign_id'], ['campaigns.id'], name=op.f('fk_campaign_actions_campaign_id_campaigns')),
    sa.ForeignKeyConstraint(['citizen_id'], ['citizens.id'], name=op.f('fk_campaign_actions_citizen_id_citizens')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_campaign_actions')),
    sa.UniqueConstraint('campaign_id', 'citizen_id', 'kind', 'source', name=op.f('uq_campaign_actions_campaign_id_citizen_id_kind_source'))
    )
    op.create_table('campaign_teams',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('campaign_id', sa.Uuid(), nullable=False),
    sa.Column('track', sa.String(length=32), nullable=False),
    sa.Column('name', sa.String(length=40), nullable=False),
    sa.Column('member_count', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('created_by', sa.Uuid(), nullable=True),
    sa.CheckConstraint('member_count >= 0', name=op.f('ck_campaign_teams_members')),
    sa.ForeignKeyConstraint(['campaign_id'], ['campaigns.id'], name=op.f('fk_campaign_teams_campaign_id_campaigns')),
    sa.ForeignKeyConstraint(['created_by'], ['citizens.id'], name=op.f('fk_campaign_teams_created_by_citizens')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_campaign_teams')),
    sa.UniqueConstraint('campaign_id', 'name', name=op.f('uq_campaign_teams_campaign_id_name'))
    )
    op.create_table('award_grants',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('campaign_id', sa.Uuid(), nullable=False),
    sa.Column('terms_id', sa.Uuid(), nullable=False),
    sa.Column('citizen_id', sa.Uuid(), nullable=False),
    sa.Column('award_id', sa.String(length=32), nullable=False),
    sa.Column('scope', sa.String(length=64), nullable=False),
    sa.Column('band', sa.Integer(), nullable=False),
    sa.Column('gifts', sa.JSON().with_variant(postgresql.JSONB(), 'postgresql'), nullable=False),
    sa.Column('points', sa.Integer(), nullable=False),
    sa.Column('attempt_id', sa.Uuid(), nullable=True),
    sa.Column('first_ticket', sa.Integer(), nullable=True),
    sa.Column('round_key', sa.String(length=48), nullable=False),
    sa.Column('quiz_id', sa.String(length=32), nullable=False),
    sa.Column('granted_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('granted_on', sa.Date(), nullable=False),
    sa.CheckConstraint('points >= 0', name=op.f('ck_award_grants_points')),
    sa.ForeignKeyConstraint(['campaign_id'], ['campaigns.id'], name=op.f('fk_award_grants_campaign_id_campaigns')),
    sa.ForeignKeyConstraint(['citizen_id'], ['citizens.id'], name=op.f('fk_award_grants_citizen_id_citizens')),
    sa.ForeignKeyConstraint(['terms_id'], ['campaign_terms.id'], name=op.f('fk_award_grants_terms_id_campaign_terms')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_award_grants')),
    sa.UniqueConstraint('campaign_id', 'citizen_id', 'award_id', 'scope', 'band', name=op.f('uq_award_grants_campaign_id_citizen_id_award_id_scope_band'))
    )
    with op.batch_alter_table('award_grants', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_award_grants_campaign_id_award_id_granted_on'), ['campaign_id', 'award_id', 'granted_on'], unique=False)

    op.create_table('campaign_entries',
    sa.Column('campaign_id', sa.Uuid(), nullable=False),
    sa.Column('citizen_id', sa.Uuid(), nullable=False),
    sa.Column('track', sa.String(length=32), nullable=False),
    sa.Column('team_id', sa.Uuid(), nullable=True),
    sa.Column('answers_encrypted', sa.LargeBinary(), nullable=True),
    sa.Column('is_on_boards', sa.Boolean(), nullable=False),
    sa.Column('entered_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['campaign_id'], ['campaigns.id'], name=op.f('fk_campaign_entries_campaign_id_campaigns')),
    sa.ForeignKeyConstraint(['citizen_id'], ['citizens.id'], name=op.f('fk_campaign_entries_citizen_id_citizens')),
    sa.ForeignKeyConstraint(['team_id'], ['campaign_teams.id'], name=op.f('fk_campaign_entries_team_id_campaign_teams')),
    sa.PrimaryKeyConstraint('campaign_id', 'citizen_id', name=op.f('pk_campaign_entries'))
    )
    with op.batch_alter_table('campaign_entries', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_campaign_entries_team_id'), ['team_id'], unique=False)

    with op.batch_alter_table('attempts', schema=None) as batch_op:
        batch_op.add_column(sa.Column('quiz_id', sa.String(length=32), server_default='main', nullable=False))
        batch_op.add_column(sa.Column('track', sa.String(length=32), server_default='', nullable=False))
        batch_op.add_column(sa.Column('channel', sa.String(length=20), server_default='web', nullable=False))
        batch_op.add_column(sa.Column('round_key', sa.String(length=48), server_default='', nullable=False))
        batch_op.add_column(sa.Column('score', sa.Integer(), nullable=True))




def downgrade() -> None:

    with op.batch_alter_table('attempts', schema=None) as batch_op:
        batch_op.drop_column('score')
        batch_op.drop_column('round_key')
        batch_op.drop_column('channel')
        batch_op.drop_column('track')
        batch_op.drop_column('quiz_id')

    with op.batch_alter_table('campaign_entries', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_campaign_entries_team_id'))

    op.drop_table('campaign_entries')
    with op.batch_alter_table('award_grants', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_award_grants_campaign_id_award_id_granted_on'))

    op.drop_table('award_grants')
    op.drop_table('campaign_teams')
    op.drop_table('campaign_actions')
    op.drop_table('award_quotas')

