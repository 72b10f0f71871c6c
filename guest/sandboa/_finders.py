"""What the import system has besides CPython's own: one finder before it, one behind."""

import os
import sys
from importlib.machinery import PathFinder

from sandboa import _host_loop


class EventLoopAdapter:
    """Finds asyncio's selector loop, takes away its wake-up socket pair, and lets it wait for the host.

    There are no threads and no signals that could wake a sleeping loop, and no sockets to do it with.
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
            loop._make_self_pipe = loop._close_self_pipe = lambda self: None
            loop._write_to_self = lambda self: None
            initialize = loop.__init__

            def __init__(self, selector=None):
                initialize(self, selector)
                if EventLoopAdapter.functions:
                    selector = self._selector
                    selector.select = _host_loop.selecting(self, selector.select)

            loop.__init__ = __init__

        spec.loader.exec_module = exec_module
        return spec


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
