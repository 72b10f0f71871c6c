// What a marked module has written is noted, it computes what it did before, and nobody writes into its notes.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { assembleText } from "../format/assemble-text.ts";
import { joinSections, readSections, type SectionId, sectionId } from "../format/sections.ts";
import { cardBytes, cardShift, cardsEnd, cardsExport, cardTable, slackBytes } from "./card-table.ts";
import { markWrites } from "./mark-writes.ts";

const wasmPages = 2;
const memoryBytes = wasmPages * 65_536;
const table = cardTable(memoryBytes);

/** A module of text with the sections of a lean one, marked. */
function marked(text: string): Uint8Array<ArrayBuffer> {
  const sections = [...readSections(assembleText(text))];
  const globals: [SectionId, Uint8Array] = [sectionId.global, Uint8Array.of(0)];
  const at = sections.findIndex(([id]) => id === sectionId.export);
  const lean = joinSections(new Map([...sections.slice(0, at), globals, ...sections.slice(at)]));
  return markWrites(lean, table) as Uint8Array<ArrayBuffer>;
}

class Run {
  readonly memory = new WebAssembly.Memory({ initial: wasmPages, maximum: 64 });
  readonly exports: Readonly<Record<string, CallableFunction>>;

  constructor(wasm: Uint8Array<ArrayBuffer>) {
    const instance = new WebAssembly.Instance(new WebAssembly.Module(wasm), { env: { memory: this.memory } });
    this.exports = instance.exports as unknown as Readonly<Record<string, CallableFunction>>;
  }
  get bytes(): Uint8Array {
    return new Uint8Array(this.memory.buffer);
  }
  call(...parameters: readonly number[]): unknown {
    return this.exports.f?.(...parameters);
  }
  /** Numbers of the pages that are noted. */
  notes(): number[] {
    const { bytes } = this;
    return Array.from({ length: table.pages }, (_, page) => page).filter(
      (page) => bytes[table.start + page] !== 0,
    );
  }
}

const f = (body: string): string =>
  `(func $f (param $a i32) (param $b i32) (param $c i32) (local $d i32) ${body})`;
const notesOf = (body: string, ...parameters: readonly number[]): number[] => {
  const run = new Run(marked(f(body)));
  run.call(...parameters);
  return run.notes();
};

describe("a page is noted", () => {
  test.each([
    ["by a local", "(i32.store (local.get $a) (i32.const 1))", [3 * cardBytes], [3]],
    ["with an offset", "(i32.store offset=8192 (local.get $a) (i32.const 1))", [cardBytes], [3]],
    ["by a constant", "(i32.store offset=4 (i32.const 20480) (i32.const 1))", [], [5]],
    [
      "by what is computed",
      "(i64.store (i32.add (local.get $a) (local.get $b)) (i64.const 1))",
      [4096, 8192],
      [3],
    ],
    [
      "by an old value of a local",
      "(i32.store (local.get $a) (local.tee $a (i32.const 16384)))",
      [2 * cardBytes],
      [2],
    ],
    [
      "by a local that was assigned between two writes",
      "(i32.store (local.get $a) (i32.const 1)) (local.set $a (local.get $b)) (i32.store (local.get $a) (i32.const 1))",
      [4096, 12_288],
      [1, 3],
    ],
    [
      "by one that is assigned in a loop",
      `(block $done (loop $each (br_if $done (i32.gt_u (local.get $a) (i32.const 20479)))
        (i32.store8 (local.get $a) (i32.const 1))
        (local.set $a (i32.add (local.get $a) (i32.const 4096))) (br $each)))`,
      [4096],
      [1, 2, 3, 4],
    ],
    [
      "where the only other note stands in a branch that was not taken",
      "(if (local.get $b) (then (i32.store (local.get $a) (i32.const 1)))) (i32.store (local.get $a) (i32.const 1))",
      [8192, 0],
      [2],
    ],
    [
      "where a block was left before the other note",
      `(block $out (br_if $out (local.get $b)) (i32.store (local.get $a) (i32.const 1)))
        (i32.store (local.get $a) (i32.const 1))`,
      [8192, 1],
      [2],
    ],
    [
      "where the other note came after an assignment in one branch alone",
      `(i32.store (local.get $a) (i32.const 1)) (if (local.get $b) (then (local.set $a (i32.const 20480))))
        (i32.store (local.get $a) (i32.const 1))`,
      [8192, 1],
      [2, 5],
    ],
    [
      "behind the slack of another note",
      "(i32.store (local.get $a) (i32.const 1)) (i32.store offset=2000 (local.get $a) (i32.const 1))",
      [8188],
      [1, 2],
    ],
    [
      "in a loop that goes on from a page that was noted before it",
      `(i32.store8 (local.get $a) (i32.const 1))
        (block $done (loop $each (br_if $done (i32.gt_u (local.get $a) (i32.const 16383)))
        (i32.store8 (local.get $a) (i32.const 1))
        (local.set $a (i32.add (local.get $a) (i32.const 4096))) (br $each)))`,
      [4096],
      [1, 2, 3],
    ],
    [
      "behind the slack",
      "(i32.store (local.get $a) (i32.const 1)) (i32.store offset=4096 (local.get $a) (i32.const 1))",
      [4096],
      [1, 2],
    ],
    ["by memory.fill", "(memory.fill (local.get $a) (i32.const 7) (local.get $b))", [8190, 4100], [1, 2, 3]],
    ["by memory.copy", "(memory.copy (local.get $a) (i32.const 0) (local.get $b))", [20_480, 1], [5]],
    ["by none of no bytes", "(memory.fill (local.get $a) (i32.const 7) (local.get $b))", [8190, 0], []],
  ])("%s", (_name, body, parameters, pages) => {
    expect(notesOf(body, ...parameters)).toEqual(pages);
  });
});

