"""What is known of a cluster: frozen facts and the gaps in them. No clock, no input or output."""
