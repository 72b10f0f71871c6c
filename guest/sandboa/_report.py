"""How a run ended, in the values that the host reads: an exit's status, an exception's type, message and traceback."""

import marshal
import os
import sys
import traceback

from sandboa._builtins import __builtins__

_OWN = (os.path.dirname(__file__), os.path.join(os.path.dirname(os.path.dirname(__file__)), "asyncio"))
_CALLS = (os.path.join(os.path.dirname(__file__), "_host"), "<host>")
_TEXT_LIMIT = 1 << 16
_TRACEBACK_LIMIT = 1 << 18
# Given up when memory runs out, so that the error can still be described.
_BALLAST_BYTES = 1 << 19

_DEFAULT_HOOK = sys.excepthook
_MISSING = object()
_ballast = bytearray(_BALLAST_BYTES)
OUT_OF_MEMORY = marshal.dumps(
    {"end": "error", "type": "MemoryError", "message": "", "traceback": "MemoryError\n"}, 4
)


# Where a program has changed so much that nothing more can be said.
UNDESCRIBED = marshal.dumps(
    {
        "end": "error",
        "type": "SystemError",
        "message": "the program has changed what would tell how it ended",
        "traceback": "SystemError: the program has changed what would tell how it ended\n",
    },
    4,
)
STOP_TEXT = "the time or fuel of this run is spent"


def is_stop(error):
    """Whether this is a soft stop of the host's, as far as can be seen: what catches everything must let it through."""
    return isinstance(error, KeyboardInterrupt) or (type(error) is TimeoutError and error.args == (STOP_TEXT,))


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
    except BaseException as error:
        if is_stop(error):
            # Not with the SystemExit that it came in: its text would be made again.
            raise error from None
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


def tell_hook(error, described):
    """As _PyErr_PrintEx() does where a whole program has a sys.excepthook of its own: how the program has ended then. A default hook is left to the host, which tells of the error itself."""
    hook = getattr(sys, "excepthook", _MISSING)
    if hook is _DEFAULT_HOOK:
        return described
    reported = {**described, "reported": True}
    try:
        if hook is _MISSING:
            print("sys.excepthook is missing", described["traceback"], sep="\n", end="", file=sys.stderr)
            return reported
        hook(type(error), error, _own_frames(error))
    except SystemExit as ending:
        return {"end": "exit", "status": exit_status(ending.code)}
    except BaseException as inner:
        if is_stop(inner):
            raise
        inner.__context__ = None
        report = ("Error in sys.excepthook:", _traceback_of(inner), "Original exception was:", described["traceback"])
        try:
            print(*report, sep="\n", end="", file=sys.stderr)
        except BaseException:
            return described
    return reported


def _text_of(error):
    try:
        return _cut(str(error), _TEXT_LIMIT)
    except BaseException as inner:
        return f"<the message could not be made: {type(inner).__name__}>"


def _own_frames(error):
    """Without those that lead from the host to the guest's own code."""
    frame = error.__traceback__
    while frame is not None and frame.tb_frame.f_code.co_filename.startswith(_OWN):
        frame = frame.tb_next
    return frame


def _traceback_of(error):
    """The standard report."""
    frame = _own_frames(error)
    try:
        report = traceback.TracebackException(type(error), error, frame, compact=True)
        _leave_out_calls(report)
        return _cut("".join(report.format(colorize=False)), _TRACEBACK_LIMIT)
    except BaseException as inner:
        if is_stop(inner):
            raise
        return _cut(_plain_traceback(error, frame), _TRACEBACK_LIMIT)


def _plain_traceback(error, frame):
    """As the interpreter itself writes it, where the program has broken what the library takes for it."""
    lines = ["Traceback (most recent call last):\n"] if frame is not None else []
    while frame is not None:
        code = frame.tb_frame.f_code
        lines.append(f'  File "{code.co_filename}", line {frame.tb_lineno}, in {code.co_name}\n')
        frame = frame.tb_next
    message = _text_of(error)
    lines.append(f"{type(error).__name__}: {message}\n" if message else f"{type(error).__name__}\n")
    return "".join(lines)


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
