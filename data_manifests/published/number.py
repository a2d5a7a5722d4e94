"""A number as the paper prints it: never a measured float."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class PublishedNumber:
    """A printed decimal and how exact it is.

    Attributes:
        value: the number exactly as printed, in the cell's unit.
        decimals: digits printed after the point.
        rounded_to: digits after the point it was rounded to, at least `decimals` (some tables drop trailing zeros:
            A3 prints 98 for 98.00); None for an exact count or setting.
    """

    value: Decimal
    decimals: int
    rounded_to: int | None

    @property
    def half_unit(self) -> Decimal:
        """How far the number before rounding may lie from `value`: half a unit of its last digit, 0 when exact."""
        return Decimal(0) if self.rounded_to is None else Decimal(1).scaleb(-self.rounded_to) / 2

    def could_be(self, low: Decimal, high: Decimal | None = None) -> bool:
        """Whether some number in [low, high] rounds to this print; both ends of half a unit are allowed.

        The ends are allowed because the paper does not say how it rounds ties.
        """
        upper = low if high is None else high
        return low - self.half_unit <= self.value <= upper + self.half_unit
