"""Commands of `spade-bench`, one a file; `benchmark.cli` lists them. Heavy imports wait until a command is called."""
