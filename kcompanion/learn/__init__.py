"""Lessons: small experiments on a live cluster, written down as data, judged by the API's own answers."""
