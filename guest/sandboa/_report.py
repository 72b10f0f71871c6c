"""How a run ended, in the values that the host reads: an exit's status, an exception's type, message and traceback."""

import marshal
import os
import sys
import traceback

from sandboa._builtins import __builtins__

_HERE = os.path.dirname(__file__)
PLACELESS = "<sys>"
_OWN = (_HERE, os.path.join(os.path.dirname(_HERE), "asyncio"), PLACELESS)
_CALLS = (os.path.join(_HERE, "_host"), os.path.join(_HERE, "_library"), "<host>")
_TEXT_LIMIT = 1 << 16
_TRACEBACK_LIMIT = 1 << 18
# Given up when memory runs out, so that the error can still be described.
_BALLAST_BYTES = 1 << 19

_set_traceback = BaseException.with_traceback
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


def leave(error):
    """How a program has ended that has raised this SystemExit."""
    return {"end": "exit", "status": _exit_status(error.code)}


def _exit_status(code):
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
    """Whoever has kept the error does not see, from now on, how the host called the program."""
    global _ballast
    if isinstance(error, MemoryError):
        _ballast = None
    _set_traceback(error, _program_frames(error.__traceback__))
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ in ("builtins", "__main__") else f"{kind.__module__}.{kind.__qualname__}"
    return {
        "end": "error",
        "type": _cut(str(name), 256),
        "message": _text_of(error),
        "traceback": _traceback_of(error),
    }


def tell_hook(error, described):
    """As _PyErr_PrintEx() does for a whole program that did not catch an error: how the program has ended then. Where hook and standard error are not its own, the host tells of the error."""
    sys.last_exc = sys.last_value = error
    sys.last_type, sys.last_traceback = type(error), error.__traceback__
    hook = getattr(sys, "excepthook", _MISSING)
    if hook is _DEFAULT_HOOK and getattr(sys, "stderr", None) is sys.__stderr__:
        return described
    reported = {**described, "reported": True}
    try:
        if hook is _MISSING:
            print("sys.excepthook is missing", described["traceback"], sep="\n", end="", file=sys.stderr)
            return reported
        hook(type(error), error, error.__traceback__)
    except SystemExit as ending:
        return leave(ending)
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


def _program_frames(frame):
    """Without those that lead from the host to the guest's own code."""
    while frame is not None and frame.tb_frame.f_code.co_filename.startswith(_OWN):
        frame = frame.tb_next
    return frame


def _traceback_of(error):
    """The standard report."""
    frame = _program_frames(error.__traceback__)
    try:
        limit = traceback.BUILTIN_EXCEPTION_LIMIT
        report = traceback.TracebackException(type(error), error, frame, limit=limit, compact=True)
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
    """How a call reaches the host, or the C library, is nobody's business: it looks like one of a function that is written in C."""
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
