"""What the import system has besides CPython's own: one finder before it, one behind."""

import os
import sys
from importlib.machinery import PathFinder

from sandboa import _host_loop


class Adapter:
    """Finds what needs a change here as soon as it has run: `_adapted`."""

    # Whether functions of the host are granted.
    functions = False

    @staticmethod
    def find_spec(name, path=None, target=None):
        adapt = _adapted.get(name)
        if adapt is None or (spec := PathFinder.find_spec(name, path, target)) is None:
            return None
        if not (spec.origin or "").startswith(_LIBRARY):
            # The program's own, which has the same name.
            return None
        execute = spec.loader.exec_module

        def exec_module(module):
            execute(module)
            adapt(module)

        spec.loader.exec_module = exec_module
        return spec


def _adapt_loop(module):
    """Gives asyncio's selector loop a self-pipe that is a pipe and is made when it is needed, and lets it wait for the host.

    There are no threads that could wake a sleeping loop, or that it would have to wait for, and no pairs of sockets to do it with.
    """
    loop = module.BaseSelectorEventLoop
    loop._make_self_pipe = lambda self: None
    loop._csock = property(_open_self_pipe)
    loop._close_self_pipe = _close_self_pipe
    loop._write_to_self = _write_to_self
    loop.shutdown_default_executor = _shutdown_default_executor
    initialize = loop.__init__

    def __init__(self, selector=None):
        initialize(self, selector)
        if Adapter.functions:
            selector = self._selector
            selector.select = _host_loop.selecting(self, selector.select)

    loop.__init__ = __init__


def _adapt_browser(module):
    """The image's own would ask the page that it believes to be in. Here is no browser but those that a program registers."""

    def open(url, new=0, autoraise=True):
        return any(module.get(name).open(url, new, autoraise) for name in list(order))

    def get(using=None):
        if using is None and not order:
            raise module.Error("could not locate runnable browser")
        return find(order[0] if using is None else using)

    def register(name, klass, instance=None, *, preferred=False):
        add(name, klass, instance)
        order.insert(0 if preferred else len(order), name)

    find, add = module.get, module.register
    module._browsers.clear()
    module._tryorder = order = []
    module.open, module.get, module.register = open, get, register


_adapted = {"asyncio.selector_events": _adapt_loop, "webbrowser": _adapt_browser}


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


async def _shutdown_default_executor(loop, timeout=None):
    """Without the thread that waits for those of the executor: there are none."""
    loop._executor_shutdown_called = True
    if loop._default_executor is not None:
        loop._default_executor.shutdown(wait=True)


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
    sys.meta_path.insert(0, Adapter)
    sys.meta_path.append(_MissingModules)


_stat = os.stat
_LIBRARY = os.path.dirname(os.__file__) + os.sep
