"""A saliency method, a pruner, a metric, a data set, a scale and two tables from outside SPADE-bench."""
