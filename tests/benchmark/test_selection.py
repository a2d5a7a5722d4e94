"""Which images prune for a sample: named alike wherever they are shared, and never the sample itself but for "own"."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from benchmark.records import SampleNote
from benchmark.selection import SELECTIONS, ImageSet, other_sample

SAMPLES = tuple(SampleNote(f"s{i}", label=i // 2, target=9, patch=("fish", "star")[i % 2]) for i in range(6))


def chosen(code: str) -> list[ImageSet | None]:
    """What each sample is pruned for under a selection of Table A18."""
    (selection,) = [one for one in SELECTIONS.values() if one.code == code]
    return [selection.choose(sample, SAMPLES, 0) for sample in SAMPLES]


def test_the_seven_selections_are_those_of_table_a18() -> None:
    assert [one.code for one in SELECTIONS.values()] == ["1SI", "1ST", "1SC", "1SD", "MST", "MSC", "MSD"]


def test_the_own_image_is_the_samples() -> None:
    assert chosen("1SI") == [ImageSet("sample", sample.id) for sample in SAMPLES]


def test_the_same_patch_is_another_samples_and_each_prunes_for_one() -> None:
    patches = {sample.id: sample.patch for sample in SAMPLES}
    found = [one.of for one in chosen("1ST") if one]
    assert sorted(found) == sorted(patches)
    assert all(patches[of] == s.patch and of != s.id for of, s in zip(found, SAMPLES, strict=True))


def test_a_single_random_image_is_each_samples_own() -> None:
    for code in ("1SC", "1SD"):
        assert len({one.name for one in chosen(code) if one}) == 6


def test_many_images_are_shared_as_far_as_the_selection_allows() -> None:
    # two patches, three classes, one of all
    assert [len({one.name for one in chosen(code) if one}) for code in ("MST", "MSC", "MSD")] == [2, 3, 1]


def test_the_class_is_the_true_one() -> None:
    assert [one.of for one in chosen("MSC") if one] == ["0", "0", "1", "1", "2", "2"]


def test_sets_of_different_images_have_different_names() -> None:
    sets = {one for selection in SELECTIONS.values() for s in SAMPLES if (one := selection.choose(s, SAMPLES, 0))}
    assert len({one.name for one in sets}) == len(sets)


@given(st.integers(2, 40), st.integers(0, 10_000))
def test_on_the_circle_every_sample_prunes_for_exactly_one_other(n: int, seed: int) -> None:
    samples = [f"s{i}" for i in range(n)]
    donors = [other_sample(sample, samples, seed) for sample in samples]
    assert sorted(donors) == sorted(samples)
    assert all(donor != sample for donor, sample in zip(donors, samples, strict=True))


def test_every_other_sample_is_as_likely_over_seeds() -> None:
    samples = [f"s{i}" for i in range(5)]
    drawn = Counter(other_sample("s0", samples, seed) for seed in range(2000))
    # 500 expected of each of four, standard deviation sqrt(2000 * 1/4 * 3/4) = 19.4: six of them are 116
    assert all(abs(drawn[f"s{i}"] - 500) < 116 for i in range(1, 5))
