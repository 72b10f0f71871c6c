// Python expressions of every kind of value, and the guest's own comparison of what came back.
import { PythonInstance, pythonEllipsis } from "sandboa";

/** Of the definitions in values-fixture.ts. */
export const expressions: readonly string[] = [
  "None, True, False, ...",
  "[0, 1, -1, 2**31, -2**31 - 1, 2**53, -2**53, 2**64, -10**400, 10**5000]",
  "[0.0, -0.0, 1.0, -5.0, 2.5, 2.0**60, 1e308, 5e-324, math.inf, -math.inf, math.nan]",
  "[1+2j, -0j, complex(math.inf, -0.0), complex(math.nan, 1)]",
  "['', 'abc', '\\xe9', '\\0', '\\U0001f600', '\\ud800', '\\udc00\\ud800', '\\ufeff', 'a' * 300, '\\xe9' * 300]",
  "[b'', b'\\0\\xff', b'x' * 1000]",
  "[(), (1,), (1, (2, [3])), tuple(range(300)), (..., 1), (..., 'object', 'T', 'r'), (..., ), [...]]",
  "[(..., Decimal(1)), (..., 'decimal', '1', Decimal(2)), ((..., ), {(..., 'x'): Decimal(3)})]",
  "{}",
  "{'a': 1, '__proto__': {'constructor': 2}, 'toString': None}",
  "{1: 'a', '1': 'b', None: 'c', (1, 2): 'd', b'x': 'e', 1.5: 'f', 2**70: 'g', frozenset({1}): 'h', ...: 'i'}",
  "{datetime.date(2026, 1, 2): 1, Pair(1, (2, 3)): 2, Frozen('n', (1,)): 3, Color.RED: 4, Decimal('1.10'): 5}",
  "{Level.LOW: 'low', uuid.UUID(int=5): 'uuid', datetime.timedelta(1): 'delta'}",
  "[set(), {1, 'a', (2, 3)}, frozenset(), frozenset({frozenset({1})}), {Color.RED, Decimal(1)}]",
  "[datetime.date(1, 1, 1), datetime.date(9999, 12, 31)]",
  "[datetime.time(), datetime.time(23, 59, 59, 999999, fold=1), datetime.time(1, tzinfo=datetime.timezone.utc)]",
  "[datetime.datetime(1, 1, 1), datetime.datetime(2026, 3, 4, 5, 6, 7, 8, tzinfo=datetime.timezone.utc)]",
  "datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone(datetime.timedelta(hours=-3, seconds=7, microseconds=9)))",
  "[datetime.datetime(2026, m, 25, 2, 30, fold=f, tzinfo=zoneinfo.ZoneInfo('Europe/Berlin')) for m in (1, 7, 10) for f in (0, 1)]",
  "[datetime.timedelta(), datetime.timedelta.min, datetime.timedelta.max, datetime.timedelta(-1, 5, 7)]",
  "[Decimal('0'), Decimal('-0.00'), Decimal('1.10'), Decimal('1E+30'), Decimal('NaN'), Decimal('-Infinity')]",
  "[uuid.UUID(int=0), uuid.UUID('12345678-1234-5678-1234-567812345678')]",
  "[Point(1), Point([1], {'x': Point(2)}), Frozen('x'), Frozen('y', (1, 2)), Outer.Inner(Outer.Inner(1))]",
  "[Color.RED, Color.OTHER, Level.HIGH, Flags.A, Flags.A | Flags.B, Flags(0), Word.YES]",
  "[Pair(1, 2), Pair([1], Pair(2, 3)), Pair(..., ...)]",
  "[Refused(), Refused('a', 1), Detailed(5, 'x'), ValueError('v'), KeyError('k'), OSError(2, 'gone'), Exception()]",
  "[UnicodeDecodeError('utf-8', b'x', 0, 1, 'why'), StopIteration(5), SystemExit(3), KeyboardInterrupt()]",
  "[ExceptionGroup('g', [ValueError(1), Refused(2)])]",
  "[decimal.ROUND_UP, collections.OrderedDict(a=1) == {'a': 1}]",
];

/** differences(a, b): the places where values differ in type or value. */
export const same = `
import dataclasses, datetime, decimal, enum

def differences(a, b, path=""):
    if type(a) is not type(b):
        return [f"{path}: {type(a)} {a!r} for {type(b)} {b!r}"]
    if isinstance(a, (list, tuple)):
        if len(a) != len(b):
            return [f"{path}: {len(a)} items for {len(b)}"]
        return [d for i, (x, y) in enumerate(zip(a, b)) for d in differences(x, y, f"{path}[{i}]")]
    if isinstance(a, dict):
        found = differences(list(a), list(b), f"{path} keys")
        return found or differences(list(a.values()), list(b.values()), f"{path} values")
    if isinstance(a, BaseException):
        return differences(a.args, b.args, f"{path}.args")
    if dataclasses.is_dataclass(a):
        parts = lambda x: [getattr(x, f.name) for f in dataclasses.fields(x)]
        return differences(parts(a), parts(b), f"{path}.fields")
    if isinstance(a, (float, complex, decimal.Decimal)):
        equal = repr(a) == repr(b)
    elif isinstance(a, enum.Enum):
        equal = a is b
    elif isinstance(a, (datetime.datetime, datetime.time)):
        facts = lambda x: (x.replace(tzinfo=None), x.fold, x.utcoffset(), getattr(x.tzinfo, "key", None))
        equal = facts(a) == facts(b)
    else:
        equal = a == b
    return [] if equal else [f"{path}: {a!r:.200} for {b!r:.200}"]
`;

/** What JavaScript has of its own, and Python's repr of what it becomes. */
export const conversions: readonly (readonly [unknown, string])[] = [
  [undefined, "None"],
  [1, "1"],
  [2 ** 53, "9007199254740992.0"],
  [7n, "7"],
  [{ a: { b: [1] } }, "{'a': {'b': [1]}}"],
  [Object.create(null), "{}"],
  [new Date(Date.UTC(2026, 0, 2, 3, 4, 5, 678)), datetimeRepr("2026, 1, 2, 3, 4, 5, 678000")],
  [new Date("0001-01-01T00:00:00Z"), datetimeRepr("1, 1, 1, 0, 0")],
  [Float64Array.of(1.5), "b'\\x00\\x00\\x00\\x00\\x00\\x00\\xf8?'"],
  [new Uint16Array([1, 2]).subarray(1), "b'\\x02\\x00'"],
  [new DataView(new Uint8Array([1, 2, 3]).buffer, 1), "b'\\x02\\x03'"],
  [new Uint8Array([5]).buffer, "b'\\x05'"],
  [Buffer.from("hi"), "b'hi'"],
  [new TypeError("t"), "TypeError('t')"],
  [new RangeError("r"), "ValueError('r')"],
  [new Error("e", { cause: new Error("secret") }), "Exception('e')"],
  [Object.freeze([1, Object.freeze([pythonEllipsis])]), "(1, (Ellipsis,))"],
  [new PythonInstance("enum", "__main__.Color", new Map([["name", "RED"]])), "<Color.RED: 1>"],
];

function datetimeRepr(fields: string): string {
  return `datetime.datetime(${fields}, tzinfo=datetime.timezone.utc)`;
}
