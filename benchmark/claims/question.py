"""What a claim asks of data other than the paper's: a direction, never a number."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from data_manifests.claim import Claim
from data_manifests.evaluation import margins
from data_manifests.expression import Expression
from data_manifests.printed_arithmetic import PRINTED, Printed

Form = Literal["above zero", "below zero", "most rows", "every row", "value"]
"""above zero, below zero: the sign of one number. most rows, every row: in how many rows a comparison holds. value: no
direction, only a number to be shown."""


@dataclass(frozen=True)
class Question:
    """What is asked of the cells of an expression.

    Attributes:
        rows: rows that a count counts; 0 where nothing is counted.
    """

    form: Form
    expression: Expression
    rows: int

    @property
    def words(self) -> str:
        """The question as a page puts it."""
        match self.form:
            case "above zero":
                return f"{self.expression.text} > 0?"
            case "below zero":
                return f"{self.expression.text} <= 0?"
            case "most rows":
                return f"{self.expression.text} > {self.rows / 2:g}, most of {self.rows}?"
            case "every row":
                return f"{self.expression.text} = {self.rows}, every one?"
        return self.expression.text


def question(claim: Claim) -> Question | None:
    """What other data can be asked about a claim; None where it reads no cell.

    A size ("over 8 %") and a count ("9 of 10") were measured on the paper's data, so of others only the sign is asked,
    and whether most rows gain; a claim of every row stays one of every row.
    """
    if claim.expression is None or claim.states is None:
        return None
    if claim.direction is not None:
        return Question("above zero", claim.direction, 0)
    if not claim.expression.cells or claim.expression.text.startswith("size("):
        return None
    rows = _rows(claim.expression)
    if claim.kind == "count":
        return Question("every row" if claim.states.value == rows else "most rows", claim.expression, rows)
    if claim.kind == "value":
        return Question("value", claim.expression, 0)
    downwards = claim.relation in {"below", "at most"} or claim.states.value < 0
    return Question("below zero" if downwards else "above zero", claim.expression, 0)


def _rows(expression: Expression) -> int:
    """How many rows its comparisons compare."""
    anything = dict.fromkeys(expression.cells, Printed.exact(Decimal(1)))
    return len(margins(expression, anything, PRINTED))
