// What a guest that needs much memory costs the engine, and what it is told that it uses.
import { constants, PerformanceObserver } from "node:perf_hooks";
import { Sandbox } from "sandboa";
import { expect, test } from "vitest";

const mib = 2 ** 20;

/** Collections of all garbage that V8 makes during `work`. */
async function majorCollections(work: () => Promise<unknown>): Promise<number> {
  let count = 0;
  const observer = new PerformanceObserver((list) => {
    const kinds = list.getEntries().map((entry) => (entry as { detail?: { kind?: number } }).detail?.kind);
    count += kinds.filter((kind) => kind === constants.NODE_PERFORMANCE_GC_MAJOR).length;
  });
  observer.observe({ entryTypes: ["gc"] });
  await work();
  // Entries are told in a later turn.
  await new Promise((resolve) => setTimeout(resolve, 50));
  observer.disconnect();
  return count;
}

test("memory that grows piece by piece does not collect the engine's garbage each time", async () => {
  await using sandbox = await Sandbox.create({ isolation: "inline", limits: { memory: "256 MiB" } });
  await sandbox.run("blocks = []");
  const grow = (): Promise<unknown> => sandbox.run("for i in range(200): blocks.append(bytearray(1 << 20))");
  // One for each time that it is given half as much again; V8 may have a reason of its own.
  expect(await majorCollections(grow)).toBeLessThan(10);
}, 60_000);

test("a guest is charged for what it asks for, not for what it is given in advance", async () => {
  await using sandbox = await Sandbox.create({ limits: { memory: "256 MiB" } });
  const before = (await sandbox.run("1")).usage.memoryBytes;
  const { usage } = await sandbox.run("block = bytearray(90 << 20)");
  expect(usage.memoryBytes).toBeGreaterThanOrEqual(before + 85 * mib);
  expect(usage.memoryBytes).toBeLessThan(before + 92 * mib);
  const next = await sandbox.run("more = bytearray(2 << 20)");
  expect(next.usage.memoryBytes).toBeLessThan(usage.memoryBytes + 4 * mib);
}, 60_000);

test("the last of a limit can be had, and nothing beyond it", async () => {
  await using sandbox = await Sandbox.create({ limits: { memory: "128 MiB" } });
  const source = `
blocks = []
while True:
    try: blocks.append(bytearray(64 << 10))
    except MemoryError: break
len(blocks)
`;
  const { value, usage } = await sandbox.run(source);
  expect(usage.memoryBytes).toBeLessThanOrEqual(128 * mib);
  expect(usage.memoryBytes).toBeGreaterThan(127 * mib);
  expect(Number(value) * 64 * 1024).toBeGreaterThan(100 * mib);
}, 60_000);

const faked = (value: number): string => `
import ctypes
words = (ctypes.c_uint32 * (1 << 20)).from_address(8)
sbrk = ctypes.CDLL(None).sbrk
places = [at for at, word in enumerate(words) if word == sbrk(0)]
for at in places: words[at] = ${value}
len(places)
`;

test.each([
  ["nothing", 0],
  ["all there is", 2 ** 32 - 1],
])(
  "a guest that writes %s over its heap's end is believed within what it asked for and was given",
  async (_, value) => {
    const limits = { memory: "200 MiB" };
    await using sandbox = await Sandbox.create({ isolation: "inline", modules: ["_ctypes"], limits });
    const { usage: asked } = await sandbox.run("blocks = [bytearray(1 << 20) for _ in range(70)]");
    const { value: places, usage } = await sandbox.run(faked(value));
    expect(places).toBeGreaterThan(0);
    expect(usage.memoryBytes).toBeGreaterThanOrEqual(asked.memoryBytes / 1.5);
    expect(usage.memoryBytes).toBeLessThanOrEqual(200 * mib);
    // It has been given half as much again when it had 63 MiB.
    expect(usage.memoryBytes).toBeLessThan(asked.memoryBytes * 1.5);
    expect(usage.memoryBytes === asked.memoryBytes).toBe(false);
  },
  60_000,
);
