// Small files are told with their opening where the host's thread answers. The guest must not be able to tell, but by the number of questions.
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type FileCapability,
  hostDirectory,
  hostFile,
  hostFunction,
  overlay,
  readOnly,
  Sandbox,
  scratch,
} from "sandboa";
import { afterAll, beforeEach, describe, expect, test } from "vitest";

const home = realpathSync(mkdtempSync(join(tmpdir(), "sandboa-look-")));
const folder = join(home, "folder");
const small = join(folder, "in", "small");
const sizes = [0, 1, 100, 65_536, 65_537, 200_000];
beforeEach(() => {
  mkdirSync(join(folder, "in"), { recursive: true });
  writeFileSync(small, "old");
  for (const size of sizes) writeFileSync(join(folder, "in", String(size)), "z".repeat(size));
});
afterAll(() => rmSync(home, { recursive: true }));

const places: readonly [name: string, wall: "worker" | "process", make: () => FileCapability][] = [
  ["a folder", "process", () => hostDirectory(folder, "write")],
  ["a folder to read", "process", () => hostDirectory(folder, "read")],
  ["readOnly", "worker", () => readOnly(hostDirectory(folder, "read"))],
  ["an overlay", "worker", () => overlay(hostDirectory(folder, "read"), { bytes: "1 MiB" })],
  ["an overlay", "process", () => overlay(hostDirectory(folder, "read"), { bytes: "1 MiB" })],
];

/** Changes the small file once it is open for the guest: all that the guest asks in order to make that happen would be told as a change. */
async function changeOnceOpen(
  run: Promise<{ readonly value: unknown }>,
  change: () => void,
): Promise<unknown> {
  const isOpen = (fd: string): boolean => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === small;
    } catch {
      return false;
    }
  };
  const timer = setInterval(() => {
    if (!readdirSync("/proc/self/fd").some(isOpen)) return;
    clearInterval(timer);
    change();
  }, 5);
  try {
    return (await run).value;
  } finally {
    clearInterval(timer);
  }
}

