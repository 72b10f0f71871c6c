// What an embedder gets wrong is an OptionError that names it, before anything of it happens.
import {
  hostDirectory,
  hostFile,
  limited,
  memoryFile,
  OptionError,
  overlay,
  PythonDate,
  PythonFloat,
  PythonInstance,
  Sandbox,
  scratch,
  virtualFile,
} from "sandboa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

describe("of a run", () => {
  let sandbox: Sandbox;
  beforeAll(async () => {
    sandbox = await Sandbox.create();
  });
  afterAll(() => sandbox.close());

  test.each<[options: unknown, option: string]>([
    [null, "options"],
    [[], "options"],
    [{ bogus: 1 }, "bogus"],
    [{ inputs: null }, "inputs"],
    [{ inputs: [1] }, "inputs"],
    [{ inputs: "s" }, "inputs"],
    [{ inputs: new Map([["w", 1]]) }, "inputs"],
    [{ inputs: new (class Inputs {})() }, "inputs"],
    [{ inputs: { x: new PythonDate(2020, 13, 1) } }, "inputs.x"],
    [{ inputs: { x: [new PythonFloat("x" as never)] } }, "inputs.x[0]"],
    [{ inputs: { x: { y: new PythonInstance("dataclass", "a.B", { a: 1 } as never) } } }, "inputs.x.y"],
    [{ filename: 5 }, "filename"],
    [{ filename: "" }, "filename"],
    [{ filename: "a\0b" }, "filename"],
    [{ value: 0 }, "value"],
    [{ finalize: "yes" }, "finalize"],
    [{ signal: {} }, "signal"],
    [{ onOutput: 5 }, "onOutput"],
    [{ onCall: {} }, "onCall"],
    [{ values: { shape: "arrays" } }, "values.shape"],
  ])("%j names %s", async (options, option) => {
    const source = "seen = True\nprint(1)";
    const refused = await sandbox.run(source, options as never).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(OptionError);
    expect(refused).toMatchObject({ code: "BAD_OPTION", option });
    expect(sandbox.state).toBe("usable");
    expect((await sandbox.run("'seen' in globals()")).value).toBe(false);
  });

  test("a source that is too large is not called an input", async () => {
    const large = " ".repeat(2 ** 26);
    await expect(sandbox.run(large)).rejects.toMatchObject({ code: "BAD_OPTION", option: "source" });
    const together = { inputs: { x: "x".repeat(2 ** 26 - 100) } };
    await expect(sandbox.run(" ".repeat(200), together)).rejects.toMatchObject({ option: "inputs" });
    await expect(sandbox.run("", { inputs: { source: large } })).rejects.toMatchObject({
      option: "inputs.source",
    });
  });

  test("members that are undefined, and objects without prototype, are none of these", async () => {
    const inputs = Object.assign(Object.create(null), { x: 2 });
    const none = undefined;
    const options = {
      filename: none,
      signal: none,
      onOutput: none,
      onCall: none,
      value: none,
      finalize: none,
    };
    expect((await sandbox.run("x", { inputs, values: none, ...options })).value).toBe(2);
    const engine = { isolation: none, modules: none, metered: none, onProgress: none };
    const grants = { files: none, functions: none, env: none, args: none, stdin: none, onEvent: none };
    const limits = {
      memory: none,
      hostMemory: none,
      wall: none,
      cpu: none,
      fuel: none,
      output: none,
      soft: none,
    };
    const time = { clock: none, timeZone: none, limits };
    await using created = await Sandbox.create({ ...engine, ...grants, ...time });
    expect(created.state).toBe("usable");
    const room = scratch({ bytes: 1, files: none, depth: none, nameBytes: none, shared: none });
    expect(room.kind).toBe("scratch");
    expect(hostFile("/x", "read", { bytes: none }).maxBytes).toBe(2 ** 26);
    expect(limited(place, { bytes: none, opens: none, until: none }).kind).toBe("wrapped");
  });
});

