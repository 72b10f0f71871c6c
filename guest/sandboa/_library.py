"""Where the image's library would answer otherwise than CPython on Linux: what its C library cannot do, and what ends more than a session may lose."""

import _signal
import errno
import os
import posix
import re
import time
from operator import index

from sandboa._builtins import __builtins__

_SIGNALS = range(65)
_C_INT = range(-(2**31), 2**31)
_kill, _raise_signal, _strftime = posix.kill, _signal.raise_signal, time.strftime


def _refuse(number):
    raise OSError(number, os.strerror(number))


def _demand_signal(number):
    # The C library would call what lies beside its table. What is no int of C is refused before it comes there.
    if number not in _SIGNALS and number in _C_INT:
        _refuse(errno.EINVAL)


def kill(pid, signal, /):
    """Kill a process with a signal."""
    pid, signal = index(pid), index(signal)
    own = posix.getpid()
    _demand_signal(signal)
    if pid == -1:
        # Everybody else: there is nobody.
        _refuse(errno.EPERM)
    if pid not in (own, 0, -posix.getpgid(0)):
        _refuse(errno.ESRCH)
    return _kill(own, signal)


def killpg(pgid, signal, /):
    """Kill a process group with a signal."""
    if index(pgid) < 0:
        _refuse(errno.EINVAL)
    kill(-index(pgid), signal)


def raise_signal(signalnum, /):
    """Send a signal to the executing process."""
    _demand_signal(index(signalnum))
    return _raise_signal(signalnum)


def leave(self, code=None):
    """exit() and quit(), without an end to standard input: the next run of a session may read it."""
    raise SystemExit(code)


# What musl's strftime(3) does as glibc's. Not the seconds since 1970, for which it takes a time without a zone for UTC, nor the name of the zone,
# which it wants to find in the time.
_DIRECTIVES = "aAbBcCdDeFgGhHIjmMnprRStTuUVwWxXyYz%"
_KNOWN = re.compile(f"(?:[^%]++|%[-_0]?[0-9]*+[EO]?[{_DIRECTIVES}])*+")
_DIRECTIVE = re.compile("%([-_0^#]*)([0-9]*)([EO]?)(.?)", re.DOTALL)


def strftime(format, /, *time_tuple):
    """Convert a time tuple to a string according to a format specification."""
    if isinstance(format, str) and "%" in format and not _KNOWN.fullmatch(format) and len(time_tuple) < 2:
        moment = time_tuple[0] if time_tuple else time.localtime()
        # What is no time is refused as ever.
        _strftime("", moment)
        format = _DIRECTIVE.sub(lambda found: _as_musl_knows_it(found, moment), format)
        return _strftime(format, moment)
    return _strftime(format, *time_tuple)


def _as_musl_knows_it(found, time_tuple):
    """One directive of glibc's. What none knows stays as it is."""
    flags, width, modifier, directive = found.groups()
    pad = flags.translate(_NO_CASE)[-1:]
    if directive == "s":
        return str(int(time.mktime(time_tuple)))
    if directive == "Z":
        name = getattr(time_tuple, "tm_zone", None)
        name = time.tzname[time_tuple[8] > 0] if name is None else name
        return (name.upper() if "^" in flags else name).replace("%", "%%")
    if directive in ("k", "l"):
        return f"%{pad or '_'}{width}{'H' if directive == 'k' else 'I'}"
    if directive == "P":
        flags, directive = "#", "p"
    if directive == "" or directive not in _DIRECTIVES:
        return "%" + found[0]
    plain = f"%{pad}{width}{modifier}{directive}"
    if not {"^", "#"} & set(flags):
        return plain
    text = _strftime(plain, time_tuple).replace("%", "%%")
    return text.lower() if "#" in flags and directive == "p" else text.upper()


_NO_CASE = {ord("^"): None, ord("#"): None}


class _Builtin:
    """Stands where a function of C was: like that, and unlike one of Python, it is no method when it is found in a class."""

    __text_signature__ = None

    def __init__(self, function, module):
        self._function = function
        self.__name__ = self.__qualname__ = function.__name__
        self.__doc__ = function.__doc__
        self.__module__ = module

    @property
    def __signature__(self):
        from inspect import signature

        if self._function is strftime:
            raise ValueError(f"no signature found for builtin {self!r}")
        return signature(self._function)

    def __call__(self, *args):
        return self._function(*args)

    def __repr__(self):
        return f"<built-in function {self.__name__}>"

    def __reduce__(self):
        return self.__name__


def install():
    import _sitebuiltins

    for function in (kill, killpg):
        stand_in = _Builtin(function, "posix")
        setattr(posix, function.__name__, stand_in)
        setattr(os, function.__name__, stand_in)
    _signal.raise_signal = _Builtin(raise_signal, "signal")
    time.strftime = _Builtin(strftime, "time")
    _sitebuiltins.Quitter.__call__ = leave
