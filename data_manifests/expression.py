"""Arithmetic over printed cells, as a claim writes it: `mean(T2[each, "SPADE"] - T2[each, "Dense"])`.

Python's grammar, of which this much is allowed:

- a cell, `T2["LRP", "SPADE"]`: table, row and column as `data_manifests.published` spells them; `FI7` is figure I.7;
- several cells: `T2[each, "SPADE"]` (every row but Average), `T2[("LRP", "LIME"), "SPADE"]`, or over columns
  `TA18["Average", ("1ST", "MST")]`;
- numbers, + - * /, and parentheses; several cells go row by row (a method is one row, however a table spells it);
- the functions of `FUNCTIONS`, and `>` or `<` inside `count(...)`.

The whole is one number. Nothing is handed to Python's own evaluation: the text is parsed, and what is not on this list
is refused.
"""

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Literal

from .errors import ManifestError, UnknownNameError, allowed_names
from .published import PublishedTable, load, method, table_ids

AVERAGE = "Average"
EACH = "each"

FUNCTIONS: Mapping[str, str] = {
    "mean": "the mean of several cells",
    "sum": "their sum",
    "min": "the smallest of several cells, or of the numbers given",
    "max": "the largest of them",
    "abs": "the size of a number, or of several cells one by one",
    "count": "in how many rows a comparison holds",
    "size": "how many cells there are",
    "lead": 'by how much the least of the rows named, lead(cells, "LRP"), exceeds the largest of all others',
}
"""What an expression may call, and what it gives."""

_OPERATORS: Mapping[type[ast.operator], Literal["+", "-", "*", "/"]] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
}


class ExpressionError(ManifestError):
    """An expression that is not in the language, or that names a cell the paper does not print."""


@dataclass(frozen=True, slots=True)
class CellName:
    """A printed cell by name."""

    table: str
    row: str
    column: str

    def __str__(self) -> str:
        return f"Table {self.table}, row '{self.row}', column '{self.column}'"


@dataclass(frozen=True, slots=True)
class Constant:
    """A number written in the expression."""

    value: Decimal


@dataclass(frozen=True, slots=True)
class Cells:
    """Several cells, each with the key that matches it to a cell of another table or column."""

    by_key: tuple[tuple[str, CellName], ...]


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """Left operator right, row by row where either is several."""

    operator: Literal["+", "-", "*", "/"]
    left: "Node"
    right: "Node"


@dataclass(frozen=True, slots=True)
class Above:
    """Whether left is above right, row by row; `<` is read as its mirror image."""

    left: "Node"
    right: "Node"


@dataclass(frozen=True, slots=True)
class Call:
    """One of FUNCTIONS; `keys` are the rows that `lead` names."""

    function: str
    arguments: tuple["Node", ...]
    keys: tuple[str, ...] = ()