describe("of what is asked about files", () => {
  test.each<[words: string, ask: (sandbox: Sandbox) => Promise<unknown>, option: string]>([
    ["stat", ({ files }) => files.stat("/", { followLink: false } as never), "followLink"],
    ["stat", ({ files }) => files.stat("/", { followLinks: 0 } as never), "followLinks"],
    ["list", ({ files }) => files.list("/", { entry: 1 } as never), "entry"],
    ["list", ({ files }) => files.list("/", null as never), "options"],
    ["walk", ({ files }) => files.walk("/", { entry: 1 } as never).next(), "entry"],
    ["read", ({ files }) => files.read("/x", { byte: 1 } as never), "byte"],
    [
      "stream",
      ({ files }) =>
        files
          .stream("/x", { byte: 1 } as never)
          .getReader()
          .read(),
      "byte",
    ],
  ])("%s: %#", async (_words, ask, option) => {
    await using sandbox = await Sandbox.create({ isolation: "inline" });
    await expect(ask(sandbox)).rejects.toMatchObject({ code: "BAD_OPTION", option });
  });
});

const place = virtualFile({ read: () => new Uint8Array() });

test.each<[words: string, make: () => unknown, option: string]>([
  ["hostFile", () => hostFile("/x", "read", { byte: 1 } as never), "hostFile byte"],
  ["hostFile", () => hostFile("/x", "read", null as never), "hostFile"],
  ["hostDirectory", () => hostDirectory("/x", "write", { byte: 1 } as never), "hostDirectory byte"],
  ["hostDirectory", () => hostDirectory("/x", "write", null as never), "hostDirectory"],
  ["scratch", () => scratch({ bytes: 1, file: 1 } as never), "scratch file"],
  ["scratch", () => scratch(undefined as never), "scratch"],
  ["overlay", () => overlay(hostDirectory("/x", "read"), { bytes: 1, names: 1 } as never), "overlay names"],
  ["limited", () => limited(place, { open: 1 } as never), "limited open"],
  ["memoryFile", () => memoryFile(5 as never), "memoryFile content"],
])("%s names what it does not know: %#", (_words, make, option) => {
  const refused = ((): unknown => {
    try {
      return make();
    } catch (error) {
      return error;
    }
  })();
  expect(refused).toBeInstanceOf(OptionError);
  expect(refused).toMatchObject({ code: "BAD_OPTION", option });
});

// Their content is not in their members: read as options they would say nothing at all.
const noRecords: readonly object[] = [
  new Map([["wall", 5]]),
  new Set(["/x"]),
  new URLSearchParams("A=1"),
  Buffer.from("A=1"),
  new DataView(new ArrayBuffer(1)),
  new ArrayBuffer(1),
  Promise.resolve({ A: "1" }),
  [],
];
test.each(
  noRecords.flatMap((value) =>
    ["files", "env", "limits", "functions", "limits.soft"].map((option) => [option, value] as const),
  ),
)("%s is no %o", async (option, value) => {
  const options = option === "limits.soft" ? { limits: { soft: value } } : { [option]: value };
  await expect(Sandbox.create(options as never)).rejects.toMatchObject({ code: "BAD_OPTION", option });
  expect(() => scratch(value as never)).toThrow(OptionError);
  await expect(Sandbox.create(value as never)).rejects.toMatchObject({ option: "options" });
});

test("the process's own environment, a module's names and an instance's members are records", async () => {
  class Limits {
    wall = "5 s";
  }
  const module = (await import("./children-fixture.ts")) as object;
  expect(Object.prototype.toString.call(module)).toBe("[object Module]");
  const env = { ...process.env, NAME: "value" };
  Object.setPrototypeOf(env, Object.getPrototypeOf(process.env) as object);
  await using sandbox = await Sandbox.create({ env, limits: new Limits(), isolation: "inline" });
  expect((await sandbox.run("import os; os.environ['NAME']")).value).toBe("value");
});

const fit = 2 ** 21 - "program".length - 1 - "NAME".length - 1 - 1;
test("what a program is started with may be as large as on Linux", async () => {
  const args = ["program"];
  await using sandbox = await Sandbox.create({ args, env: { NAME: "x".repeat(fit) } });
  expect((await sandbox.run("import os; len(os.environ['NAME'])")).value).toBe(fit);
});

test.each([
  ["env", { args: ["program"], env: { NAME: "x".repeat(fit + 1) } }],
  ["env", { args: ["program"], env: { NAME: "é".repeat(fit / 2 + 1) } }],
  ["args", { args: ["program", "x".repeat(2 ** 21)] }],
])("a larger %s is refused: %#", async (option, options) => {
  await expect(Sandbox.create(options)).rejects.toMatchObject({ code: "BAD_OPTION", option });
});