test("writes through one pointer share a note", () => {
  const first = "(i32.store offset=4 (local.get $a) (i32.const 1))";
  const second = "(i32.store offset=512 (local.get $a) (i32.const 1))";
  const bytes = (body: string): number => marked(f(body)).length;
  // Two operands of two bytes, opcode, alignment, offset of two bytes.
  expect(bytes(first + second) - bytes(first)).toBe(8);
});

describe("the table", () => {
  const last = table.pages * cardBytes;
  test("cannot be written by the code itself", () => {
    for (const [body, address] of [
      ["(i32.store8 (local.get $a) (i32.const 0))", table.start],
      ["(i32.store8 (local.get $a) (i32.const 0))", table.start + table.pages - 1],
      ["(i32.store8 (local.get $a) (i32.const 0))", last],
      [
        "(i32.store (local.get $a) (i32.const 1)) (i32.store8 offset=8 (local.get $a) (i32.const 0))",
        table.start,
      ],
      ["(memory.fill (local.get $a) (i32.const 0) (i32.const 8))", table.start],
      ["(memory.fill (local.get $a) (i32.const 0) (i32.const 8192))", last - cardBytes],
      ["(memory.copy (local.get $a) (i32.const 0) (i32.const 8))", table.start],
    ] as const) {
      const run = new Run(marked(f(body)));
      expect(() => run.call(address), `${body} at ${address}`).toThrow(WebAssembly.RuntimeError);
    }
  });

  test("is not reached with the slack of the last page", () => {
    const run = new Run(
      marked(
        f("(i32.store8 (local.get $a) (i32.const 0)) (i32.store8 offset=1023 (local.get $a) (i32.const 9))"),
      ),
    );
    run.call(last - 1);
    expect(run.notes()).toEqual([table.pages - 1]);
    expect(run.bytes[last + 1022]).toBe(9);
    expect(last + 1022).toBeLessThan(table.start);
  });

  test.each([1 << 20, 24 << 20, 1 << 30, 2 ** 32 - 65_536])(
    "of %i bytes has room for all pages before it and no others",
    (bytes) => {
      const { start, pages } = cardTable(bytes);
      expect(pages * cardBytes + slackBytes).toBeLessThanOrEqual(start);
      expect(start + pages).toBe(bytes);
      expect((pages + 2) * cardBytes + slackBytes).toBeGreaterThan(start);
      expect(cardsEnd(bytes) - start).toBe(2 ** 32 / cardBytes);
    },
  );

  test("is named by an export", () => {
    const { exports } = new Run(marked(f("")));
    expect((exports[cardsExport] as unknown as WebAssembly.Global).value).toBe(table.start);
  });
});

