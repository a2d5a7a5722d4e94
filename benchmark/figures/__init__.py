"""The paper's figures as data and plots: `FIGURES` says which, each file computes and draws one."""
