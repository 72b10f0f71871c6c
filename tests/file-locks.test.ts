// Record locks between sandboxes that share a place: what fcntl(2) says of two processes holds for two sandboxes, and SQLite, which is made
// of these locks, loses nothing. Expected values are those of two native Python processes.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type FileCapability,
  hostDirectory,
  hostFile,
  type Isolation,
  LimitError,
  overlay,
  readOnly,
  revocable,
  Sandbox,
  SandboxLostError,
  scratch,
  type Tree,
  type TreeFile,
  virtualDirectory,
  wrapped,
} from "sandboa";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { MapTree } from "./tree-fixture.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sandboa-locks-"));
  writeFileSync(join(folder, "f"), "");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const host = () => hostDirectory(folder, "write");
const same = (place: FileCapability) => () => place;

/** Its files do not say which they are. */
const ownFiles = (tree: Tree): Tree => ({
  ...tree,
  stat: (path) => tree.stat(path),
  remove: (path) => tree.remove?.(path),
  open: (path, access) => {
    const file = tree.open(path, access) as Required<TreeFile>;
    return {
      stat: () => file.stat(),
      read: (position, length) => file.read(position, length),
      write: (position, bytes) => file.write(position, bytes),
      truncate: (size) => file.truncate(size),
      close: () => file.close?.(),
    };
  },
});

/** Each gives what one sandbox after the other is granted. */
const places: Readonly<Record<string, () => () => FileCapability>> = {
  "a folder of the host, granted to each by itself": () => host,
  "shared scratch": () => same(scratch({ bytes: "10 MiB", files: 100, shared: true })),
  "an overlay": () => same(overlay(host(), { bytes: "10 MiB" })),
  "the embedder's own folder": () => same(virtualDirectory(new MapTree())),
  "a folder of the host, revocable": () => () => revocable(host()).capability,
  "a folder of the host with files of the embedder's": () => same(wrapped(host(), ownFiles)),
};

const pairs: readonly (readonly [Isolation, Isolation])[] = [
  ["worker", "worker"],
  ["worker", "process"],
  ["process", "inline"],
  ["inline", "worker"],
];

async function value(sandbox: Sandbox, code: string): Promise<unknown> {
  return (await sandbox.run(code)).value;
}

const sqlite = (path: string, journal: string): string => `
import sqlite3
def outcome(work):
    try: return work()
    except sqlite3.Error as error: return str(error)
def insert(count): c.executemany("insert into t values(?)", [(i,) for i in range(count)])
def rows(): return c.execute("select count(*) from t").fetchone()[0]
def commit(): return c.execute("commit") and "committed"
def whole():
    c.execute("begin exclusive"); insert(3000)
    return commit()
c = sqlite3.connect("${path}", isolation_level=None, timeout=0.1)
c.execute("pragma journal_mode=${journal}").close()
`;

async function transactions(
  first: Sandbox,
  second: Sandbox,
  path: string,
  journal = "delete",
): Promise<void> {
  await first.run(`${sqlite(path, journal)}c.execute("create table t(a)")`);
  await second.run(sqlite(path, journal));
  await first.run('c.execute("begin exclusive"); insert(2000)');
  expect(await value(second, "[outcome(whole), outcome(rows)]")).toEqual([
    "database is locked",
    "database is locked",
  ]);
  expect(await value(first, "[outcome(commit), rows()]")).toEqual(["committed", 2000]);
  expect(await value(second, "[outcome(whole), rows()]")).toEqual(["committed", 5000]);
  // One who reads keeps another from committing, and not from reading.
  await second.run('r = c.execute("select a from t"); r.fetchone()');
  expect(await value(first, 'c.execute("begin immediate"); insert(1); outcome(commit)')).toBe(
    "database is locked",
  );
  // Who waits to commit lets nobody begin to read.
  expect(await value(second, "r.close(); outcome(rows)")).toBe("database is locked");
  expect(await value(first, "[outcome(commit), rows()]")).toEqual(["committed", 5001]);
  const check = '[rows(), c.execute("pragma integrity_check").fetchone()[0]]';
  expect(await value(second, check)).toEqual([5001, "ok"]);
}

/** Python: what a lock gives, or the name of its errno. */
const locking = `
import errno, fcntl, os
def lock(file, kind="EX", wait=False, length=0, start=0):
    flags = getattr(fcntl, "LOCK_" + kind) | (0 if wait or kind == "UN" else fcntl.LOCK_NB)
    try: return fcntl.lockf(file, flags, length, start)
    except OSError as error: return errno.errorcode[error.errno]
def tried(path):
    with open(path, "r+") as file: return lock(file)
`;

