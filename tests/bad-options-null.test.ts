// null is no way to leave an option out: it may stand for something that the embedder forgot, and is refused everywhere. What a sandbox is
// asked in vain leaves it as it was, and says so.
import {
  hostDirectory,
  hostFile,
  OptionError,
  overlay,
  Pool,
  Sandbox,
  type SandboxError,
  scratch,
  virtualDirectory,
} from "sandboa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const folder = virtualDirectory({ stat: () => ({ kind: "directory", size: 0 }), open: () => ({}) as never });

const grantNames = ["files", "functions", "env", "args", "stdin", "clock", "timeZone", "limits", "onEvent"];
const limitNames = [
  "memory",
  "hostMemory",
  "wall",
  "cpu",
  "fuel",
  "output",
  "value",
  "openFiles",
  "recursion",
];
const engineNames = ["isolation", "modules", "metered", "onProgress"];
const poolNames = [...engineNames, "size", "warm", "queue", "recycleAfter", "programs"];

test.each([...grantNames, ...engineNames])("Sandbox.create: %s", async (option) => {
  const created = Sandbox.create({ isolation: "inline", [option]: null });
  await expect(created).rejects.toMatchObject({ code: "BAD_OPTION", option, sandbox: "none" });
});

test.each([...limitNames, "soft", "wallPausesForHost"])("limits.%s", async (name) => {
  const created = Sandbox.create({ limits: { [name]: null } });
  await expect(created).rejects.toMatchObject({ code: "BAD_OPTION", option: `limits.${name}` });
});

test("limits.soft.raise", async () => {
  const created = Sandbox.create({ limits: { soft: { grace: 5, raise: null as never } } });
  await expect(created).rejects.toMatchObject({ option: "limits.soft.raise" });
});

test.each(poolNames)("Pool.create: %s", async (option) => {
  const created = Pool.create({ isolation: "inline", warm: 0, [option]: null });
  await expect(created).rejects.toMatchObject({ code: "BAD_OPTION", option });
});

test.each([5, "text", {}])("onProgress is no %o", async (onProgress) => {
  for (const kind of [Sandbox, Pool])
    await expect(kind.create({ onProgress } as never)).rejects.toMatchObject({ option: "onProgress" });
});

test("a pool's size is whole", async () => {
  for (const size of ["1.5", "0.4", 1.5])
    await expect(Pool.create({ isolation: "inline", size: size as never })).rejects.toMatchObject({
      option: "size",
    });
});

describe("a checkout", () => {
  let pool: Pool;
  beforeAll(async () => {
    pool = await Pool.create({ isolation: "inline", size: 1, warm: 0 });
  });
  afterAll(() => pool.close());

  test.each([...grantNames, "signal"])("%s", async (option) => {
    await expect(pool.checkout({ [option]: null })).rejects.toMatchObject({ code: "BAD_OPTION", option });
  });

  test("a signal of a library that has withdrawn", async () => {
    await expect(pool.checkout({ signal: signalOf(new Error("withdrawn")) })).rejects.toMatchObject({
      code: "POOL_CANCELLED",
      cause: new Error("withdrawn"),
    });
    await using sandbox = await pool.checkout({ signal: signalOf() });
    expect(sandbox.state).toBe("usable");
  });
});

test.each<[option: string, make: () => unknown]>([
  ["hostFile bytes", () => hostFile("/x", "read", { bytes: null as never })],
  ["hostDirectory bytes", () => hostDirectory("/x", "read", { bytes: null as never })],
  ["hostDirectory files", () => hostDirectory("/x", "read", { files: null as never })],
  ["hostDirectory match", () => hostDirectory("/x", "read", { match: null as never })],
  ["scratch bytes", () => scratch({ bytes: null as never })],
  ["scratch files", () => scratch({ bytes: 1, files: null as never })],
  ["scratch depth", () => scratch({ bytes: 1, depth: null as never })],
  ["scratch nameBytes", () => scratch({ bytes: 1, nameBytes: null as never })],
  ["scratch shared", () => scratch({ bytes: 1, shared: null as never })],
  ["overlay bytes", () => overlay(folder, { bytes: null as never })],
  ["overlay files", () => overlay(folder, { bytes: 1, files: null as never })],
])("%s", (option, make) => {
  expect(make).toThrow(expect.objectContaining({ code: "BAD_OPTION", option }));
});

/** As a library has it that came before AbortSignal: without throwIfAborted. */
function signalOf(reason?: Error): AbortSignal {
  const listeners = { addEventListener: () => {}, removeEventListener: () => {} };
  return { aborted: reason !== undefined, reason, ...listeners } as never;
}

describe("of a sandbox that is there", () => {
  let sandbox: Sandbox;
  beforeAll(async () => {
    sandbox = await Sandbox.create({ isolation: "inline", files: { "/s": scratch({ bytes: 10_000 }) } });
  });
  afterAll(() => sandbox.close());

  test.each<[option: string, ask: () => Promise<unknown>]>([
    ["signal", () => sandbox.run("1", { signal: null as never })],
    ["typo", () => sandbox.run("1", { typo: 1 } as never)],
    ["inputs.x", () => sandbox.run("1", { inputs: { x: Symbol("x") } })],
    ["options", () => sandbox.stream("1", null as never).next()],
    ["onOutput", () => sandbox.stream("1", { onOutput: null } as never).next()],
    ["bytes", () => sandbox.files.read("/s/x", { bytes: null as never })],
    [
      "bytes",
      () =>
        sandbox.files
          .stream("/s/x", { bytes: null as never })
          .getReader()
          .read(),
    ],
    ["entries", () => sandbox.files.list("/", { entries: null as never })],
    ["entries", () => sandbox.files.walk("/", { entries: null as never }).next()],
    ["followLinks", () => sandbox.files.stat("/", { followLinks: null as never })],
    ["path", () => sandbox.files.stat("s")],
    ["path", () => sandbox.files.readText("/\0")],
  ])("%s: it is as it was: %#", async (option, ask) => {
    const refused = await ask().catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(OptionError);
    expect(refused).toMatchObject({ option, sandbox: "usable" });
    expect(sandbox.state).toBe("usable");
  });

  test("one that is lost stays lost", async () => {
    await using lost = await Sandbox.create({ isolation: "inline", limits: { fuel: 100_000 } });
    await lost.run("while True: pass").catch(() => {});
    expect(lost.state).toBe("lost");
    const refused = (await lost
      .run("1", { typo: 1 } as never)
      .catch((error: unknown) => error)) as SandboxError;
    expect(refused).toMatchObject({ code: "BAD_OPTION", sandbox: "lost" });
  });

  test("a signal of a library's own is looked at as Node's is", async () => {
    expect((await sandbox.run("1", { signal: signalOf() })).value).toBe(1);
    const reason = new Error("not any more");
    await expect(sandbox.run("1", { signal: signalOf(reason) })).rejects.toBe(reason);
    const old = { ...signalOf(), aborted: true };
    await expect(sandbox.run("1", { signal: old })).rejects.toMatchObject({ name: "AbortError" });
    const looking = sandbox.files.list("/");
    expect((await sandbox.run("2", { signal: signalOf() })).value).toBe(2);
    await looking;
    const deaf = { aborted: false, addEventListener: () => {} } as never;
    await expect(sandbox.run("1", { signal: deaf })).rejects.toMatchObject({ option: "signal" });
  });
});
