"""The paper's sentences and tables held against the paper's own numbers (audit) and against ours (verification)."""
