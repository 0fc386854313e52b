"""What the collector costs, measured in one run with a bare loop beside it: ``make bench``."""
