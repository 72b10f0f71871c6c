// The module _ctypes, granted by name: data, calls, callbacks, symbols, and crashes that stay in the box.
import { OptionError, Sandbox, SandboxLostError } from "sandboa";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await Sandbox.create({ modules: ["_ctypes"] });
});
beforeEach(() => sandbox.reset());
afterAll(() => sandbox.close());

async function value(source: string): Promise<unknown> {
  return (await sandbox.run(`import ctypes\nfrom ctypes import *\n${source}`)).value;
}

describe("data", () => {
  test("structures, arrays, buffers and memory", async () => {
    const source = `
class P(Structure): _fields_ = [("x", c_int), ("y", c_double), ("z", c_char)]
p = P(1, 2.5, b"q"); a = (c_int * 5)(5, 1, 4, 2, 3); b = create_string_buffer(b"hello", 10)
memmove(b, b"world", 5); memset(addressof(b) + 5, 65, 2)
[p.x, p.y, p.z, sizeof(P), sizeof(c_long), sizeof(c_void_p), list(a), b.raw, string_at(addressof(b), 3)]`;
    expect(await value(source)).toEqual([
      1,
      2.5,
      new Uint8Array([113]),
      24,
      4,
      4,
      [5, 1, 4, 2, 3],
      new TextEncoder().encode("worldAA\0\0\0"),
      new TextEncoder().encode("wor"),
    ]);
  });
});

test("what only a function of libc reads is there: iconv", async () => {
  const source = `
libc = CDLL(None)
libc.iconv_open.restype = c_void_p
def decoded(encoding, text):
    source, target = create_string_buffer(text), create_string_buffer(100)
    at, into, left, room = cast(source, c_void_p), cast(target, c_void_p), c_size_t(len(text)), c_size_t(100)
    libc.iconv(c_void_p(libc.iconv_open(b"UTF-8", encoding)), byref(at), byref(left), byref(into), byref(room))
    return target.raw[:100 - room.value].decode()
[decoded(name.encode(), "日本語 Ω".encode(name)) for name in ("euc_jp", "shift_jis", "gbk", "big5")]`;
  expect(await value(source)).toEqual(["日本語 Ω", "日本語 Ω", "日本語 Ω", "日本語 Ω"]);
});

describe("callbacks", () => {
  test.each([
    ["int", "CFUNCTYPE(c_int, c_int, c_int)(lambda a, b: a * b)(6, 7)", 42],
    [
      "mixed widths",
      "CFUNCTYPE(c_double, c_float, c_double, c_longlong)(lambda *a: sum(a))(1.5, 2.25, 2**40)",
      2 ** 40 + 3.75,
    ],
    [
      "small integers",
      "CFUNCTYPE(py_object, c_byte, c_ubyte, c_short, c_ushort)(lambda *a: list(a))(-1, 255, -2, 65535)",
      [-1, 255, -2, 65_535],
    ],
    ["a small result", "CFUNCTYPE(c_byte)(lambda: -5)()", -5],
    ["a long long result", "CFUNCTYPE(c_longlong)(lambda: -2**40)()", -(2 ** 40)],
    ["a float result", "CFUNCTYPE(c_float)(lambda: 1.5)()", 1.5],
    ["no result", "CFUNCTYPE(None, c_char_p)(print)(b'x')", null],
    [
      "structs, by value and in memory",
      `
class One(Structure): _fields_ = [("q", c_double)]
class Big(Structure): _fields_ = [("a", c_int * 10), ("d", c_double)]
[CFUNCTYPE(c_double, One)(lambda s: s.q + 1)(One(4)),
 CFUNCTYPE(c_double, Big, c_int)(lambda s, k: s.a[3] + s.d + k)(Big((c_int * 10)(*range(10)), 0.5), 100)]`,
      [5, 103.5],
    ],
  ])("%s", async (_name, source, expected) => {
    expect(await value(source)).toEqual(expected);
  });

  test("from C: qsort", async () => {
    const source = `
a = (c_int * 5)(5, 1, 4, 2, 3)
order = CFUNCTYPE(c_int, POINTER(c_int), POINTER(c_int))(lambda a, b: a[0] - b[0])
CDLL(None).qsort(a, 5, sizeof(c_int), order); list(a)`;
    expect(await value(source)).toEqual([1, 2, 3, 4, 5]);
  });

  test("many come and go, too many at once are a MemoryError, and a reset starts anew", async () => {
    const make = "f = CFUNCTYPE(c_int)(lambda: 3)\n";
    const place = `${make}cast(f, c_void_p).value`;
    const first = await value(place);
    await value(`for i in range(30_000): CFUNCTYPE(c_int)(lambda: 3)()`);
    const flood = `
kept = []
try:
    while True: kept.append(CFUNCTYPE(c_int)(lambda: 3))
except MemoryError: pass
[len(kept) > 10_000, kept[-1]()]`;
    expect(await value(flood)).toEqual([true, 3]);
    await sandbox.reset();
    expect(await value(place)).toBe(first);
  });
});

