// What an embedder gets wrong about functions and places of code is an OptionError, and never a function that may do more, or nothing.
import {
  attenuate,
  expiring,
  fromAiTools,
  hostFunction,
  hostObject,
  limited,
  memoryFile,
  OptionError,
  type Tree,
  toAiTool,
  virtualDirectory,
  virtualFile,
  wrapped,
} from "sandboa";
import { expect, test } from "vitest";

const parameters = { type: "object", properties: { user: { type: "string" } }, required: ["user"] };
const named = hostFunction({ parameters, execute: ({ user }) => user });
const object = hostObject({ get: () => 1, x: 2 }, { methods: ["get"], attributes: ["x"] });
const execute = (): number => 1;
const tool = { inputSchema: { jsonSchema: { type: "object", properties: {} } }, execute };
const stat = () => ({ kind: "directory", size: 0 }) as const;
const open = (): never => {
  throw new Error("never");
};
const run = async () => ({ value: 1 });
/** Their own members say nothing of what they hold. */
const noRecords: readonly unknown[] = [
  new Map([["user", "me"]]),
  new Set(["get"]),
  new Date(),
  Promise.resolve({ user: "me" }),
  null,
  5,
];

const refusals: [option: string, make: (value: never) => unknown, values: readonly unknown[]][] = [
  ["attenuate fixed", (fixed) => attenuate(named, { fixed }), [...noRecords, [], ["me"]]],
  ["attenuate description", (description) => attenuate(named, { description }), [null, 5]],
  ["attenuate description", (description) => attenuate(object, { description }), [null, 5]],
  ["limited", (limits) => limited(named, limits), [...noRecords, [], undefined]],
  ["limited", (limits) => limited(memoryFile("x"), limits), [...noRecords, [], undefined]],
  ["limited calls", (calls) => limited(named, { calls }), [null, "1.5", 1.5]],
  ["limited bytes", (bytes) => limited(named, { bytes }), [null]],
  ["limited until", (until) => limited(named, { until }), [null]],
  ["limited opens", (opens) => limited(memoryFile("x"), { opens }), [null]],
  ["hostObject methods", (methods) => hostObject({ get: run }, { methods }), noRecords],
  ["hostObject attributes", (attributes) => hostObject({ x: 1 }, { attributes }), noRecords],
  ["fromAiTools", (tools) => fromAiTools(tools), [...noRecords, [], [tool]]],
  ["fromAiTools a", (a) => fromAiTools({ a }), [null, 5, Promise.resolve(tool)]],
  ["fromAiTools approve", (approve) => fromAiTools({ a: tool }, { approve }), ["yes", null, true]],
  ["fromAiTools limits", (limits) => fromAiTools({ a: tool }, { limits }), [0, Number.NaN, null, "1"]],
  ["fromAiTools limits", (limits) => fromAiTools({}, { limits }), [0]],
  ["fromAiTools a description", (description) => fromAiTools({ a: { ...tool, description } }), [5, null]],
  [
    "fromAiTools a outputSchema",
    (outputSchema) => fromAiTools({ a: { ...tool, outputSchema } }),
    [7, null, {}],
  ],
  [
    "fromAiTools a inputSchema",
    (inputSchema) => fromAiTools({ a: { ...tool, parameters: tool.inputSchema, inputSchema } }),
    [null],
  ],
  ["virtualFile trunkate", (trunkate) => virtualFile({ read: open, trunkate } as never), [execute]],
  ["virtualFile read", (read) => virtualFile({ read, write: open }), [null, 5]],
  ["virtualDirectory list", (list) => virtualDirectory({ stat, open, list }), [5, null, []]],
  ["virtualDirectory lists", (lists) => virtualDirectory({ stat, open, lists } as never), [execute]],
  ["toAiTool sandbox describe", (describe) => toAiTool({ run, describe }), [5, null, "text"]],
  ["toAiTool sandbox reset", (reset) => toAiTool({ run, reset }), [5, null]],
  ["toAiTool sandbox describe()", (text) => toAiTool({ run, describe: () => text }), [5, null]],
  ["expiring after", (after) => expiring(memoryFile("x"), { after }), ["bogus", null]],
  ["expiring after", (after) => expiring(named, { after }), ["bogus", null]],
];

test.each(
  refusals.flatMap(([option, make, values]) => values.map((value) => [option, value, make] as const)),
)("%s: %o", (option, value, make) => {
  const refused = ((): unknown => {
    try {
      return make(value as never);
    } catch (error) {
      return error;
    }
  })();
  expect(refused).toBeInstanceOf(OptionError);
  expect(refused).toMatchObject({ option });
});

test("an instance of a class may have what it likes beside the functions of a tree", () => {
  class Own implements Tree {
    readonly cache = new Map<string, number>();
    readonly stat = stat;
    readonly open = open;
    helper(): void {}
  }
  expect(virtualDirectory(new Own()).kind).toBe("tree");
  class File {
    readonly at = 0;
    read(): Uint8Array {
      return new Uint8Array(this.at);
    }
  }
  expect(virtualFile(new File()).kind).toBe("tree");
});

test("a record may be without prototype, and what is undefined is left out", () => {
  const fixed = Object.assign(Object.create(null), { user: "me" }) as { user: string };
  expect(attenuate(named, { fixed, description: undefined } as never).signature.parameters).toEqual([]);
  const options = { approve: undefined, limits: undefined } as never;
  expect(Object.keys(fromAiTools({ a: { ...tool, outputSchema: undefined } }, options))).toEqual(["a"]);
  expect(hostObject({}, { methods: undefined, attributes: undefined } as never).kind).toBe("object");
  expect(wrapped(memoryFile("x"), (tree) => tree).kind).toBe("wrapped");
  expect(toAiTool({ run, describe: undefined, reset: undefined } as never).description).toContain("Python");
});
