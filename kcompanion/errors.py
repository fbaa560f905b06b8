"""Every way kcompanion can fail, with the exit code that scripts rely on.

    CompanionError                1  an internal error, told in one line
    ├── UsageError                2  the command line or an option's value is wrong
    ├── Unreachable               3  no answer from the API server
    │   ├── BadKubeconfig         3  no, or no usable, way to a cluster
    │   └── NotAuthenticated      3  the server does not know who we are
    ├── NotFound                  4  the object, or anything matching, does not exist
    ├── Undecided                 5  what was asked is there, and may not or cannot be read at all
    └── BadRecording              2  a file given with --from is not a recording of ours

Otherwise exit code 5 (a gap left the question undecided) and 1 by `--fail-on` are results: see cli.output.
Library errors never leave kcompanion.cluster; they are turned into one of these.
"""


class CompanionError(Exception):
    """A failure with a sentence for the person and the step that helps.

    Args:
        text: what is wrong, one line, without a stop.
        hint: what to do next, one line; may be empty.
    """

    exit_code = 1

    def __init__(self, text: str, hint: str = "") -> None:
        super().__init__(text)
        self.text = text
        self.hint = hint


class UsageError(CompanionError):
    exit_code = 2


class BadRecording(UsageError):
    pass


class Unreachable(CompanionError):
    exit_code = 3


class BadKubeconfig(Unreachable):
    pass


class NotAuthenticated(Unreachable):
    def __init__(
        self,
        text: str = "the API server does not know these credentials (401)",
        hint: str = "check the user of this context: `kcompanion contexts` shows when its certificate ends",
    ) -> None:
        super().__init__(text, hint)


class NotFound(CompanionError):
    exit_code = 4


class Undecided(CompanionError):
    exit_code = 5