Node = CellName | Constant | Cells | Arithmetic | Above | Call


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed expression whose every cell is printed and holds a number.

    Attributes:
        text: as it was written.
        root: its tree; one number.
        cells: every cell it reads, each once, in the order of the text.
    """

    text: str
    root: Node
    cells: tuple[CellName, ...]

    @property
    def tables(self) -> tuple[str, ...]:
        """Ids of the tables it reads, in the order of the text."""
        return tuple(dict.fromkeys(cell.table for cell in self.cells))


def parse(text: str) -> Expression:
    """The expression in `text`.

    Raises:
        ExpressionError: it is not in the language, its parts do not fit, or it names a cell that is not printed.
    """
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError) as error:
        raise ExpressionError(f"'{text}' is not an expression: {error}.") from None
    root = _read(tree.body)
    if _keys(root) is not None:
        raise ExpressionError(f"'{text}' gives several numbers, one a row; wrap it in mean, min, max, sum or count.")
    return Expression(text, root, tuple(dict.fromkeys(_cells(root))))


def key_of(row: str) -> str:
    """What a row is matched by in another table: Table 2's spelling of a method, the row's own name otherwise."""
    try:
        return method(row)
    except UnknownNameError:
        return row


def _read(node: ast.expr) -> Node:
    match node:
        case ast.Constant(value=int() | float()) if not isinstance(node.value, bool):
            # From the text, not from the float: 0.1 is a tenth.
            return Constant(Decimal(ast.unparse(node)))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return Arithmetic("-", Constant(Decimal(0)), _read(operand))
        case ast.BinOp(left=left, op=operator, right=right) if type(operator) in _OPERATORS:
            return _matched(Arithmetic(_OPERATORS[type(operator)], _read(left), _read(right)), node)
        case ast.Subscript():
            return _subscript(node)
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
            return _call(name, arguments, node)
        case ast.Compare():
            raise ExpressionError(f"'{ast.unparse(node)}': a comparison stands only inside count(...).")
    raise ExpressionError(
        f'\'{ast.unparse(node)}\' is not in the language of claims: cells such as T2["LRP", "SPADE"] or '
        f'T2[each, "SPADE"], numbers, + - * / and {", ".join(FUNCTIONS)}.'
    )


def _call(name: str, arguments: list[ast.expr], node: ast.Call) -> Node:
    if name not in FUNCTIONS:
        raise ExpressionError(f"There is no function '{name}'; {allowed_names(name, FUNCTIONS)}")
    shown = ast.unparse(node)
    if not arguments:
        raise ExpressionError(f"'{shown}' is empty; {name} gives {FUNCTIONS[name]}.")
    if name == "count":
        return Call(name, (_comparison(arguments, shown),))
    if name == "lead":
        return _lead(arguments, shown)
    read = tuple(map(_read, arguments))
    several = [_keys(one) is not None for one in read]
    if name in {"min", "max"} and len(read) > 1:
        if any(several):
            raise ExpressionError(f"'{shown}' mixes numbers and several cells; {name} takes either.")
        return Call(name, read)
    if len(read) != 1:
        raise ExpressionError(f"'{shown}' has {len(read)} arguments; {name} takes one.")
    if name != "abs" and not several[0]:
        raise ExpressionError(f"'{shown}' is of a single number; {name} gives {FUNCTIONS[name]}.")
    return Call(name, read)


def _comparison(arguments: list[ast.expr], shown: str) -> Above:
    match arguments:
        case [ast.Compare(left=left, ops=[ast.Gt()], comparators=[right]) as node]:
            found = Above(_read(left), _read(right))
        case [ast.Compare(left=left, ops=[ast.Lt()], comparators=[right]) as node]:
            found = Above(_read(right), _read(left))
        case _:
            raise ExpressionError(f"'{shown}' should hold one comparison with > or <.")
    _matched(found, node)
    if _keys(found) is None:
        raise ExpressionError(f"'{shown}' compares two single numbers; count needs several cells on one side at least.")
    return found


def _lead(arguments: list[ast.expr], shown: str) -> Call:
    cells = _read(arguments[0])
    known = _keys(cells)
    names = [one.value for one in arguments[1:] if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    if known is None or not names or len(names) != len(arguments) - 1:
        raise ExpressionError(f"'{shown}' should be several cells, then names of some rows as texts.")
    for name in names:
        if key_of(name) not in known:
            raise ExpressionError(f"'{shown}' has no row '{name}'; {allowed_names(name, known)}")
    keys = tuple(map(key_of, names))
    if set(keys) == set(known):
        raise ExpressionError(f"'{shown}' names every row, so that none is left to lead.")
    return Call("lead", (cells,), keys)


def _subscript(node: ast.Subscript) -> Node:
    shown = ast.unparse(node)
    if not isinstance(node.value, ast.Name) or not isinstance(node.slice, ast.Tuple) or len(node.slice.elts) != 2:
        raise ExpressionError(f'\'{shown}\' should be a table with a row and a column, such as T2["LRP", "SPADE"].')
    table = _table(node.value.id)
    rows, columns = (_names(part, shown) for part in node.slice.elts)
    if columns is None:
        raise ExpressionError(f"'{shown}': only rows can be '{EACH}'; name the columns.")
    if isinstance(rows, str) and isinstance(columns, str):
        return _cell(table, rows, columns)
    if isinstance(columns, str):
        named = tuple(row for row in table.column(columns) if row != AVERAGE) if rows is None else tuple(rows)
        return Cells(tuple((key_of(row), _cell(table, row, columns)) for row in named))
    if isinstance(rows, str):
        return Cells(tuple((column, _cell(table, rows, column)) for column in columns))
    raise ExpressionError(f"'{shown}' takes several rows and several columns; take one of either.")


def _names(node: ast.expr, shown: str) -> str | tuple[str, ...] | None:
    """One name, several, or None for `each`."""
    match node:
        case ast.Constant(value=str() as name):
            return name
        case ast.Name(id="each"):
            return None
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            found = [one.value for one in parts if isinstance(one, ast.Constant) and isinstance(one.value, str)]
            if len(found) == len(parts) == len(set(found)) > 0:
                return tuple(found)
    raise ExpressionError(f"'{shown}': a row or column is a text, a list of different texts, or (rows) {EACH}.")


@cache
def printed_table(table: str) -> PublishedTable:
    """A published table, read once: a hundred claims ask for the same few."""
    return load(table)


@cache
def _names_of_tables() -> Mapping[str, str]:
    """Ids by the name an expression uses; numbers of sentences are left out, lest a claim confirm itself."""
    return {("F" if one == "I.7" else "T") + one.replace(".", ""): one for one in table_ids() if one != "text"}


def _table(name: str) -> PublishedTable:
    by_name = _names_of_tables()
    if name not in by_name:
        raise ExpressionError(f"There is no table '{name}'; {allowed_names(name, by_name)}")
    return printed_table(by_name[name])


def _cell(table: PublishedTable, row: str, column: str) -> CellName:
    try:
        table.cell(row, column).as_number()
    except ManifestError as error:
        raise ExpressionError(str(error)) from None
    return CellName(table.id, row, column)


def _matched(found: Arithmetic | Above, node: ast.expr) -> Arithmetic | Above:
    left, right = _keys(found.left), _keys(found.right)
    if left is not None and right is not None and set(left) != set(right):
        lone = sorted(set(left) ^ set(right))
        raise ExpressionError(f"'{ast.unparse(node)}': only one side has {', '.join(lone)}; both need the same rows.")
    return found


def _keys(node: Node) -> tuple[str, ...] | None:
    """Keys of a node that is several numbers; None where it is one."""
    match node:
        case Cells(by_key):
            return tuple(key for key, _ in by_key)
        case Arithmetic(left=left, right=right) | Above(left, right):
            found = _keys(left)
            return _keys(right) if found is None else found
        case Call("abs", (argument,)):
            return _keys(argument)
    return None


def _cells(node: Node) -> list[CellName]:
    match node:
        case CellName():
            return [node]
        case Cells(by_key):
            return [cell for _, cell in by_key]
        case Arithmetic(left=left, right=right) | Above(left, right):
            return [*_cells(left), *_cells(right)]
        case Call(arguments=arguments):
            return [cell for one in arguments for cell in _cells(one)]
    return []
