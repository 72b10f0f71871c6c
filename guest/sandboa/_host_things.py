"""What the host has lent: functions, objects and streams. The host is told when the guest has let one go."""

from weakref import ref

from sandboa import _host, _host_functions, _host_lent

# Of what was granted: number -> the thing. Of handles: number -> a reference to its token.
granted = {}
_handles = {}
_classes = {}


class Unique:
    """What stands for a thing of the host's is never two."""

    __slots__ = ()

    def __copy__(self):
        return self

    def __deepcopy__(self, _memo):
        return self

    def __reduce_ex__(self, _protocol):
        raise TypeError(f"cannot pickle {type(self).__name__!r} object")


class Token(Unique):
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

    def forget(self):
        """The host has forgotten it by itself."""
        self.is_handle = False
        _handles.pop(self.number, None)


class HostObject(Unique):
    """Stands for an object of the host's."""

    __slots__ = ("_host_token", "_host_numbers", "_host_tails", "__weakref__")

    @property
    def _host_number(self):
        return self._host_token.number

    def __repr__(self):
        return f"<host.{type(self).__name__}>"


def borrow(fields):
    """What a record of the host's stands for."""
    name, number, *described = fields
    if name == "lent":
        return _host_lent.lent[number]
    if number in granted:
        return granted[number]
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
    return _host_stream.Stream(token)


def _make_object(description, token):
    _, name, doc, _, methods, attributes = description
    parts = [*methods, *attributes]
    key = _host.dumps((name, doc, [part[:-1] for part in parts], len(methods)), 4)
    kind = _classes.get(key)
    if kind is None:
        members = {"__slots__": (), "__doc__": doc or None, "__module__": "host"}
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


# It needs what stands above.
from sandboa import _host_stream
