"""The view `rating`: every main answer with its outcome against Score-CAM, as analyses read it."""

from sqlalchemy import Column, Integer, MetaData, Table, Text

from .base import Moment

RATING = Table(
    "rating",
    MetaData(),  # of its own: a view is made by a migration and never by `create_all`
    Column("response_id", Integer),
    Column("run_id", Integer),
    Column("run_kind", Text),
    Column("participant_id", Integer),
    Column("task_id", Integer),
    Column("image_id", Integer),
    Column("role", Text),
    Column("arm", Text),
    Column("position", Integer),
    Column("key_side", Text),
    Column("choice", Text),
    Column("outcome", Text),
    Column("input", Text),
    Column("client_rt_ms", Integer),
    Column("server_rt_ms", Integer),
    Column("at", Moment),
)
