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


def test_each_metric_is_ranked_by_itself_and_in_its_own_direction() -> None:
    table = definition.load("3")
    found = rankings(table, cells(table, synthetic_run.run(0, gain=6.0, n_samples=24, tables=("3",))), RULES)
    assert [one.what for one in found] == [
        "columns of insertion, by their average over the methods",
        "methods, under Insertion/Dense",
        "columns of deletion, by their average over the methods",
        "methods, under Deletion/Dense",
    ]
    # FastSPADE* is not run by the double; it plants the highest values in FastSPADE and the lowest in the dense column.
    assert found[0].ranks.names == ("Insertion/FastSPADE", "Insertion/Sparse FC", "Insertion/Dense")
    assert found[2].ranks.names == ("Deletion/Dense", "Deletion/Sparse FC", "Deletion/FastSPADE")
    # The same method has the highest values of both metrics: the best by insertion, the worst by deletion.
    assert (found[1].ranks.names[0], found[3].ranks.names[-1]) == ("GuidedGradCam", "GuidedGradCam")
