"""Values from the host, which _values describes: records become what they stand for, with classes of the modules that are imported."""

import sys
from marshal import loads

_type = type
_ATOMS = frozenset((type(None), bool, int, float, complex, str, bytes))


class Opaque:
    """What the host has for an object that could not be copied, when it comes back."""

    __slots__ = ("type", "repr")

    def __init__(self, type, repr):
        self.type = type
        self.repr = repr

    def __repr__(self):
        return self.repr


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
                made = self.record(value)
            else:
                made = tuple([self.convert(item) for item in value])
        elif kind is set or kind is frozenset:
            made = kind([self.convert(item) for item in value])
        else:
            return value
        # Ids count: everything was there before the first was restored, and nothing that is made on the way is asked about.
        # A tuple may have been made already by a list in it that leads back here.
        return self.seen.setdefault(id(value), made)

    def record(self, value):
        _, name, *fields = value
        if name == "host" or name == "lent":
            return self.borrow((name, *fields))
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
            members = cls.__members__
            return members[fields["name"]] if fields["name"] in members else cls(fields["value"])
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


