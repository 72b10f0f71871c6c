"""Makes a value fit for marshal: plain data stays as it is, everything else becomes a record that names it.

A record is a tuple that begins with Ellipsis, so a genuine tuple that begins so is wrapped in one.
"""

_MAX_DEPTH = 180
_REPR_LIMIT = 1 << 12
_ATOMS = frozenset((type(None), bool, int, float, complex, str, bytes))


def portable(value):
    """A copy of `value` that marshal can write. Cycles and depth beyond the limit become records as well."""
    if type(value) in _ATOMS:
        return value
    return _convert(value, 0, set())


def _convert(value, depth, parents):
    kind = type(value)
    if kind in _ATOMS:
        return value
    if value is ...:
        return (..., "ellipsis")
    for base, make in _CONTAINERS:
        if issubclass(kind, base):
            if depth >= _MAX_DEPTH or id(value) in parents:
                return _record(value)
            parents.add(id(value))
            try:
                return make(value, depth + 1, parents)
            finally:
                parents.discard(id(value))
    for base in _BASES:
        if issubclass(kind, base):
            return _plain(base, value)
    return _record(value)


def _plain(base, value):
    """The value of a subclass instance as its built-in base has it, whatever the subclass overrides."""
    if base is str:
        return str.__str__(value)
    if base is int:
        return int.__int__(value)
    if base is bytes:
        return bytes(memoryview(value))
    return float.__float__(value)


def _list(value, depth, parents):
    return [_convert(item, depth, parents) for item in list.__iter__(value)]


def _tuple(value, depth, parents):
    items = tuple(_convert(item, depth, parents) for item in tuple.__iter__(value))
    if tuple.__len__(value) and tuple.__getitem__(value, 0) is ...:
        return (..., "tuple", items)
    return items


def _dict(value, depth, parents):
    items = list(dict.items(value))
    copy = {_key(key, depth, parents): _convert(item, depth, parents) for key, item in items}
    # Different keys that look alike as records would overwrite each other.
    return copy if len(copy) == len(items) else _record(value)


def _key(value, depth, parents):
    """A key or set member; one whose copy cannot be hashed, such as a hashable list, becomes a record."""
    copy = _convert(value, depth, parents)
    try:
        hash(copy)
    except TypeError:
        return _record(value)
    return copy


def _set(value, depth, parents):
    items = list(set.__iter__(value))
    copy = {_key(item, depth, parents) for item in items}
    return copy if len(copy) == len(items) else _record(value)


def _frozenset(value, depth, parents):
    items = list(frozenset.__iter__(value))
    copy = frozenset(_key(item, depth, parents) for item in items)
    return copy if len(copy) == len(items) else _record(value)


def _bytearray(value, _depth, _parents):
    return bytes(memoryview(value))


_CONTAINERS = (
    (list, _list),
    (tuple, _tuple),
    (dict, _dict),
    (set, _set),
    (frozenset, _frozenset),
    (bytearray, _bytearray),
    (memoryview, _bytearray),
)
_BASES = (str, int, float, bytes)


def _record(value):
    try:
        text = repr(value)
        text = str.__str__(text) if len(text) <= _REPR_LIMIT else text[:_REPR_LIMIT] + "..."
    except BaseException as error:
        text = f"<repr failed: {type(error).__name__}>"
    return (..., "object", type(value).__qualname__, text)