describe.each(places)("%s by %s", (_name, isolation, make) => {
  test("a small file is three questions, and what native Python reads", async () => {
    await using sandbox = await Sandbox.create({ isolation, files: { "/data": make() } });
    const source = `
import os
found = []
for size in sizes:
    with open(f"/data/in/{size}", "rb", buffering=0) as file:
        said = os.fstat(file.fileno()).st_size
        head = file.read(10)
        found.append([said, file.seek(0, os.SEEK_END), len(head) + len(os.pread(file.fileno(), 300000, 10))])
        file.seek(size // 2)
        assert set(file.read()) <= set(b"z") and file.read() == b"", size
found`;
    const { value } = await sandbox.run(source, { inputs: { sizes } });
    expect(value).toEqual(sizes.map((size) => [size, size, size]));
    const { value: content, usage } = await sandbox.run('open("/data/in/small").read()');
    expect(content).toBe("old");
    // What is on the way, the file, and its end.
    expect(usage.calls).toBe(3);
  });

  test.each<[name: string, event: string]>([
    ["a call of the host", "from host import change; change()"],
    ["a granted file", 'import os; os.write(os.open("/other", os.O_WRONLY), b"new")'],
  ])("after %s the file is read anew", async (_event, event) => {
    await using sandbox = await Sandbox.create({
      isolation,
      files: { "/data": make(), "/other": hostFile(small, "write") },
      functions: { change: hostFunction(() => writeFileSync(small, "new")) },
    });
    const source = (before: string): string =>
      `with open("/data/in/small", "rb", buffering=0) as file:\n    ${before}\n    found = file.read()\nfound.decode()`;
    expect((await sandbox.run(source("pass"))).value).toBe("old");
    expect((await sandbox.run(source(event))).value).toBe("new");
  });

  test("between two runs a file may have changed", async () => {
    await using sandbox = await Sandbox.create({ isolation, files: { "/data": make() } });
    await sandbox.run('file = open("/data/in/small", "rb", buffering=0)');
    writeFileSync(small, "new");
    expect((await sandbox.run("file.read().decode()")).value).toBe("new");
  });

  test.each(["file.read()", "os.fstat(file.fileno()).st_size"])(
    "who waits for %s to change sees it",
    async (look) => {
      await using sandbox = await Sandbox.create({ isolation, files: { "/data": make() } });
      const source = `
import os
file = open("/data/in/small", "rb", buffering=0)
first = ${look}
file.seek(0)
while ${look} == first: file.seek(0)
file.seek(0)
file.read().decode()`;
      expect(await changeOnceOpen(sandbox.run(source), () => appendFileSync(small, "er"))).toBe("older");
    },
  );

  test("the host may look at several files at once", async () => {
    await using sandbox = await Sandbox.create({ isolation, files: { "/data": make() } });
    await sandbox.run('file = open("/data/in/small")');
    const found = await Promise.all(sizes.map((size) => sandbox.files.stat(`/data/in/${size}`)));
    expect(found.map(({ size }) => size)).toEqual(sizes);
    expect((await sandbox.run("file.read()")).value).toBe("old");
  });

  test("a soft stop is a look at the clock", async () => {
    const limits = { cpu: "500 ms", soft: { grace: "10 s" } };
    await using sandbox = await Sandbox.create({ isolation, limits, files: { "/data": make() } });
    const source = `
file = open("/data/in/small", "rb", buffering=0)
try:
    while True: pass
except KeyboardInterrupt: found = file.read().decode()
found`;
    expect(await changeOnceOpen(sandbox.run(source), () => writeFileSync(small, "new"))).toBe("new");
  });

  test("files that were only read are closed when the run is over", async () => {
    await using sandbox = await Sandbox.create({ isolation, files: { "/data": make() } });
    const open = (): number => readdirSync("/proc/self/fd").length;
    const read = `
for _ in range(3):
    for name in ("1", "100", "small"):
        with open(f"/data/in/{name}") as file: file.read()`;
    await sandbox.run(read);
    const before = open();
    await sandbox.run(read);
    expect(open()).toBe(before);
    await sandbox.run('kept = open("/data/in/1")');
    const kept = open();
    await sandbox.run("kept.close()");
    expect(kept - open()).toBe(1);
  });
});

test.each(["worker", "process"] as const)("what another guest writes is seen: %s", async (isolation) => {
  const shared = scratch({ bytes: "1 MiB", shared: true });
  await using writer = await Sandbox.create({ files: { "/s": shared } });
  await writer.run('open("/s/f", "w").write("old")');
  await using reader = await Sandbox.create({
    isolation,
    files: { "/s": shared },
    functions: {
      change: hostFunction(async () => {
        await writer.run('open("/s/f", "w").write("new")');
      }),
    },
  });
  const source = `
from host import change
file = open("/s/f")
change.sync()
file.read()`;
  expect((await reader.run(source)).value).toBe("new");
  expect((await reader.run('open("/s/f").read()')).usage.calls).toBeLessThanOrEqual(3);
});

test("a guest's own changes are seen through every way to a file", async () => {
  await using sandbox = await Sandbox.create({
    files: { "/data": overlay(hostDirectory(folder, "read"), { bytes: "1 MiB" }) },
  });
  const source = `
import os
found = []
def opened(change):
    with open("/data/in/100", "rb", buffering=0) as file:
        change(file)
        found.append([os.fstat(file.fileno()).st_size, os.fstat(file.fileno()).st_nlink, len(file.read())])
def write(file):
    with open("/data/in/100", "ab") as other: other.write(b"more")
opened(lambda file: None)
opened(write)
opened(lambda file: os.truncate("/data/in/100", 7))
opened(lambda file: os.rename("/data/in/100", "/data/in/moved"))
os.rename("/data/in/moved", "/data/in/100")
opened(lambda file: os.unlink("/data/in/100"))
found`;
  const { value } = await sandbox.run(source);
  expect(value).toEqual([
    [100, 1, 100],
    [104, 1, 104],
    [7, 1, 7],
    [7, 1, 7],
    [7, 0, 7],
  ]);
});
