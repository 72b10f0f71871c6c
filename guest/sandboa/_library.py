"""Where the image's library would answer otherwise than CPython on Linux: what its C library cannot do, and what ends more than a session may lose."""

import _signal
import errno
import os
import posix
import re
import time
from operator import index

from sandboa._builtins import __builtins__

_MOST_SIGNAL = 64
_kill, _raise_signal, _strftime = posix.kill, _signal.raise_signal, time.strftime


def _refuse(number):
    raise OSError(number, os.strerror(number))


def kill(pid, signal, /):
    """Kill a process with a signal."""
    pid, signal = index(pid), index(signal)
    own = posix.getpid()
    if not 0 <= signal <= _MOST_SIGNAL:
        # The C library would call what lies behind its table.
        _refuse(errno.EINVAL)
    if pid == -1:
        # Everybody else: there is nobody.
        _refuse(errno.EPERM)
    if pid not in (own, 0, -posix.getpgid(0)):
        _refuse(errno.ESRCH)
    return _kill(own, signal)


def killpg(pgid, signal, /):
    """Kill a process group with a signal."""
    kill(-index(pgid), signal)


def raise_signal(signalnum, /):
    """Send a signal to the executing process."""
    if index(signalnum) > _MOST_SIGNAL:
        _refuse(errno.EINVAL)
    return _raise_signal(signalnum)


def leave(self, code=None):
    """exit() and quit(), without an end to standard input: the next run of a session may read it."""
    raise SystemExit(code)


# What musl's strftime(3) knows, without the seconds since 1970: it would take a time without a zone for UTC.
_DIRECTIVES = "aAbBcCdDeFgGhHIjmMnprRStTuUVwWxXyYzZ%"
_KNOWN = re.compile(f"(?:[^%]|%[-_0]?[0-9]*[EO]?[{_DIRECTIVES}])*")
_DIRECTIVE = re.compile("%([-_0^#]*)([0-9]*)([EO]?)(.?)", re.DOTALL)


def strftime(format, time_tuple=None, /):
    """Convert a time tuple to a string according to a format specification."""
    if time_tuple is None:
        time_tuple = time.localtime()
    if isinstance(format, str) and not _KNOWN.fullmatch(format):
        format = _DIRECTIVE.sub(lambda found: _as_musl_knows_it(found, time_tuple), format)
    return _strftime(format, time_tuple)


def _as_musl_knows_it(found, time_tuple):
    """One directive of glibc's. What none knows stays as it is."""
    flags, width, modifier, directive = found.groups()
    pad = flags.translate(_NO_CASE)[-1:]
    if directive == "s":
        return str(int(time.mktime(time_tuple)))
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
    if "#" in flags and directive in "pZ":
        return text.lower() if directive == "p" else text
    return text.upper()


_NO_CASE = {ord("^"): None, ord("#"): None}


def install():
    import _sitebuiltins

    for module in (os, posix):
        module.kill, module.killpg = kill, killpg
    _signal.raise_signal = raise_signal
    time.strftime = strftime
    _sitebuiltins.Quitter.__call__ = leave
    for function, module in ((kill, "posix"), (killpg, "posix"), (raise_signal, "_signal"), (strftime, "time")):
        function.__module__ = module
