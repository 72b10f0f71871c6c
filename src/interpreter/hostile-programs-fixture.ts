// Programs that would run for long. Where it can be, the attack is one call of a C function, so that only charges inside of it
// can stop it; what it needs is made before, without a limit.

interface HostileProgram {
  readonly name: string;
  readonly setup?: string;
  readonly attack: string;
}

const attack = (name: string, code: string): HostileProgram => ({ name, attack: code });
const prepared = (name: string, setup: string, code: string): HostileProgram => ({
  name,
  setup,
  attack: code,
});

/** Two values, a and b, that hold their predecessor twice, so that walking through one takes 2**depth steps. */
const nesting = (depth: number, start: string, step: (name: string) => string): string =>
  `a = ${start}\nb = ${start}\nfor _ in range(${depth}): a, b = ${step("a")}, ${step("b")}`;

/** Replaces the bytecode of f, after RESUME. Numbers are opcodes by name or operands. */
const bytecode = (code: string, more = ""): string => `
import opcode
o = opcode.opmap
def f(): pass
f.__code__ = f.__code__.replace(co_code=bytes([o["RESUME"], 0, ${code}])${more})
`;

const exceptionTable = `
def varint(n, first=False):
    parts = []
    while True:
        parts.insert(0, n & 63)
        n >>= 6
        if not n: break
    encoded = [part | 64 for part in parts[:-1]] + parts[-1:]
    encoded[0] |= 128 if first else 0
    return bytes(encoded)
# Instructions 1 to 3 are protected, and the handler is instruction 1.
table = varint(1, True) + varint(3) + varint(1) + varint(0)
`;

