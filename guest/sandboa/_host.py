"""The guest's side of calls of the host: what a request and an answer are. Part of every image, so it imports nothing large.

A request is a value in marshal format and a trailer; so is an answer. The guest can change all of this, which harms the guest alone.
"""

import builtins
import sys
from marshal import dumps, loads
from struct import Struct

import sandboa
from sandboa import _values

_VERSION = 4
_REQUEST = Struct("<BBII")
_NONE = dumps(None, _VERSION)
CALL, NEXT, RELEASE, CANCEL, WAIT, RETURNED, DESCRIBE = 1, 3, 4, 5, 6, 7, 8
PLAIN, RECORDS, RAISE, STARTED, END, CALLBACK, LATER = range(7)
# What a stream that has ended gives.
STOP = object()

# Whether the thread can wait for the host; else it is told to come again.
waits = True
# Exceptions of the host's own, by name.
_exceptions = {}


class HostError(Exception):
    """A function of the host has failed; the host does not say why."""


HostError.__module__ = "host"


def trailer(operation, number=0, call=0, records=0):
    return _REQUEST.pack(records, operation, number, call)


def send(operation, number=0, call=0, body=_NONE, records=0):
    return sandboa._host_call(body + _REQUEST.pack(records, operation, number, call))


def pack(value, about=None):
    """(bytes, records) of any value that can cross. `about`: the name of a function and of its parameters, if they are its arguments."""
    try:
        return _values.encode(value, lend, True)
    except (TypeError, ValueError) as error:
        where, _, rest = str(error).partition("]")
        if about is None or not where[1:].isdigit():
            raise
        raise type(error)(f"{about[0]}() argument '{about[1][int(where[1:])]}'{rest}") from None


def ask(operation, number, value, about=None):
    """Sends any value, and gives what the host answers."""
    body, records = pack(value, about)
    return finish(send(operation, number, 0, body, records))


def finish(answer):
    """What a synchronous request was answered with, after all callbacks that the host wants before."""
    fatal = None
    while (kind := kind_of(answer)) == CALLBACK:
        answer, fatal = do_callback_now(answer, fatal)
    if fatal is not None:
        raise fatal
    return outcome(kind, answer)


def kind_of(answer):
    return answer[-1] if answer else -1


def outcome(kind, body):
    """The value, or STOP; raises what the host raises."""
    if kind == PLAIN:
        return loads(body)
    if kind == RECORDS:
        return unpack(body)
    if kind == END:
        return STOP
    if kind == RAISE:
        raise _exception(*loads(body))
    raise RuntimeError("the host does not answer")


def unpack(body):
    return _values.decode(body, True, borrow)


def _exception(kind, message):
    if kind.startswith("host."):
        return _own_exception(kind[5:])(message)
    found = getattr(builtins, kind, None)
    try:
        if issubclass(found, Exception):
            return found(message)
    except TypeError:
        pass
    return HostError(f"{kind}: {message}")


def _own_exception(name):
    if name == "HostError" or not name.isidentifier():
        return HostError
    kind = _exceptions.get(name)
    if kind is None:
        kind = _exceptions[name] = type(name, (HostError,), {"__module__": "host"})
        module = sys.modules.get("host")
        if module is not None and not hasattr(module, name):
            setattr(module, name, kind)
    return kind


# Each of these needs what stands above.
from sandboa._host_lent import do_callback_now, lend
from sandboa._host_things import borrow
