"""Who we are to a cluster and what we may see of it. Pure: no cluster, no clock, no sentences."""
