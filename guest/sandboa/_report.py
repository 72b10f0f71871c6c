"""How a run ended, in the values that the host reads: an exit's status, an exception's type, message and traceback."""

import marshal
import os
import sys
import traceback

from sandboa._builtins import __builtins__

_HERE = os.path.dirname(__file__)
_OWN = (_HERE, os.path.join(os.path.dirname(_HERE), "asyncio"))
# What CPython writes for what it does by itself, without a frame.
PLACELESS = "<sys>"
_CALLS = (*(os.path.join(_HERE, name) for name in ("_host", "_library", "_finders")), "<host>")
_TEXT_LIMIT = 1 << 16
_TRACEBACK_LIMIT = 1 << 18
# Given up when memory runs out, so that the error can still be described.
_BALLAST_BYTES = 1 << 19

# A class of the program's may have attributes of its own with these names.
_TRACEBACK, _CONTEXT = BaseException.__traceback__, BaseException.__context__
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


def ending_of(error):
    """How a program has ended that raised this and did not catch it. Raises nothing: what that fails with is described instead."""
    try:
        return _leave(error) if isinstance(error, SystemExit) else _describe(error)
    except BaseException as inner:
        return describe(inner)


def ending_of_program(error):
    """The same of a whole program, which may tell of it itself."""
    if isinstance(error, SystemExit):
        return ending_of(error)
    described = describe(error)
    try:
        return _tell_hook(error, described)
    except BaseException as inner:
        return describe(inner)


def describe(error):
    """Raises nothing, and whoever has kept the error does not see, from now on, how the host called the program."""
    try:
        return _describe(error)
    except BaseException as inner:
        try:
            return _describe(inner)
        except BaseException:
            return marshal.loads(UNDESCRIBED)


def _leave(error):
    code = error.code
    if code is None:
        status = 0
    elif isinstance(code, int):
        status = int(code)
    else:
        status = 1
        try:
            print(code, file=sys.stderr)
        except BaseException as error:
            if is_stop(error):
                # Not with the SystemExit that it came in: its text would be made again.
                raise error from None
    return {"end": "exit", "status": status}


def _tell_hook(error, described):
    """As _PyErr_PrintEx() does. Where hook and standard error are Python's own, the host tells of the error."""
    sys.last_exc = sys.last_value = error
    sys.last_type, sys.last_traceback = type(error), _TRACEBACK.__get__(error)
    hook = getattr(sys, "excepthook", _MISSING)
    if hook is _DEFAULT_HOOK and getattr(sys, "stderr", None) is sys.__stderr__:
        return described
    if hook is _DEFAULT_HOOK:
        lines = ()
    elif hook is _MISSING:
        lines = ("sys.excepthook is missing",)
    else:
        try:
            hook(type(error), error, _TRACEBACK.__get__(error))
            return {**described, "reported": True}
        except SystemExit as ending:
            return ending_of(ending)
        except BaseException as inner:
            _CONTEXT.__set__(inner, None)
            lines = ("Error in sys.excepthook:", describe(inner)["traceback"], "Original exception was:")
    try:
        if getattr(sys, "stderr", None) is not None:
            print(*lines, described["traceback"], sep="\n", end="", file=sys.stderr)
    except BaseException as inner:
        if is_stop(inner):
            raise
        return described
    return {**described, "reported": True}


def _describe(error):
    global _ballast
    if isinstance(error, MemoryError):
        _ballast = None
    _TRACEBACK.__set__(error, _program_frames(_TRACEBACK.__get__(error)))
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


def _program_frames(frame):
    """Without those that lead from the host to the guest's own code."""
    while frame is not None and _is_own(frame.tb_frame.f_code):
        frame = frame.tb_next
    return frame


def _is_own(code):
    # No source begins at line 0.
    return code.co_filename.startswith(_OWN) or (code.co_firstlineno == 0 and code.co_filename == PLACELESS)


def _traceback_of(error):
    """The standard report."""
    frame = _TRACEBACK.__get__(error)
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
