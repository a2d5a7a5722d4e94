"""The paper's sentences on its human study, each held against its own numbers."""

from ..three_outcomes import survives
from . import wording as say
from .document import Block, Points
from .split import Split, difference


def claims(main: Split) -> list[Block]:
    """The paper's sentences, each with what its numbers allow to be said."""
    agree, undecided, decided = (main.table.row(name) for name in ("agree", "undecided", "agree_decided"))
    limit = survives(agree.difference.statistic)
    more = (1 - undecided.spade.share) / (1 - undecided.dense.share) - 1
    successful = (
        f"“users were significantly more successful (69.8% vs 56.7%)”: *supported*. {difference(agree)}, "
        f"{say.p_clause(agree.difference.p_value)} if ratings were independent, and below .05 up to a design effect of "
        f"{say.number(limit, 1)}."
    )
    deciding = (
        "“the users were over 10% more likely to choose to make a decision” (87.4 against 77.1 %): *supported*. "
        f"{difference(undecided)} undecided, {say.p_clause(undecided.difference.p_value)} if ratings were "
        "independent; "
        f"the paper's 10 % are points, as a ratio it is {say.percent(more)} more decisions."
    )
    choosing = (
        "“they were more likely to agree with ScoreCAM when SPADE was used (79.9% agreement rate) than when it was not "
        f"(73.6%)”: *not shown*. {difference(decided)}, {say.p_clause(decided.difference.p_value)} with independent "
        "ratings, more with any clustering; and the two arms decided on different tasks."
    )
    meaning = (
        "“the higher rate of decision when using SPADE supports our previous observation that the visualizations "
        "obtained "
        "with SPADE are generally more meaningful to humans”: *does not follow*. Deciding more often says that a "
        "picture "
        "looks like something; the bounds above allow that it does not help to choose."
    )
    key = (
        "“identifying areas of the image which influenced the network's output”: the key is Score-CAM's region on the "
        "dense network, so the study measures agreement with Score-CAM, and is as good as Score-CAM is."
    )
    return [Points((successful, deciding, choosing, meaning, key))]