// Programs whose locals are addresses below 64 KiB, written and assigned in every kind of block.
const local = fc.constantFrom("$a", "$b", "$c", "$d");
const offset = fc.oneof(
  fc.constantFrom(0, 4, 8, 100, 1000, 1020, 1024, 1500),
  fc.integer({ min: 0, max: 9000 }),
);
const { statement } = fc.letrec<{
  expression: string;
  address: string;
  statement: string;
  statements: string;
}>((tie) => ({
  expression: fc.oneof(
    { depthSize: "small" },
    local.map((name) => `(local.get ${name})`),
    fc.integer({ min: 0, max: 70_000 }).map((value) => `(i32.const ${value})`),
    fc.tuple(tie("expression"), tie("expression")).map(([a, b]) => `(i32.add ${a} ${b})`),
    fc
      .tuple(local, tie("expression"))
      .map(([name, value]) => `(local.tee ${name} (i32.and ${value} (i32.const 65535)))`),
    tie("address").map((at) => `(i32.load8_u ${at})`),
  ),
  address: fc.oneof(
    local.map((name) => `(local.get ${name})`),
    tie("expression").map((value) => `(i32.and ${value} (i32.const 65535))`),
    fc.integer({ min: 0, max: 60_000 }).map((value) => `(i32.const ${value})`),
  ),
  statement: fc.oneof(
    { depthSize: "small" },
    fc
      .tuple(
        fc.constantFrom("i32.store", "i32.store8", "i32.store16"),
        offset,
        tie("address"),
        tie("expression"),
      )
      .map(([store, at, address, value]) => `(${store} offset=${at} ${address} ${value})`),
    fc
      .tuple(local, tie("expression"))
      .map(([name, value]) => `(local.set ${name} (i32.and ${value} (i32.const 65535)))`),
    fc
      .tuple(tie("address"), tie("expression"), fc.integer({ min: 0, max: 9000 }))
      .map(([at, value, bytes]) => `(memory.fill ${at} ${value} (i32.const ${bytes}))`),
    fc
      .tuple(tie("address"), tie("address"), fc.integer({ min: 0, max: 9000 }))
      .map(([to, from, bytes]) => `(memory.copy ${to} ${from} (i32.const ${bytes}))`),
    fc
      .tuple(tie("expression"), tie("statements"), tie("statements"))
      .map(([condition, yes, no]) => `(if (i32.and ${condition} (i32.const 1)) (then ${yes}) (else ${no}))`),
    fc
      .tuple(tie("expression"), tie("statements"), tie("statements"))
      .map(
        ([condition, first, rest]) =>
          `(block $x ${first} (br_if $x (i32.and ${condition} (i32.const 1))) ${rest})`,
      ),
    fc.tuple(tie("statements"), tie("statements")).map(
      ([first, rest]) => `(loop $x ${first} (local.set $left (i32.sub (local.get $left) (i32.const 1)))
        (if (i32.gt_u (local.get $left) (i32.const 1000000)) (then (return))) (br_if $x (i32.and (local.get $left) (i32.const 3))) ${rest})`,
    ),
    tie("statements").map((dead) => `(block $x (br $x) ${dead})`),
  ),
  statements: fc
    .array(tie("statement"), { maxLength: 4, depthIdentifier: "statements" })
    .map((all) => all.join(" ")),
}));
test("of programs of every shape all that they change is noted, and they change what they did", () => {
  const program = fc.array(statement, { minLength: 1, maxLength: 6 }).map((all) => all.join("\n"));
  const parameter = fc.integer({ min: 0, max: 65_535 });
  let changes = 0;
  fc.assert(
    fc.property(program, parameter, parameter, parameter, (body, a, b, c) => {
      const text = `(func $f (param $a i32) (param $b i32) (param $c i32) (local $d i32) (local $left i32)
        (local.set $left (i32.const 40)) ${body})`;
      const [plain, noting] = [new Run(assembleText(text) as Uint8Array<ArrayBuffer>), new Run(marked(text))];
      const before = plain.bytes.map((_, at) => (at * 31) & 0xff).fill(0, table.start);
      for (const run of [plain, noting]) {
        run.bytes.set(before);
        run.call(a, b, c);
      }
      const [expected, found] = [plain.bytes, noting.bytes];
      const noted = new Set(noting.notes());
      for (let at = 0; at < table.start; at++) {
        if (found[at] !== expected[at]) throw new Error(`another value at ${at}`);
        if (found[at] === before[at]) continue;
        const page = at >>> cardShift;
        changes++;
        if (!noted.has(page) && !(noted.has(page - 1) && at % cardBytes < slackBytes))
          throw new Error(`${at} is not noted`);
      }
    }),
    { numRuns: 400 },
  );
  expect(changes).toBeGreaterThan(100_000);
});
