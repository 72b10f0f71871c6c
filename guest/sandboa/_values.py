"""Values on their way to the host, and (from _restore) back: marshal for plain data, and for everything else records that name it.

A record is a tuple that begins with Ellipsis. Where there are records, an Ellipsis is a record itself, so that a genuine tuple
never begins with one; where there are none, both stand for what they are. Nothing here protects the host, which trusts none of it.
"""

import sys
from marshal import dumps

from sandboa._builtins import __builtins__
from sandboa._report import is_stop
from sandboa._restore import Opaque, decode

_MAX_DEPTH = 180
_REPR_LIMIT = 1 << 12
_ATOMS = frozenset((type(None), bool, int, float, complex, str, bytes))


def encode(value, lend=None, strict=False):
    """(bytes of marshal, whether there are records in them).

    `lend` gives the fields of a record for what the host may use without having a copy, or None. What cannot be copied becomes a
    record of its type and repr; where `strict`, TypeError, and ValueError for what is nested too deeply or contains itself.
    """
    try:
        return dumps(value, 4, allow_code=False), False
    except (ValueError, TypeError):
        copy = _Walk(lend, strict).convert(value, 0)
        return dumps(copy, 4), True


class _Walk:
    def __init__(self, lend, strict):
        self.lend = lend
        self.strict = strict
        # Where the value stands: indexes, names of fields, keys in tuples.
        self.path = []
        self.parents = set()
        # id -> (what must live as long as its id counts, its copy): what was one object stays one.
        self.copies = {}

    def convert(self, value, depth):
        kind = type(value)
        if kind in _ATOMS:
            return value
        if value is ...:
            return (..., "ellipsis")
        make = _maker(kind)
        if make is not None:
            return self.made(make, value, depth)
        for base in _BASES:
            if issubclass(kind, base):
                return _plain(base, value)
        try:
            # As marshal does it.
            return bytes(memoryview(value))
        except Exception:
            pass
        fields = self.lend and self.lend(value)
        if fields is not None:
            return (..., *fields)
        if kind is Opaque:
            return (..., "object", value.type, value.repr)
        return self.refuse(value, TypeError, f"an object of type {kind.__qualname__}")

    def made(self, make, value, depth):
        known = self.copies.get(id(value))
        if known is not None:
            return known[1]
        if depth >= _MAX_DEPTH or id(value) in self.parents:
            return self.refuse(value, ValueError, "a value that contains itself or is nested too deeply")
        self.parents.add(id(value))
        try:
            copy = make(self, value, depth + 1)
        except MemoryError:
            raise
        except Exception:
            # Its own code has failed, or its class does not keep what it promises.
            if self.strict:
                raise
            copy = _record(value)
        finally:
            self.parents.discard(id(value))
        return self.keep(value, copy)

    def keep(self, value, copy):
        self.copies[id(value)] = (value, copy)
        return copy

    def refuse(self, value, error, what):
        if self.strict:
            raise error(f"{_shown(self.path)} cannot be copied: {what}".lstrip())
        return _record(value)

    def items(self, values, depth):
        for index, value in enumerate(values):
            self.path.append(index)
            yield self.convert(value, depth)
            self.path.pop()

    def list(self, value, depth):
        # Known before its items are: a list may contain itself, and the host says whether that is welcome.
        copy = self.keep(value, [])
        copy += self.items(list.__iter__(value), depth)
        return copy

    def tuple(self, value, depth):
        if isinstance(fields := getattr(type(value), "_fields", None), tuple) and type(value) is not tuple:
            return self.instance("namedtuple", value, fields, tuple.__iter__(value), depth)
        return tuple(self.items(tuple.__iter__(value), depth))

    def dict(self, value, depth):
        items = list(dict.items(value))
        copy = self.keep(value, {})
        for key, item in items:
            self.path.append((key,))
            copy[self.key(key, depth)] = self.convert(item, depth)
            self.path.pop()
        # Different keys that look alike as records would overwrite each other.
        return copy if len(copy) == len(items) else self.refuse(value, ValueError, "keys that become the same")

    def key(self, value, depth):
        """A key or set member; one whose copy cannot be hashed, such as a hashable list, becomes a record."""
        copy = self.convert(value, depth)
        try:
            hash(copy)
        except TypeError:
            return self.refuse(value, TypeError, "a key without a copy that can be hashed")
        return copy

    def members(self, make, value, depth):
        items = list(value)
        copy = make(self.key(item, depth) for item in items)
        return copy if len(copy) == len(items) else self.refuse(value, ValueError, "members that become the same")

    def set(self, value, depth):
        return self.members(set, set.__iter__(value), depth)

    def frozenset(self, value, depth):
        return self.members(frozenset, frozenset.__iter__(value), depth)

    def bytes(self, value, _depth):
        return bytes(memoryview(value))

    def date(self, value, _depth):
        return (..., "date", value.year, value.month, value.day)

    def time(self, value, _depth):
        return (..., "time", *_clock(value))

    def datetime(self, value, _depth):
        return (..., "datetime", value.year, value.month, value.day, *_clock(value))

    def timedelta(self, value, _depth):
        return (..., "timedelta", value.days, value.seconds, value.microseconds)

    def decimal(self, value, _depth):
        return (..., "decimal", str(value))

    def uuid(self, value, _depth):
        return (..., "uuid", str(value))

    def enum(self, value, depth):
        return self.instance("enum", value, ("name", "value"), (value.name, value.value), depth)

    def dataclass(self, value, depth):
        names = tuple(field.name for field in sys.modules["dataclasses"].fields(value))
        return self.instance("dataclass", value, names, (getattr(value, name) for name in names), depth)

    def exception(self, value, depth):
        try:
            message = _plain(str, str(value))
        except BaseException as error:
            if is_stop(error):
                raise
            message = f"<the message could not be made: {type(error).__name__}>"
        return self.instance("exception", value, ("args", "message"), (value.args, message), depth)

    def instance(self, kind, value, names, values, depth):
        copies = []
        for name, item in zip(names, values, strict=True):
            self.path.append(name)
            copies.append(self.convert(item, depth))
            self.path.pop()
        cls = type(value)
        return (..., "instance", kind, f"{cls.__module__}.{cls.__qualname__}", tuple(names), tuple(copies))


