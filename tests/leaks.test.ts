// Sandboxes that come, crash and go leave nothing behind in the process: no descriptor, thread, handle, timer or memory.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";

const library = pathToFileURL(resolve(import.meta.dirname, "..", "dist", "index.js")).href;
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sandboa-leaks-"));
  writeFileSync(join(folder, "read.txt"), "text");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** In a process of its own, so that nothing of the test runner is counted. Linux tells descriptors and threads in /proc. */
const program = `
import { existsSync, readdirSync, rmSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
const { Sandbox, hostFile, hostFunction, scratch } = await import(${JSON.stringify(library)});
const count = (path) => existsSync(path) ? readdirSync(path).length : 0;
const endings = [
  (sandbox) => sandbox.run("1"),
  (sandbox) => sandbox.run("import os; os._exit(3)"),
  (sandbox) => sandbox.run("import os; os.abort()"),
  (sandbox) => sandbox.run("x = ()\\nfor i in range(10**6): x = (x,)\\ndel x"),
  (sandbox) => sandbox.run("while True: pass"),
  (sandbox) => sandbox.run("1/0"),
  (sandbox) => sandbox.run("x = bytearray(10**9)"),
  (sandbox) => sandbox.run("import os\\nwhile True: os.write(1, bytes(10**5))"),
  (sandbox) => sandbox.run("import time; time.sleep(60)", { signal: AbortSignal.timeout(20) }),
  async (sandbox) => { await sandbox.run("import os; os.abort()").catch(() => {}); await sandbox.reset(); await sandbox.run("1"); },
  async (sandbox) => { const run = sandbox.run("import time; time.sleep(60)"); run.catch(() => {}); await sandbox.close(); await run; },
  (sandbox) => sandbox.run("from host import *\\nawait never()", { signal: AbortSignal.timeout(20) }),
  async (sandbox) => { const run = sandbox.run("from host import *\\nawait never()"); run.catch(() => {}); await pause(20); await sandbox.close(); await run; },
  (sandbox) => sandbox.run("from host import *\\nimport asyncio\\nasync def main():\\n  t = [asyncio.ensure_future(never()) for _ in range(50)]\\n  await asyncio.sleep(0)\\n  await anext(endless())\\n  use(print)\\nawait main()"),
  async (sandbox) => { for await (const event of sandbox.stream("from host import *\\nfor _ in endless(): use(print)")) if (event.type === "call") break; },
  () => Sandbox.create({ files: { "/a": hostFile("read.txt", "read"), "/b": hostFile("missing.txt", "read") } }),
];
const endless = 4;
const never = hostFunction(async (_, call) => new Promise(() => {}));
const use = hostFunction((callback) => { callback(); });
const numbers = hostFunction({ execute: async function* (_, { signal }) { for (let i = 0; !signal.aborted; i++) { await pause(1); yield i; } } });
async function round(n) {
  const sandbox = await Sandbox.create({
    files: { "/in": hostFile("read.txt", "read"), "/out": hostFile("made.txt", "create"), "/tmp": scratch({ bytes: "1 MiB" }) },
    functions: { never, use, endless: numbers },
    limits: { wall: n % endings.length === endless ? "300 ms" : "20 s" },
  });
  const open = "import os\\nfor i in range(50): os.open('/in', 0); os.pipe()\\nopen('/out', 'x').write('made')";
  // On a busy machine the short limit may already end this.
  await sandbox.run(open).catch((error) => { if (error.code !== "LIMIT_WALL") throw error; });
  await endings[n % endings.length](sandbox).catch(() => {});
  await sandbox.close();
  rmSync("made.txt", { force: true });
}
async function state() {
  // Threads end a moment after their exit is announced.
  await pause(100);
  globalThis.gc();
  const resources = process.getActiveResourcesInfo().filter((name) => name !== "PipeWrap" && name !== "TTYWrap").sort();
  return { descriptors: count("/proc/self/fd"), threads: count("/proc/self/task"), resources, rss: process.memoryUsage().rss };
}
const all = async (times) => { for (let n = 0; n < times; n++) await round(n); };
await all(endings.length);
const before = await state();
await all(32);
const between = await state();
await all(32);
console.log(JSON.stringify({ before, between, after: await state() }));`;

test("sixty-four sandboxes that crash, time out, are cancelled and closed", () => {
  const ended = spawnSync(process.execPath, ["--expose-gc", "--input-type=module", "-e", program], {
    cwd: folder,
    encoding: "utf8",
    maxBuffer: 1 << 24,
  });
  expect(ended.stderr).toBe("");
  expect(ended.status).toBe(0);
  const { before, between, after } = JSON.parse(ended.stdout);
  for (const later of [between, after]) {
    expect(later.resources).toEqual(before.resources);
    expect(later.descriptors).toBe(before.descriptors);
    expect(later.threads).toBe(before.threads);
  }
  expect(before.resources).toEqual([]);
  // One sandbox holds about 8 MiB. Malloc keeps some of what it once had, so growth is judged after it has settled.
  expect(after.rss - between.rss).toBeLessThan(40 << 20);
});

test("overlays that are dropped with changes let go of the folder below when they are collected", () => {
  const overlays = `
    import { readdirSync } from "node:fs";
    import { setTimeout as pause } from "node:timers/promises";
    const { Sandbox, hostDirectory, overlay } = await import(${JSON.stringify(library)});
    const held = () => readdirSync("/proc/self/fd").length;
    const use = async () => {
      const place = overlay(hostDirectory(".", "read"), { bytes: "1 MiB" });
      const sandbox = await Sandbox.create({ isolation: "inline", files: { "/o": place } });
      await sandbox.run("open('/o/new', 'w').write('x')");
      await sandbox.close();
    };
    await use();
    const before = held();
    for (let n = 0; n < 30; n++) await use();
    const most = held();
    for (let n = 0; n < 100 && held() > before; n++) { globalThis.gc(); await pause(20); }
    console.log(JSON.stringify([most - before > 10, held() <= before]));`;
  const ended = spawnSync(process.execPath, ["--expose-gc", "--input-type=module", "-e", overlays], {
    cwd: folder,
    encoding: "utf8",
  });
  expect(ended).toMatchObject({ stderr: "", stdout: "[true,true]\n" });
});
