// The pipe of a process wall, fuzzed: whatever bytes come, in whatever pieces, they become known words, numbers and bytes, or one of
// the three errors that end the process. Nothing else is thrown, nothing is held that was only announced, no prototype is touched.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { denialAccesses, denialKinds } from "../src/host/denials/raw-denial.ts";
import { encodeFrame, FrameReader, maxHeadBytes } from "../src/host/walls/frames.ts";
import { readFromProcess } from "../src/host/walls/process-protocol.ts";

const maxBodyBytes = 1 << 18;
const prototypes = [Object.prototype, Array.prototype, Map.prototype, Uint8Array.prototype, Error.prototype];
const shape = () => prototypes.map((prototype) => Reflect.ownKeys(prototype));

type Read = ReturnType<typeof readFromProcess>;

/** What our side makes of a stream that comes in `pieces`. */
function listen(pieces: readonly Uint8Array[]): { messages: Read[]; error: unknown } {
  const reader = new FrameReader(() => maxBodyBytes);
  const messages: Read[] = [];
  try {
    for (const piece of pieces) for (const body of reader.push(piece)) messages.push(readFromProcess(body));
    return { messages, error: undefined };
  } catch (error) {
    return { messages, error };
  }
}

function isExpected(error: unknown): boolean {
  if (error === undefined || error instanceof RangeError || error instanceof SyntaxError) return true;
  return error instanceof Error && error.constructor.name === "Violation";
}

/** Everything that came of it, down to its leaves: numbers that count something, short texts, flags, bytes, plain objects. */
function isPlain(value: unknown): boolean {
  if (value === undefined || value instanceof Uint8Array) return true;
  if (typeof value === "number") return Number.isFinite(value) && value >= 0;
  if (typeof value === "boolean") return true;
  // A path.
  if (typeof value === "string") return value.length <= 4096;
  return (
    typeof value === "object" &&
    value !== null &&
    Object.getPrototypeOf(value) === Object.prototype &&
    Object.values(value).every(isPlain)
  );
}

const words = [
  ..."type id outcome meters kind bytes detail reason status limit budget used failure operation place".split(
    " ",
  ),
  ..."length position stream wallMs cpuMs fuel calls softStop memoryBytes hostMemoryBytes files".split(" "),
  ..."hostMemoryPeakBytes outputBytes openFiles __proto__ constructor prototype toJSON then valueOf errno next access name port count untoldDenials".split(
    " ",
  ),
];
const values = [
  ..."output question ready failed begun done seen reset answer oversized stopped crashed exit abort wall".split(
    " ",
  ),
  ..."cancelled stack refused trap fault limit create size sync read write truncate input stdout stderr".split(
    " ",
  ),
];
const number = fc.oneof(
  fc.constantFrom(0, 1, -1, 0.5, 2 ** 31, 2 ** 32, 2 ** 53 - 1, 2 ** 53, -(2 ** 53), 1e308),
  fc.integer(),
);
const leaf = fc.oneof(number, fc.constantFrom(...values, null, true, ""), fc.string({ maxLength: 4 }));
const known = (type: string, more: Record<string, fc.Arbitrary<unknown>> = {}) =>
  fc.record({ type: fc.constant(type), id: number, ...more });
const orNode = (usual: fc.Arbitrary<unknown>) =>
  fc.oneof({ weight: 30, arbitrary: usual }, { weight: 1, arbitrary: number });
