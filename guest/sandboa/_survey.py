"""At image time, on a copy that is thrown away: names every object that is alive, so that no hash table is missed."""

import gc
from array import array

# What holds no hash table. The host finds them itself where it must, for many are held by C alone.
_ATOMS = (str, bytes, int, float, complex)
_type_dict = type.__dict__["__dict__"].__get__


def live(_request):
    """Addresses of the objects that were there when `prepare` froze them, as 32-bit integers of the machine's order."""
    gc.disable()
    own = {id(item) for item in gc.get_objects()}
    gc.unfreeze()
    found = {}
    own |= {id(own), id(found)}
    todo = [item for item in gc.get_objects() if id(item) not in own]
    found.update((id(item), item) for item in todo)
    while todo:
        for other in _referents(todo.pop()):
            # Whatever is tracked by the collector and was not frozen has come with this survey.
            if type(other) not in _ATOMS and id(other) not in found and not gc.is_tracked(other):
                found[id(other)] = other
                todo.append(other)
    return array("I", found).tobytes()


def _referents(item):
    if isinstance(item, type):
        # Static types are unknown to the collector and do not tell what they refer to.
        return [*gc.get_referents(item), *gc.get_referents(_type_dict(item)), item.__mro__, item.__bases__]
    return gc.get_referents(item)
