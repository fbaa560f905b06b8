"""Log lines as JSON on stderr, one object a line; nothing is logged for each event of a watch."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any, TextIO

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


class Log:
    """Sentences with fields: `log.info("listed", resource="pods", objects=3)`."""

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(name)

    def wants(self, level: int) -> bool:
        return self._logger.isEnabledFor(level)

    def debug(self, message: str, **fields: Any) -> None:  # noqa: ANN401 - whatever JSON can hold
        self._logger.debug(message, extra={"fields": fields})

    def info(self, message: str, **fields: Any) -> None:  # noqa: ANN401 - as above
        self._logger.info(message, extra={"fields": fields})

    def warning(self, message: str, **fields: Any) -> None:  # noqa: ANN401 - as above
        self._logger.warning(message, extra={"fields": fields})

    def error(self, message: str, **fields: Any) -> None:  # noqa: ANN401 - as above
        self._logger.error(message, extra={"fields": fields})


class JsonLines(logging.Formatter):
    """Time, level, logger, message, then the fields. An exception becomes its last line: cluster text is hostile."""

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC)
        line: dict[str, Any] = {
            "time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            line["error"] = f"{type(error).__name__}: {error}"
            line["at"] = _where(error)
        return json.dumps(line, ensure_ascii=True, default=str)


def _where(error: BaseException) -> str:
    """The innermost place, as much of a traceback as one line holds."""
    trace = error.__traceback__
    if trace is None:
        return ""
    while trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}"


def set_up(level: str, stream: TextIO | None = None) -> None:
    """All loggers of this process, kopf's and aiohttp's too."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(LEVELS[level])
    logging.getLogger("asyncio").setLevel(logging.WARNING)
    logging.getLogger("kopf").setLevel(max(LEVELS[level], logging.INFO))
    logging.getLogger("kopf.objects").setLevel(logging.WARNING)  # it tells of every event that went well
