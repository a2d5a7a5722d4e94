"""A report with a preregistration: marks, exclusions and the specification curve."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from analysis import cells, preregistration
from analysis.crossed_logistic import Chains
from analysis.report import page
from analysis.report.study import build
from analysis.responses import checked
from analysis.simulated_export import export_of
from analysis.simulation import TRUTHS, Design, study
from analysis.study import Effort, analyse

PLAN = """title = "made up"
hypothesis = "SPADE helps."
primary = "agree"
secondary = ["undecided"]
ratings = 200
stop = "200 answers"
[[exclusion]]
rule = "too_fast"
below_ms = 3000
[[exclusion]]
rule = "too_few"
fewer_than = 10
"""


def test_what_was_fixed_is_confirmatory_and_every_combination_of_rules_is_drawn(tmp_path: Path) -> None:
    (tmp_path / "plan.toml").write_text(PLAN, encoding="utf-8")
    plan = preregistration.read(tmp_path / "plan.toml")
    draw = np.random.default_rng(4)
    made = export_of(
        study(TRUTHS["paper"], Design(raters=8, images=20, ratings=200), draw), draw, preregistration=plan.sha256
    )
    read = checked(cells.Cells(made, "made up", "", ()))
    found = analyse(read, plan, effort=Effort(deals=99, resamples=99, chains=Chains(2, 20, 40)))
    document = build(found, None, facts={})
    said = page.render(document)
    assert 'class="status confirmatory"' in said
    assert "answers faster than 3000 ms" in said
    assert "Rule 2: raters with fewer than 10 answers" in said
    assert [figure.name for figure in document.figures][-1] == "specifications"
    # Two rules make four combinations.
    assert len(found.specifications.specifications) == 4

    changed = analyse(
        read, replace(plan, sha256="0" * 64), effort=Effort(deals=99, resamples=99, chains=Chains(2, 20, 40))
    )
    assert 'class="status confirmatory"' not in page.render(build(changed, None, facts={}))
