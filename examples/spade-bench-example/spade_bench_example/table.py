"""Tables of one's own, like Table 2. Nothing here imports torch: tables are listed before it is loaded."""

SMOOTHGRAD = {
    "like": "2",  # arms, samples, metric and scales of Table 2, but for what follows
    "id": "smoothgrad",
    "version": 1,
    "title": "SmoothGrad beside Saliency",
    "quote": "Does SPADE help SmoothGrad as it helps the gradient?",
    "place": "an example of a table from another package",
    "n_paper": 0,
    "note": "SmoothGrad is pruned at the ratios that were searched for Saliency.",
    "rows": ["Saliency", {"name": "SmoothGrad", "method": "SmoothGrad", "ratios_of": "Saliency"}],
}

PRUNERS = {
    "like": "2",
    "id": "pruners",
    "version": 1,
    "title": "Every pruner at the same ratios",
    "quote": "Is it the pruner that helps, or the pruning?",
    "place": "an example of a table from another package",
    "n_paper": 0,
    "note": "Each installed pruner has a column, at the ratios that were searched for SparseGPT.",
    "arms": [{"kind": "dense", "column": "Dense"}, {"kind": "every pruner", "ratios": "fastspade"}],
}
