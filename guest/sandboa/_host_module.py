"""The module `host`, made of what the host tells when it is first imported."""

import sys
from importlib.machinery import ModuleSpec

from sandboa import _host, _host_functions, _host_things

_NAME = "host"


def _fill(module, items):
    module.HostError = _host.HostError
    for name, description in items:
        _host_functions._check(name)
        if description[0] == "module":
            continue
        number = description[3] if description[0] == "object" else description[-1]
        thing = _host_things.make(description, _host_things.Token(number, False))
        if description[0] == "function":
            for function in (thing, thing.sync, thing.aio):
                function.__module__ = module.__name__
        _host_things.granted[number] = thing
        setattr(module, name, thing)
    module.__all__ = [name for name, _ in items]


class Finder:
    """Finds `host` and what is in it; the host is asked once what there is."""

    items = None

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        first, *rest = name.split(".")
        if first != _NAME:
            return None
        if cls.items is None:
            cls.items = _host.finish(_host.send(_host.DESCRIBE))
        items = cls.items
        for part in rest:
            items = next((item[2] for one, item in items if one == part and item[0] == "module"), None)
            if items is None:
                return None
        spec = ModuleSpec(name, cls(items), is_package=True)
        spec.submodule_search_locations = []
        return spec

    def __init__(self, items):
        self._items = items

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        module.__doc__ = "What the host offers."
        _fill(module, self._items)
        for name, description in self._items:
            if description[0] == "module":
                # The import system makes it an attribute of its parent.
                __import__(f"{module.__name__}.{name}")


def install(functions, waits):
    """Makes `host` importable, or not any more."""
    _host.waits = waits
    Finder.items = None
    finders = sys.meta_path
    if Finder in finders:
        finders.remove(Finder)
    if functions:
        finders.insert(0, Finder)
