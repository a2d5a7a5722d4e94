"""All tables of the first version, and the view that analyses read."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# The outcome is derived here and nowhere stored. The paper counts "both" and "neither" as undecided alike.
RATING = """
CREATE VIEW rating AS
SELECT response.id AS response_id,
       participant.run_id AS run_id,
       run.kind AS run_kind,
       participant.id AS participant_id,
       task.id AS task_id,
       task.image_id AS image_id,
       task.role AS role,
       task.arm AS arm,
       assignment.position AS position,
       assignment.key_side AS key_side,
       response.choice AS choice,
       CASE WHEN response.choice IN ('both', 'neither') THEN 'undecided'
            WHEN response.choice = assignment.key_side THEN 'agree'
            ELSE 'disagree' END AS outcome,
       response.input AS input,
       response.client_rt_ms AS client_rt_ms,
       response.server_rt_ms AS server_rt_ms,
       response.at AS at
FROM response
JOIN assignment ON assignment.id = response.assignment_id
JOIN participant ON participant.id = assignment.participant_id
JOIN run ON run.id = participant.run_id
JOIN task ON task.id = assignment.task_id
WHERE task.kind = 'main'
"""


def upgrade() -> None:
    """Step up."""
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("object", sa.String(), nullable=False),
        sa.Column("detail_json", sa.Text(), nullable=False),
        sa.Column("prev_sha256", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
        sa.UniqueConstraint("prev_sha256", name=op.f("uq_audit_prev_sha256")),
        sa.UniqueConstraint("sha256", name=op.f("uq_audit_sha256")),
    )
    op.create_table(
        "identity",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token", sa.String(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("username", sa.String(), nullable=True),
        sa.Column("password_hash", sa.String(), nullable=True),
        sa.Column("external_pid", sa.String(), nullable=True),
        sa.Column("external_session", sa.String(), nullable=True),
        sa.Column("code_sha256", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "source IN ('open', 'account', 'invitation', 'prolific', 'mturk', 'sona', 'bot')",
            name=op.f("ck_identity_source"),
        ),
        sa.CheckConstraint("(username IS NULL) = (password_hash IS NULL)", name=op.f("ck_identity_account_is_whole")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity")),
        sa.UniqueConstraint("code_sha256", name=op.f("uq_identity_code_sha256")),
        sa.UniqueConstraint("source", "external_pid", name=op.f("uq_identity_source_external_pid")),
        sa.UniqueConstraint("token", name=op.f("uq_identity_token")),
        sa.UniqueConstraint("username", name=op.f("uq_identity_username")),
    )
    op.create_table(
        "study",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("config_json", sa.Text(), nullable=False),
        sa.Column("config_sha256", sa.String(), nullable=False),
        sa.Column("stimuli_sha256", sa.String(), nullable=False),
        sa.Column("picture_bytes", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("picture_bytes > 0", name=op.f("ck_study_picture_bytes")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_study")),
        sa.UniqueConstraint("slug", name=op.f("uq_study_slug")),
    )
    op.create_table(
        "image",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("dataset_ref", sa.String(), nullable=False),
        sa.Column("true_class", sa.String(), nullable=False),
        sa.Column("pred_class", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.CheckConstraint("width > 0 AND height > 0", name=op.f("ck_image_size")),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name=op.f("fk_image_study_id_study")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_image")),
        sa.UniqueConstraint("study_id", "dataset_ref", name=op.f("uq_image_study_id_dataset_ref")),
    )
    op.create_table(
        "run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token", sa.String(), nullable=False),
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("prereg_sha256", sa.String(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("unblinded_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('main', 'pilot', 'bot')", name=op.f("ck_run_kind")),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name=op.f("fk_run_study_id_study")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run")),
        sa.UniqueConstraint("token", name=op.f("uq_run_token")),
    )
    with op.batch_alter_table("run", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_run_study_id"), ["study_id"], unique=False)

    op.create_table(
        "erasure",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("participant_token_hash", sa.String(), nullable=False),
        sa.Column("policy", sa.String(), nullable=False),
        sa.Column("rows_removed", sa.Integer(), nullable=False),
        sa.CheckConstraint("policy IN ('delete', 'unlink')", name=op.f("ck_erasure_policy")),
        sa.CheckConstraint("rows_removed >= 0", name=op.f("ck_erasure_rows_removed")),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_erasure_run_id_run")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasure")),
        sa.UniqueConstraint("participant_token_hash", name=op.f("uq_erasure_participant_token_hash")),
    )
    op.create_table(
        "participant",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token", sa.String(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("identity_id", sa.Integer(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("locale", sa.String(), nullable=False),
        sa.Column("device_class", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("training_step", sa.Integer(), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("completion_code", sa.String(), nullable=True),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "device_class IN ('desktop', 'tablet', 'phone', 'unknown')", name=op.f("ck_participant_device_class")
        ),
        sa.CheckConstraint(
            "source IN ('open', 'account', 'invitation', 'prolific', 'mturk', 'sona', 'bot')",
            name=op.f("ck_participant_source"),
        ),
        sa.CheckConstraint(
            "status != 'finished' OR finished_at IS NOT NULL", name=op.f("ck_participant_finished_has_a_moment")
        ),
        sa.CheckConstraint(
            "status IN ('consented', 'training', 'active', 'finished', 'screened_out', 'withdrawn', 'abandoned')",
            name=op.f("ck_participant_status"),
        ),
        sa.CheckConstraint("training_step >= 0", name=op.f("ck_participant_training_step")),
        sa.ForeignKeyConstraint(
            ["identity_id"], ["identity.id"], name=op.f("fk_participant_identity_id_identity"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_participant_run_id_run")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_participant")),
        sa.UniqueConstraint("completion_code", name=op.f("uq_participant_completion_code")),
        sa.UniqueConstraint("run_id", "identity_id", name=op.f("uq_participant_run_id_identity_id")),
        sa.UniqueConstraint("token", name=op.f("uq_participant_token")),
    )
    with op.batch_alter_table("participant", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_participant_run_id"), ["run_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_participant_status"), ["status"], unique=False)

    op.create_table(
        "region",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("image_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("bbox", sa.String(), nullable=True),
        sa.Column("mask_sha256", sa.String(), nullable=True),
        sa.Column("area_frac", sa.Double(), nullable=True),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("params_json", sa.Text(), nullable=False),
        sa.CheckConstraint("role IN ('true', 'pred')", name=op.f("ck_region_role")),
        sa.CheckConstraint("area_frac > 0 AND area_frac <= 1", name=op.f("ck_region_area_frac")),
        sa.ForeignKeyConstraint(["image_id"], ["image.id"], name=op.f("fk_region_image_id_image")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_region")),
        sa.UniqueConstraint("image_id", "role", name=op.f("uq_region_image_id_role")),
    )
    op.create_table(
        "visualisation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("image_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("arm", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("steps", sa.Integer(), nullable=True),
        sa.Column("sparsity", sa.Double(), nullable=True),
        sa.Column("generator_version", sa.String(), nullable=True),
        sa.CheckConstraint("arm IN ('dense', 'spade')", name=op.f("ck_visualisation_arm")),
        sa.CheckConstraint("role IN ('true', 'pred')", name=op.f("ck_visualisation_role")),
        sa.ForeignKeyConstraint(["image_id"], ["image.id"], name=op.f("fk_visualisation_image_id_image")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visualisation")),
        sa.UniqueConstraint("image_id", "role", "arm", "seed", name=op.f("uq_visualisation_image_id_role_arm_seed")),
    )
    op.create_table(
        "consent",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("participant_id", sa.Integer(), nullable=True),
        sa.Column("document_sha256", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("locale", sa.String(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(decision = 'accepted') OR (participant_id IS NULL)", name=op.f("ck_consent_declined_is_nobody")
        ),
        sa.CheckConstraint("decision IN ('accepted', 'declined')", name=op.f("ck_consent_decision")),
        sa.ForeignKeyConstraint(
            ["participant_id"],
            ["participant.id"],
            name=op.f("fk_consent_participant_id_participant"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_consent_run_id_run")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent")),
    )
    with op.batch_alter_table("consent", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_consent_participant_id"), ["participant_id"], unique=False)

    op.create_table(
        "event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("participant_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=True),
        sa.Column("client_ms", sa.Integer(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["participant_id"], ["participant.id"], name=op.f("fk_event_participant_id_participant"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
    )
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_event_participant_id"), ["participant_id"], unique=False)

    op.create_table(
        "task",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("image_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("arm", sa.Text(), nullable=True),
        sa.Column("visualisation_id", sa.Integer(), nullable=True),
        sa.Column("answer_region_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_reason", sa.String(), nullable=True),
        sa.CheckConstraint("(kind = 'catch') = (arm IS NULL)", name=op.f("ck_task_catch_has_no_arm")),
        sa.CheckConstraint("arm IN ('dense', 'spade')", name=op.f("ck_task_arm")),
        sa.CheckConstraint("kind IN ('main', 'train', 'catch', 'repeat')", name=op.f("ck_task_kind")),
        sa.CheckConstraint("role IN ('true', 'pred')", name=op.f("ck_task_role")),
        sa.CheckConstraint("(arm IS NULL) = (visualisation_id IS NULL)", name=op.f("ck_task_arm_has_visualisation")),
        sa.CheckConstraint(
            "(withdrawn_at IS NULL) = (withdrawn_reason IS NULL)", name=op.f("ck_task_withdrawn_for_a_reason")
        ),
        sa.ForeignKeyConstraint(["answer_region_id"], ["region.id"], name=op.f("fk_task_answer_region_id_region")),
        sa.ForeignKeyConstraint(["image_id"], ["image.id"], name=op.f("fk_task_image_id_image")),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name=op.f("fk_task_study_id_study")),
        sa.ForeignKeyConstraint(
            ["visualisation_id"], ["visualisation.id"], name=op.f("fk_task_visualisation_id_visualisation")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task")),
        sa.UniqueConstraint(
            "study_id", "image_id", "role", "arm", "kind", name=op.f("uq_task_study_id_image_id_role_arm_kind")
        ),
    )
    with op.batch_alter_table("task", schema=None) as batch_op:
        batch_op.create_index(
            "uq_task_catch",
            ["study_id", "image_id", "role"],
            unique=True,
            sqlite_where=sa.text("kind = 'catch'"),
            postgresql_where=sa.text("kind = 'catch'"),
        )

    op.create_table(
        "training_attempt",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("participant_id", sa.Integer(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("choice", sa.String(), nullable=False),
        sa.Column("correct", sa.Boolean(), nullable=False),
        sa.Column("rt_ms", sa.Integer(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("choice IN ('left', 'right', 'both', 'neither')", name=op.f("ck_training_attempt_choice")),
        sa.CheckConstraint("rt_ms >= 0", name=op.f("ck_training_attempt_rt_ms")),
        sa.ForeignKeyConstraint(
            ["participant_id"],
            ["participant.id"],
            name=op.f("fk_training_attempt_participant_id_participant"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_training_attempt")),
    )
    with op.batch_alter_table("training_attempt", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_training_attempt_participant_id"), ["participant_id"], unique=False)

    op.create_table(
        "assignment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token", sa.String(), nullable=False),
        sa.Column("participant_id", sa.Integer(), nullable=False),
        sa.Column("task_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("key_side", sa.Text(), nullable=False),
        sa.Column("leased_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("shown_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("void_reason", sa.String(), nullable=True),
        sa.CheckConstraint("key_side IN ('left', 'right')", name=op.f("ck_assignment_key_side")),
        sa.CheckConstraint(
            "state IN ('leased', 'shown', 'answered', 'expired', 'void')", name=op.f("ck_assignment_state")
        ),
        sa.CheckConstraint(
            "state NOT IN ('shown', 'answered') OR shown_at IS NOT NULL", name=op.f("ck_assignment_answered_was_shown")
        ),
        sa.CheckConstraint("expires_at > leased_at", name=op.f("ck_assignment_lease")),
        sa.CheckConstraint("position >= 0", name=op.f("ck_assignment_position")),
        sa.ForeignKeyConstraint(
            ["participant_id"],
            ["participant.id"],
            name=op.f("fk_assignment_participant_id_participant"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_assignment_task_id_task")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assignment")),
        sa.UniqueConstraint("participant_id", "position", name=op.f("uq_assignment_participant_id_position")),
        sa.UniqueConstraint("participant_id", "task_id", name=op.f("uq_assignment_participant_id_task_id")),
        sa.UniqueConstraint("token", name=op.f("uq_assignment_token")),
    )
    with op.batch_alter_table("assignment", schema=None) as batch_op:
        batch_op.create_index("ix_assignment_participant_id_state", ["participant_id", "state"], unique=False)
        batch_op.create_index("ix_assignment_task_id_state", ["task_id", "state"], unique=False)

    op.create_table(
        "response",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("assignment_id", sa.Integer(), nullable=False),
        sa.Column("choice", sa.Text(), nullable=False),
        sa.Column("input", sa.Text(), nullable=False),
        sa.Column("client_rt_ms", sa.Integer(), nullable=True),
        sa.Column("server_rt_ms", sa.Integer(), nullable=False),
        sa.Column("idempotency_key", sa.String(), nullable=False),
        sa.Column("n_blur", sa.Integer(), nullable=False),
        sa.Column("viewport", sa.String(), nullable=True),
        sa.Column("image_error", sa.Boolean(), nullable=False),
        sa.Column("locale", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("choice IN ('left', 'right', 'both', 'neither')", name=op.f("ck_response_choice")),
        sa.CheckConstraint("input IN ('dblclick', 'click', 'key', 'touch')", name=op.f("ck_response_input")),
        sa.CheckConstraint("client_rt_ms >= 0", name=op.f("ck_response_client_rt_ms")),
        sa.CheckConstraint("n_blur >= 0", name=op.f("ck_response_n_blur")),
        sa.CheckConstraint("server_rt_ms >= 0", name=op.f("ck_response_server_rt_ms")),
        sa.ForeignKeyConstraint(
            ["assignment_id"], ["assignment.id"], name=op.f("fk_response_assignment_id_assignment"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_response")),
        sa.UniqueConstraint("assignment_id", name=op.f("uq_response_assignment_id")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_response_idempotency_key")),
    )
    op.create_table(
        "response_revision",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("response_id", sa.Integer(), nullable=False),
        sa.Column("choice", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.CheckConstraint("choice IN ('left', 'right', 'both', 'neither')", name=op.f("ck_response_revision_choice")),
        sa.ForeignKeyConstraint(
            ["response_id"], ["response.id"], name=op.f("fk_response_revision_response_id_response"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_response_revision")),
    )
    with op.batch_alter_table("response_revision", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_response_revision_response_id"), ["response_id"], unique=False)
    op.execute(RATING)


def downgrade() -> None:
    """Step down."""
    op.execute("DROP VIEW rating")
    with op.batch_alter_table("response_revision", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_response_revision_response_id"))

    op.drop_table("response_revision")
    op.drop_table("response")
    with op.batch_alter_table("assignment", schema=None) as batch_op:
        batch_op.drop_index("ix_assignment_task_id_state")
        batch_op.drop_index("ix_assignment_participant_id_state")

    op.drop_table("assignment")
    with op.batch_alter_table("training_attempt", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_training_attempt_participant_id"))

    op.drop_table("training_attempt")
    with op.batch_alter_table("task", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_task_catch", sqlite_where=sa.text("kind = 'catch'"), postgresql_where=sa.text("kind = 'catch'")
        )

    op.drop_table("task")
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_event_participant_id"))

    op.drop_table("event")
    with op.batch_alter_table("consent", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_consent_participant_id"))

    op.drop_table("consent")
    op.drop_table("visualisation")
    op.drop_table("region")
    with op.batch_alter_table("participant", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_participant_status"))
        batch_op.drop_index(batch_op.f("ix_participant_run_id"))

    op.drop_table("participant")
    op.drop_table("erasure")
    with op.batch_alter_table("run", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_run_study_id"))

    op.drop_table("run")
    op.drop_table("image")
    op.drop_table("study")
    op.drop_table("identity")
    op.drop_table("audit")
