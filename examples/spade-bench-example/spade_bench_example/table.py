"""Table 2's arms for SmoothGrad beside Saliency. Nothing here imports torch: tables are listed before it is loaded."""

TABLE = {
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
