"""Speed as ratios measured in one run: ``make bench``. The figures and their goals are explained in docs/benchmarks.md."""
