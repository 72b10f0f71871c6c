# Preloaded by a test's image: one of each thing that keeps a hash, and of each form that a table can take.
import collections
import contextvars
import datetime
import enum
import functools
import weakref


class Word(str):
    pass


class Named:
    def __init__(self, name):
        self.name = name

    def __hash__(self):
        return hash(self.name)

    def __eq__(self, other):
        return isinstance(other, Named) and other.name == self.name


class Slotted:
    __slots__ = ("left", "right", "__weakref__")


class Suit(enum.Enum):
    CLUBS = "clubs"
    HEARTS = "hearts"


@functools.lru_cache
def of_one(word):
    return word * 2


@functools.lru_cache
def of_two(word, number):
    return word * number


for _word in ("alpha", "beta", "gamma"):
    of_one(_word)
    of_two(_word, 3)

ordered = collections.OrderedDict([("one", 1), (("two", 2), 2), (b"three", 3), ("four", 4)])
ordered.move_to_end("one")
del ordered["four"]
counter = collections.Counter("a\u00e9\u2192\U0001f40d" * 3)
holes = {f"key{number}": number for number in range(50)}
set_holes = {f"key{number}" for number in range(50)}
for _number in range(0, 40, 3):
    del holes[f"key{_number}"]
    set_holes.discard(f"key{_number}")
wide = {f"w{number}": number for number in range(30_000)}
mixed = {1: "int", "1": "str", b"1": "bytes", 1.5: "float", None: "none", ("1", 1): "tuple", Word("w"): "word"}
nested = {frozenset({("a", frozenset({"b", ("c", b"d")}))}): frozenset({frozenset({"e"}), ("f", "g")})}
for _key in nested:
    hash(nested[_key])
enums = {Suit.CLUBS: 1, (Suit.HEARTS, "x"): 2}
names = {Named("n1"): 1, (Named("n2"), "y"): 2}
_held = [Named("n3"), Named("n4"), Slotted()]
references = {weakref.ref(item): item for item in _held}
by_object = weakref.WeakKeyDictionary({item: "value" for item in _held})
weak_names = weakref.WeakSet(_held)
_gone = weakref.ref(Named("gone"))
dates = {datetime.date(2026, 1, 2): 1, datetime.datetime(2026, 1, 2, 3): 2, datetime.time(4, 5): 3}
forgotten_date = datetime.date(2001, 2, 3)
hash(forgotten_date)
view = memoryview(b"view of these bytes")
views = {view: 1}
variable = contextvars.ContextVar("variable")
variable.set("value")
tuples = [("hashed", "tuple"), ("never", "hashed"), (1, 2.5)]
hash(tuples[0])
hash(tuples[2])
"free text, hashed but no key" in {}
long_words = {"x" * length: length for length in range(1, 40)}
instances = [Named(f"i{number}") for number in range(3)]
instances[1].extra = "not in all of them"


def check():
    """What walking over all objects does not show; a list of what is wrong."""
    wrong = []

    def demand(truth, what):
        if not truth:
            wrong.append(what)

    hits = of_one.cache_info().hits, of_two.cache_info().hits
    for word in ("alpha", "beta", "gamma"):
        of_one("".join(list(word)))
        of_two("".join(list(word)), 3)
    demand((of_one.cache_info().hits, of_two.cache_info().hits) == (hits[0] + 3, hits[1] + 3), "lru_cache finds")
    copy = ordered.copy()
    demand(list(copy) == [("two", 2), b"three", "one"], "order")
    demand([ordered.popitem(last=False)[1] for _ in range(3)] == [2, 3, 1], "popitem")
    demand(Suit("clubs") is Suit.CLUBS and Suit["HEARTS"] is Suit.HEARTS, "enum")
    demand(by_object[Named("n3")] == "value" and Named("n4") in weak_names, "weak keys")
    demand(contextvars.copy_context()[variable] == "value", "context variable")
    demand(hash(Named("i1")) == hash("i1") and instances[1].extra.startswith("not"), "attributes")
    demand(sum(wide[f"w{number}"] for number in range(30_000)) == 30_000 * 29_999 // 2, "wide dict")
    demand(set_holes == {f"key{number}" for number in range(50) if number >= 40 or number % 3}, "set with holes")
    demand(dates[datetime.date(2026, 1, 2)] == 1 and hash(forgotten_date) == hash(forgotten_date.replace()), "dates")
    demand(views[memoryview(b"view of these bytes")] == 1, "memory view")
    return wrong
