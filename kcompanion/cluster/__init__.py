"""The only package that talks to a cluster or to recording files, and the only one that imports kubernetes.

It turns questions (`model.ask`) into readings and never judges. Secrets and their like are scrubbed here, before
anything else sees them, so that what a command shows live and what a recording shows are the same.
"""
