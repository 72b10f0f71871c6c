"""Stands in for what _values is to have."""

from marshal import dumps, loads


def encode(value, lend=None, strict=False):
    found = []

    def convert(value):
        if value is None or type(value) in (bool, int, float, str, bytes):
            return value
        if value is ...:
            found.append(1)
            return (..., "ellipsis")
        if type(value) is tuple:
            items = tuple(map(convert, value))
            return (..., "tuple", items) if value and value[0] is ... else items
        if type(value) is list:
            return list(map(convert, value))
        if type(value) is dict:
            return {convert(k): convert(v) for k, v in value.items()}
        fields = lend and lend(value)
        if not fields:
            raise TypeError(f"{type(value).__name__} cannot be copied")
        found.append(1)
        return (..., *fields)

    converted = convert(value)
    return dumps(converted, 4), bool(found)


def decode(data, records, borrow=None):
    def convert(value):
        if type(value) is tuple:
            if value and value[0] is ...:
                fields = tuple(map(convert, value[1:]))
                return ... if fields[0] == "ellipsis" else fields[1] if fields[0] == "tuple" else borrow(fields)
            return tuple(map(convert, value))
        if type(value) is list:
            return list(map(convert, value))
        if type(value) is dict:
            return {convert(k): convert(v) for k, v in value.items()}
        return value

    value = loads(data)
    return convert(value) if records else value
