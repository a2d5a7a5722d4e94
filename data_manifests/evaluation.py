"""What an expression comes to, in whatever kind of number its cells are given."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import reduce
from typing import Generic, Protocol, Self, TypeVar

from .expression import Above, Arithmetic, Call, CellName, Cells, Constant, Expression, Node


class Quantity(Protocol):
    """What can be added, subtracted, multiplied and divided: printed numbers, or arrays of drawn means."""

    def __add__(self, other: Self, /) -> Self: ...
    def __sub__(self, other: Self, /) -> Self: ...
    def __mul__(self, other: Self, /) -> Self: ...
    def __truediv__(self, other: Self, /) -> Self: ...


Q = TypeVar("Q", bound=Quantity)


@dataclass(frozen=True)
class Algebra(Generic[Q]):
    """What a kind of quantity needs besides + - * /.

    Attributes:
        constant: a written number.
        smallest, largest: of two quantities.
        size: the absolute value.
        above: one where the first is above the second, zero elsewhere.
    """

    constant: Callable[[Decimal], Q]
    smallest: Callable[[Q, Q], Q]
    largest: Callable[[Q, Q], Q]
    size: Callable[[Q], Q]
    above: Callable[[Q, Q], Q]


def evaluate(expression: Expression, cells: Mapping[CellName, Q], algebra: Algebra[Q]) -> Q:
    """The value of an expression, given one for each of its cells."""
    return _Evaluation(cells, algebra).one(expression.root)


def margins(expression: Expression, cells: Mapping[CellName, Q], algebra: Algebra[Q]) -> tuple[Q, ...]:
    """Left - right in every row that the expression's comparisons count, in printed order."""
    evaluation = _Evaluation(cells, algebra)
    return tuple(one for above in _comparisons(expression.root) for one in evaluation.margins(above))


def lower_parts(expression: Expression, cells: Mapping[CellName, Q], algebra: Algebra[Q]) -> tuple[Q, ...]:
    """Numbers of which the smallest is the expression: it is above a bound where each of them is.

    `min(a, b)` has two, `lead(cells, names)` one for each named row and each other one, a plain difference itself.
    """
    return tuple(_Evaluation(cells, algebra).lower(expression.root))


def upper_parts(expression: Expression, cells: Mapping[CellName, Q], algebra: Algebra[Q]) -> tuple[Q, ...]:
    """Numbers of which the largest is the expression: it is below a bound where each of them is."""
    return tuple(_Evaluation(cells, algebra).upper(expression.root))


def _comparisons(node: Node) -> list[Above]:
    match node:
        case Above():
            return [node]
        case Arithmetic(left=left, right=right):
            return [*_comparisons(left), *_comparisons(right)]
        case Call(arguments=arguments):
            return [above for one in arguments for above in _comparisons(one)]
    return []


@dataclass(frozen=True)
class _Evaluation(Generic[Q]):
    cells: Mapping[CellName, Q]
    algebra: Algebra[Q]

    def one(self, node: Node) -> Q:
        """A node that is one number."""
        match node:
            case CellName():
                return self.cells[node]
            case Constant(value):
                return self.algebra.constant(value)
            case Arithmetic(operator, left, right):
                return _apply(operator, self.one(left), self.one(right))
            case Call():
                return self._call(node)
        raise AssertionError(node)  # the parser lets no such tree through

    def several(self, node: Node) -> dict[str, Q]:
        """A node that is several numbers, by key."""
        match node:
            case Cells(by_key):
                return {key: self.cells[name] for key, name in by_key}
            case Arithmetic(operator, left, right):
                return {key: _apply(operator, a, b) for key, (a, b) in self._pairs(left, right).items()}
            case Above(left, right):
                return {key: self.algebra.above(a, b) for key, (a, b) in self._pairs(left, right).items()}
            case Call("abs", (argument,)):
                return {key: self.algebra.size(value) for key, value in self.several(argument).items()}
        raise AssertionError(node)

    def lower(self, node: Node) -> list[Q]:
        """Numbers whose smallest is the node."""
        match node:
            case Call("min", arguments):
                if _is_several(arguments[0]):
                    return list(self.several(arguments[0]).values())
                return [value for argument in arguments for value in self.lower(argument)]
            case Call("lead", (argument,), keys):
                values = self.several(argument)
                others = [value for key, value in values.items() if key not in keys]
                return [values[key] - other for key in keys for other in others]
            case Arithmetic("-", left, right) if not _is_several(node):
                return [a - b for a in self.lower(left) for b in self.upper(right)]
        return [self.one(node)]

    def upper(self, node: Node) -> list[Q]:
        """Numbers whose largest is the node."""
        match node:
            case Call("max", arguments):
                if _is_several(arguments[0]):
                    return list(self.several(arguments[0]).values())
                return [value for argument in arguments for value in self.upper(argument)]
            case Arithmetic("-", left, right) if not _is_several(node):
                return [a - b for a in self.upper(left) for b in self.lower(right)]
        return [self.one(node)]

    def margins(self, node: Above) -> list[Q]:
        """Left - right, row by row."""
        return [a - b for a, b in self._pairs(node.left, node.right).values()]

    def _pairs(self, left: Node, right: Node) -> dict[str, tuple[Q, Q]]:
        """Both sides row by row; a single number stands beside every row of the other."""
        if _is_several(left) and _is_several(right):
            a, b = self.several(left), self.several(right)
            return {key: (a[key], b[key]) for key in a}
        if _is_several(left):
            alone = self.one(right)
            return {key: (value, alone) for key, value in self.several(left).items()}
        alone = self.one(left)
        return {key: (alone, value) for key, value in self.several(right).items()}

    def _call(self, node: Call) -> Q:
        function, arguments = node.function, node.arguments
        if function == "abs":
            return self.algebra.size(self.one(arguments[0]))
        if len(arguments) > 1 or not _is_several(arguments[0]):
            return self._reduced(function, [self.one(argument) for argument in arguments])
        values = self.several(arguments[0])
        if function == "lead":
            named = [value for key, value in values.items() if key in node.keys]
            others = [value for key, value in values.items() if key not in node.keys]
            return self._reduced("min", named) - self._reduced("max", others)
        return self._reduced(function, list(values.values()))

    def _reduced(self, function: str, values: Sequence[Q]) -> Q:
        count = self.algebra.constant(Decimal(len(values)))
        match function:
            case "size":
                return count
            case "sum" | "count":
                return reduce(_plus, values)
            case "mean":
                return reduce(_plus, values) / count
            case "min":
                return reduce(self.algebra.smallest, values)
            case "max":
                return reduce(self.algebra.largest, values)
        raise AssertionError(function)


def _plus(left: Q, right: Q) -> Q:
    return left + right


def _apply(operator: str, left: Q, right: Q) -> Q:
    match operator:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
    return left / right


def _is_several(node: Node) -> bool:
    match node:
        case Cells() | Above():
            return True
        case Arithmetic(left=left, right=right):
            return _is_several(left) or _is_several(right)
        case Call("abs", (argument,)):
            return _is_several(argument)
    return False