export const hostilePrograms: readonly HostileProgram[] = [
  attack("while True", "while True: pass"),
  attack("recursion of calls", "def f(n): return f(n-1) + f(n-1) if n else 1\nf(60)"),
  attack("swallowing everything", "while True:\n    try:\n        1/0\n    except BaseException: pass"),
  attack("generators", "def g():\n    while True: yield 1\nsum(g())"),
  prepared(
    "a coroutine",
    "class A:\n    def __await__(s):\n        while True: yield",
    "import types\nasync def f(): await A()\nc = f()\nwhile True: c.send(None)",
  ),

  attack("sum(range)", "sum(range(10**12))"),
  attack("list(range)", "list(range(10**7))"),
  prepared("sorted", "a = [(i * 7919) % 1000003 for i in range(10**5)]", "sorted(a)"),
  attack("in", "-1 in iter(range(10**12))"),
  attack("max", "max(range(10**12))"),
  attack("any", "import itertools\nany(itertools.repeat(0))"),
  attack(
    "deque.extend",
    "import itertools, collections\ncollections.deque(maxlen=0).extend(itertools.repeat(1))",
  ),
  attack(
    "deque.extend, kept",
    "import itertools, collections\ncollections.deque(maxlen=1).extend(itertools.count())",
  ),
  attack("set", "set(range(10**7))"),
  prepared("list.count", "a = [1] * 10**6", "a.count(2)"),
  prepared("list.reverse", "a = [1] * 10**6", "a.reverse()"),
  prepared("list slice", "a = [1] * 10**6", "a[:]"),
  attack("list * n", "[0] * 10**7"),
  prepared(
    "dict of colliding keys",
    "class H(int): __hash__ = lambda s: 1\na = [H(i) for i in range(3000)]",
    "set(a)",
  ),
  prepared("integers that collide", "a = [i * (2**31 - 1) for i in range(10**5)]", "set(a)"),
  prepared("gc", "import gc\na = [[] for _ in range(10**5)]", "gc.collect()"),

  attack(
    "product",
    "import itertools, collections\ncollections.deque(itertools.product(range(1000), repeat=4), maxlen=0)",
  ),
  attack("islice", "import itertools\nnext(itertools.islice(itertools.count(), 10**9, None))"),
  attack("filterfalse", "import itertools\nnext(itertools.filterfalse(None, itertools.repeat(1)))"),
  attack(
    "pairwise",
    "import itertools, collections\ncollections.deque(itertools.pairwise(itertools.repeat(1)), maxlen=0)",
  ),
  attack(
    "accumulate",
    "import itertools, collections\ncollections.deque(itertools.accumulate(itertools.repeat(0)), maxlen=0)",
  ),
  attack(
    "reduce",
    "import itertools, functools, operator\nfunctools.reduce(operator.add, itertools.repeat(0))",
  ),
  prepared("heapify", "import heapq\na = list(range(10**6, 0, -1))", "heapq.heapify(a)"),
  attack(
    "bisect",
    "import bisect, itertools\nlist(map(bisect.bisect, itertools.repeat(range(10**9)), range(10**7)))",
  ),

  attack("regex backtracking", 'import re\nre.match(r"(a+)+$", "a" * 40 + "b")'),
  prepared("regex search", "import re\ns = 'x' * 5000", "re.search(r'x*x*x*x*y', s)"),
  attack("power", "10 ** 10**8"),
  prepared("multiplication", "a = (1 << 10**7) - 1", "a * a"),
  prepared("division", "a = (1 << 10**6) - 1\nb = (1 << 5 * 10**5) - 1", "a // b"),
  attack("modular power", "pow(3, (1 << 10**5) - 1, (1 << 10**5) - 1)"),
  prepared("int to str", "import sys\nsys.set_int_max_str_digits(0)\na = 1 << 10**6", "str(a)"),
  prepared("str to int", "import sys\nsys.set_int_max_str_digits(0)\ns = '9' * 10**6", "int(s)"),
  attack("factorial", "import math\nmath.factorial(10**6)"),
  attack("comb", "import math\nmath.comb(10**7, 5 * 10**6)"),
  prepared("isqrt", "import math\na = 1 << 10**7", "math.isqrt(a)"),
  attack("fsum", "import itertools, math\nmath.fsum(itertools.repeat(0.1))"),
  attack("prod", "import itertools, math\nmath.prod(itertools.repeat(1))"),
  prepared("sumprod", "import math\na = [1.5] * 10**6", "math.sumprod(a, a)"),
  attack("decimal", "import decimal\ndecimal.getcontext().prec = 10**6\ndecimal.Decimal(2).sqrt()"),
  attack("random", "import random\nrandom.randbytes(10**7)"),

  prepared("str.find", "s = 'a' * 10**6\nn = 'a' * 5000 + 'b'", "s.find(n)"),
  prepared("str.rfind", "s = 'a' * 10**6\nn = 'b' + 'a' * 5000", "s.rfind(n)"),
  prepared("str.replace", "s = 'a' * 10**6", "s.replace('a', 'bb')"),
  prepared("str.join", "a = ['x' * 10] * 10**6", "''.join(a)"),
  prepared("str.split", "s = 'a ' * 10**6", "s.split()"),
  prepared("str.translate", "s = 'a' * 10**6", "s.translate({97: 98})"),
  prepared("str ==", "a = 'a' * 10**8\nb = 'a' * 10**8", "a == b"),
  attack("str %", "'%100000000d' % 1"),
  prepared("hash of a str", "s = 'a' * 10**8", "hash(s)"),
  attack("bytes * n", "b'ab' * 10**8"),
  attack("bytearray", "bytearray(2 * 10**8)"),
  prepared("memoryview assignment", "m = memoryview(bytearray(10**8))", "m[:] = m"),
  prepared("memoryview strides", "m = memoryview(bytearray(10**7))", "m[::2].tobytes()"),
  prepared("memoryview ==", "m = memoryview(bytearray(10**7))\nn = memoryview(bytearray(10**7))", "m == n"),
  prepared("utf-8", "b = '\\u1234'.encode() * 10**6", "b.decode()"),
  prepared("utf-8 errors", "b = b'\\xff' * 10**6", "b.decode('utf-8', 'replace')"),
  prepared("gb18030", "s = '\\u4e2d' * 10**6", "s.encode('gb18030')"),
  prepared("normalisation", "import unicodedata\ns = '\\u0344' * 10**6", "unicodedata.normalize('NFD', s)"),
  prepared(
    "normalisation of marks",
    "import unicodedata\ns = 'a' + '\\u0327\\u0301' * 10**4",
    "unicodedata.normalize('NFC', s)",
  ),
  prepared("hexlify", "import binascii\nb = bytes(10**7)", "binascii.hexlify(b)"),
  prepared("struct", "import struct\nb = bytes(10**6)", "struct.unpack('1000000b', b)"),
  prepared("float", "s = '0.' + '123456789' * 10**6", "float(s)"),
  prepared(
    "csv",
    "import csv, collections, itertools",
    "collections.deque(csv.reader(itertools.repeat('a,b,c')), maxlen=0)",
  ),
  prepared("StringIO", "import io\ns = io.StringIO('\\n' * 10**6)", "s.readlines()"),

  prepared("zlib bomb", "import zlib\nz = zlib.compress(bytes(10**7))", "zlib.decompress(z)"),
  prepared("zlib", "import zlib\nb = bytes(range(256)) * 40000", "zlib.compress(b, 9)"),
  prepared("bz2 bomb", "import bz2\nz = bz2.compress(bytes(10**6))", "bz2.decompress(z)"),
  prepared("bz2", "import bz2\nb = bytes(range(256)) * 4000", "bz2.compress(b)"),
  prepared("lzma bomb", "import lzma\nz = lzma.compress(bytes(10**7), preset=0)", "lzma.decompress(z)"),
  prepared("lzma", "import lzma\nb = bytes(range(256)) * 4000", "lzma.compress(b)"),
  prepared(
    "zstd",
    "from compression import zstd\nb = bytes(range(256)) * 40000",
    "zstd.compress(b, level=19)",
  ),
  prepared("crc32", "import zlib\nb = bytes(10**7)", "zlib.crc32(b)"),
  ...["md5", "sha1", "sha256", "sha512", "sha3_512", "blake2b", "blake2s"].map((name) =>
    prepared(name, "import hashlib\nb = bytes(10**7)", `hashlib.${name}(b)`),
  ),

  prepared(
    "json of deep lists",
    "import json\ns = '[' * 900 + ']' * 900",
    "for _ in range(100): json.loads(s)",
  ),
  prepared("json", "import json\ns = '[' + '1.5,' * 10**5 + '1]'", "json.loads(s)"),
  prepared(
    "json of a diamond",
    `import json\n${nesting(40, "[1]", (name) => `[${name}, ${name}]`)}`,
    "json.dumps(a)",
  ),
  prepared("pickle", "import pickle\nz = b'\\x80\\x04' + b'N0' * 10**6 + b'N.'", "pickle.loads(z)"),
  prepared("marshal", "import marshal\nz = marshal.dumps([1.5] * 10**6)", "marshal.loads(z)"),
  prepared(
    "expat",
    "from pyexpat import ParserCreate\ns = '<a>' + '<b c=\"d\">x</b>' * 10**4 + '</a>'",
    "ParserCreate().Parse(s)",
  ),
  prepared(
    "expat entities",
    `from pyexpat import ParserCreate
s = "<!DOCTYPE a [<!ENTITY e0 'xxxxxxxxxx'>" + "".join(
    "<!ENTITY e%d '%s'>" % (i, "&e%d;" % (i - 1) * 10) for i in range(1, 6)) + "]><a>&e4;</a>"`,
    "ParserCreate().Parse(s)",
  ),
  prepared("compile", "s = 'a = 1\\n' * 10**4", "compile(s, '', 'exec')"),
  prepared(
    "sqlite recursion",
    "import sqlite3\nc = sqlite3.connect(':memory:')",
    "c.execute('with recursive t(x) as (select 1 union all select x + 1 from t) select count(*) from t').fetchall()",
  ),
  prepared(
    "sqlite instr",
    "import sqlite3\nc = sqlite3.connect(':memory:')\np = ('a' * 10**5, 'a' * 500 + 'b')",
    "c.execute('select instr(?, ?)', p).fetchall()",
  ),

  prepared(
    "== of a diamond",
    nesting(40, "[1]", (name) => `[${name}, ${name}]`),
    "a == b",
  ),
  prepared(
    "repr of a diamond",
    nesting(40, "[1]", (name) => `[${name}, ${name}]`),
    "repr(a)",
  ),
  prepared(
    "isinstance of a diamond",
    nesting(40, "int", (name) => `(${name}, ${name})`),
    "isinstance('', a)",
  ),
  prepared(
    "generic aliases",
    `import types\n${nesting(60, "list[int]", (name) => `types.GenericAlias(${name}, (${name},))`)}`,
    "a == b",
  ),
  // No loop of C and no bytecode takes part: only calls.
  prepared(
    "recursion without loops",
    `import math
from itertools import repeat, starmap
x = 3
for _ in range(45):
    x = type("X", (), {"__index__": starmap(math.comb, repeat((x, x))).__next__})()`,
    "x.__index__()",
  ),
  prepared(
    "a syntax tree that shares its parts",
    `import ast
at = dict(lineno=1, col_offset=0, end_lineno=1, end_col_offset=0)
n = ast.Constant(1, **at)
for _ in range(40): n = ast.BinOp(n, ast.Add(), n, **at)`,
    "compile(ast.Expression(n), '', 'eval')",
  ),

  prepared("a jump back without a check", bytecode('o["JUMP_BACKWARD_NO_INTERRUPT"], 1'), "f()"),
  prepared(
    "a jump back over an instruction without a check",
    bytecode('o["NOP"], 0, o["JUMP_BACKWARD_NO_INTERRUPT"], 2'),
    "f()",
  ),
  prepared(
    "a jump forward that wraps around",
    bytecode('*(o["EXTENDED_ARG"], 255) * 3, o["JUMP_FORWARD"], 252'),
    "f()",
  ),
  prepared(
    "an exception handler before what it handles",
    exceptionTable +
      bytecode(
        'o["NOP"], 0, o["LOAD_CONST"], 0, o["RAISE_VARARGS"], 1, o["NOP"], 0',
        ", co_consts=(ZeroDivisionError,), co_exceptiontable=table, co_stacksize=10",
      ),
    "f()",
  ),
  prepared(
    "a million instructions in a row",
    bytecode(
      '*(o["NOP"], 0) * 10**6, o["LOAD_CONST"], 0, o["RETURN_VALUE"], 0',
      ", co_consts=(None,), co_linetable=b''",
    ),
    "f()",
  ),
];