describe("symbols of the interpreter", () => {
  test("functions of Python and C, variadic ones and data", async () => {
    const source = `
libc = CDLL(None)
pythonapi.PyLong_FromLong.restype = py_object
pythonapi.PyFloat_FromDouble.restype = py_object; pythonapi.PyFloat_FromDouble.argtypes = [c_double]
libc.sqrt.restype = c_double; libc.sqrt.argtypes = [c_double]
class Division(Structure): _fields_ = [("q", c_int), ("r", c_int)]
libc.div.restype = Division; d = libc.div(17, 5)
b = create_string_buffer(100); libc.snprintf.argtypes = [c_void_p, c_size_t, c_char_p]
libc.snprintf(b, 100, b"%d %s %.2f %lld %c", 7, b"text", c_double(2.5), c_longlong(2**40), c_int(65))
[pythonapi.PyLong_FromLong(41), pythonapi.PyFloat_FromDouble(1.25), libc.strlen(b"abcdef"), libc.sqrt(2.25), [d.q, d.r],
 b.value.decode(), py_object.in_dll(pythonapi, "PyExc_KeyError").value is KeyError]`;
    expect(await value(source)).toEqual([41, 1.25, 6, 1.5, [3, 2], "7 text 2.50 1099511627776 A", true]);
  });

  test("what is not there is an ordinary error that says so", async () => {
    const source = `
def told(f):
    try: f()
    except Exception as e: return [type(e).__name__, str(e)]
[told(lambda: pythonapi.PyNothing), told(lambda: CDLL("libm.so.6")), told(lambda: CDLL(None)["%s%n"])]`;
    expect(await value(source)).toEqual([
      ["AttributeError", expect.stringMatching(/^undefined symbol: PyNothing \(/)],
      ["OSError", "this sandbox does not load native modules"],
      ["AttributeError", expect.stringMatching(/^undefined symbol: \?s\?n \(/)],
    ]);
  });
});

describe("crashes stay in the box", () => {
  test.each([
    ["an empty place of the table", "CFUNCTYPE(c_int)(0)()"],
    ["a place beyond the table", "CFUNCTYPE(c_int)(0x7fffffff)()"],
    ["arguments of the wrong type", "pythonapi.PyLong_FromLong(c_longlong(5))"],
    ["a wild pointer", "string_at(0xfffffff0, 100)"],
    ["overwritten memory", "memset(1024, 0xff, 30_000_000)"],
    ["every place of the table, one after the other", "for i in range(9000): CFUNCTYPE(c_int, c_int)(i)(-1)"],
    [
      "a raw ffi_call through a broken signature",
      "b = (c_int * 8)(*[-1] * 8); libc = CDLL(None)\nlibc.ffi_call(b, 1, b, b)",
    ],
  ])("%s", async (_name, source) => {
    const error = await value(source).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(SandboxLostError);
    expect(error).not.toMatchObject({ message: expect.stringContaining("kernel failed") });
    await sandbox.reset();
    expect(await value("CFUNCTYPE(c_int)(lambda: 3)()")).toBe(3);
  });

  test("a callback that raises reports it, and one that recurses without end is stopped", async () => {
    const raised = await sandbox.run("import ctypes; ctypes.CFUNCTYPE(ctypes.c_int)(lambda: 1 / 0)()");
    expect(raised.value).toBe(0);
    expect(raised.stderr).toContain("ZeroDivisionError");
    const deep = await value("def f(n): return CFUNCTYPE(c_int, c_int)(f)(n + 1)\nf(0)").catch(
      (e: unknown) => e,
    );
    if (typeof deep !== "number") expect(deep).toBeInstanceOf(SandboxLostError);
  });
});

test("without the grant there is no _ctypes, and no other name is a module to grant", async () => {
  await using plain = await Sandbox.create();
  await expect(plain.run("import ctypes")).rejects.toMatchObject({ type: "ModuleNotFoundError" });
  await expect(Sandbox.create({ modules: ["ctypes"] })).rejects.toBeInstanceOf(OptionError);
});
