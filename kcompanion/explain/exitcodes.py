"""Exit codes of containers: which signal they stand for, what they mean, and who usually brings them about.

A code from 129 to 159 is 128 plus the number of the signal that ended the program, as shells count; containerd and
CRI-O report it so. The numbers of the signals are Linux' own, those of x86 and arm (signal(7)).
"""

from __future__ import annotations

from dataclasses import dataclass

from kcompanion.model.message import Message, say

# signal(7), the columns x86 and arm.
SIGNALS: dict[int, str] = {
    1: "SIGHUP",
    2: "SIGINT",
    3: "SIGQUIT",
    4: "SIGILL",
    5: "SIGTRAP",
    6: "SIGABRT",
    7: "SIGBUS",
    8: "SIGFPE",
    9: "SIGKILL",
    10: "SIGUSR1",
    11: "SIGSEGV",
    12: "SIGUSR2",
    13: "SIGPIPE",
    14: "SIGALRM",
    15: "SIGTERM",
    16: "SIGSTKFLT",
    17: "SIGCHLD",
    18: "SIGCONT",
    19: "SIGSTOP",
    20: "SIGTSTP",
    21: "SIGTTIN",
    22: "SIGTTOU",
    23: "SIGURG",
    24: "SIGXCPU",
    25: "SIGXFSZ",
    26: "SIGVTALRM",
    27: "SIGPROF",
    28: "SIGWINCH",
    29: "SIGIO",
    30: "SIGPWR",
    31: "SIGSYS",
}
BY_SIGNAL = 128  # what shells and runtimes add to the number of a signal
# Codes that the catalogue `exitcode` explains each by itself.
EXPLAINED = (
    0,
    1,
    2,
    125,
    126,
    127,
    128,
    129,
    130,
    131,
    132,
    133,
    134,
    135,
    136,
    137,
    139,
    141,
    143,
    152,
    153,
    159,
    255,
)


@dataclass(frozen=True, slots=True)
class ExitCode:
    """What is to be said of one code. `signal` and `number` are empty and 0 where the program ended by itself."""

    code: int
    signal: str
    number: int
    short: Message  # a few words, for the middle of a sentence: "killed with SIGKILL"
    means: Message  # one or two sentences
    sender: Message  # who usually brings it about


def exit_code(code: int) -> ExitCode:
    """What any exit code means; the table of those worth a text of their own is EXPLAINED."""
    number = code - BY_SIGNAL if code - BY_SIGNAL in SIGNALS else 0
    signal = SIGNALS.get(number, "")
    key = f"exitcode.kc{code}" if code in EXPLAINED else f"exitcode.{_family(code, number)}"
    return ExitCode(
        code,
        signal,
        number,
        say(f"{key}.short", code=code, signal=signal),
        say(f"{key}.means", code=code, signal=signal, number=number),
        say(f"{key}.sender", code=code, signal=signal),
    )


def signal_code(number: int) -> int:
    """The exit code that a signal gives; `137` for 9."""
    return BY_SIGNAL + number


def _family(code: int, number: int) -> str:
    """Which text a code shares with others: those of a signal, of the program itself, or none that Linux gives."""
    if number:
        return "signal"
    return "program" if 0 < code < 256 else "strange"


EXIT_CODES: dict[int, ExitCode] = {code: exit_code(code) for code in EXPLAINED}
