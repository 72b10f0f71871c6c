// What programs commonly do, in pieces that take some milliseconds each: the engine optimises what it sees often.

const numbers = `
import math, random
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)
def mandelbrot(width):
    inside = 0
    for y in range(width):
        for x in range(width):
            c, z = complex(3 * x / width - 2, 2 * y / width - 1), 0j
            for _ in range(20):
                z = z * z + c
                if abs(z) > 2:
                    break
            else:
                inside += 1
    return inside
total = 0
for i in range(30000):
    total += i & 3 if i % 3 else -i // 7
    if i == total or not i > -1 or 2 < total < 3:
        total ^= i << 2
matrix = [[float(i * j) for j in range(24)] for i in range(24)]
product = [[sum(a * b for a, b in zip(row, column)) for column in zip(*matrix)] for row in matrix]
primes = bytearray(b"\\1") * 20000
for i in range(2, 142):
    if primes[i]:
        primes[i * i :: i] = bytes(len(range(i * i, 20000, i)))
big = math.factorial(400) ** 3 % (10**97 + 1)
fib(17), mandelbrot(24), str(3**2000)[:10], int("9" * 300) // 7, pow(7, 1000, 10**9 + 7), math.sqrt(total**2), big
[math.floor(random.gauss(3, 1)) + round(math.sin(i) ** 2, 3) for i in range(1500)], divmod(-7, 3), max(3, 4.5), min([3, 1])
`;

const texts = `
import re, string
words = "the quick brown fox jumps over the lazy dog".split() * 60
counts = {}
for word in words:
    counts[word] = counts.get(word, 0) + 1
text = " ".join(words)
for i in range(60):
    re.findall(r"\\b[a-z]{3,5}\\b", text[:1500]), re.sub(r"(o)(.)", r"\\2\\1", text[:600]), re.match(r"(?P<a>\\w+)\\s+(\\w+)", text)
    text.upper().title().replace("THE", "a").find("dog"), text.count("o"), text[::-1], text.encode().decode("latin-1")
    f"{i:05d} {i / 7:.3f} {text[:5]!r:>20}" + "%s-%d" % (words[i], i) + "{:x}".format(i), "a,b,,c".split(",")
    sorted(words, key=len), sorted(counts.items(), key=lambda item: (-item[1], item[0])), text.partition("fox")
    [line.strip().lower() for line in text[:400].splitlines()], "".join(chr(ord(c) ^ 1) for c in text[:300])
    text.startswith("the"), "é" + text[:50] + "\\u20ac", text.isalpha(), text.translate({111: "0"}), "x" * i + "y"
string.capwords(text[:100])
`;

const things = `
import collections, dataclasses, enum, functools, itertools, operator
class Shape:
    kind = "shape"
    __slots__ = ("side",)
    def __init__(self, side):
        self.side = side
    @property
    def area(self):
        return self.side**2
    def __lt__(self, other):
        return self.side < other.side
    def __eq__(self, other):
        return self.side == other.side
    def __hash__(self):
        return hash(self.side)
class Square(Shape):
    def __init__(self, side):
        super().__init__(side)
        self.name = f"square {side}"
    def grow(self, by=1, *more, **named):
        return Square(self.side + by)
@dataclasses.dataclass
class Point:
    x: int
    y: int = 0
class Color(enum.Enum):
    RED = 1
    BLUE = 2
@functools.lru_cache(maxsize=64)
def cached(n):
    return n * 2
def numbers(n):
    try:
        for i in range(n):
            yield i
        yield from (n, n + 1)
    finally:
        pass
for turn in range(12):
    squares = [Square(i % 37).grow(by=2) for i in range(150)]
    sorted(squares), sum(square.area for square in squares), len(set(squares)), {s.name: s for s in squares}
    for i in range(120):
        try:
            if i % 3 == 0:
                raise ValueError(i)
            elif i % 3 == 1:
                {}["missing"]
            squares[i + 100].side
        except (ValueError, KeyError) as error:
            str(error), error.args
        except IndexError:
            pass
        else:
            cached(i % 70)
        match (i % 4, Point(i)):
            case (0, Point(x=x)):
                a, *rest = x, 1, 2
            case (1 | 2, _):
                a = {**{"a": 1}, "b": i}
            case _:
                a = [*range(5)][1:-1]
    list(itertools.chain(numbers(30), map(operator.neg, range(30)), filter(None, range(30)), zip("ab", "cd")))
    collections.Counter(i % 7 for i in range(200)).most_common(2), collections.deque(range(40), 10).rotate(3)
    grouped = collections.defaultdict(list)
    for key, value in enumerate(range(200)):
        grouped[value % 9].append(key)
    list(itertools.groupby(range(60), lambda i: i // 7)), functools.reduce(lambda a, b: a + b, range(60)), Color(2).name
    Point(1, 2) == Point(1, 3), repr(Point(3)), isinstance(turn, (str, int)), getattr(squares[0], "side", None)
    rows = [[0] * 12 for _ in range(12)]
    for i in range(12):
        for j in range(12):
            rows[i][j] = rows[i - 1][j - 1] + i * j
    with open("/dev/null", "w") as sink:
        print(turn, rows[-1], file=sink)
    del rows[3:5], grouped[0]
    any(i > 50 for i in range(99)), all([1, 2]), list(reversed([1, 2])), (lambda *a, k=1: a)(1, 2, k=3)
`;

const data = `
import base64, csv, datetime, hashlib, io, json, pickle, struct, textwrap, traceback, zlib
record = {"id": 7, "name": "caf\\u00e9", "tags": ["a", "b", None, True], "size": 2.5, "inner": {"x": [1, -2, 3e10]}}
for i in range(40):
    text = json.dumps([record] * 8, indent=i % 2 or None, sort_keys=True)
    assert json.loads(text)[0] == record
    pickle.loads(pickle.dumps([record] * 8))
    rows = list(csv.DictReader(io.StringIO("a,b\\n" + "1,2\\n" * 40)))
    csv.writer(io.StringIO()).writerows([row.values() for row in rows])
    blob = zlib.decompress(zlib.compress(text.encode() * 3))
    hashlib.sha256(blob).hexdigest(), base64.b64decode(base64.b64encode(blob)), struct.unpack("<IHd", struct.pack("<IHd", i, 2, 0.5))
    datetime.datetime(2026, 1, 1 + i % 28).isoformat(), datetime.date(2026, 1, 2) - datetime.timedelta(days=i)
    textwrap.fill(text[:300], 40), bytearray(blob).find(b"name"), memoryview(blob)[3:9].tobytes(), int.from_bytes(blob[:6])
def fail(n):
    return 1 / n if n < 1 else fail(n - 1)
for i in range(12):
    try:
        fail(i)
    except ZeroDivisionError:
        traceback.format_exc()
`;

const compiling = `
import ast
source = "def f(a, b=1):\\n    return [x for x in range(a) if x > b]\\nclass A:\\n    def g(self): return f'{self}'\\n" * 6
for i in range(12):
    namespace = {}
    exec(compile(source, "s", "exec"), namespace)
    namespace["f"](5), ast.parse(source), eval("1 + 2 * 3")
`;

const waiting = `
import asyncio
async def one(n):
    await asyncio.sleep(0)
    return n
async def all_of(n):
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(i)) for i in range(n)]
    return sum(task.result() for task in tasks) + sum(await asyncio.gather(*(one(i) for i in range(n))))
for _ in range(6):
    await all_of(40)
`;

export const rehearsedPrograms: readonly string[] = [
  "1 + 1",
  "print('hello')",
  numbers,
  texts,
  things,
  data,
  compiling,
  waiting,
];