const limitReason = fc.record({
  kind: fc.constant("limit"),
  limit: orNode(fc.constantFrom("wall", "cpu", "fuel", "output", "hostMemory")),
  budget: fc.nat(),
  used: orNode(fc.nat()),
});
const outcome = fc.record({
  kind: orNode(fc.constantFrom("answer", "oversized", "stopped", "crashed")),
  bytes: orNode(fc.nat()),
  detail: orNode(fc.string({ maxLength: 5 })),
  reason: orNode(
    fc.oneof(limitReason, fc.record({ kind: fc.constantFrom("exit", "trap"), status: number, detail: leaf })),
  ),
});
const meters = fc.record(
  Object.fromEntries([
    ...words
      .slice(words.indexOf("wallMs"), words.indexOf("__proto__"))
      .concat("untoldDenials")
      .map((name) => [name, orNode(fc.nat())]),
    ["softStop", orNode(fc.oneof(limitReason, fc.constant(undefined)))],
  ]),
);
const treeOperations = [
  ..."stat list readLink remove removeDirectory room open makeDirectory makeLink rename change".split(" "),
  ..."statFile sync close read write truncate changeFile".split(" "),
];
const { head } = fc.letrec<{ head: unknown; node: unknown }>((tie) => ({
  head: fc.oneof(
    { depthSize: "small" },
    fc.dictionary(fc.constantFrom(...words), tie("node"), { maxKeys: 8 }),
    known("question", {
      operation: fc.constantFrom(...values.slice(-9)),
      place: tie("node"),
      length: number,
      position: number,
    }),
    fc.record(
      {
        type: fc.constant("tree"),
        operation: orNode(fc.constantFrom(...treeOperations)),
        place: orNode(fc.nat()),
        file: orNode(fc.nat()),
        path: orNode(fc.string({ maxLength: 4 })),
        to: orNode(fc.constantFrom("a/b", "..", "x".repeat(5000))),
        target: orNode(fc.constantFrom("a", "\ud800")),
        access: orNode(fc.constantFrom("", "read", "read,write,append", "truncate", "__proto__,write")),
        create: orNode(fc.constantFrom("never", "missing", "always")),
        mode: orNode(fc.nat()),
        accessedNs: orNode(fc.constantFrom("5", "-5", "1e5", "9".repeat(25), "0x10", "")),
        modifiedNs: orNode(fc.constantFrom("0", 5)),
        position: number,
        length: orNode(fc.nat()),
        size: orNode(fc.nat()),
      },
      { requiredKeys: ["type", "operation", "place", "file", "path"] },
    ),
    known("done", { id: fc.nat(), outcome: orNode(outcome), meters: orNode(meters) }),
    known("begun", { id: fc.nat(), failure: fc.oneof(outcome, tie("node")) }),
    known("denial", {
      kind: orNode(fc.constantFrom(...denialKinds)),
      access: orNode(fc.constantFrom(...denialAccesses)),
      name: orNode(fc.oneof(fc.string({ maxLength: 5 }), fc.constant("n".repeat(1025)))),
      port: orNode(fc.nat(70_000)),
      place: orNode(fc.nat()),
      errno: orNode(fc.nat()),
      count: orNode(fc.nat()),
    }),
    known("seen", { errno: orNode(fc.nat()), next: orNode(fc.nat()) }),
    known("failed", { outcome: orNode(outcome) }),
    known("output", { stream: fc.constantFrom(...values.slice(-2), "__proto__") }),
    tie("node"),
  ),
  node: fc.oneof(
    { depthSize: "small", maxDepth: 4 },
    leaf,
    fc.dictionary(fc.constantFrom(...words), tie("node"), { maxKeys: 6 }),
    fc.array(tie("node"), { maxLength: 3 }),
  ),
}));
const content = fc.uint8Array({ maxLength: 32 });
const frame = fc
  .tuple(head, content)
  .map(([value, bytes]) => Buffer.concat(encodeFrame(value ?? null, bytes)));

function check(pieces: readonly Uint8Array[]): Read[] {
  const { messages, error } = listen(pieces);
  if (!isExpected(error)) throw error;
  for (const message of messages)
    if (!isPlain(message)) throw new Error(`not plain: ${JSON.stringify(message)}`);
  return messages;
}

describe("from a process that was taken over", () => {
  test("a hundred thousand messages that are nearly right", () => {
    const before = shape();
    const kinds = new Map<string, number>();
    fc.assert(
      fc.property(frame, (bytes) => {
        for (const { kind } of check([bytes])) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
      }),
      { numRuns: 100_000 },
    );
    expect(shape()).toEqual(before);
    // The fuzz reaches what lies behind the first check.
    for (const kind of ["answer", "output", "question", "treeQuestion", "denial"])
      expect(kinds.get(kind), kind).toBeGreaterThan(100);
  });

  test("streams of frames with bytes changed, in any pieces, say the same as in one", () => {
    const stream = fc.tuple(
      fc.array(frame, { maxLength: 4 }),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 }),
      fc.array(fc.nat(40), { maxLength: 12 }),
    );
    fc.assert(
      fc.property(stream, ([frames, changes, cuts]) => {
        const bytes = Buffer.concat(frames);
        for (const [at, value] of changes) if (bytes.length > 0) bytes[at % bytes.length] = value;
        const pieces: Uint8Array[] = [];
        let at = 0;
        for (const cut of cuts) {
          pieces.push(bytes.subarray(at, at + cut));
          at += cut;
        }
        pieces.push(bytes.subarray(at));
        expect(check(pieces)).toEqual(check([bytes]));
      }),
      { numRuns: 10_000 },
    );
  });

  test("random bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        check([bytes]);
      }),
      { numRuns: 20_000 },
    );
  });
});

test("a body in single bytes is held as one", () => {
  const reader = new FrameReader(() => maxBodyBytes);
  const bytes = Buffer.concat(encodeFrame({ type: "ready" }, new Uint8Array(50_000).fill(7)));
  const bodies: Uint8Array[] = [];
  for (const byte of bytes) bodies.push(...reader.push(Uint8Array.of(byte)));
  expect(bodies.map(({ length }) => length)).toEqual([bytes.length - 4]);
  expect(bodies[0]?.buffer.byteLength).toBe(bytes.length - 4);
});

test("limits are looked at when a frame begins, and heads are small", () => {
  let most = 100;
  const reader = new FrameReader(() => most);
  const of = (length: number) => Buffer.concat(encodeFrame(null, new Uint8Array(length)));
  expect([...reader.push(of(92))]).toHaveLength(1);
  expect(() => [...reader.push(of(93))]).toThrow(RangeError);
  most = 2 ** 20;
  const large = Buffer.concat(encodeFrame("x".repeat(maxHeadBytes)));
  expect(() => [...new FrameReader(() => most).push(large)].map(readFromProcess)).toThrow(RangeError);
});
