// Overlays and shared scratch as a guest and its embedder meet them, behind all three walls.
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import {
  hostDirectory,
  OverlayCommitError,
  OverlayConflictError,
  overlay,
  readOnly,
  Sandbox,
  scratch,
  virtualDirectory,
} from "sandboa";
import { describe, expect, test } from "vitest";
import { attempt, MapTree, walls } from "./tree-fixture.ts";

const project = { "src/main.py": "print(1)\n", "src/util/text.py": "x = 1\n", README: "read me" };

/** What is in a folder of the host: path to content, or to a link's target. */
function onDisk(folder: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) found[relative(folder, path)] = readFileSync(path, "latin1");
    if (entry.isSymbolicLink()) found[relative(folder, path)] = `link ${readlinkSync(path)}`;
  }
  return found;
}

function snapshot(tree: MapTree): [string, string, string][] {
  return [...tree.nodes]
    .map(([path, node]): [string, string, string] => [
      path,
      node.kind,
      Buffer.from(node.bytes).toString("latin1"),
    ])
    .sort(([one], [other]) => (one < other ? -1 : 1));
}

const edit = `${attempt}
import shutil, sqlite3, tempfile
with open("/p/README", "a") as f: f.write(", please")
os.rename("/p/src/util", "/p/lib")
open("/p/src/new.py", "w").write("y = 2\\n")
os.remove("/p/src/main.py")
database = sqlite3.connect("/p/data.db")
with database: database.execute("create table t(x)"); database.execute("insert into t values (42)")
database.close()
with tempfile.TemporaryDirectory(dir="/p") as d: open(d + "/x", "w").write("gone")
sorted(os.path.join(at, name)[3:] for at, _, names in os.walk("/p") for name in names)`;
const edited = ["README", "data.db", "lib/text.py", "src/new.py"];

