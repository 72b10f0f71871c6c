"""The guest's side of calls of the host: requests, answers, and what waits for them. Part of every image, so it imports nothing large.

A request is a value in marshal format and a trailer; so is an answer. The guest can change all of this, which harms the guest alone.
"""

import builtins
import sys
from marshal import dumps, loads
from struct import Struct

import sandboa
from sandboa import _host_values as _values

_VERSION = 4
_REQUEST = Struct("<BBII")
_NONE = dumps(None, _VERSION)
_ANSWER_TAIL = 5
CALL, NEXT, RELEASE, CANCEL, WAIT, RETURNED, DESCRIBE = 1, 3, 4, 5, 6, 7, 8
PLAIN, RECORDS, RAISE, STARTED, END, CALLBACK, LATER = range(7)
_VALUE, _RAISED, _ENDED = range(3)
_NO_TIMEOUT = 0xFFFFFFFF
_MOST_LENT = 10_000
_STOP = object()

# Whether the thread can wait for the host; else it is told to come again.
waits = True
# Of asynchronous calls: the guest's number -> future.
pending = {}
_last_call = 0
# Lent for the run: its number -> the thing, and id(thing) -> number.
_lent = {}
_lent_numbers = {}
_last_lent = 0
# Set by the module `host` when it is made: (fields) -> what the host lends, and its own exceptions by name.
borrow = None
exceptions = {}


class HostError(Exception):
    """A function of the host has failed; the host does not say why."""


HostError.__module__ = "host"


def trailer(operation, number=0, call=0, records=0):
    return _REQUEST.pack(records, operation, number, call)


def send(operation, number=0, call=0, body=_NONE, records=0):
    return sandboa._host_call(body + _REQUEST.pack(records, operation, number, call))


def pack(value):
    """(bytes, records) of any value that can cross."""
    try:
        return dumps(value, _VERSION), 0
    except ValueError:
        body, records = _values.encode(value, lend, True)
        return body, 1 if records else 0


def ask(operation, number, value):
    """For a value that is not plain: sends it, and gives what the host answers."""
    body, records = pack(value)
    return finish(send(operation, number, 0, body, records))


def finish(answer):
    """What a synchronous request was answered with, after all callbacks that the host wants before."""
    while True:
        kind = answer[-1] if answer else -1
        if kind == PLAIN:
            return loads(answer)
        if kind == CALLBACK:
            answer = _do_callback_now(answer)
            continue
        return outcome(kind, answer)


def outcome(kind, body):
    """The value, or END's mark; raises what the host raises."""
    if kind == PLAIN:
        return loads(body)
    if kind == RECORDS:
        return _values.decode(body, True, borrow)
    if kind == END:
        return _STOP
    if kind == RAISE:
        raise _exception(*loads(body))
    raise RuntimeError("the host does not answer")


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
    kind = exceptions.get(name)
    if kind is None:
        kind = exceptions[name] = type(name, (HostError,), {"__module__": "host"})
        module = sys.modules.get("host")
        if module is not None and not hasattr(module, name):
            setattr(module, name, kind)
    return kind


# What is lent


def lend(value):
    """The fields of a record that stands for a thing of the host's, or for one of ours that the host may use during the run."""
    number = getattr(value, "_host_number", None)
    if type(number) is int:
        return ("host", number)
    kind = type(value)
    if hasattr(kind, "__next__") or hasattr(kind, "__anext__") or hasattr(kind, "__aiter__"):
        return ("lent", _lend(value), "iterate")
    if callable(value):
        return ("lent", _lend(value), "call")
    return None


def _lend(value):
    global _last_lent
    number = _lent_numbers.get(id(value))
    if number is None:
        if len(_lent) >= _MOST_LENT:
            raise RuntimeError(f"more than {_MOST_LENT} things are lent to the host")
        _last_lent = number = _last_lent + 1
        _lent[number] = value
        _lent_numbers[id(value)] = number
    return number


def _begin(number, work, given):
    """Does a callback, as far as it goes without waiting: gives its value, or something to await."""
    thing = _lent[number]
    if work == "call":
        return thing(*given)
    if work == "next":
        if hasattr(type(thing), "__next__"):
            return next(thing)
        if not hasattr(type(thing), "__anext__"):
            # The iterator of an iterable takes its place.
            thing = _lent[number] = type(thing).__aiter__(thing)
        return type(thing).__anext__(thing)
    close = getattr(thing, "close", None) or getattr(thing, "aclose", None)
    return None if close is None else close()


