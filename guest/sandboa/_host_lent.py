"""What the guest has lent to the host for a run, and how it is used: a callback is done while a synchronous call waits, or by the event loop."""

from marshal import dumps

from sandboa import _host

_MOST = 10_000
_MESSAGE_LIMIT = 1 << 16
_VALUE, _RAISED, _ENDED = range(3)

# Its number -> the thing, and id(thing) -> its number.
lent = {}
_numbers = {}
# Its number -> the iterator of an asynchronous iterable.
_iterators = {}
_last = 0
# An event loop holds its tasks weakly.
_tasks = set()


def lend(value):
    """The fields of a record for a thing of the host's, or for one of ours that the host may use during the run; None for any other."""
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
    global _last
    number = _numbers.get(id(value))
    if number is None:
        if len(lent) >= _MOST:
            raise RuntimeError(f"more than {_MOST} things are lent to the host")
        _last = number = _last + 1
        lent[number] = value
        _numbers[id(value)] = number
    return number


def end_run():
    lent.clear()
    _numbers.clear()
    _iterators.clear()


def _begin(number, work, given):
    """Does a callback as far as it goes without waiting: gives its value, or something to await."""
    thing = lent[number]
    kind = type(thing)
    if work == "call":
        return thing(*given)
    if work == "next":
        if hasattr(kind, "__next__"):
            return next(thing)
        iterator = _iterators.get(number)
        if iterator is None:
            iterator = _iterators[number] = kind.__aiter__(thing)
        return type(iterator).__anext__(iterator)
    close = getattr(thing, "close", None) or getattr(thing, "aclose", None)
    return None if close is None else close()


def do_callback_now(answer, fatal):
    """While a synchronous call waits: gives the host's next answer to it, and the error that ends more than the callback. Then nothing more is done for the host."""
    token, number, work, given = _host.unpack(answer)
    try:
        if fatal is not None:
            raise fatal
        value = _begin(number, work, given)
        if hasattr(type(value), "__await__"):
            value = _run_now(value)
        return _returned(token, value), None
    except (StopIteration, StopAsyncIteration):
        return _host.send(_host.RETURNED, _ENDED, token), None
    except BaseException as error:
        return _raised(token, error), None if isinstance(error, Exception) else error


def _run_now(awaitable):
    from sandboa import _host_loop, _session_loop

    async def wait():
        return await awaitable

    if _host_loop.running_loop() is None:
        return _session_loop.wait_for(wait())
    if hasattr(awaitable, "close"):
        awaitable.close()
    raise RuntimeError("a coroutine cannot run for the host while the event loop itself waits in a synchronous call")


def start_callback(loop, body):
    """In the event loop."""
    task = loop.create_task(_do_callback(*_host.unpack(body)))
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)


async def _do_callback(token, number, work, given):
    try:
        value = _begin(number, work, given)
        if hasattr(type(value), "__await__"):
            value = await value
        _returned(token, value)
    except (StopIteration, StopAsyncIteration):
        _host.send(_host.RETURNED, _ENDED, token)
    except BaseException as error:
        _raised(token, error)
        if not isinstance(error, Exception):
            raise


def _returned(token, value):
    body, records = _host.pack(value)
    return _host.send(_host.RETURNED, _VALUE, token, body, records)


def _raised(token, error):
    kind = type(error)
    is_short = kind.__module__ in ("builtins", "__main__")
    name = kind.__qualname__ if is_short else f"{kind.__module__}.{kind.__qualname__}"
    try:
        # A KeyError's text is the repr of its key, and would be that of a text the next time.
        text = error.args[0] if kind is KeyError and len(error.args) == 1 and type(error.args[0]) is str else str(error)
        message = str.__str__(text)[:_MESSAGE_LIMIT]
    except BaseException:
        message = ""
    return _host.send(_host.RETURNED, _RAISED, token, dumps((str(name), message), 4))
