"""One-shot layer solvers: exact OBC (SPADE) and SparseGPT (FastSPADE)."""
