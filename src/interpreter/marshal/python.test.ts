// CPython's own marshal module is the oracle: what this room writes, Python must read as the same value, and what Python
// writes, or accepts at all, must come out here as that value.
import { spawnSync } from "node:child_process";
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeMarshal, decodeValue, MarshalFormatError } from "./decode.ts";
import { encodeMarshal, encodeValue } from "./encode.ts";
import { PythonFloat } from "./python-values.ts";
import { type GuestValue, OpaqueValue, PythonComplex } from "./values.ts";

const script = `
import marshal, struct, sys
data, at = sys.stdin.buffer.read(), 0
while at < len(data):
    size = struct.unpack_from("<I", data, at)[0]
    frame, at = data[at + 4 : at + 4 + size], at + 4 + size
    try:
        if sys.argv[1] == "eval": answer = marshal.dumps(eval(frame), 4)
        elif sys.argv[1] == "ask":
            source, frame = frame.split(b"\\n", 1)
            answer = ascii(eval(source, {"x": marshal.loads(frame)})).encode()
        elif sys.argv[1] == "repr": answer = ascii(marshal.loads(frame)).encode()
        else: answer = marshal.dumps(marshal.loads(frame), 4)
    except Exception as error:
        answer = b"!" + ascii(error).encode()
    sys.stdout.buffer.write(struct.pack("<I", len(answer)) + answer)
`;

const hasPython = spawnSync("python3", ["-c", "import marshal"]).status === 0;