describe.each(Object.entries(places))("%s", (_name, make) => {
  // Each wall once; all of the pairs are tried with one file below.
  test.each(pairs.slice(1, 3))("SQLite loses nothing: %s and %s", async (one, two) => {
    const place = make();
    await using first = await Sandbox.create({ files: { "/d": place() }, isolation: one });
    await using second = await Sandbox.create({ files: { "/d": place() }, isolation: two });
    await transactions(first, second, "/d/x.db");
  });

  test("SQLite's write-ahead log, for which memory would have to be shared, is for one sandbox at a time", async () => {
    const place = make();
    await using first = await Sandbox.create({ files: { "/d": place() } });
    await using second = await Sandbox.create({ files: { "/d": place() } });
    await first.run(`${sqlite("/d/x.db", "wal")}c.execute("create table t(a)"); insert(10)`);
    const open = sqlite("/d/x.db", "delete").replace(/c.execute.*close[(][)]/, "");
    expect(await value(second, `${open}[outcome(whole), outcome(rows)]`)).toEqual([
      "disk I/O error",
      "disk I/O error",
    ]);
    expect(await value(first, "[outcome(whole), rows()]")).toEqual(["committed", 3010]);
    await first.run("c.close()");
    expect(await value(second, "[outcome(whole), rows()]")).toEqual(["committed", 6010]);
    expect(await value(first, `${open}outcome(rows)`)).toBe("disk I/O error");
    await second.close();
    expect(await value(first, "outcome(rows)")).toBe(6010);
  });

  test("what a lifetime holds ends with it", async () => {
    const place = make();
    await using first = await Sandbox.create({ files: { "/d": place() } });
    await using second = await Sandbox.create({ files: { "/d": place() } });
    const hold = `${locking}\nf = open("/d/f", "w"); lock(f)`;
    const tried = (): Promise<unknown> => value(second, 'tried("/d/f")');
    await first.run(hold);
    await second.run(locking);
    expect(await tried()).toBe("EAGAIN");
    await first.reset();
    expect(await tried()).toBe(null);
    await first.run(hold);
    expect(await tried()).toBe("EAGAIN");
    await expect(first.run("os.abort()")).rejects.toThrow(SandboxLostError);
    expect(await tried()).toBe(null);
    await first.reset();
    await first.run(hold);
    expect(await tried()).toBe("EAGAIN");
    await first.close();
    expect(await tried()).toBe(null);
  });
});

describe("one file of the host", () => {
  test.each(pairs)("SQLite loses nothing: %s and %s", async (one, two) => {
    const place = () => hostFile(join(folder, "f"), "update");
    await using first = await Sandbox.create({ files: { "/x.db": place() }, isolation: one });
    await using second = await Sandbox.create({ files: { "/x.db": place() }, isolation: two });
    await transactions(first, second, "/x.db", "memory");
  });

  test("is the same file in a folder, and when it was granted with something around it", async () => {
    const file = hostFile(join(folder, "f"), "update");
    await using one = await Sandbox.create({ files: { "/f": file } });
    await using two = await Sandbox.create({ files: { "/f": revocable(file).capability } });
    await using three = await Sandbox.create({ files: { "/d": readOnly(host()) } });
    await one.run(`${locking}\nf = open("/f", "r+"); lock(f)`);
    expect(await value(two, `${locking}\ntried("/f")`)).toBe("EAGAIN");
    expect(await value(three, `${locking}\ng = open("/d/f"); lock(g, "SH")`)).toBe("EAGAIN");
    expect(await value(one, 'lock(f, "SH")')).toBe(null);
    expect(await value(three, 'lock(g, "SH")')).toBe(null);
    expect(await value(one, 'lock(f, "EX")')).toBe("EAGAIN");
    expect(await value(three, "g.close()")).toBe(null);
    expect(await value(one, 'lock(f, "EX")')).toBe(null);
  });
});

test("one file of the host with files of the embedder's is the same in each sandbox", async () => {
  const place = wrapped(hostFile(join(folder, "f"), "update"), ownFiles);
  await using one = await Sandbox.create({ files: { "/f": place } });
  await using two = await Sandbox.create({ files: { "/f": place } });
  await one.run(`${locking}\nf = open("/f", "r+"); lock(f)`);
  expect(await value(two, `${locking}\ntried("/f")`)).toBe("EAGAIN");
});

