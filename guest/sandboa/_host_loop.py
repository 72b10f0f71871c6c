"""Calls of the host that coroutines await, and event loops that wait for the host as they do for files."""

import sys

from sandboa import _host, _host_lent

_NO_TIMEOUT = 0xFFFFFFFF
# How often a loop that has other work looks for answers.
_LOOK_EVERY = 8
_CANNOT_WAIT = (
    "the host answers later, and this sandbox cannot wait inside of synchronous code: "
    'use await at the top level, or isolation "worker" or "process"'
)

# The guest's number of a call -> the future of who waits for it, and the task that does.
pending = {}
_last_call = 0
# The loop that may be left in the middle where nobody can wait, and for how many milliseconds it was: -1 without end.
may_suspend = None
suspended = None


def running_loop():
    events = sys.modules.get("asyncio.events")
    return None if events is None else events._get_running_loop()


async def call(operation, number, value, about=None):
    """Sends a request, and waits for its answer in the running loop. Cancelled, it cancels the call."""
    global _last_call
    body, records = _host.pack(value, about)
    _last_call = mine = _last_call + 1
    answer = _host.send(operation, number, mine, body, records)
    kind = _host.kind_of(answer)
    if kind != _host.STARTED:
        return _host.outcome(kind, answer)
    loop = running_loop()
    future = loop.create_future()
    pending[mine] = future, sys.modules["asyncio.tasks"].current_task(loop)
    try:
        kind, body = await future
    finally:
        if pending.pop(mine, None) is not None:
            _host.send(_host.CANCEL, 0, mine)
    return _host.outcome(kind, body)


def _poll(loop, timeout):
    """Takes what is ready, and waits for it if nothing is: seconds, or None. False: it comes later, and nobody can wait."""
    number = _NO_TIMEOUT if timeout is None else min(_milliseconds(timeout), _NO_TIMEOUT - 1)
    answer = _host.send(_host.WAIT, number)
    kind = _host.kind_of(answer)
    if kind == _host.LATER:
        return False
    for number, kind, body in _host.outcome(kind, answer):
        if kind == _host.CALLBACK:
            _host_lent.start_callback(loop, body)
            continue
        future, _ = pending.pop(number, (None, None))
        if future is not None and not future.done():
            future.set_result((kind, body))
    return True


def _milliseconds(seconds):
    """Rounded up: a loop that wakes too early would only wait again."""
    return int(seconds * 1000 + 0.999)


def selecting(loop, select):
    """What a loop's selector does while calls of the host are under way: it waits for those, too."""
    turns = 0

    def select_and_poll(timeout=None):
        global suspended
        nonlocal turns
        if not pending and not _host_lent.lent:
            return select(timeout)
        events = select(0)
        if timeout is not None and timeout <= 0:
            turns += 1
            if turns % _LOOK_EVERY == 0:
                _poll(loop, 0)
            return events
        if events or _poll(loop, timeout):
            return events
        if loop is may_suspend:
            suspended = -1 if timeout is None else _milliseconds(timeout)
            loop.stop()
            return events
        if pending:
            raise RuntimeError(_CANNOT_WAIT)
        return select(timeout)

    return select_and_poll


def run_step(loop):
    """Runs the loop until it stops: then None, or how many milliseconds it waits for the host at most."""
    global may_suspend, suspended
    suspended, may_suspend = None, loop
    try:
        loop.run_forever()
    finally:
        may_suspend = None
    return suspended


def end_run():
    """Nobody answers any more what this run has asked; what it lent is its own again."""
    _host_lent.end_run()
    if not pending:
        return
    waiting = list(pending.values())
    pending.clear()
    for future, task in waiting:
        try:
            if not future.done():
                error = RuntimeError("the run ended before the host answered")
                future.set_exception(error)
                future._log_traceback = False
                if task is not None:
                    task.add_done_callback(_leaving_unsaid(error))
        except RuntimeError:
            # Its loop is closed: nobody is there to be told.
            pass


def _leaving_unsaid(error):
    """What its run has left behind is told to whoever awaits it; that nobody does is no news for a later run."""

    def look(task):
        if task._exception is error:
            task.exception()

    return look
