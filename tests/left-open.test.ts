// What a program leaves open when its lifetime ends: the host closes it, and the interpreter is made pristine in its place.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hostDirectory, type Isolation, overlay, Pool, Sandbox, scratch, virtualDirectory } from "sandboa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { children } from "./children-fixture.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sandboa-left-open-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const leave = (place: string): string => `
import fcntl, mmap, os
kept = [open("${place}/" + name, "wb+", buffering=0) for name in "abc"]
for file in kept: file.write(b"x" * 4096)
try: fcntl.lockf(kept[0], fcntl.LOCK_EX)
except OSError: pass
kept.append(mmap.mmap(kept[1].fileno(), 0))
kept.append(os.open("${place}", os.O_RDONLY))`;

/** Walls that were made: threads, processes, and instances of the interpreter's module. */
function madeWalls(isolation: Isolation): () => number {
  if (isolation === "process") {
    const known = new Set(children());
    return () => children().filter((pid) => !known.has(pid)).length;
  }
  let made = 0;
  if (isolation === "worker") process.on("worker", () => (made += 1));
  else {
    const { Instance } = WebAssembly;
    WebAssembly.Instance = new Proxy(Instance, {
      construct(target, given) {
        const instance = new target(...(given as ConstructorParameters<typeof Instance>));
        // Not the rest of a module, which some programs need.
        if ("memory" in instance.exports) made += 1;
        return instance;
      },
    });
  }
  return () => made;
}

test.each<Isolation>(["worker", "process", "inline"])("behind one wall: %s", async (isolation) => {
  await using pool = await Pool.create({ isolation, size: 1 });
  const made = madeWalls(isolation);
  for (let times = 0; times < 3; times++) {
    const files = {
      "/d": hostDirectory(folder, "write"),
      "/o": overlay(hostDirectory(folder, "read"), { bytes: "1 MiB" }),
      "/s": scratch({ bytes: "1 MiB", shared: true }),
    };
    const sandbox = await pool.checkout({ files });
    for (const place of Object.keys(files)) await sandbox.run(leave(place));
    if (times === 1) await sandbox.reset();
    await sandbox.close();
    const next = await pool.checkout();
    expect((await next.run("6 * 7")).value).toBe(42);
    await next.close();
  }
  expect(made()).toBe(0);
  expect(readFileSync(join(folder, "c")).length).toBe(4096);
});

test("a place of the embedder's that fails to close tells the guest once, and its end nobody", async () => {
  const refuse = (): never => {
    throw new Error("not now");
  };
  const files = {
    "/v": virtualDirectory({
      stat: (path) => (path === "" ? { kind: "directory", size: 0 } : undefined),
      open: () => ({
        stat: () => ({ kind: "file", size: 0 }),
        write: (_position, bytes) => bytes.length,
        close: refuse,
      }),
    }),
  };
  await using sandbox = await Sandbox.create({ files, onEvent: () => {} });
  const source = `
import os
fds = [os.open("/v/f", os.O_WRONLY | os.O_CREAT) for _ in range(3)]
try: os.close(fds[0])
except OSError as error: found = error.errno
import sandboa
[type(found).__name__, sandboa.usage()["open_files"][0]]`;
  const before = (await sandbox.run("1")).usage.hostMemoryBytes;
  expect((await sandbox.run(source)).value).toEqual(["int", 6]);
  await sandbox.reset();
  expect((await sandbox.run("1")).usage.hostMemoryBytes).toBe(before);
});
