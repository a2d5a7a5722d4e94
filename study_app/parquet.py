"""Answers as Parquet, every cell the text it is in the CSV."""

from io import BytesIO

from .errors import InputError

PARQUET = "responses.parquet"


def as_parquet(table: bytes) -> bytes:
    """The rows of a CSV file.

    Raises:
        InputError: pyarrow is not installed.
    """
    try:
        from pyarrow import csv, parquet, string  # noqa: PLC0415 - an extra of its own
    except ImportError as problem:
        raise InputError("Parquet needs pyarrow, which is not installed here: pip install '.[parquet]'.") from problem
    names = table.decode().partition("\n")[0].split(",")
    options = csv.ConvertOptions(column_types={name: string() for name in names})
    written = BytesIO()
    parquet.write_table(csv.read_csv(BytesIO(table), convert_options=options), written)
    return written.getvalue()
