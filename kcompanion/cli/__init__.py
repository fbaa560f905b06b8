"""The command line: options in, one Answer out, an exit code. The only package that imports click."""
