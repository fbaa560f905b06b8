"""The entry point: finds the command lazily and turns every failure into one line and an exit code.

Nothing heavy is imported here: `--help` must answer at once, so each command's module is loaded only when it runs.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from kcompanion import __version__
from kcompanion.cli.lazy import Lazy
from kcompanion.errors import CompanionError

# name: (module, one line of help). The order is the order of the help page.
COMMANDS: dict[str, tuple[str, str]] = {
    "overview": ("overview", "The cluster on one screen; -w keeps it up to date."),
    "explain": ("explain", "Why an object is as it is: the root cause first."),
    "health": ("health", "The whole cluster's verdict: causes, the worst first."),
    "tree": ("tree", "An object with all above and below it: owners, dependents, state."),
    "owners": ("owners", "The owners of an object, up to the topmost one."),
    "trace": ("trace", "How an object came to be: steps, actors, times, roll-outs."),
    "why": ("why", "Why a pod is on its node or on none: every node, every predicate."),
    "why-not": ("why_not", "Whether a pod could go to a node, predicate by predicate."),
    "key": ("key", "The key of an object in etcd; --read reads it back."),
    "orphans": ("orphans", "What no controller looks after, and who would adopt it."),
    "controlplane": ("controlplane", "Every control-plane component, its health and the evidence."),
    "nodes": ("nodes", "Nodes: what runs on them, heartbeats, room, pods by node."),
    "addons": ("addons", "DNS, network, metrics, ingress, storage: what is installed."),
    "report": ("report", "All of it in one document to keep: HTML, Markdown, SVG, JSON."),
    "serve": ("serve", "The report as a page for a wall screen, on this machine alone."),
    "diff": ("diff", "What changed between two recordings, two reports, or then and now."),
    "contexts": ("contexts", "Contexts of the kubeconfig, and whose certificate ends when."),
    "whoami": ("whoami", "Who the API server takes you for, and how to join a node."),
    "doctor": ("doctor", "Can it be reached, and what are you allowed to see?"),
    "activity": ("activity", "What is going on right now, as sentences: created, bound, elected."),
    "learn": ("learn", "Lessons: small experiments on your cluster, proved by its answers."),
    "practice": ("practice", "Exercises: something is broken, mend it; the cluster judges."),
    "quiz": ("quiz", "Questions about this cluster, their answers worked out from it."),
    "glossary": ("glossary", "The words, each with what shows it in this cluster."),
    "reconcile": ("reconcile", "The loop of a controller: simulated step by step, or one ReplicaSet live."),
    "operator": ("operator", "The operator: install, status, uninstall, or run it here."),
    "snapshot": ("snapshot", "Save what was read to a file, or look into one."),
    "schema": ("schema", "The JSON Schema of a command's -o json."),
    "version": ("version", "Versions of client and server, and their skew."),
    "completion": ("completion", "Completion scripts for bash, zsh and fish."),
}
INTERRUPTED = 130


class Main(Lazy):
    """All commands, each with its line on the help page."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            import difflib  # noqa: PLC0415 - only for a mistyped command

            near = difflib.get_close_matches(args[0] if args else "", COMMANDS, n=1)
            if near:
                raise click.UsageError(f"{error.message} Did you mean {near[0]!r}?", ctx) from error
            raise


@click.group(
    cls=Main,
    modules={name: module for name, (module, _) in COMMANDS.items()},
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 ok · 1 findings (--fail-on) or an internal error · 2 usage · 3 unreachable "
    "or not authenticated · 4 not found · 5 undecided because something could not be read · "
    "130 interrupted",
)
@click.version_option(__version__, prog_name="kcompanion", message="%(prog)s %(version)s")
def cli() -> None:
    """Shows how this Kubernetes cluster works, and why it is as it is.

    Reads only, but for `trace run`, `learn`, `practice` and `operator`, which say what they write. Every reading
    command also works on a recording: --from FILE.
    """


def program_name(argv0: str) -> str:
    """`kcompanion`, or `kubectl companion` when kubectl started us as its plugin."""
    return "kubectl companion" if Path(argv0).name.startswith("kubectl-companion") else "kcompanion"


def main(argv: Sequence[str] | None = None) -> None:
    """Runs the command line and exits the process; being asked to end (SIGTERM) removes temporary files too."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # noqa: ARG005 - their signature
    # JSON holds no cycles: looking for them among a million small objects would take longer than parsing them
    gc.set_threshold(100_000, 50, 100)
    code = run(sys.argv[1:] if argv is None else argv, program_name(sys.argv[0]))
    for number in (signal.SIGINT, signal.SIGTERM):  # a second Ctrl-C must not stop the removal of temporary files
        signal.signal(number, signal.SIG_IGN)
    sys.exit(code)


def run(argv: Sequence[str], program: str = "kcompanion") -> int:
    """Runs the command line and returns the exit code."""
    try:
        result = cli.main(list(argv), prog_name=program, standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return 2
    except click.UsageError as error:
        page = error.ctx.command_path if error.ctx else program
        _complain(error.format_message(), f"`{page} --help` shows what there is")
        return 2
    except click.ClickException as error:
        _complain(error.format_message(), "")
        return 2
    except CompanionError as error:
        _complain(error.text, error.hint)
        return error.exit_code
    except BrokenPipeError:
        # the reader (head, less) went away: not our failure; keep Python from complaining at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if os.environ.get("KCOMPANION_DEBUG"):
            raise
        _complain(
            f"internal error: {type(error).__name__}: {str(error)[:200]}",
            "please report it; KCOMPANION_DEBUG=1 shows where it happened",
        )
        return 1
    return result if isinstance(result, int) else 0


def _complain(text: str, hint: str) -> None:
    from kcompanion.render.clean import clean  # noqa: PLC0415 - only on failure

    click.echo(f"error: {clean(text)}", err=True)
    if hint:
        click.echo(f"  → {clean(hint)}", err=True)
