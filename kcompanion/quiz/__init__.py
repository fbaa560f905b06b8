"""Questions about a cluster whose right answers are worked out from this very cluster."""
