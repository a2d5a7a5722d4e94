"""The tables, as SQLAlchemy 2 typed classes; the migrations create them."""

from .admin import Admin, AdminSession
from .answer import CHOICES, INPUT_MODES, Assignment, Choice, InputMode, Response, ResponseRevision, Side, State
from .base import Base, Moment
from .person import Consent, Decision, Device, Identity, Invitation, Participant, Source, Status, TrainingAttempt
from .rating import RATING
from .stimulus import Arm, Image, Region, Role, Task, TaskKind, Visualisation
from .study import Run, RunKind, Study
from .trail import POLICIES, REASONS, Audit, Erasure, Event, Exclusion, Reason

__all__ = [
    "CHOICES",
    "INPUT_MODES",
    "POLICIES",
    "RATING",
    "REASONS",
    "Admin",
    "AdminSession",
    "Arm",
    "Assignment",
    "Audit",
    "Base",
    "Choice",
    "Consent",
    "Decision",
    "Device",
    "Erasure",
    "Event",
    "Exclusion",
    "Identity",
    "Image",
    "InputMode",
    "Invitation",
    "Moment",
    "Participant",
    "Reason",
    "Region",
    "Response",
    "ResponseRevision",
    "Role",
    "Run",
    "RunKind",
    "Side",
    "Source",
    "State",
    "Status",
    "Study",
    "Task",
    "TaskKind",
    "TrainingAttempt",
    "Visualisation",
]
