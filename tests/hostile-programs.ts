// Programs that try to hang, bloat or crash their host, and how each may end: by a limit, as an ordinary Python error, or as a lost
// interpreter, but always as one of these. Shared by the test of the walls and the bench of kill latency.

export interface HostileProgram {
  readonly name: string;
  readonly source: string;
  /** Error codes, or names of Python exceptions. Any one of them is right. */
  readonly ends: readonly string[];
}

const time = ["LIMIT_WALL", "LIMIT_CPU"];
const memory = ["MemoryError", ...time];
const recursion = ["RecursionError", "MemoryError", "SANDBOX_CRASHED", ...time];
const noRoom = ["OSError", "MemoryError", ...time];

function program(name: string, ends: readonly string[], ...lines: readonly string[]): HostileProgram {
  return { name, ends, source: lines.join("\n") };
}

export const hostilePrograms: readonly HostileProgram[] = [
  // Loops in Python
  program("an empty loop", time, "while True: pass"),
  program(
    "a loop that swallows everything",
    time,
    "while True:",
    "  try:",
    "    while True: pass",
    "  except BaseException: pass",
  ),
  program("a loop in finally", time, "try:", "  1 / 0", "finally:", "  while True: pass"),
  program("a loop in __del__", time, "class D:", "  def __del__(self):", "    while True: pass", "D()"),
  program(
    "a loop in a trace function",
    time,
    "import sys",
    "def t(*a):",
    "  while True: pass",
    "sys.settrace(t)",
    "(lambda: 0)()",
  ),
  program(
    "a loop behind ignored signals",
    time,
    "import signal",
    "signal.signal(signal.SIGINT, signal.SIG_IGN)",
    "while True: pass",
  ),
  program(
    "a loop in the result's repr",
    time,
    "class R:",
    "  def __repr__(self):",
    "    while True: pass",
    "R()",
  ),
  program(
    "a loop in the exception's text",
    time,
    "class E(Exception):",
    "  def __str__(self):",
    "    while True: pass",
    "raise E",
  ),
  program(
    "a loop in an excepthook",
    time,
    "import sys",
    "def h(*a):",
    "  while True: pass",
    "sys.excepthook = h",
    "h()",
  ),
  program(
    "a loop in a metaclass",
    time,
    "class M(type):",
    "  def __call__(c):",
    "    while True: pass",
    "class C(metaclass=M): pass",
    "C()",
  ),
  program("a generator without end", time, "def g():", "  while True: yield", "for _ in g(): pass"),
  program("an event loop without end", time, "import asyncio", "while True: await asyncio.sleep(0)"),
  program(
    "an atexit handler without end",
    time,
    "import atexit",
    "@atexit.register",
    "def f():",
    "  while True: pass",
  ),
  program(
    "hostile bytecode that never checks",
    [...time, "SANDBOX_CRASHED", "ValueError", "SystemError"],
    "import opcode",
    "def f(): pass",
    "jump = opcode.opmap['JUMP_BACKWARD_NO_INTERRUPT']",
    "f.__code__ = f.__code__.replace(co_code=bytes([opcode.opmap['RESUME'], 0, opcode.opmap['NOP'], 0, jump, 2]))",
    "f()",
  ),
  // Loops in C
  program("sum of a range", time, "sum(range(10**12))"),
  program("max of a range", time, "max(range(10**12))"),
  program("a float in a range", time, "0.5 in range(10**12)"),
  program("any of a repetition", time, "import itertools; any(itertools.repeat(0))"),
  program(
    "a deque that keeps nothing",
    time,
    "import collections, itertools; collections.deque(itertools.repeat(0), maxlen=0)",
  ),
  program("an iterator that is its own sentinel", time, "max(iter(int, 1))"),
  program(
    "a product of long ranges",
    time,
    "import itertools; sum(1 for _ in itertools.product(range(10**4), repeat=3))",
  ),
  program("counting in a long string", time, "s = 'ab' * 10**6", "while True: s.count('ba')"),
  program(
    "substring search at its worst",
    time,
    "s = 'a' * 10**7",
    "while True: ('a' * 10**4 + 'b' + 'a' * 10**4) in s",
  ),
  program(
    "equality of shared lists",
    [...time, "RecursionError"],
    "a, b = [], []",
    "for _ in range(60): a, b = [a, a], [b, b]",
    "a == b",
  ),
  program("repr of shared lists", memory, "a = []", "for _ in range(60): a = [a, a]", "repr(a)"),
  program("copying great blocks", memory, "b = bytearray(8 * 2**20)", "while True: b[:]"),
  program(
    "an endless query",
    time,
    "import sqlite3",
    "q = 'with recursive c(x) as (select 1 union all select x+1 from c) select count(*) from c'",
    "sqlite3.connect(':memory:').execute(q).fetchone()",
  ),
  program(
    "decimal digits",
    [...time, "MemoryError"],
    "import decimal",
    "decimal.getcontext().prec = 10**6",
    "decimal.Decimal(2).sqrt() ** decimal.Decimal('0.3')",
  ),
  program(
    "normalising a long text",
    memory,
    "import unicodedata",
    "while True: unicodedata.normalize('NFKD', '\\ufdfa' * 10**5)",
  ),
  program(
    "hashing a long text",
    time,
    "import hashlib",
    "while True: hashlib.pbkdf2_hmac('sha256', b'a', b'b', 10**9) if hasattr(hashlib, 'pbkdf2_hmac') else hashlib.sha256(bytes(10**7))",
  ),
  // Regular expressions
  program("a regular expression with nested repeats", time, "import re; re.match(r'(a+)+$', 'a' * 40 + 'b')"),
  program("a regular expression with alternatives", time, "import re; re.match(r'(a|a?)+$', 'a' * 50 + 'b')"),
  program(
    "a regular expression over a long text",
    time,
    "import re",
    "while True: re.findall(r'(?:x*)*y', 'x' * 20000)",
  ),
  // Big integers
  program("a power tower", memory, "3 ** 3 ** 3 ** 3"),
  program("a factorial", memory, "import math; math.factorial(10**7)"),
  program("a modular power", time, "pow(7, 10**20000, 10**5000 + 1)"),
  program(
    "digits of a big integer",
    [...time, "MemoryError"],
    "import sys; sys.set_int_max_str_digits(0); str(1 << 10**8)",
  ),
  // Compression
  program(
    "a zlib bomb",
    memory,
    "import zlib",
    "b = zlib.compress(bytes(4 * 10**6), 9)",
    "x = b''",
    "while True: x += zlib.decompress(b)",
  ),
  program(
    "slow compression",
    memory,
    "import lzma; lzma.compress(bytes(3 * 10**7), preset=9 | lzma.PRESET_EXTREME)",
  ),
  program(
    "bzip2 of noise",
    memory,
    "import bz2, os",
    "d = os.urandom(10**6)",
    "while True: bz2.compress(d * 8)",
  ),
  // Sorting
  program(
    "sorting with a key that never ends",
    time,
    "def key(x):",
    "  while True: pass",
    "sorted([1, 2], key=key)",
  ),
  program(
    "sorting with lying comparisons",
    memory,
    "class K:",
    "  def __lt__(a, b): return True",
    "while True: sorted([K() for _ in range(10**5)])",
  ),
  program(
    "sorting that grows its list",
    [...memory, "ValueError"],
    "l = list(range(1000))",
    "l.sort(key=lambda x: l.extend(range(1000)) or x)",
    "while True: sorted(range(10**6, 0, -1))",
  ),
  // Recursion
  program("a function that calls itself", recursion, "def f(): f()", "f()"),
  program(
    "a function without a recursion limit",
    recursion,
    "import sys",
    "sys.setrecursionlimit(2**31 - 1)",
    "def f(): f()",
    "f()",
  ),
  program(
    "attribute look-up that recurses",
    recursion,
    "class A:",
    "  def __getattr__(s, n): return getattr(s, n + 'x')",
    "A().y",
  ),
  program("repr of a deep list", recursion, "l = []", "for _ in range(10**5): l = [l]", "repr(l)"),
  program(
    "hash of a deep tuple",
    recursion,
    "t = ()",
    "for _ in range(3 * 10**5): t = (t,)",
    "hash(t)",
    "raise RecursionError",
  ),
  program(
    "letting go of a deep tuple",
    recursion,
    "t = ()",
    "for _ in range(10**6): t = (t,)",
    "del t",
    "raise RecursionError",
  ),
  program("deep JSON", recursion, "import json; json.loads('[' * 10**6)"),
  program("deep source", [...recursion, "SyntaxError"], "compile('-' * 10**6 + '1', 'x', 'eval')"),
  program(
    "a deep pickle",
    recursion,
    "import pickle",
    "l = []",
    "for _ in range(10**5): l = [l]",
    "pickle.dumps(l)",
  ),
  program(
    "isinstance with itself",
    recursion,
    "class M(type):",
    "  def __instancecheck__(c, o): return isinstance(o, c)",
    "class C(metaclass=M): pass",
    "isinstance(1, C)",
  ),
  // Memory
  program("one great allocation", memory, "bytearray(2 * 10**9)"),
  program("a list that doubles", memory, "l = [0]", "while True: l += l"),
  program("a dict that grows", memory, "d = {}", "while True: d[len(d)] = [0]"),
  program("a string that grows", memory, "s = 'x'", "while True: s += s"),
  program("a list of a range", memory, "list(range(10**9))"),
  program("a set of strings", memory, "s = set()", "while True: s.add(str(len(s)) * 100)"),
  program(
    "memory that is asked for again and again",
    time,
    "while True:",
    "  try: x = [bytearray(10**6) for _ in range(1000)]",
    "  except MemoryError: x = None",
  ),
  program("classes without end", memory, "l = []", "while True: l.append(type('C', (), {'x' * 1000: 1}))"),
  program(
    "an exception with a giant text",
    ["ValueError", "MemoryError"],
    "raise ValueError('x' * 30_000_000)",
  ),
  program("a giant result", ["LIMIT_VALUE", ...memory], "[str(i) * 300 for i in range(10**4)]"),
  // Files and descriptors
  program(
    "files without end",
    noRoom,
    "i = 0",
    "while True:",
    "  open(f'/tmp/{i}', 'w').close()",
    "  i += 1",
  ),
  program(
    "one file without end",
    noRoom,
    "with open('/tmp/f', 'wb') as f:",
    "  while True: f.write(bytes(2**20))",
  ),
  program(
    "a sparse file, filled",
    noRoom,
    "import os",
    "f = os.open('/tmp/s', os.O_RDWR | os.O_CREAT)",
    "os.ftruncate(f, 2**40)",
    "i = 0",
    "while True: i += 2**20; os.pwrite(f, b'x', i)",
  ),
  program(
    "directories without end",
    [...noRoom, "FileNotFoundError"],
    "import os",
    "os.chdir('/tmp')",
    "while True: os.mkdir('d'); os.chdir('d')",
  ),
  program(
    "names without end",
    noRoom,
    "import os",
    "i = 0",
    "while True: i += 1; os.symlink('t' * 4000, '/tmp/' + str(i).rjust(250, 'n'))",
  ),
  program("descriptors without end", noRoom, "import os", "while True: os.open('/tmp', os.O_RDONLY)"),
  program("pipes without end", noRoom, "import os", "while True: os.write(os.pipe()[1], bytes(65536))"),
  program("sockets without end", noRoom, "import socket", "l = []", "while True: l.append(socket.socket())"),
  // Output
  program("output without end", ["LIMIT_OUTPUT", ...time], "while True: print('x' * 100)"),
  program(
    "output without a line break",
    ["LIMIT_OUTPUT", ...time],
    "import os",
    "while True: os.write(1, b'x' * 65536)",
  ),
  program("errors without end", ["LIMIT_OUTPUT", ...time], "import sys", "while True: sys.stderr.write('x')"),
  // Waiting
  program("sleep", time, "import time; time.sleep(10**6)"),
  program("sleep again and again", time, "import time", "while True: time.sleep(0.001)"),
  program("poll", time, "import select; select.poll().poll()"),
  program("select", time, "import select; select.select([], [], [], 10**5)"),
  program("an event that never comes", time, "import asyncio; await asyncio.Event().wait()"),
  program(
    "a pipe that nobody writes to",
    [...time, "BlockingIOError"],
    "import os",
    "os.read(os.pipe()[0], 1)",
  ),
  // The end
  program("exit without asking", ["SANDBOX_EXITED"], "import os; os._exit(0)"),
  program("abort", ["SANDBOX_ABORTED"], "import os; os.abort()"),
  program("a fault", ["SANDBOX_ABORTED", "SANDBOX_CRASHED"], "import faulthandler; faulthandler._sigsegv()"),
];
