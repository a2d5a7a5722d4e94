"""Every number the paper prints, one CSV a table; `load("2").cell("LRP", "SPADE").value` is Decimal("99.21")."""

from .method_names import METHODS, method
from .number import PublishedNumber
from .table import PublishedCell, PublishedTable, load, table_ids

__all__ = ["METHODS", "PublishedCell", "PublishedNumber", "PublishedTable", "load", "method", "table_ids"]