# In this order: an enum may be an int, a datetime is a date, a namedtuple is a tuple.
_LIBRARY = (
    ("enum", "Enum", _Walk.enum),
    ("datetime", "datetime", _Walk.datetime),
    ("datetime", "date", _Walk.date),
    ("datetime", "time", _Walk.time),
    ("datetime", "timedelta", _Walk.timedelta),
    ("decimal", "Decimal", _Walk.decimal),
    ("uuid", "UUID", _Walk.uuid),
)
_BUILTINS = (
    (list, _Walk.list),
    (tuple, _Walk.tuple),
    (dict, _Walk.dict),
    (set, _Walk.set),
    (frozenset, _Walk.frozenset),
    (bytearray, _Walk.bytes),
    (memoryview, _Walk.bytes),
    (BaseException, _Walk.exception),
)
_EXACT = dict(_BUILTINS)
_BASES = (str, int, float, complex, bytes)


def _maker(kind):
    """What converts such values; None for what has no parts. Modules that nobody has imported have no values."""
    make = _EXACT.get(kind)
    if make is not None:
        return make
    for module, name, make in _LIBRARY:
        base = getattr(sys.modules.get(module), name, None)
        if isinstance(base, type) and issubclass(kind, base):
            return make
    if isinstance(getattr(kind, "__dataclass_fields__", None), dict) and "dataclasses" in sys.modules:
        return _Walk.dataclass
    for base, make in _BUILTINS:
        if issubclass(kind, base):
            return make
    return None


def _plain(base, value):
    """The value of a subclass instance as its built-in base has it, whatever the subclass overrides."""
    if base is str:
        return str.__str__(value)
    if base is int:
        return int.__int__(value)
    if base is bytes:
        return bytes(memoryview(value))
    if base is complex:
        return complex.__pos__(value)
    return float.__float__(value)


def _clock(value):
    offset = value.utcoffset()
    microseconds = None if offset is None else (offset.days * 86400 + offset.seconds) * 10**6 + offset.microseconds
    zoneinfo = sys.modules.get("zoneinfo")
    zone = value.tzinfo.key if zoneinfo and isinstance(value.tzinfo, zoneinfo.ZoneInfo) else None
    return value.hour, value.minute, value.second, value.microsecond, value.fold, microseconds, zone


def _shown(path):
    return "".join(
        f"[{_short(*part)}]" if type(part) is tuple else f"[{part}]" if type(part) is int else f".{part}" for part in path
    )


def _short(key):
    try:
        text = repr(key) if type(key) in _ATOMS else f"<{type(key).__name__}>"
    except ValueError:
        # An int of more digits than Python likes to write.
        text = "<int>"
    return text if len(text) <= 40 else text[:40] + "..."


def _record(value):
    try:
        text = repr(value)
        text = str.__str__(text) if len(text) <= _REPR_LIMIT else text[:_REPR_LIMIT] + "..."
    except BaseException as error:
        if is_stop(error):
            raise
        text = f"<repr failed: {type(error).__name__}>"
    return (..., "object", type(value).__qualname__, text)
