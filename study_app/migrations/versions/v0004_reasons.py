"""Exclusions have a reason from a list, a note, and who decided."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_REASONS = "'preregistered', 'careless', 'catch', 'technical', 'duplicate', 'ineligible', 'request', 'other'"
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Step up; what stood there in words becomes the note of the reason `other`."""
    rows = _taken()
    op.drop_table("exclusion")
    made = _create(
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.CheckConstraint(f"reason IN ({_REASONS})", name=op.f("ck_exclusion_reason")),
        sa.CheckConstraint("reason != 'other' OR note != ''", name=op.f("ck_exclusion_other_is_explained")),
    )
    put = [{**row, "reason": "other", "note": row["reason"], "actor": "command line"} for row in rows]
    op.bulk_insert(made, put)


def downgrade() -> None:
    """Step down; reason and note become one text."""
    rows = _taken("note")
    op.drop_table("exclusion")
    made = _create(
        sa.Column("reason", sa.String(), nullable=False),
        sa.CheckConstraint("reason != ''", name=op.f("ck_exclusion_reason")),
    )
    put = [{**row, "reason": f"{row['reason']}: {row['note']}" if row["note"] else row["reason"]} for row in rows]
    op.bulk_insert(made, [{name: value for name, value in row.items() if name != "note"} for row in put])


def _create(*own: sa.Column[object] | sa.CheckConstraint) -> sa.Table:
    # SQLite changes a table by making it anew and would lose its checks; so it is made anew here, with them.
    return op.create_table(
        "exclusion",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("participant_id", sa.Integer(), nullable=False),
        *own,
        sa.Column("at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["participant_id"],
            ["participant.id"],
            name=op.f("fk_exclusion_participant_id_participant"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exclusion")),
        sa.UniqueConstraint("participant_id", name=op.f("uq_exclusion_participant_id")),
    )


def _taken(*more: str) -> list[dict[str, object]]:
    """Every row: participant, reason, moment, and `more`. Ids are given anew."""
    names = ("participant_id", "reason", *more)
    table = sa.table("exclusion", *map(sa.column, names), sa.column("at", _MOMENT))
    return [dict(row) for row in op.get_bind().execute(sa.select(table)).mappings()]