describe.skipIf(!hasPython)(
  hasPython ? "against python3" : "skipped: there is no python3 here to compare with",
  () => {
    test.each<[unknown, string]>([
      [[null, undefined, true, false], "[None, None, True, False]"],
      [
        [0, -1, 2 ** 31 - 1, -(2 ** 31), 2 ** 31, -(2 ** 31) - 1],
        "[0, -1, 2147483647, -2147483648, 2147483648, -2147483649]",
      ],
      [[2 ** 53 - 1, -(2 ** 53) + 1, 2 ** 53], "[9007199254740991, -9007199254740991, 9007199254740992.0]"],
      [
        [1n, -(2n ** 31n), 2n ** 70n, -(10n ** 20n)],
        "[1, -2147483648, 1180591620717411303424, -100000000000000000000]",
      ],
      [[-0, 0.5, Infinity, Number.NaN, 1e300], "[-0.0, 0.5, inf, nan, 1e+300]"],
      [
        ["", "abc", "\u00e9", "\ud83d\ude00", "\ud800x", "\ufeff"],
        String.raw`['', 'abc', '\xe9', '\U0001f600', '\ud800x', '\ufeff']`,
      ],
      [
        [new Uint8Array([1, 255]), new Uint8Array([7]).buffer, Buffer.from("hi")],
        String.raw`[b'\x01\xff', b'\x07', b'hi']`,
      ],
      [
        { a: 1, __proto__x: { ["__proto__"]: 2 }, "\u00e9": [] },
        String.raw`{'a': 1, '__proto__x': {'__proto__': 2}, '\xe9': []}`,
      ],
      [
        new Map<unknown, unknown>([
          [1, "a"],
          ["1", "b"],
          [null, "c"],
        ]),
        "{1: 'a', '1': 'b', None: 'c'}",
      ],
      [[new Set([5]), new Map(), new Set()], "[{5}, {}, set()]"],
      [[new PythonComplex(1, -2.5)], "[(1-2.5j)]"],
      [[new PythonFloat(1), new PythonFloat(-5), new PythonFloat(0)], "[1.0, -5.0, 0.0]"],
      [
        [Float64Array.of(1), new Uint16Array([1, 2, 3]).subarray(1, 2), new DataView(new ArrayBuffer(2), 1)],
        String.raw`[b'\x00\x00\x00\x00\x00\x00\xf0?', b'\x02\x00', b'\x00']`,
      ],
      [[new Int8Array(0), new BigInt64Array([-1n])], String.raw`[b'', b'\xff\xff\xff\xff\xff\xff\xff\xff']`],
      [[Object.freeze([]), Object.freeze([1, Object.freeze(["a"])])], "[(), (1, ('a',))]"],
      [Object.freeze(Array(256).fill(0)), `(${Array(256).fill("0").join(", ")})`],
      [[Object.freeze(new Set([5])), Object.freeze(new Set())], "[frozenset({5}), frozenset()]"],
      [
        new Map<unknown, unknown>([
          [Object.freeze([1, Object.freeze(new Set(["a"]))]), 2],
          [new Uint8Array([7]), 3],
        ]),
        String.raw`{(1, frozenset({'a'})): 2, b'\x07': 3}`,
      ],
      [
        [new OpaqueValue("T", "<T>"), new OpaqueValue("ellipsis", "")],
        "[(Ellipsis, 'object', 'T', '<T>'), (Ellipsis, 'ellipsis')]",
      ],
    ])("Python reads case %#", (value, repr) => {
      expect(text(ask("repr", [encodeMarshal(value, { maxBytes: 1 << 20 })]))).toEqual([repr]);
    });

    test.each<[string, GuestValue]>([
      ["[None, True, False, 0, -5, 2**31, -2**31-1]", [null, true, false, 0, -5, 2 ** 31, -(2 ** 31) - 1]],
      [
        "[2**53-1, 2**53, 1-2**53, -2**53, 2**200, -2**60+1]",
        [2 ** 53 - 1, 2n ** 53n, 1 - 2 ** 53, -(2n ** 53n), 2n ** 200n, -(2n ** 60n) + 1n],
      ],
      ["[0.5, -0.0, float('inf'), float('nan')]", [0.5, -0, Infinity, Number.NaN]],
      ["[1+2j, -0j]", [new PythonComplex(1, 2), new PythonComplex(-0, -0)]],
      [
        "['', 'a'*300, '\\xe9', '\\ufeffx', '\\ud800', '\\udfff\\ud800z\\xe9', '\\U0001f600']",
        ["", "a".repeat(300), "\u00e9", "\ufeffx", "\ud800", "\udfff\ud800z\u00e9", "\ud83d\ude00"],
      ],
      ["[b'', b'\\x00\\xff']", [new Uint8Array(), new Uint8Array([0, 255])]],
      ["((), (1,), tuple(range(300)))", [[], [1], Array.from({ length: 300 }, (_, index) => index)]],
      [
        "{'__proto__': 1, 'constructor': {}, (1, 2): 3}",
        new Map<GuestValue, GuestValue>([
          ["__proto__", 1],
          ["constructor", new Map()],
          [[1, 2], 3],
        ]),
      ],
      [
        "[{1, 'a'}, frozenset({2}), {frozenset({3}): 4}]",
        [new Set([1, "a"]), new Set([2]), new Map([[new Set([3]), 4]])],
      ],
      [
        "[(..., 'object', 'a.B', '<B>'), ((..., 'ellipsis'), 1)]",
        [new OpaqueValue("a.B", "<B>"), [new OpaqueValue("ellipsis", "Ellipsis"), 1]],
      ],
      [
        "(lambda s, t: [s, t, s, t, (s, t)])('shared text', [1, 2])",
        ["shared text", [1, 2], "shared text", [1, 2], ["shared text", [1, 2]]],
      ],
      [
        "(lambda r: [r, r])((..., 'object', 'T', 'x'))",
        [new OpaqueValue("T", "x"), new OpaqueValue("T", "x")],
      ],
    ])("reads what Python writes for %s", (source, value) => {
      const [frame] = ask("eval", [new TextEncoder().encode(source)]);
      const decoded = decodeMarshal(frame ?? new Uint8Array());
      expect(isDeepStrictEqual(decoded, value), JSON.stringify(String(decoded))).toBe(true);
    });

    test("references that are kept are one object to Python, and cycles are cycles", () => {
      const shared = { a: 1 };
      const tuple = Object.freeze([shared]);
      const cycle: unknown[] = [shared, tuple, new Map([["k", shared]]), tuple, Object.freeze(new Set([5]))];
      cycle.push(Object.freeze([cycle]), cycle);
      const { bytes, records } = encodeValue(cycle, { maxBytes: 1000, references: "keep" });
      expect(records).toBe(false);
      const question =
        "x[0] is x[1][0] is x[2]['k'], x[1] is x[3], x[5][0] is x is x[6], type(x[5]), type(x[4])";
      const [asked] = text(ask("ask", [Buffer.concat([Buffer.from(`${question}\n`), bytes])]));
      expect(asked).toBe("(True, True, True, <class 'tuple'>, <class 'frozenset'>)");
      // Python's own frame of the same thing.
      const back = decodeValue(ask("copy", [bytes])[0] as Uint8Array, { references: "keep" }) as unknown[];
      expect(back[6]).toBe(back);
      expect((back[5] as unknown[])[0]).toBe(back);
      expect((back[1] as unknown[])[0]).toBe(back[0]);
      expect(back[3]).toBe(back[1]);
    });

    test("without them, what is shared is copied and takes no more than it must", () => {
      const shared = [1];
      const bytes = encodeMarshal([shared, shared], { maxBytes: 1000 });
      expect(text(ask("ask", [Buffer.concat([Buffer.from("x[0] == x[1], x[0] is x[1]\n"), bytes])]))).toEqual(
        ["(True, False)"],
      );
    });

    test.each(["refuse", "keep"] as const)(
      "names come once and are one object to Python, however many there are: %s",
      (references) => {
        const many = Object.fromEntries(Array.from({ length: 1500 }, (_, index) => [`n${index}`, index]));
        const shared = { n0: "n0", "\u00e9": new Map([["n1", 1]]) };
        const value = [many, shared, many, new Set(["n2"]), shared, "n1"];
        const bytes = encodeMarshal(value, { maxBytes: 1 << 20, references });
        const question =
          "(len(x[0]), x[0] == x[2] == {f'n{i}': i for i in range(1500)}, x[1] == x[4] == {'n0': 'n0', '\\xe9': {'n1': 1}}, " +
          "x[3] == {'n2'}, next(iter(x[0])) is next(iter(x[1])), next(iter(x[3])) is list(x[0])[2], x[1] is x[4])";
        expect(text(ask("ask", [Buffer.concat([Buffer.from(`${question}\n`), bytes])]))).toEqual([
          `(1500, True, True, True, True, True, ${references === "keep" ? "True" : "False"})`,
        ]);
        expect(
          isDeepStrictEqual(
            decodeValue(bytes, { shape: "maps", references }),
            decodeValue(ask("copy", [bytes])[0] as Uint8Array, { shape: "maps", references }),
          ),
        ).toBe(true);
      },
    );

    test("a tuple is frozen, a list is not, and what was one object stays one", () => {
      const [frame] = ask("eval", [new TextEncoder().encode("(lambda t: [t, t, [], b'x'])((1, 'a'))")]);
      const value = decodeMarshal(frame ?? new Uint8Array());
      if (!Array.isArray(value)) throw new Error("not a list");
      expect(Object.isFrozen(value)).toBe(false);
      expect(Object.isFrozen(value[0])).toBe(true);
      expect(value[0]).toBe(value[1]);
      expect(Object.isFrozen(value[2])).toBe(false);
    });

    test("any value goes there and back", () => {
      const values = fc.sample(anyValue, { seed: 11, numRuns: 3000 });
      const answers = ask(
        "copy",
        values.map((value) => encodeMarshal(value, { maxBytes: 1 << 24 })),
      );
      values.forEach((value, index) => {
        const back = decodeMarshal(answers[index] ?? new Uint8Array());
        if (!isDeepStrictEqual(back, expected(value))) expect(back).toEqual(expected(value));
        expect(Object.isFrozen(back)).toBe(Object.isFrozen(value));
      });
    });

    test("a damaged frame that is accepted here means the same to Python", () => {
      const random = fc.sample(fc.array(fc.nat(0xffffffff), { minLength: 2, maxLength: 2 }), {
        seed: 5,
        numRuns: 30_000,
      });
      const seeds = fc
        .sample(anyValue, { seed: 12, numRuns: 300 })
        .map((value) => encodeMarshal(value, { maxBytes: 1 << 20 }));
      const accepted: { frame: Uint8Array; value: GuestValue }[] = [];
      for (const [where = 0, what = 0] of random) {
        const frame = (seeds[where % seeds.length] ?? new Uint8Array(1)).slice();
        frame[what % frame.length] = (where >>> 8) & 0xff;
        try {
          accepted.push({ frame, value: decodeMarshal(frame) });
        } catch (error) {
          if (!(error instanceof MarshalFormatError)) throw error;
        }
      }
      expect(accepted.length).toBeGreaterThan(5000);
      const answers = ask(
        "copy",
        accepted.map(({ frame }) => frame),
      );
      accepted.forEach(({ frame, value }, index) => {
        const answer = answers[index] ?? new Uint8Array();
        const same = answer[0] !== 0x21 && isDeepStrictEqual(decodeMarshal(answer), value);
        expect(same, `${Buffer.from(frame).toString("hex")} -> ${Buffer.from(answer)}`).toBe(true);
      });
    });
  },
);

