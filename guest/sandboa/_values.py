"""Values on their way to the host and back: marshal for plain data, and for everything else records that name it.

A record is a tuple that begins with Ellipsis. Where there are records, an Ellipsis and a genuine tuple that begins with one are
records themselves; where there are none, they stand for what they are. Nothing here protects the host, which trusts none of it.
"""

import sys
from marshal import dumps, loads

_type = type
_MAX_DEPTH = 180
_REPR_LIMIT = 1 << 12
_ATOMS = frozenset((type(None), bool, int, float, complex, str, bytes))


class Opaque:
    """What the host has for an object that could not be copied, when it comes back."""

    __slots__ = ("type", "repr")

    def __init__(self, type, repr):
        self.type = type
        self.repr = repr

    def __repr__(self):
        return self.repr


def encode(value, lend=None, strict=False):
    """(bytes of marshal, whether there are records in them).

    `lend` gives the fields of a record for what the host may use without having a copy, or None. What cannot be copied becomes a
    record of its type and repr; where `strict`, TypeError, and ValueError for what is nested too deeply or contains itself.
    """
    try:
        return dumps(value, 4, allow_code=False), False
    except (ValueError, TypeError):
        walk = _Walk(lend, strict)
        return dumps(walk.convert(value, 0), 4), True


class _Walk:
    def __init__(self, lend, strict):
        self.lend = lend
        self.strict = strict
        self.parents = set()
        self.path = []

    def convert(self, value, depth):
        kind = type(value)
        if kind in _ATOMS:
            return value
        if value is ...:
            return (..., "ellipsis")
        make = _maker(kind)
        if make is not None:
            if depth >= _MAX_DEPTH or id(value) in self.parents:
                return self.refuse(value, ValueError, "a value that contains itself or is nested too deeply")
            self.parents.add(id(value))
            try:
                return make(self, value, depth + 1)
            finally:
                self.parents.discard(id(value))
        for base in _BASES:
            if issubclass(kind, base):
                return _plain(base, value)
        fields = self.lend and self.lend(value)
        if fields is not None:
            return (..., *fields)
        if kind is Opaque:
            return (..., "object", value.type, value.repr)
        return self.refuse(value, TypeError, f"an object of type {kind.__qualname__}")

    def refuse(self, value, error, what):
        if self.strict:
            raise error(f"{''.join(self.path)} cannot be copied: {what}".lstrip())
        return _record(value)

    def items(self, values, depth):
        for index, value in enumerate(values):
            self.path.append(f"[{index}]")
            yield self.convert(value, depth)
            self.path.pop()

    def list(self, value, depth):
        return list(self.items(list.__iter__(value), depth))

    def tuple(self, value, depth):
        if isinstance(fields := getattr(type(value), "_fields", None), tuple) and type(value) is not tuple:
            return self.instance("namedtuple", value, fields, tuple.__iter__(value), depth)
        items = tuple(self.items(tuple.__iter__(value), depth))
        return (..., "tuple", items) if items and tuple.__getitem__(value, 0) is ... else items

    def dict(self, value, depth):
        items = list(dict.items(value))
        copy = {}
        for key, item in items:
            self.path.append(f"[{_short(key)}]")
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
            message = f"<the message could not be made: {type(error).__name__}>"
        return self.instance("exception", value, ("args", "message"), (value.args, message), depth)

    def instance(self, kind, value, names, values, depth):
        copies = []
        for name, item in zip(names, values, strict=True):
            self.path.append(f".{name}")
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
_BASES = (str, int, float, bytes)


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
    return float.__float__(value)


def _clock(value):
    offset = value.utcoffset()
    microseconds = None if offset is None else (offset.days * 86400 + offset.seconds) * 10**6 + offset.microseconds
    zoneinfo = sys.modules.get("zoneinfo")
    zone = value.tzinfo.key if zoneinfo and isinstance(value.tzinfo, zoneinfo.ZoneInfo) else None
    return value.hour, value.minute, value.second, value.microsecond, value.fold, microseconds, zone


def _short(key):
    text = repr(key) if type(key) in _ATOMS else f"<{type(key).__name__}>"
    return text if len(text) <= 40 else text[:40] + "..."


