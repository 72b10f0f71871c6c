"""What the host has lent: functions, objects and streams, which the host is told of when the guest has let them go; and the module `host`."""

import sys
from importlib.machinery import ModuleSpec
from weakref import ref

from sandboa import _host, _host_functions, _host_lent, _host_loop

_NAME = "host"
# Of what was granted: number -> the thing. Of handles: number -> a reference to its token.
_granted = {}
_handles = {}
_classes = {}


class Token:
    """Alive as long as something of the guest's is that stands for a handle."""

    __slots__ = ("number", "thing", "is_handle", "__weakref__")

    def __init__(self, number, is_handle):
        self.number = number
        self.thing = None
        self.is_handle = is_handle

    def __del__(self):
        if self.is_handle:
            _handles.pop(self.number, None)
            _host.send(_host.RELEASE, self.number)


class HostObject:
    """Stands for an object of the host's."""

    __slots__ = ("_host_token", "_host_numbers", "_host_tails", "__weakref__")

    @property
    def _host_number(self):
        return self._host_token.number

    def __repr__(self):
        return f"<host.{type(self).__name__}>"


class Stream:
    """An iterator of the host's: for `for` and for `async for`. In a running event loop it begins when its first item is asked for."""

    __slots__ = ("_host_token", "_call", "__weakref__")

    def __init__(self, token):
        self._host_token = token
        self._call = None

    @classmethod
    def of_call(cls, number, given):
        stream = cls(None)
        stream._call = (number, given)
        if _host_loop.running_loop() is None:
            stream._start()
        return stream

    @property
    def _host_number(self):
        if self._call is not None:
            self._start()
        return None if self._host_token is None else self._host_token.number

    def _start(self):
        call, self._call = self._call, None
        self._host_token = _host.ask(_host.CALL, *call)._host_token

    async def _start_later(self):
        call, self._call = self._call, None
        self._host_token = (await _host_loop.call(_host.CALL, *call))._host_token

    def __iter__(self):
        return self

    def __next__(self):
        if self._call is not None:
            self._start()
        if self._host_token is None:
            raise StopIteration
        try:
            value = _host.finish(_host.send(_host.NEXT, self._host_token.number))
        except Exception:
            self._end()
            raise
        if value is _host.STOP:
            self._end()
            raise StopIteration
        return value

    def __aiter__(self):
        return self

    async def __anext__(self):
        if self._call is not None:
            await self._start_later()
        if self._host_token is None:
            raise StopAsyncIteration
        try:
            value = await _host_loop.call(_host.NEXT, self._host_token.number, None)
        except Exception:
            self._end()
            raise
        if value is _host.STOP:
            self._end()
            raise StopAsyncIteration
        return value

    def __await__(self):
        if self._call is not None:
            yield from self._start_later().__await__()
        return self

    def close(self):
        """Tells the host that nobody goes on with it."""
        self._call = self._host_token = None

    async def aclose(self):
        self.close()

    def _end(self):
        """The host knows."""
        if self._host_token is not None:
            self._host_token.is_handle = False
            _handles.pop(self._host_token.number, None)
        self._host_token = None

    def __repr__(self):
        return "<host stream>"


def borrow(fields):
    """What a record of the host's stands for."""
    if fields[0] == "lent":
        return _host_lent.lent[fields[1]]
    _, number, *described = fields
    if number in _granted:
        return _granted[number]
    known = _handles.get(number)
    token = None if known is None else known()
    thing = None if token is None or token.thing is None else token.thing()
    if thing is not None:
        return thing
    if token is None:
        token = Token(number, True)
        _handles[number] = ref(token)
    thing = make(described[0], token)
    token.thing = ref(thing)
    return thing


def make(description, token):
    kind = description[0]
    if kind == "function":
        made = _host_functions.make(description, token)
        for function in made:
            function._host_number = token.number
        return made[0]
    if kind == "object":
        return _make_object(description, token)
    return Stream(token)


def _make_object(description, token):
    _, name, doc, _, methods, attributes = description
    parts = [*methods, *attributes]
    key = _host.dumps((name, doc, [part[:-1] for part in parts], len(methods)), 4)
    kind = _classes.get(key)
    if kind is None:
        members = {"__slots__": (), "__doc__": doc or None, "__module__": _NAME}
        for place, part in enumerate(parts):
            made = _host_functions.make(part, None, place)
            for function in made:
                function.__qualname__ = f"{name}.{part[1]}"
            members[part[1]] = made[0] if place < len(methods) else property(made[0], doc=made[0].__doc__)
        kind = _classes[key] = type(name, (HostObject,), members)
    thing = kind()
    thing._host_token = token
    thing._host_numbers = [part[-1] for part in parts]
    thing._host_tails = [_host.trailer(_host.CALL, part[-1]) for part in parts]
    return thing


def _fill(module, items):
    for name, description in items:
        _host_functions._check(name)
        if description[0] == "module":
            continue
        number = description[3] if description[0] == "object" else description[-1]
        thing = make(description, Token(number, False))
        if description[0] == "function":
            for function in (thing, thing.sync, thing.aio):
                function.__module__ = module.__name__
        _granted[number] = thing
        setattr(module, name, thing)
    module.__all__ = [name for name, _ in items]
    module.HostError = _host.HostError


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
                setattr(module, name, __import__(f"{module.__name__}.{name}", fromlist=["*"]))


def install(functions, waits):
    """Makes `host` importable, or not any more."""
    _host.waits = waits
    Finder.items = None
    finders = sys.meta_path
    if Finder in finders:
        finders.remove(Finder)
    if functions:
        finders.insert(0, Finder)
