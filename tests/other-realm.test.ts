// An embedder whose objects are of another realm than the library, as everything is that is written in a test of Jest or of vitest's
// vmThreads: there Object, Map and Date are others, and their values mean the same.
import { createContext, runInContext } from "node:vm";
import { expiring, hostFunction, memoryFile, OptionError, Sandbox, virtualFile } from "sandboa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";

const other = createContext({});
const made = <T = never>(source: string): T => runInContext(`(${source})`, other) as T;

const values: readonly (readonly [source: string, python: string])[] = [
  ["{ a: 1, b: { c: [2] } }", "{'a': 1, 'b': {'c': [2]}}"],
  ["[1, 2]", "[1, 2]"],
  ["Object.freeze([1, 2])", "(1, 2)"],
  ["new Map([[1, 2], [Object.freeze([1]), 3]])", "{1: 2, (1,): 3}"],
  ["new Set([1])", "{1}"],
  ["Object.freeze(new Set([1]))", "frozenset({1})"],
  ["new Map([[Object.freeze(new Set([1])), 2]])", "{frozenset({1}): 2}"],
  ["new Date(0)", "datetime.datetime(1970, 1, 1, 0, 0, tzinfo=datetime.timezone.utc)"],
  ["new Uint8Array([65])", "b'A'"],
  ["new Uint8Array([65]).buffer", "b'A'"],
  ["new TypeError('x')", "TypeError('x')"],
  ["new Error('x')", "Exception('x')"],
  ["5n", "5"],
];

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await Sandbox.create({
    functions: made<(f: object) => never>("(f) => ({ group: { give: f } })")(
      hostFunction((index: number) => made(values[index]?.[0] ?? "undefined")),
    ),
  });
});
afterAll(() => sandbox.close());

test.each(values.map(([source, python], index) => [source, python, index] as const))(
  "%s is %s",
  async (source, python, index) => {
    expect((await sandbox.run("repr(value)", { inputs: { value: made(source) } })).value).toBe(python);
    const answer = await sandbox.run("from host.group import give\nrepr(give(index))", { inputs: { index } });
    expect(answer.value).toBe(python);
  },
);

test("a cycle is kept or refused, and what is no plain object is refused, as ever", async () => {
  const inputs = made<{ x: { x?: unknown } }>("{ x: { y: new Map() } }");
  inputs.x.x = inputs.x;
  await expect(sandbox.run("x", { inputs })).rejects.toThrow("inputs.x.x");
  const kept = await sandbox.run("x['x'] is x", { inputs, values: made("{ references: 'keep' }") });
  expect(kept.value).toBe(true);
  for (const refused of [
    "new (class Point {})()",
    "new WeakMap()",
    "{ [Symbol.toStringTag]: 'Map' }.constructor",
  ])
    await expect(sandbox.run("x", { inputs: { x: made(refused) } })).rejects.toThrow(OptionError);
});

test("options are options", async () => {
  const bytes = made<Uint8Array>("new Uint8Array([65])");
  const options = made<(files: object) => object>(
    "(files) => ({ files, limits: { wall: '5 s' }, args: ['a'], env: { A: '1' }, stdin: new Uint8Array([65]), modules: [] })",
  )({ "/a": memoryFile(bytes), "/b": virtualFile(() => bytes) });
  await using given = await Sandbox.create(options);
  const source = "import os, sys\n[sys.argv, os.environ['A'], input(), open('/a').read(), open('/b').read()]";
  expect((await given.run(source)).value).toEqual([["a"], "1", "A", "A", "A"]);
  await expect(Sandbox.create({ limits: made("new Map([['wall', 5]])") })).rejects.toThrow(OptionError);
});

test("a date ends what expires, and schemas see what is meant", async () => {
  const until = { at: made<Date>("new Date(0)") };
  const ended = expiring(
    hostFunction(() => 1),
    until,
  );
  const f = hostFunction({ input: z.object({ n: z.number() }), execute: ({ n }) => made(`{ n: ${n} }`) });
  await using given = await Sandbox.create({ functions: { ended, f } });
  await expect(given.run("import host; host.ended()")).rejects.toThrow("its time is over");
  expect((await given.run("host.f(n=2)['n']")).value).toBe(2);
});
