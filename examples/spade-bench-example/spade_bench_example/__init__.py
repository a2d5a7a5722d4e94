"""A saliency method, a metric and a table from outside SPADE-bench."""
