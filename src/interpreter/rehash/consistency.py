# Run in a guest, after a rehash and before anything else: everything that is alive must be found by its hash, and every hash must
# be that of an equal object made anew. The value is a list of what is wrong.
import gc
import sys
import weakref

_type_dict = type.__dict__["__dict__"].__get__
_missing = object()


def _referents(item):
    if isinstance(item, type):
        return [*gc.get_referents(item), *gc.get_referents(_type_dict(item)), item.__mro__, item.__bases__]
    return gc.get_referents(item)


def _everything():
    gc.disable()
    gc.unfreeze()
    found = {id(item): item for item in gc.get_objects()}
    # What C alone may hold.
    for item in [*sys.modules.values(), *map(chr, range(256))]:
        found[id(item)] = item
    todo = list(found.values())
    while todo:
        for other in _referents(todo.pop()):
            if id(other) not in found:
                found[id(other)] = other
                todo.append(other)
    return [item for item in found.values() if item is not found and item is not todo]


def _again(item):
    """An equal object that has never been hashed, where that is possible."""
    if type(item) is str:
        return item.encode("utf-8", "surrogatepass").decode("utf-8", "surrogatepass")
    if type(item) is bytes:
        return bytes(bytearray(item))
    if type(item) is tuple:
        return tuple([_again(each) for each in item])
    if type(item) is frozenset:
        return frozenset([_again(each) for each in item])
    if type(item) in _DATES:
        return item.replace()
    if type(item) is memoryview:
        return bytes(item)
    return item


_datetime = sys.modules.get("datetime")
_DATES = (_datetime.date, _datetime.time, _datetime.datetime) if _datetime else ()
_OWN_HASH = (str, bytes, tuple, frozenset, memoryview, *_DATES)


def _wrong_in(item):
    kind = type(item)
    if isinstance(item, dict):
        for key, value in list(dict.items(item)):
            if dict.get(item, key, _missing) is not value or dict.get(item, _again(key), _missing) is not value:
                yield "dict", key
    elif isinstance(item, (set, frozenset)):
        contains = frozenset.__contains__ if isinstance(item, frozenset) else set.__contains__
        for key in list(item):
            if not contains(item, key) or not contains(item, _again(key)):
                yield "set", key
    if kind in _OWN_HASH and _hash(item) != _hash(_again(item)):
        yield "hash", item
    if kind is str and len(item) == 1 and ord(item) < 256 and hash(item) != hash(memoryview(bytes([ord(item)]))):
        yield "hash", item
    if kind is weakref.ref and item() is not None and _hash(item) != _hash(item()):
        yield "hash", item
    if kind is str and sys._is_interned(item) and sys.intern(_again(item)) is not item:
        yield "interned", item
    if sys.modules.get("enum") and isinstance(item, sys.modules["enum"].EnumType):
        for name, member in item.__members__.items():
            if item[_again(name)] is not member or item(member.value) is not member:
                yield "enum", name


def _hash(item):
    try:
        return hash(item)
    except TypeError:
        return None


def check():
    wrong = []
    for item in _everything():
        for what, key in _wrong_in(item):
            wrong.append(f"{what}: {key!r:.100}")
    return sorted(wrong)


check()[:20]
