"""The session's own event loop, which outlives the runs: what awaits at the top level of a program runs in it."""

from sandboa import _host_loop
from sandboa._builtins import __builtins__

_runner = None


def run(coroutine):
    return _open().run(coroutine)


def wait_for(coroutine):
    """As `run`, and nothing of it goes on afterwards."""
    try:
        return run(coroutine)
    finally:
        end(coroutine)


def end(coroutine):
    """Nothing of a coroutine may go on in the next run when something else has ended this one: then the loop ends as that of asyncio.run() does, with all of its tasks."""
    if coroutine.cr_frame is None:
        return
    try:
        close()
    except BaseException:
        pass
    try:
        coroutine.close()
    except BaseException:
        pass


def close():
    """As asyncio.run() ends its loop: tasks are cancelled, asynchronous generators closed. The next run has a new one."""
    global _runner
    runner, _runner = _runner, None
    if runner is not None:
        runner.close()


def context():
    """Where the loop keeps context variables: what runs without it has the same ones. None where there is no loop."""
    return None if _runner is None else _runner._context


def _open():
    global _runner
    if _runner is None:
        import asyncio

        _runner = asyncio.Runner()
    return _runner


def in_steps(coroutine):
    """As Runner.run() does, where nobody can wait for the host: the loop is left when it has to, with how many milliseconds it may wait."""
    from asyncio import CancelledError
    from functools import partial
    from signal import SIGINT, default_int_handler, getsignal, signal

    runner = _open()
    loop = runner.get_loop()
    task = loop.create_task(coroutine, context=runner._context)
    task.add_done_callback(lambda _: loop.stop())
    runner._interrupt_count = 0
    handler = None
    if getsignal(SIGINT) is default_int_handler:
        handler = partial(runner._on_sigint, main_task=task)
        signal(SIGINT, handler)
    try:
        while not task.done():
            if (milliseconds := _host_loop.run_step(loop)) is not None:
                yield milliseconds
        return task.result()
    except CancelledError:
        if runner._interrupt_count > 0 and task.uncancel() == 0:
            raise KeyboardInterrupt
        raise
    finally:
        if handler is not None and getsignal(SIGINT) is handler:
            signal(SIGINT, default_int_handler)