describe.each(walls)("%s", (isolation) => {
  test("a guest edits a project; nothing of it is real before the embedder says so", async () => {
    const tree = new MapTree(project, isolation === "inline" ? 0 : 1);
    const before = snapshot(tree);
    const place = overlay(virtualDirectory(tree), { bytes: "4 MiB" });
    await using sandbox = await Sandbox.create({ files: { "/p": place }, isolation });
    expect((await sandbox.run(edit)).value).toEqual(edited);
    expect(snapshot(tree)).toEqual(before);

    const changes = await place.changes();
    expect(changes.map(({ change, path }) => `${change} ${path}`).sort()).toEqual([
      "changed README",
      "created data.db",
      "created lib",
      "created lib/text.py",
      "created src/new.py",
      "removed src/main.py",
      "removed src/util",
      "removed src/util/text.py",
    ]);
    const readme = changes.find(({ path }) => path === "README");
    const text = async (bytes: unknown): Promise<string> =>
      Buffer.from((await bytes) as Uint8Array).toString();
    expect([await text(readme?.readBefore()), await text(readme?.read())]).toEqual([
      "read me",
      "read me, please",
    ]);

    // A reset leaves the embedder's overlay as it is, and another sandbox finds it, too.
    await sandbox.reset();
    expect((await sandbox.run('open("/p/lib/text.py").read()')).value).toBe("x = 1\n");
    await using other = await Sandbox.create({ files: { "/q": readOnly(place) }, isolation });
    expect((await other.run('open("/q/README").read()')).value).toBe("read me, please");

    expect(await place.commit()).toEqual({ leftovers: [], unsettled: [] });
    expect(
      [...tree.nodes]
        .filter(([, { kind }]) => kind === "file")
        .map(([path]) => path)
        .sort(),
    ).toEqual(edited);
    expect(tree.text("README")).toBe("read me, please");
    expect(await place.changes()).toEqual([]);
    expect((await sandbox.run('open("/p/README").read()')).value).toBe("read me, please");
  });

  test("a folder of the host: edited, reviewed, committed, and refused when somebody else changed it", async () => {
    const folder = mkdtempSync(join(tmpdir(), "sandboa-overlay-"));
    try {
      for (const [path, text] of Object.entries(project)) {
        mkdirSync(dirname(join(folder, path)), { recursive: true });
        writeFileSync(join(folder, path), text);
      }
      symlinkSync("src/main.py", join(folder, "inside"));
      symlinkSync("/etc/passwd", join(folder, "outside"));
      const before = onDisk(folder);
      const place = overlay(hostDirectory(folder, "write"), { bytes: "4 MiB" });
      await using sandbox = await Sandbox.create({ files: { "/p": place }, isolation });
      const links = `${attempt}\n[open("/p/inside").read(), attempt(lambda: open("/p/outside"))]`;
      expect((await sandbox.run(links)).value).toEqual(["print(1)\n", "ENOENT"]);
      await sandbox.run(edit);
      expect(onDisk(folder)).toEqual(before);

      writeFileSync(join(folder, "README"), "mine");
      const error = await place.commit().catch((reason: unknown) => reason);
      expect(error).toMatchObject({ conflicts: [{ path: "README", reason: "changed" }] });
      expect(onDisk(folder)).toEqual({ ...before, README: "mine" });
      await place.discard();

      await sandbox.run('open("/p/README", "a").write(" and yours")');
      await sandbox.run(edit.replace('"/p/README", "a"', '"/p/README", "r+"'));
      expect(await place.commit()).toEqual({ leftovers: [], unsettled: [] });
      const after = onDisk(folder);
      expect(Object.keys(after).sort()).toEqual([...edited, "inside", "outside"].sort());
      expect([after.README, after["lib/text.py"]]).toEqual([", please yours", "x = 1\n"]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("a link that the folder would not make is refused at once, and all the rest is committed", async () => {
    const folder = mkdtempSync(join(tmpdir(), "sandboa-overlay-"));
    try {
      mkdirSync(join(folder, "d"));
      const place = overlay(readOnly(hostDirectory(folder, "read")), { bytes: "1 MiB" });
      const real = overlay(hostDirectory(folder, "write"), { bytes: "1 MiB" });
      await using sandbox = await Sandbox.create({ files: { "/p": real, "/q": place }, isolation });
      const { value } = await sandbox.run(`${attempt}
open("/p/result", "w").write("42")
os.symlink("../result", "/p/d/in")
[attempt(lambda: os.symlink(target, path)) for target, path in (("/p/d", "/p/abs"), ("../../etc", "/p/up"), ("/q", "/q/abs"))
] + [attempt(lambda: os.rename("/p/d/in", "/p/in"))]`);
      expect(value).toEqual(["EPERM", "EPERM", "EPERM", "EPERM"]);
      expect(await real.commit()).toEqual({ leftovers: [], unsettled: [] });
      expect(onDisk(folder)).toEqual({ result: "42", "d/in": "link ../result" });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("what changed underneath, and what is open for writing, holds a commit back", async () => {
    const tree = new MapTree(project);
    const place = overlay(virtualDirectory(tree), { bytes: "1 MiB" });
    await using sandbox = await Sandbox.create({ files: { "/p": place }, isolation });
    await sandbox.run('f = open("/p/README", "r+"); f.write("READ"); f.flush()');
    const conflict = async (): Promise<unknown> => {
      const error = await place.commit().catch((reason: unknown) => reason);
      return error instanceof OverlayConflictError ? error.conflicts : error;
    };
    expect(await conflict()).toEqual([{ path: "README", reason: "open" }]);
    await sandbox.run("f.close()");
    const node = tree.nodes.get("README");
    if (node) node.bytes = new TextEncoder().encode("something else");
    const after = snapshot(tree);
    expect(await conflict()).toEqual([{ path: "README", reason: "changed" }]);
    expect(snapshot(tree)).toEqual(after);
    await place.discard();
    expect(place.usedBytes).toBe(0);
    expect((await sandbox.run('open("/p/README").read()')).value).toBe("something else");
  });

  test("whatever a guest calls its files, and has open for reading, a commit brings all of it and breaks nothing", async () => {
    const folder = mkdtempSync(join(tmpdir(), "sandboa-overlay-"));
    try {
      for (const name of ["big", "moved", "plain"])
        writeFileSync(join(folder, name), name[0]?.repeat(200_000) ?? "");
      writeFileSync(join(folder, ".sandboa-commit-3"), "older");
      const place = overlay(hostDirectory(folder, "write"), { bytes: "4 MiB" });
      await using sandbox = await Sandbox.create({ files: { "/p": place }, isolation });
      await sandbox.run(`
import os
os.chdir("/p")
for name in (".sandboa-commit-1", ".sandboa-commit-2", "new"): open(name, "w").write(name)
os.mkdir(".sandboa-commit-4"); os.rename("plain", ".sandboa-commit-5")
f = open("big", "r+"); f.write("new"); f.close()
os.rename("moved", "there"); os.utime("there", (5, 5))
files = [os.open(name, os.O_RDONLY) for name in ("big", "there", ".sandboa-commit-5", "new")]`);
      expect(await place.commit()).toEqual({ leftovers: [], unsettled: [] });
      expect(Object.keys(onDisk(folder)).sort()).toEqual(
        [1, 2, 3, 5].map((number) => `.sandboa-commit-${number}`).concat("big", "new", "there"),
      );
      const { value } = await sandbox.run(
        "[(os.pread(fd, 4, 0), os.pread(fd, 2, 199_998), os.fstat(fd).st_size) for fd in files]",
      );
      const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
      expect(
        (value as [Uint8Array, Uint8Array, number][]).map(([a, b, size]) => [text(a), text(b), size]),
      ).toEqual([
        ["newb", "bb", 200_000],
        ["mmmm", "mm", 200_000],
        ["pppp", "pp", 200_000],
        ["new", "", 3],
      ]);
      expect(readFileSync(join(folder, ".sandboa-commit-1"), "utf8")).toBe(".sandboa-commit-1");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("an overlay is full when its bytes are spent, and what was written stays", async () => {
    const tree = new MapTree(project);
    const place = overlay(virtualDirectory(tree), { bytes: "256 KiB" });
    await using sandbox = await Sandbox.create({ files: { "/p": place }, isolation });
    const { value } = await sandbox.run(`${attempt}
def fill():
    with open("/p/big", "wb", buffering=0) as f:
        while True: f.write(bytes(4096))
[attempt(fill), os.path.getsize("/p/big") > 200_000, open("/p/README").read(), attempt(lambda: os.remove("/p/big"))]`);
    expect(value).toEqual(["ENOSPC", true, "read me", null]);
    expect(place.usedBytes).toBeLessThan(10_000);
  });

  test("a shared scratch is one room, charged to itself; an unshared one is each sandbox's own", async () => {
    const shared = scratch({ bytes: "8 MiB", shared: true });
    const files = { "/s": shared, "/own": scratch({ bytes: "1 MiB" }) };
    const limits = { hostMemory: "2 MiB" };
    await using one = await Sandbox.create({ files, limits, isolation });
    await using other = await Sandbox.create({ files, limits, isolation });
    await one.run(`
open("/s/big", "wb").write(bytes(5_000_000)); open("/own/mine", "w").write("x")
import os; os.mkdir("/s/d"); os.rename("/s/big", "/s/d/big")`);
    const look = 'import os\n[os.path.getsize("/s/d/big"), os.listdir("/own")]';
    expect((await other.run(look)).value).toEqual([5_000_000, []]);
    await one.reset();
    expect((await one.run(look)).value).toEqual([5_000_000, []]);
    const full = `${attempt}\nattempt(lambda: open("/s/more", "wb").write(bytes(5_000_000)))`;
    expect((await other.run(full)).value).toBe("ENOSPC");
  });

  test.each([true, false])("scratch with quotas of depth and name length; shared: %s", async (shared) => {
    const options = { bytes: "1 MiB", files: 5, depth: 2, nameBytes: 8 } as const;
    const place = shared ? scratch({ ...options, shared: true }) : scratch(options);
    await using sandbox = await Sandbox.create({ files: { "/s": place }, isolation });
    const { value } = await sandbox.run(`${attempt}
[attempt(lambda: os.makedirs("/s/a/b")), attempt(lambda: os.mkdir("/s/a/b/c")), attempt(lambda: open("/s/a/b/12345678", "w").close()),
 attempt(lambda: open("/s/123456789", "w")), attempt(lambda: os.rename("/s/a/b", "/s/123456789")), attempt(lambda: os.mkdir("/s/ééééé")),
 attempt(lambda: [os.mkdir("/s/%d" % i) for i in range(9)])]`);
    expect(value).toEqual([
      ...[null, "ENAMETOOLONG", null, "ENAMETOOLONG", "ENAMETOOLONG", "ENAMETOOLONG", "ENOSPC"],
    ]);
  });
});

test("what is granted for reading only cannot be committed to", async () => {
  const tree = new MapTree(project);
  const place = overlay(readOnly(virtualDirectory(tree)), { bytes: "1 MiB" });
  await using sandbox = await Sandbox.create({ files: { "/p": place } });
  await sandbox.run('open("/p/README", "w").write("x")');
  const before = snapshot(tree);
  const error = await place.commit().catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(OverlayCommitError);
  expect(error).toMatchObject({ undone: true, leftovers: [] });
  expect(snapshot(tree)).toEqual(before);
  expect(await place.changes()).toHaveLength(1);
});

test("what is below is let go of when nobody uses it and there is nothing to change", async () => {
  let opened = 0;
  let closed = 0;
  const tree = new MapTree(project);
  tree.close = () => {
    closed += 1;
  };
  const lower = virtualDirectory(() => {
    opened += 1;
    return tree;
  });
  const place = overlay(lower, { bytes: "1 MiB" });
  expect(opened).toBe(0);
  const sandbox = await Sandbox.create({ files: { "/p": place } });
  await sandbox.run('open("/p/README", "w").write("x")');
  await sandbox.close();
  expect([opened, closed]).toEqual([1, 0]);
  await place.discard();
  expect([opened, closed]).toEqual([1, 1]);
  expect(await place.changes()).toEqual([]);
  expect([opened, closed]).toEqual([2, 2]);
});
