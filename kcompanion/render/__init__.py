"""Documents into output formats. Everything from the cluster is escaped here, by the format's own rules."""
