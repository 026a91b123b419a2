"""How a log line is written: as JSON for machines, as a line for a terminal.

Only this program's own messages are printed, and they are fixed words; data go into named fields.  A
library's message may quote an address, a value or a job's arguments, so of it remain the logger, the level
and the class of the error.
"""

import contextvars
import logging
from typing import Any

from django.utils import timezone
from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter

from xuezheng.kernel.telemetry.words import error_chain

#: Id of the request that is being answered in this thread.
request_id: contextvars.ContextVar[str] = contextvars.ContextVar("request_id", default="")

_OURS = "xuezheng"
#: What a library may add to a line: numbers and codes of its own.
_KNOWN_FIELDS = ("action", "status_code")


def fields_of(record: logging.LogRecord) -> dict[str, Any]:
    """What may be written of a record, by name."""
    ours = record.name.split(".")[0] == _OURS
    fields: dict[str, Any] = {
        "at": timezone.localtime(timezone.now()).isoformat(timespec="milliseconds"),
        "level": record.levelname,
        "logger": record.name,
    }
    if ours:
        fields["event"] = record.getMessage()
        extra = vars(record).keys() - set(RESERVED_ATTRS) - {"message", "asctime"}
        fields |= {name: vars(record)[name] for name in sorted(extra)}
    else:
        fields |= {name: vars(record)[name] for name in _KNOWN_FIELDS if hasattr(record, name)}
        if job := getattr(record, "job", None):
            fields |= {"job": job.get("id"), "task": job.get("task_name")}
    if identity := request_id.get():
        fields["request_id"] = identity
    if record.exc_info and record.exc_info[1] is not None:
        fields["errors"] = error_chain(record.exc_info[1])
    return fields


class Json(JsonFormatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The record's safe fields; nothing else of it."""
        return self.serialize_log_record(fields_of(record))


class Line(logging.Formatter):
    """The same fields as `name=value`, for a person at a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        """Time, level, event, then the fields."""
        fields = fields_of(record)
        head = f"{fields.pop('at')[11:19]} {fields.pop('level')} {fields.pop('logger')}"
        errors = fields.pop("errors", [])
        pairs = " ".join(f"{name}={value}" for name, value in fields.items())
        return "\n    ".join([f"{head} {pairs}".strip(), *errors])
