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

        # A zone alone has no offset without a date.
        zone_of = _named(zone) or _fixed(offset, zone)
        return time(hour, minute, second, microsecond, tzinfo=zone_of, fold=fold)

    def datetime(self, year, month, day, hour, minute, second, microsecond, fold, offset, zone):
        from datetime import datetime

        naive = datetime(year, month, day, hour, minute, second, microsecond, fold=fold)
        fixed = None if offset is None else _fixed(offset, zone)
        named = _named(zone)
        if named is None:
            return naive.replace(tzinfo=_fixed(offset, zone))
        # The offset says which moment it is: of an hour that comes twice, and where the zone's rules are others here.
        for candidate in (fold, 1 - fold):
            aware = naive.replace(tzinfo=named, fold=candidate)
            if fixed is None or aware.utcoffset() == fixed.utcoffset(None):
                return aware
        return naive.replace(tzinfo=fixed)

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
        if kind == "dataclass" and set(names) == _field_names(cls):
            instance = cls.__new__(cls) if issubclass(cls, BaseException) else object.__new__(cls)
            for name, value in fields.items():
                object.__setattr__(instance, name, value)
            return instance
        raise ValueError(f"{type} is no {kind} with the fields {', '.join(names)}")


_RECORDS = {
    name: getattr(_Restore, name)
    for name in ("ellipsis", "object", "date", "time", "datetime", "timedelta", "decimal", "uuid", "instance")
}


def _named(zone):
    """The zone of that name; None where it is unknown here."""
    if zone is None:
        return None
    try:
        from zoneinfo import ZoneInfo

        return ZoneInfo(zone)
    except Exception:
        return None


def _fixed(offset, zone):
    if offset is None:
        if zone is None:
            return None
        raise ValueError(f"there is no time zone {zone} here, and no offset that could stand for it")
    from datetime import timedelta, timezone

    return timezone(timedelta(microseconds=offset)) if offset else timezone.utc


def _field_names(cls):
    dataclasses = sys.modules.get("dataclasses")
    return {field.name for field in dataclasses.fields(cls)} if dataclasses and dataclasses.is_dataclass(cls) else None


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


