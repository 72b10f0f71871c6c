// An option that is undefined is as one that is left out, wherever an embedder gives options.
import { expect, test } from "vitest";
import { hostFile, scratch } from "./files.ts";
import { fromAiTools } from "./functions/ai-tools.ts";
import { attenuate } from "./functions/attenuate.ts";
import { methodOf, outcome } from "./functions/function-fixture.ts";
import { hostFunction } from "./functions/host-function.ts";
import { hostObject } from "./functions/host-object.ts";
import { toAiTool } from "./functions/to-ai-tool.ts";
import { hostDirectory } from "./host-directory.ts";
import { virtualFile } from "./virtual.ts";
import { limited } from "./wrappers/limited.ts";

/** Every one of these names, undefined. */
const none = (...names: string[]): object => Object.fromEntries(names.map((name) => [name, undefined]));
const terms = none("description", "output", "returns", "async", "streams", "errors", "limits", "values");
const limits = none("calls", "concurrency", "bytes");
const values = none("shape", "references", "exactFloats");
const execute = () => 1;
const plain = hostFunction({ execute });
const object = hostObject(new Map([["a", 1]]), { methods: ["get"], attributes: ["size"] });
const sandbox = { run: async () => ({ value: 1 }) };
const tools = { one: { inputSchema: { jsonSchema: { type: "object" } }, execute } };

test.each([
  ["hostFunction", hostFunction({ ...terms, ...none("input", "parameters"), execute }), plain],
  ["its limits and values", hostFunction({ limits, values, execute }), plain],
  ["its short form", hostFunction(execute, terms), hostFunction(execute)],
  ["attenuate", attenuate(plain, none("fixed", "input", "limits", "description")), attenuate(plain, {})],
  [
    "attenuate of an object",
    attenuate(object, none("methods", "attributes", "description")),
    attenuate(object, {}),
  ],
  ["limited", limited(plain, none("calls", "bytes", "concurrency", "until")), limited(plain, {})],
  ["fromAiTools", fromAiTools(tools, none("approve", "limits")), fromAiTools(tools)],
  ["toAiTool", toAiTool(sandbox, none("description")), toAiTool(sandbox)],
  ["hostFile", hostFile("a", "read", none("bytes")), hostFile("a", "read")],
  ["hostDirectory", hostDirectory("a", "read", none("bytes", "files", "match")), hostDirectory("a", "read")],
  [
    "scratch",
    scratch({ bytes: 1, ...none("files", "depth", "nameBytes", "shared") } as { bytes: number }),
    scratch({ bytes: 1 }),
  ],
])("of %s", (_, one, other) => {
  expect(shown(one)).toBe(shown(other));
});

test("of a method and an attribute of an object", async () => {
  const made = hostObject(new Map([["a", 1]]), {
    ...none("name", "description"),
    methods: { get: { ...terms, ...none("input", "parameters") } },
    attributes: { size: none("annotation", "description") },
  });
  expect(shown(made)).toBe(shown(object));
  // Without a schema it takes arguments of any kind, by position.
  expect(await outcome(methodOf(made, "get"), { args: ["a"] })).toBe(1);
});

test("of a virtual file, whose functions are then as absent", async () => {
  const source = {
    read: () => new Uint8Array(3),
    ...none("size", "write", "truncate", "sync", "modifiedNs"),
  };
  const environment = { nowMs: () => 0, fault: () => {} };
  expect(await virtualFile(source).open(environment).stat("")).toEqual({
    kind: "file",
    size: 0,
    mode: 0o444,
  });
});

/** All that is data in it. */
function shown(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => (part instanceof Map ? [...part] : part));
}