/** Sends frames to one Python process and returns its answers. */
function ask(mode: "eval" | "repr" | "copy" | "ask", frames: readonly Uint8Array[]): Uint8Array[] {
  const input = Buffer.concat(frames.flatMap((frame) => [sizeBytes(frame.length), frame]));
  const { stdout, stderr } = spawnSync("python3", ["-c", script, mode], { input, maxBuffer: 1 << 30 });
  const answers: Uint8Array[] = [];
  for (let at = 0; at < stdout.length; ) {
    const end = at + 4 + stdout.readUInt32LE(at);
    answers.push(new Uint8Array(stdout.subarray(at + 4, end)));
    at = end;
  }
  expect(answers.length, String(stderr)).toBe(frames.length);
  return answers;
}

function sizeBytes(size: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(size);
  return bytes;
}

function text(frames: readonly Uint8Array[]): string[] {
  return frames.map((frame) => Buffer.from(frame).toString());
}

const anyText = fc.oneof(
  fc.string({ maxLength: 30 }),
  fc.string({ minLength: 250, maxLength: 260 }),
  fc.string({ unit: "binary", maxLength: 20 }),
  fc
    .array(fc.oneof(fc.nat(0xffff), fc.integer({ min: 0xd700, max: 0xe000 })), { maxLength: 12 })
    .map((codes) => String.fromCharCode(...codes)),
);

