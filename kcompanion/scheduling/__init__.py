"""Which node a pod fits on, recomputed from what the API shows."""
