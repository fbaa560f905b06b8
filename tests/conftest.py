"""What holds for every test: with --never-skip a skipped test fails the run.

The tests on real clusters are run so: a test that quietly steps aside where there is no cluster
would make a run without one look like a success.
"""

import os
import signal

import hypothesis
import pytest

SKIPPED = 7  # the exit code of a forbidden skip: not that of failures, at which `make test-cluster` looks once more

# A shell lets what it runs in the background ignore Ctrl-C, and programs started by the tests would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# In CI the same examples every time: a run that fails there can be repeated. Elsewhere new ones are tried.
hypothesis.settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
if os.environ.get("CI"):
    hypothesis.settings.load_profile("ci")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--never-skip", action="store_true", help="a skipped test fails the run")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts what takes a minute before the shuffled rest: begun last, it would run on alone beside idle processes."""
    items.sort(key=lambda item: item.get_closest_marker("first") is None)


def _skipped(config: pytest.Config) -> list[pytest.TestReport]:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or not config.getoption("--never-skip"):
        return []
    return [*reporter.stats.get("skipped", []), *reporter.stats.get("xfailed", [])]


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    if _skipped(session.config):
        session.exitstatus = SKIPPED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if skipped := _skipped(config):
        terminalreporter.write_sep("=", "skipped, which --never-skip forbids", red=True)
        for report in skipped:
            terminalreporter.write_line(report.nodeid)