const anyValue: fc.Arbitrary<unknown> = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, withCrossShrink: false },
    anyText,
    fc.constantFrom<unknown>(null, undefined, true, false, -0),
    fc.integer(),
    fc.maxSafeInteger(),
    fc.double(),
    fc.bigInt({ min: -(2n ** 80n), max: 2n ** 80n }),
    fc.bigInt({ min: -(2n ** 4000n), max: 2n ** 4000n }),
    fc.uint8Array({ maxLength: 40 }),
    fc.uint8Array({ maxLength: 5 }).map((bytes) => bytes.slice().buffer),
    fc.tuple(fc.double(), fc.double()).map(([real, imag]) => new PythonComplex(real, imag)),
    fc.tuple(anyText, anyText).map(([type, repr]) => new OpaqueValue(type, repr)),
    fc.array(tie("value"), { maxLength: 6 }),
    fc.array(tie("value"), { maxLength: 4 }).map((items) => Object.freeze(items)),
    fc.uniqueArray(anyText, { maxLength: 4 }).map((items) => Object.freeze(new Set(items))),
    fc.double().map((value) => new Float64Array([value, 1])),
    fc.dictionary(anyText, tie("value"), { maxKeys: 5 }),
    fc.array(fc.tuple(anyText, tie("value")), { maxLength: 5 }).map((entries) => new Map(entries)),
    fc
      .array(fc.oneof(anyText, fc.bigInt({ min: 2n ** 60n })), { maxLength: 5 })
      .map((members) => new Set(members)),
  ),
})).value;

/** The GuestValue that a host value comes back as. */
function expected(value: unknown): unknown {
  if (value === undefined) return null;
  if (typeof value === "bigint")
    return BigInt.asIntN(54, value) === value && value !== -(2n ** 53n) ? Number(value) : value;
  if (
    typeof value !== "object" ||
    value === null ||
    value instanceof PythonComplex ||
    value instanceof OpaqueValue
  )
    return value;
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (value instanceof Float64Array) return new Uint8Array(value.buffer);
  if (value instanceof Uint8Array || value instanceof Set) return value;
  if (Array.isArray(value)) return value.map(expected);
  const entries: Iterable<[unknown, unknown]> = value instanceof Map ? value : Object.entries(value);
  return new Map([...entries].map(([key, item]) => [key, expected(item)]));
}