def _do_callback_now(answer):
    """While a synchronous call waits; gives the host's next answer to it."""
    token, number, work, given = _values.decode(answer, True, borrow)
    try:
        value = _begin(number, work, given)
        if hasattr(type(value), "__await__"):
            value = _run_now(value)
        return _returned(token, _VALUE, value)
    except (StopIteration, StopAsyncIteration):
        return send(RETURNED, _ENDED, token)
    except BaseException as error:
        return _raised(token, error)


def _run_now(awaitable):
    from sandboa import _runner

    if running_loop() is not None:
        close = getattr(awaitable, "close", None)
        if close is not None:
            close()
        raise RuntimeError("a coroutine cannot be run for the host while the event loop waits in a synchronous call")

    async def wait():
        return await awaitable

    return _runner.wait_for(wait())


def _returned(token, how, value):
    body, records = pack(value)
    return send(RETURNED, how, token, body, records)


def _raised(token, error):
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ in ("builtins", "__main__") else f"{kind.__module__}.{kind.__qualname__}"
    try:
        message = str.__str__(str(error))[: 1 << 16]
    except BaseException:
        message = ""
    return send(RETURNED, _RAISED, token, dumps((str(name), message), _VERSION))


# Calls that are awaited


def running_loop():
    events = sys.modules.get("asyncio.events")
    return None if events is None else events._get_running_loop()


async def call(operation, number, value):
    """Sends a request, and waits for its answer in the running loop. Cancelled, it cancels the call."""
    global _last_call
    body, records = pack(value)
    _last_call = mine = _last_call + 1
    answer = send(operation, number, mine, body, records)
    kind = answer[-1] if answer else -1
    if kind != STARTED:
        return outcome(kind, answer)
    future = pending[mine] = running_loop().create_future()
    try:
        kind, body = await future
    finally:
        if pending.pop(mine, None) is not None:
            send(CANCEL, 0, mine)
    return outcome(kind, body)


def poll(timeout):
    """Takes what is ready, and waits for it if nothing is: seconds, or None. False: it comes later, and nobody can wait."""
    number = _NO_TIMEOUT if timeout is None else min(int(timeout * 1000 + 0.999), _NO_TIMEOUT - 1)
    answer = send(WAIT, number)
    kind = answer[-1] if answer else -1
    if kind == LATER:
        return False
    for number, kind, body in outcome(kind, answer):
        if kind == CALLBACK:
            _start_callback(body)
            continue
        future = pending.pop(number, None)
        if future is not None and not future.done():
            future.set_result((kind, body))
    return True


def _start_callback(body):
    token, number, work, given = _values.decode(body, True, borrow)
    loop = running_loop()
    task = loop.create_task(_do_callback(token, number, work, given))
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)


# The loop that may be left in the middle when nobody can wait, and for how many milliseconds it was: -1 without end.
may_suspend = None
suspended = None
# How often a loop that has other work looks for answers.
_LOOK_EVERY = 8


def selecting(loop, select):
    """What a loop's selector does when calls of the host are under way: it waits for those, too."""
    turns = 0

    def selecting_too(timeout=None):
        global suspended
        nonlocal turns
        if not pending and not _lent:
            return select(timeout)
        events = select(0)
        if timeout is not None and timeout <= 0:
            turns += 1
            if turns % _LOOK_EVERY == 0:
                poll(0)
            return events
        if events or poll(timeout):
            return events
        if loop is not may_suspend:
            if not pending:
                return select(timeout)
            raise RuntimeError(
                "the host answers later, and this sandbox cannot wait inside of synchronous code: "
                'use await at the top level, or isolation "worker" or "process"'
            )
        suspended = -1 if timeout is None else int(timeout * 1000 + 0.999)
        loop.stop()
        return events

    return selecting_too


# An event loop holds its tasks weakly.
_tasks = set()


async def _do_callback(token, number, work, given):
    try:
        value = _begin(number, work, given)
        if hasattr(type(value), "__await__"):
            value = await value
        _returned(token, _VALUE, value)
    except (StopIteration, StopAsyncIteration):
        send(RETURNED, _ENDED, token)
    except BaseException as error:
        _raised(token, error)
        if not isinstance(error, Exception):
            raise


def end_run():
    """Nobody answers any more what this run has asked; what it lent is its own again."""
    _lent.clear()
    _lent_numbers.clear()
    if not pending:
        return
    futures = list(pending.values())
    pending.clear()
    for future in futures:
        try:
            if not future.done():
                future.set_exception(RuntimeError("the run ended before the host answered"))
                future._log_traceback = False
        except RuntimeError:
            # Its loop is closed: nobody is there to be told.
            pass
