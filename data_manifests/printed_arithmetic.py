"""Arithmetic on printed numbers that keeps in mind that each was rounded before it was printed."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from .evaluation import Algebra, evaluate
from .expression import Expression, printed_table
from .published import PublishedNumber


@dataclass(frozen=True, slots=True)
class Printed:
    """What arithmetic on printed numbers gives.

    Attributes:
        value: computed from the numbers as they are printed.
        low, high: the least and the largest it can be for numbers that round to the printed ones. Each print is taken
            to vary freely, so where one cell is used twice the true range is narrower.
    """

    value: Fraction
    low: Fraction
    high: Fraction

    @classmethod
    def exact(cls, value: Decimal | int) -> "Printed":
        """A number that was not rounded."""
        return cls(Fraction(value), Fraction(value), Fraction(value))

    @classmethod
    def of(cls, number: PublishedNumber) -> "Printed":
        """A printed number with what it may have been before rounding, both ends allowed."""
        value, half = Fraction(number.value), Fraction(number.half_unit)
        return cls(value, value - half, value + half)

    def __add__(self, other: "Printed") -> "Printed":
        return Printed(self.value + other.value, self.low + other.low, self.high + other.high)

    def __sub__(self, other: "Printed") -> "Printed":
        return Printed(self.value - other.value, self.low - other.high, self.high - other.low)

    def __mul__(self, other: "Printed") -> "Printed":
        ends = [a * b for a in (self.low, self.high) for b in (other.low, other.high)]
        return Printed(self.value * other.value, min(ends), max(ends))

    def __truediv__(self, other: "Printed") -> "Printed":
        if other.low <= 0 <= other.high:
            raise ZeroDivisionError(f"The divisor may be 0: {float(other.low)} to {float(other.high)}.")
        return self * Printed(1 / other.value, 1 / other.high, 1 / other.low)


def _ends(pick: Callable[..., Fraction]) -> Callable[[Printed, Printed], Printed]:
    def picked(a: Printed, b: Printed) -> Printed:
        return Printed(pick(a.value, b.value), pick(a.low, b.low), pick(a.high, b.high))

    return picked


def _size(number: Printed) -> Printed:
    low = Fraction(0) if number.low <= 0 <= number.high else min(abs(number.low), abs(number.high))
    return Printed(abs(number.value), low, max(abs(number.low), abs(number.high)))


def _above(a: Printed, b: Printed) -> Printed:
    """1 where a is printed above b; low is 1 only if it was above before rounding too, high if it may have been."""
    return Printed(*(Fraction(int(one)) for one in (a.value > b.value, a.low > b.high, a.high > b.low)))


PRINTED: Algebra[Printed] = Algebra(Printed.exact, _ends(min), _ends(max), _size, _above)


def on_paper(expression: Expression) -> Printed:
    """What an expression gives on the numbers the paper prints."""
    cells = {
        name: Printed.of(printed_table(name.table).cell(name.row, name.column).as_number()) for name in expression.cells
    }
    return evaluate(expression, cells, PRINTED)
