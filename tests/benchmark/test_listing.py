from dataclasses import replace

import synthetic_run

from benchmark import definition, listing, policy
from benchmark.difference import difference
from benchmark.grid import Grid
from benchmark.power import table_power

RULES = replace(policy.load(), intervals=replace(policy.load().intervals, draws=200))


def lines(table: Grid | str) -> list[str]:
    assert isinstance(table, Grid)
    return ["\t".join(row) for row in table.rows]


def test_a_difference_of_a_thousandth_in_a_table_of_shares_can_be_read() -> None:
    before = synthetic_run.run(0, tables=("a17",))
    records = {key: replace(one, value=(one.value or 0) - 0.001) for key, one in before.records.items()}
    found = difference(before, replace(before, records=records), RULES)
    average = next(one for one in found.cells if (one.row, one.column) == ("Average", "Parallel Pruning"))
    said = next(line for line in lines(listing.cell_differences(found)) if "Average\tParallel Pruning" in line)
    assert f"\t{average.before:.4f}\t{average.after:.4f}\t-0.00100\t" in said
    first = lines(listing.moved(found.samples[:1], 1))[-1]
    assert f"{found.samples[0].before:.4f}\t{found.samples[0].after:.4f}\t" in first


def test_the_power_of_a_table_of_shares_has_its_decimals() -> None:
    found = table_power(definition.load("a17"), synthetic_run.run(0, tables=("a17",)), RULES)
    cell = found.cells[0]
    assert f"\t{cell.sd:.4f}\t{cell.half_width:.4f}\t0.0100\t" in "\n".join(lines(listing.cell_powers(found)))
