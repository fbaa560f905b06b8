"""The control plane, judged from a Snapshot. Pure functions: no cluster, no clock, no sentences."""