def _record(value):
    try:
        text = repr(value)
        text = str.__str__(text) if len(text) <= _REPR_LIMIT else text[:_REPR_LIMIT] + "..."
    except BaseException as error:
        text = f"<repr failed: {type(error).__name__}>"
    return (..., "object", type(value).__qualname__, text)


def decode(data, records, borrow=None):
    """The value that the host has sent. `borrow` gives what the fields of a record of the host's stand for."""
    value = loads(data)
    return _Restore(borrow).convert(value) if records else value


class _Restore:
    def __init__(self, borrow):
        self.borrow = borrow
        self.seen = {}

    def convert(self, value):
        kind = type(value)
        if kind in _ATOMS:
            return value
        if id(value) in self.seen:
            return self.seen[id(value)]
        if kind is list:
            self.seen[id(value)] = value
            value[:] = [self.convert(item) for item in value]
            return value
        if kind is dict:
            self.seen[id(value)] = value
            items = list(value.items())
            value.clear()
            for key, item in items:
                value[self.convert(key)] = self.convert(item)
            return value
        if kind is tuple:
            if value and value[0] is ...:
                return self.record(value)
            return tuple([self.convert(item) for item in value])
        if kind is set or kind is frozenset:
            return kind([self.convert(item) for item in value])
        return value

    def record(self, value):
        _, name, *fields = value
        if name == "host" or name == "lent":
            return self.borrow((name, *fields))
        if name == "tuple":
            return tuple([self.convert(item) for item in fields[0]])
        return _RECORDS[name](self, *fields)

    def ellipsis(self):
        return ...

    def object(self, type, repr):
        return Opaque(type, repr)

    def date(self, *fields):
        from datetime import date

        return date(*fields)

    def time(self, hour, minute, second, microsecond, fold, offset, zone):
        from datetime import time

        return time(hour, minute, second, microsecond, tzinfo=_zone(offset, zone), fold=fold)

    def datetime(self, year, month, day, hour, minute, second, microsecond, fold, offset, zone):
        from datetime import datetime

        clock = (hour, minute, second, microsecond)
        return datetime(year, month, day, *clock, tzinfo=_zone(offset, zone), fold=fold)

    def timedelta(self, *fields):
        from datetime import timedelta

        return timedelta(*fields)

    def decimal(self, text):
        from decimal import Decimal

        return Decimal(text)

    def uuid(self, text):
        from uuid import UUID

        return UUID(text)

    def instance(self, kind, type, names, values):
        cls = _class(type)
        fields = dict(zip(names, [self.convert(value) for value in values]))
        if kind == "enum":
            return cls(fields["value"]) if fields["name"] is None else cls[fields["name"]]
        if kind == "exception" and issubclass(cls, BaseException):
            error = cls.__new__(cls, *fields["args"])
            error.args = tuple(fields["args"])
            return error
        if kind == "namedtuple" and getattr(cls, "_fields", None) == tuple(names):
            return tuple.__new__(cls, fields.values())
        if kind == "dataclass" and set(names) == set(getattr(cls, "__dataclass_fields__", ())):
            instance = object.__new__(cls)
            for name, value in fields.items():
                object.__setattr__(instance, name, value)
            return instance
        raise ValueError(f"{type} is no {kind} with the fields {', '.join(names)}")


_RECORDS = {
    name: getattr(_Restore, name)
    for name in ("ellipsis", "object", "date", "time", "datetime", "timedelta", "decimal", "uuid", "instance")
}


def _zone(offset, zone):
    if offset is None and zone is None:
        return None
    from datetime import timedelta, timezone

    if zone is not None:
        try:
            from zoneinfo import ZoneInfo

            return ZoneInfo(zone)
        except Exception:
            # A name that is unknown here; the offset says what time it is all the same.
            pass
    return timezone(timedelta(microseconds=offset)) if offset else timezone.utc


def _class(type):
    """The class of this module and qualified name, among the modules that are imported."""
    parts = type.split(".")
    for count in range(len(parts) - 1, 0, -1):
        found = sys.modules.get(".".join(parts[:count]))
        if found is None:
            continue
        try:
            for part in parts[count:]:
                found = getattr(found, part)
        except AttributeError:
            break
        if isinstance(found, _type):
            return found
    raise ValueError(f"there is no class {type} here")


