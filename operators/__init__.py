"""Programs that run beside a cluster and act on it; kcompanion itself never imports them."""
