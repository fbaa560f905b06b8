"""kcompanion: the companion of everyone who learns or runs Kubernetes."""

__version__ = "0.1.0"
