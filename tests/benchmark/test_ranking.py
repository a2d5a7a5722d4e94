import synthetic_run

from benchmark import definition, policy
from benchmark.cells import cells
from benchmark.ranking import rankings

RULES = policy.load()
TABLE = definition.load("2")


def test_columns_are_ranked_over_images_and_a_clear_order_is_told_apart() -> None:
    run = synthetic_run.run(0, gain=2.0, n_samples=24, tables=("2",))
    columns, methods = rankings(TABLE, cells(TABLE, run), RULES)
    assert columns.ranks.names == ("SPADE", "FastSPADE", "Sparse FC", "Dense")
    assert (columns.ranks.blocks, columns.ranks.wilcoxon) == (24, ())
    assert columns.ranks.p_value < 1e-6
    # The double makes Guided Grad-CAM the best and InputXGradient the worst.
    assert (methods.ranks.names[0], methods.ranks.names[-1]) == ("GuidedGradCam", "InputXGradient")


def test_columns_that_do_not_differ_stay_in_one_group() -> None:
    run = synthetic_run.run(3, gain=0.0, tables=("2",))
    columns, _ = rankings(TABLE, cells(TABLE, run), RULES)
    assert columns.ranks.wilcoxon == ((0, 3),)


def test_fewer_than_three_have_no_ranking() -> None:
    table = definition.load("a16")
    assert rankings(table, cells(table, synthetic_run.run(0, tables=("a16",))), RULES) == ()
