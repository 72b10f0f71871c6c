// Wrappers as a guest meets them, behind all three walls: on what it asks for by path, and on files that it has open.
import { mkdirSync, mkdtempSync, renameSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  aroundTree,
  FileError,
  type FileUse,
  filtered,
  hostDirectory,
  limited,
  memoryFile,
  type NamedTreeEntry,
  observed,
  readOnly,
  revocable,
  Sandbox,
  type SandboxEvent,
  virtualDirectory,
  wrapped,
} from "sandboa";
import { describe, expect, test } from "vitest";
import { attempt, MapTree, walls } from "./tree-fixture.ts";

const files = { "a.txt": "alpha", "keys/id": "secret", "b.txt": "beta" };

describe.each(walls)("%s", (isolation) => {
  const place = (): ReturnType<typeof virtualDirectory> =>
    virtualDirectory(new MapTree(files, isolation === "inline" ? 0 : 1));

  test("readOnly", async () => {
    await using sandbox = await Sandbox.create({ files: { "/d": readOnly(place()) }, isolation });
    const { value } = await sandbox.run(`${attempt}
[open("/d/a.txt").read(), sorted(os.listdir("/d")), attempt(lambda: open("/d/a.txt", "r+")), attempt(lambda: open("/d/new", "w")),
 attempt(lambda: os.remove("/d/a.txt")), attempt(lambda: os.rename("/d/a.txt", "/d/c")), attempt(lambda: os.mkdir("/d/x")),
 attempt(lambda: os.chmod("/d/a.txt", 0o600)), attempt(lambda: os.truncate("/d/a.txt", 0)), attempt(lambda: os.symlink("a", "/d/l"))]`);
    expect(value).toEqual(["alpha", ["a.txt", "b.txt", "keys"], ...Array(8).fill("EROFS")]);
  });

  test("limited", async () => {
    const granted = limited(place(), { bytesRead: 7, opens: 3 });
    await using sandbox = await Sandbox.create({ files: { "/d": granted }, isolation });
    const program = `${attempt}
def take(path):
    with open(path, "rb", buffering=0) as f: return f.read(100)
[attempt(lambda: take("/d/a.txt")), attempt(lambda: take("/d/b.txt")), attempt(lambda: take("/d/b.txt")), attempt(lambda: take("/d/b.txt"))]`;
    const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
    expect((await sandbox.run(program)).value).toEqual([bytes("alpha"), bytes("be"), "EDQUOT", "EDQUOT"]);
    await sandbox.reset();
    expect((await sandbox.run(program)).value).toEqual(Array(4).fill("EDQUOT"));
  });

  test("filtered", async () => {
    const granted = filtered(place(), ({ path }) => path !== "keys");
    await using sandbox = await Sandbox.create({ files: { "/d": granted }, isolation });
    const { value } = await sandbox.run(`${attempt}
[sorted(os.listdir("/d")), os.path.exists("/d/keys"), os.path.exists("/d/keys/id"), attempt(lambda: open("/d/keys/id")),
 attempt(lambda: os.mkdir("/d/keys")), attempt(lambda: os.rename("/d/keys", "/d/k"))]`);
    // The kernel walks paths before it opens: what is not there is not there.
    expect(value).toEqual([["a.txt", "b.txt"], false, false, "ENOENT", "EACCES", "ENOENT"]);
  });

  test("observed, by a listener that fails", async () => {
    const uses: FileUse[] = [];
    const events: SandboxEvent[] = [];
    const granted = observed(place(), (use) => {
      uses.push(use);
      throw new Error("listener");
    });
    await using sandbox = await Sandbox.create({
      files: { "/d": granted },
      isolation,
      onEvent: (event) => events.push(event),
    });
    const { value } = await sandbox.run('open("/d/a.txt", "w").write("xyz"); open("/d/a.txt").read()');
    expect(value).toBe("xyz");
    const told = uses.filter(({ bytes }) => bytes !== undefined && bytes > 0);
    expect(told).toEqual([
      { operation: "write", path: "a.txt", bytes: 3 },
      { operation: "read", path: "a.txt", bytes: 3 },
    ]);
    expect(events.length).toBe(uses.length);
    expect(events[0]).toMatchObject({ type: "fault", path: "/d", error: new Error("listener") });
  });

  test("revoke while a run goes on: open files and new ones fail, what is buffered is not written", async () => {
    const tree = new MapTree(files, isolation === "inline" ? 0 : 1);
    let reads = 0;
    const { capability, revoke } = revocable(virtualDirectory(tree));
    const granted = observed(capability, ({ operation }) => {
      if (operation === "read" && ++reads === 3) revoke();
    });
    await using sandbox = await Sandbox.create({ files: { "/d": readWrite(granted) }, isolation });
    await using other = await Sandbox.create({ files: { "/e": capability }, isolation });
    await other.run('kept = open("/e/b.txt")');
    const { value } = await sandbox.run(`${attempt}
out = open("/d/out", "w"); out.write("buffered")
f = open("/d/a.txt", "rb", buffering=0)
parts = []
def spin():
    for _ in range(1000): parts.append(f.seek(0) or f.read(1).decode())
[attempt(spin), "".join(parts), attempt(out.close), attempt(lambda: open("/d/a.txt")), attempt(lambda: os.listdir("/d"))]`);
    expect(value).toEqual(["EBADF", "aaa", "EBADF", "EACCES", "EACCES"]);
    expect((await other.run(`${attempt}\nattempt(kept.read)`)).value).toBe("EBADF");
    expect(tree.text("out")).toBe("");
    expect(tree.closed).toBe(tree.opened);
    await sandbox.reset();
    expect((await sandbox.run(`${attempt}\nattempt(lambda: os.listdir("/d"))`)).value).toBe("EACCES");
  });

  test("a listing that is under way ends with revoke, and is told as refused", async () => {
    let asked = 0;
    const long = virtualDirectory({
      stat: (path) => ({ kind: path === "" ? "directory" : "file", size: 0 }),
      open: () => {
        throw new FileError("EACCES");
      },
      *list() {
        for (; ; asked++) {
          if (asked === 700) revoke();
          yield { name: `f${asked}`, kind: "file", size: 0 };
        }
      },
    });
    const { capability, revoke } = revocable(long);
    const uses: FileUse[] = [];
    const granted = observed(capability, (use) => uses.push(use));
    await using sandbox = await Sandbox.create({ files: { "/d": granted }, isolation });
    expect((await sandbox.run(`${attempt}\nattempt(lambda: os.listdir("/d"))`)).value).toBe("EACCES");
    expect([asked, uses.filter(({ operation }) => operation === "list")]).toEqual([
      700,
      [{ operation: "list", path: "", error: "EACCES" }],
    ]);
  });

  test("a folder that is moved while it is listed is no empty one", async () => {
    const root = mkdtempSync(join(tmpdir(), "sandboa-moved-"));
    mkdirSync(join(root, "x"));
    for (let at = 0; at < 1100; at++) writeFileSync(join(root, "x", `f${at}`), "");
    const moving = wrapped(hostDirectory(root, "read"), (tree) => ({
      ...aroundTree(tree, (request, proceed) => proceed(request)),
      list: (path) => movedAt(700, tree.list?.(path) as Iterable<NamedTreeEntry>, root),
    }));
    await using sandbox = await Sandbox.create({ files: { "/d": moving }, isolation });
    expect((await sandbox.run(`${attempt}\nattempt(lambda: os.listdir("/d/x"))`)).value).toBe("EIO");
  });

  test("one's own wrappers, in each other, and around a single file", async () => {
    const upper = wrapped(place(), (tree) =>
      aroundTree(tree, (request, proceed) => {
        if (request.operation === "remove") throw new FileError("EPERM", "nothing is removed here");
        return proceed(request);
      }),
    );
    const note = limited(memoryFile("note"), { bytes: 2 });
    await using sandbox = await Sandbox.create({
      files: { "/d": limited(upper, { bytes: "1 MiB" }), "/note": note },
      isolation,
    });
    const { value } = await sandbox.run(`${attempt}
[attempt(lambda: os.remove("/d/a.txt")), open("/d/a.txt").read(), attempt(lambda: os.read(os.open("/note", os.O_RDONLY), 9))]`);
    expect(value).toEqual(["EPERM", "alpha", new TextEncoder().encode("no")]);
  });
});

function* movedAt(count: number, entries: Iterable<NamedTreeEntry>, root: string): Generator<NamedTreeEntry> {
  let seen = 0;
  for (const entry of entries) {
    if (seen++ === count) renameSync(join(root, "x"), join(root, "y"));
    yield entry;
  }
}

/** A wrapper that lets everything pass. */
function readWrite(inner: Parameters<typeof wrapped>[0]): ReturnType<typeof wrapped> {
  return wrapped(inner, (tree) => aroundTree(tree, (request, proceed) => proceed(request)));
}
