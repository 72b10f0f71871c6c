// After a restore under any secret, everything that is alive must be found by its hash. Python itself is asked, and so that its
// answer means something, plans that lack a part must be found out.
import { beforeAll, describe, expect, test } from "vitest";
import { bytecodeModules } from "../../host/images/library-choice.ts";
import { decodeImage, encodeImage } from "../image-file.ts";
import { consistencyCheck, Guest, type Prepared, prepare, secretOf } from "./guest-fixture.ts";
import type { RehashPlan } from "./plan.ts";

let prepared: Prepared;
beforeAll(async () => {
  prepared = await prepare();
});

const hashes = `
import datetime
[hash("a"), hash("some text"), hash(b"some bytes"), hash(datetime.date(2026, 1, 2)), hash(("x", 1)), hash(frozenset("xy"))]`;

describe("the hash secret", () => {
  test("differs between fresh interpreters and after each reset", () => {
    const first = new Guest(prepared);
    const drawn = [first.run(hashes), new Guest(prepared).run(hashes)];
    first.reset();
    drawn.push(first.run(hashes));
    first.reset();
    drawn.push(first.run(hashes));
    const columns = (drawn as number[][])[0]?.map((_, index) =>
      (drawn as number[][]).map((row) => row[index]),
    );
    for (const column of columns ?? []) expect(new Set(column).size).toBe(4);
  });

  test("is the given one, also after a reset", () => {
    const guest = new Guest(prepared, secretOf(1));
    const once = guest.run(hashes);
    guest.reset();
    expect(guest.run(hashes)).toEqual(once);
    expect(new Guest(prepared, secretOf(1)).run(hashes)).toEqual(once);
    expect(new Guest(prepared, secretOf(2)).run(hashes)).not.toEqual(once);
  });

  test("is what str and bytes are hashed with, as CPython documents it", () => {
    const secret = secretOf(3);
    const guest = new Guest(prepared, secret);
    for (const text of ["a", "abcd", "abcde", "sys", "a rather long text, of no use", "\u00e9\u00ff"]) {
      const bytes = Buffer.from(text, "latin1");
      expect(guest.run(`hash(${JSON.stringify(text)})`)).toBe(fnv(bytes, secret));
      expect(guest.run(`hash(bytes(${JSON.stringify([...bytes])}))`)).toBe(fnv(bytes, secret));
    }
    const wide = guest.run(`hash("\u2192 wide")`);
    expect(wide).toBe(fnv(Buffer.from("\u2192 wide", "utf16le"), secret));
    expect(guest.run("import sys; sys.hash_info.algorithm, hash(''), sys.flags.hash_randomization")).toEqual([
      "fnv",
      0,
      1,
    ]);
  });

  test("must have 24 bytes", () => {
    expect(() => new Guest(prepared, new Uint8Array(8))).toThrow(RangeError);
  });
});

describe("everything is found by its hash", () => {
  test.each([0, 0xff])("under secret %i", (number) => {
    expect(new Guest(prepared, secretOf(number)).run(consistencyCheck)).toEqual([]);
  });

  test("under secrets as they are drawn, after resets", () => {
    const guest = new Guest(prepared);
    for (let round = 0; round < 5; round++) {
      expect(guest.run(consistencyCheck)).toEqual([]);
      guest.reset();
    }
  });

  test.each<[string, (plan: RehashPlan) => Partial<RehashPlan>]>([
    ["one string", ({ texts }) => ({ texts: texts.with(4, texts[5] ?? 0) })],
    ["the last character of the longest string", ({ texts }) => ({ texts: texts.with(-1, 0) })],
    ["what is forgotten", without(0, Number.POSITIVE_INFINITY)],
    ["one dict", ({ nameTables }) => ({ nameTables: nameTables.with(1, (nameTables[1] ?? 0) - 1) })],
    ["one set", without(3)],
    ["the static strings", without(4)],
    ["what CPython hashes", () => ({ late: new Uint32Array(0) })],
  ])("and a plan without %s is found out", (_name, change) => {
    const { image } = prepared;
    const poorer = { ...image, rehash: { ...image.rehash, ...change(image.rehash) } };
    let wrong: unknown;
    try {
      wrong = new Guest({ ...prepared, image: poorer }, secretOf(7)).run(consistencyCheck);
    } catch (error) {
      wrong = error;
    }
    expect(wrong).not.toEqual([]);
  });
});

test("programs of the standard library run under drawn secrets", () => {
  const guest = new Guest(prepared);
  const modules = JSON.stringify(bytecodeModules.filter((name) => name !== "asyncio"));
  for (let round = 0; round < 3; round++) {
    expect(
      guest.run(`import importlib\n[importlib.import_module(name).__name__ for name in ${modules}]`),
    ).toEqual(JSON.parse(modules));
    expect(guest.run(program)).toEqual([
      '{"a": [1, null]}',
      ["b1", "c22"],
      "P(x=1, y=2)",
      [3, "RED"],
      6,
      1,
      true,
    ]);
    guest.reset();
  }
});

const program = `
import asyncio, dataclasses, enum, json, re, unittest, collections, typing
Color = enum.Enum("Color", "GREEN BLUE RED")
P = dataclasses.make_dataclass("P", ["x", "y"])
async def add(*numbers):
    await asyncio.sleep(0)
    return sum(numbers)
class T(unittest.TestCase):
    def test(self):
        self.assertEqual(typing.get_type_hints(add), {})
result = unittest.TestResult()
unittest.defaultTestLoader.loadTestsFromTestCase(T).run(result)
[json.dumps({"a": [1, None]}), re.findall(r"[b-c]\\d+", "a b1 c22"), repr(P(1, 2)), [Color["RED"].value, Color(3).name],
 await add(1, 2, 3), result.testsRun, result.wasSuccessful()]`;

test("a plan survives its file, as views on the file's bytes", () => {
  const { image } = prepared;
  const file = encodeImage(image);
  const { rehash } = decodeImage(file);
  expect(rehash).toEqual(image.rehash);
  for (const part of [rehash.texts, rehash.nameTables, rehash.program, rehash.late, rehash.routine])
    expect(part.buffer).toBe(file.buffer);
});

/** The program without some items of one of its lists. */
function without(list: number, items = 1): (plan: RehashPlan) => Partial<RehashPlan> {
  return ({ program }) => {
    const out: number[] = [];
    let at = 0;
    [1, 2, 1, 1, 1, 1].forEach((width, index) => {
      const count = program[at] ?? 0;
      const kept = index === list ? Math.max(0, count - items) : count;
      expect(index === list ? count : 1).toBeGreaterThan(0);
      out.push(kept, ...program.subarray(at + 1, at + 1 + kept * width));
      at += 1 + count * width;
    });
    return { program: Uint32Array.from(out) };
  };
}

/** fnv() of CPython's Python/pyhash.c. */
function fnv(content: Uint8Array, secret: Uint8Array): number {
  const view = new DataView(secret.buffer);
  const blocksEnd = Math.floor((content.length - 1) / 4) * 4;
  const input = new DataView(content.buffer, content.byteOffset, content.length);
  let hash = view.getUint32(0, true) ^ ((content[0] ?? 0) << 7);
  for (let at = 0; at < content.length; at += at < blocksEnd ? 4 : 1) {
    hash = Math.imul(hash, 1_000_003) ^ (at < blocksEnd ? input.getUint32(at, true) : input.getUint8(at));
  }
  hash = hash ^ content.length ^ view.getUint32(4, true);
  return hash === -1 ? -2 : hash;
}
