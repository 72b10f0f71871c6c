"""How a run ended, in the values that the host reads: an exit's status, an exception's type, message and traceback."""

import marshal
import os
import sys
import traceback

_OWN = (os.path.dirname(__file__), os.path.join(os.path.dirname(os.path.dirname(__file__)), "asyncio"))
_CALLS = (os.path.join(os.path.dirname(__file__), "_host"), "<host>")
_TEXT_LIMIT = 1 << 16
_TRACEBACK_LIMIT = 1 << 18
# Given up when memory runs out, so that the error can still be described.
_BALLAST_BYTES = 1 << 19

_ballast = bytearray(_BALLAST_BYTES)
OUT_OF_MEMORY = marshal.dumps(
    {"end": "error", "type": "MemoryError", "message": "", "traceback": "MemoryError\n"}, 4
)


def restore_ballast():
    """When an answer is encoded, which needs its room until then."""
    global _ballast
    if _ballast is None:
        try:
            _ballast = bytearray(_BALLAST_BYTES)
        except MemoryError:
            pass


def exit_status(code):
    if code is None:
        return 0
    if isinstance(code, int):
        return int(code)
    try:
        print(code, file=sys.stderr)
    except BaseException:
        pass
    return 1


def describe(error):
    global _ballast
    if isinstance(error, MemoryError):
        _ballast = None
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ in ("builtins", "__main__") else f"{kind.__module__}.{kind.__qualname__}"
    return {
        "end": "error",
        "type": _cut(str(name), 256),
        "message": _text_of(error),
        "traceback": _traceback_of(error),
    }


def _text_of(error):
    try:
        return _cut(str(error), _TEXT_LIMIT)
    except BaseException as inner:
        return f"<the message could not be made: {type(inner).__name__}>"


def _traceback_of(error):
    """The standard report, without the frames that lead from the host to the guest's own code."""
    frame = error.__traceback__
    while frame is not None and frame.tb_frame.f_code.co_filename.startswith(_OWN):
        frame = frame.tb_next
    try:
        report = traceback.TracebackException(type(error), error, frame, compact=True)
        _leave_out_calls(report)
        return _cut("".join(report.format(colorize=False)), _TRACEBACK_LIMIT)
    except BaseException as inner:
        return f"{type(error).__name__}: <the traceback could not be made: {type(inner).__name__}>\n"


def _leave_out_calls(report):
    """How a call reaches the host is nobody's business: a function of the host looks like one that is written in C."""
    reports = [report]
    while reports:
        report = reports.pop()
        report.stack[:] = [frame for frame in report.stack if not frame.filename.startswith(_CALLS)]
        reports += filter(None, (report.__cause__, report.__context__, *(report.exceptions or ())))


def _cut(text, limit):
    text = str.__str__(text)
    if len(text) <= limit:
        return text
    return f"{text[: limit // 2]}\n[... {len(text) - limit} characters left out ...]\n{text[-(limit // 2) :]}"
