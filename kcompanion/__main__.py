"""`python -m kcompanion` is the same program as `kcompanion`."""

from kcompanion.cli.main import main

if __name__ == "__main__":
    main()
