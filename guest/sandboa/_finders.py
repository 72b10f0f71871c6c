"""What the import system has besides CPython's own: one finder before it, one behind."""

import os
import sys
from importlib.machinery import PathFinder

from sandboa import _host_loop


class EventLoopAdapter:
    """Finds asyncio's selector loop, gives it a self-pipe that is a pipe and is made when it is needed, and lets it wait for the host.

    There are no threads that could wake a sleeping loop, and no pairs of sockets to do it with.
    """

    functions = False

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name != "asyncio.selector_events":
            return None
        spec = PathFinder.find_spec(name, path, target)
        execute = spec.loader.exec_module

        def exec_module(module):
            execute(module)
            loop = module.BaseSelectorEventLoop
            loop._make_self_pipe = lambda self: None
            loop._csock = property(_open_self_pipe)
            loop._close_self_pipe = _close_self_pipe
            loop._write_to_self = _write_to_self
            initialize = loop.__init__

            def __init__(self, selector=None):
                initialize(self, selector)
                if EventLoopAdapter.functions:
                    selector = self._selector
                    selector.select = _host_loop.selecting(self, selector.select)

            loop.__init__ = __init__

        spec.loader.exec_module = exec_module
        return spec


class _PipeEnd:
    """As much of a socket as a loop asks of its self-pipe."""

    def __init__(self, fd):
        self._fd = fd
        os.set_blocking(fd, False)

    def fileno(self):
        return self._fd

    def recv(self, count):
        return os.read(self._fd, count)

    def send(self, data):
        return os.write(self._fd, data)

    def close(self):
        os.close(self._fd)


def _open_self_pipe(loop):
    """For signal.set_wakeup_fd(), when a handler of signals is added."""
    pipe = loop.__dict__.get("_self_pipe")
    if pipe is None:
        pipe = loop._self_pipe = tuple(map(_PipeEnd, os.pipe()))
        loop._ssock = pipe[0]
        loop._internal_fds += 1
        loop._add_reader(pipe[0].fileno(), loop._read_from_self)
    return pipe[1]


def _close_self_pipe(loop):
    pipe = loop.__dict__.pop("_self_pipe", None)
    if pipe is not None:
        loop._remove_reader(pipe[0].fileno())
        loop._internal_fds -= 1
        pipe[0].close()
        pipe[1].close()


def _write_to_self(loop):
    pipe = loop.__dict__.get("_self_pipe")
    if pipe is not None:
        try:
            pipe[1].send(b"\0")
        except OSError:
            pass


class _MissingModules:
    """The last finder: has nothing, and lets the kernel see what was asked for, so that the host can say what would allow it."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if path is None:
            try:
                _stat(f"/dev/sandboa/{name}")
            except (OSError, ValueError):
                pass
        return None


def install():
    sys.meta_path.insert(0, EventLoopAdapter)
    sys.meta_path.append(_MissingModules)


_stat = os.stat