describe.each<Isolation>(["worker", "process", "inline"])("lockf: %s", (isolation) => {
  let first: Sandbox;
  let second: Sandbox;
  beforeEach(async () => {
    first = await Sandbox.create({ files: { "/d": host() }, isolation });
    second = await Sandbox.create({ files: { "/d": host() }, isolation, limits: { wall: "2 s" } });
    for (const each of [first, second]) await each.run(`${locking}\nf = open("/d/f", "r+")`);
  });
  afterEach(async () => {
    await first.close();
    await second.close();
  });

  test("ranges, kinds, and who holds them", async () => {
    await first.run(
      'lock(f, "EX", length=10); lock(f, "SH", length=10, start=5); lock(f, "UN", length=2, start=8)',
    );
    // Held: 0 to 4 for writing; 5 to 7 and 10 to 14 for reading.
    const ask = (at: number, kind: string) =>
      value(second, `x = lock(f, "${kind}", False, 1, ${at}); lock(f, "UN"); x`);
    const held = await Promise.all([] as Promise<unknown>[]);
    for (let at = 0; at < 16; at++) held.push([await ask(at, "SH"), await ask(at, "EX")]);
    const [writing, reading, none] = [
      ["EAGAIN", "EAGAIN"],
      [null, "EAGAIN"],
      [null, null],
    ];
    expect(held).toEqual([
      ...Array(5).fill(writing),
      ...Array(3).fill(reading),
      ...Array(2).fill(none),
      ...Array(5).fill(reading),
      none,
    ]);
    const shown = `import struct
form = "hhqqi4x"
struct.unpack(form, fcntl.fcntl(f, fcntl.F_GETLK, struct.pack(form, fcntl.F_WRLCK, os.SEEK_SET, 9, 0, 0)))`;
    expect(await value(second, shown)).toEqual([0, 0, 10, 5, 0]);
  });

  test("closing any descriptor of the file lets go of it", async () => {
    const tried = (): Promise<unknown> => value(second, 'tried("/d/f")');
    for (const close of ['open("/d/f").close()', "os.close(os.dup(f.fileno()))", "os.dup2(0, f.fileno())"]) {
      expect(await value(first, "lock(f)")).toBe(null);
      expect(await tried()).toBe("EAGAIN");
      await first.run(`open("/d/other", "w").close()\n${close}`);
      expect(await tried()).toBe(null);
    }
  });

  test("a lock that is waited for", async () => {
    await first.run("lock(f)");
    if (isolation === "inline") {
      // The other one runs in the same thread, so it would never let go.
      expect(await value(second, "lock(f, wait=True)")).toBe("EDEADLOCK");
      return;
    }
    const waiting = value(second, "lock(f, wait=True), lock(f, 'UN')");
    await first.run("import time; time.sleep(0.3); lock(f, 'UN')");
    expect(await waiting).toEqual([null, null]);
    await first.run("lock(f)");
    await expect(second.run("lock(f, wait=True)")).rejects.toThrow(LimitError);
  });

  test("no more than a thousand and some: ENOLCK", async () => {
    const many = "[lock(f, 'SH', length=1, start=2 * at) for at in range(1025)]";
    expect(await value(first, `x = ${many}; [x.count(None), x.count("ENOLCK"), x[-1]]`)).toEqual([
      1024,
      1,
      "ENOLCK",
    ]);
    expect(await value(second, "lock(f, 'SH')")).toBe(null);
  });
});

test("a revoked place tells of no locks, and takes none", async () => {
  const { capability, revoke } = revocable(host());
  await using first = await Sandbox.create({ files: { "/d": capability } });
  await using second = await Sandbox.create({ files: { "/d": host() } });
  await first.run(`${locking}\nf = open("/d/f", "r+"); lock(f, length=1)`);
  revoke();
  expect(await value(first, "[lock(f, length=1, start=1), lock(f, 'SH', length=1)]")).toEqual([
    "EBADF",
    "EBADF",
  ]);
  // What was held before is let go of with the file.
  expect(await value(second, `${locking}\ntried("/d/f")`)).toBe("EAGAIN");
  await first.run("f.close()");
  expect(await value(second, 'tried("/d/f")')).toBe(null);
});

test("a place of its own is asked nothing for a lock", async () => {
  await using sandbox = await Sandbox.create({ files: { "/s": scratch({ bytes: "1 MiB" }) } });
  const { usage, value: outcome } = await sandbox.run(
    `${locking}\nf = open("/s/f", "w+")\n[lock(f), lock(f, "UN"), tried("/s/f")]`,
  );
  expect([outcome, usage.calls]).toEqual([[null, null, null], 0]);
});
