// A folder of the host behind all three walls: what Python makes of it, what stays where it was, and what the grant outlives.
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hostDirectory, hostFile, OptionError, Sandbox } from "sandboa";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { attempt, walls } from "./tree-fixture.ts";

let home: string;
let root: string;
beforeEach(() => {
  home = fs.mkdtempSync(join(tmpdir(), "sandboa-directory-"));
  root = join(home, "root");
  fs.mkdirSync(join(root, "sub"), { recursive: true });
  fs.writeFileSync(join(root, "a.txt"), "alpha");
  fs.writeFileSync(join(root, "sub/b.txt"), "beta");
  fs.writeFileSync(join(home, "secret"), "SECRET");
});
afterEach(() => fs.rmSync(home, { recursive: true, force: true }));

const onHost = (name: string): string => fs.readFileSync(join(root, name), "utf8");

describe.each(walls)("%s", (isolation) => {
  test("read: lists, reads, follows links that stay inside, and changes nothing", async () => {
    fs.symlinkSync("sub/../a.txt", join(root, "inside"));
    fs.symlinkSync(join(root, "sub"), join(root, "absolute"));
    fs.symlinkSync("../secret", join(root, "out"));
    fs.symlinkSync("..", join(root, "sub/up"));
    fs.symlinkSync("up/../../secret", join(root, "sub/through"));
    fs.symlinkSync(join(home, "secret"), join(root, "away"));
    fs.symlinkSync("/proc/self/root", join(root, "proc"));
    await using sandbox = await Sandbox.create({ isolation, files: { "/d": hostDirectory(root, "read") } });
    const { value } = await sandbox.run(`${attempt}
import pathlib
read = lambda path: attempt(lambda: open(path).read())
[sorted(os.listdir("/d")), read("/d/a.txt"), read("/d/inside"), read("/d/absolute/b.txt"), read("/d/sub/up/a.txt"),
 [read(p) for p in ("/d/out", "/d/away", "/d/proc/etc/passwd", "/d/sub/through", "/d/sub/up/../secret", "/d/../secret")],
 os.path.exists("/d/out"), os.path.islink("/d/out"), "/" in os.readlink("/d/absolute"),
 [attempt(f) for f in (lambda: open("/d/a.txt", "w"), lambda: open("/d/new", "w"), lambda: os.remove("/d/a.txt"),
   lambda: os.mkdir("/d/x"), lambda: os.rename("/d/a.txt", "/d/b"), lambda: os.chmod("/d/a.txt", 0o777),
   lambda: os.symlink("a.txt", "/d/l"))],
 sorted(str(p) for p in pathlib.Path("/d").rglob("*.txt"))]`);
    expect(value).toEqual([
      ["a.txt", "absolute", "away", "inside", "out", "proc", "sub"],
      "alpha",
      "alpha",
      "beta",
      "alpha",
      Array(6).fill("ENOENT"),
      false,
      true,
      false,
      Array(7).fill("EROFS"),
      ["/d/a.txt", "/d/sub/b.txt"],
    ]);
    expect(onHost("a.txt")).toBe("alpha");
  });

  test("write: what programs do with folders", async () => {
    await using sandbox = await Sandbox.create({ isolation, files: { "/d": hostDirectory(root, "write") } });
    const { value } = await sandbox.run(`${attempt}
import shutil, tempfile, zipfile, sqlite3
os.makedirs("/d/x/y"); open("/d/x/y/z", "w").write("new")
shutil.copytree("/d/sub", "/d/copy"); shutil.move("/d/x/y", "/d/moved"); shutil.rmtree("/d/x")
with tempfile.NamedTemporaryFile(dir="/d") as f: f.write(b"temporary"); f.flush()
with zipfile.ZipFile("/d/all.zip", "w") as z: z.write("/d/a.txt", "a")
db = sqlite3.connect("/d/base.db"); db.execute("create table t (x)"); db.execute("insert into t values (7)"); db.commit(); db.close()
os.replace("/d/a.txt", "/d/sub/b.txt"); os.symlink("../again/z", "/d/sub/link")
os.utime("/d/moved/z", ns=(5_000_000_000, 6_000_000_000)); os.chmod("/d/moved/z", 0o4711)
with open("/d/sub/b.txt", "r+") as f: f.seek(2); f.write("PHA"); f.flush(); os.fsync(f.fileno())
os.chdir("/d/moved"); os.rename("/d/moved", "/d/again")
[open("/d/sub/link").read(), os.stat("/d/again/z").st_mtime_ns, oct(os.stat("/d/again/z").st_mode), os.getcwd(),
 sqlite3.connect("/d/base.db").execute("select x from t").fetchall()[0][0], zipfile.ZipFile("/d/all.zip").read("a").decode(),
 attempt(lambda: os.symlink("/etc/passwd", "/d/bad")), attempt(lambda: os.symlink("../secret", "/d/bad"))]`);
    const found = ["new", 6_000_000_000, "0o100711", "/d/again", 7, "alpha", "EPERM", "EPERM"];
    expect(value).toEqual(found);
    expect(onHost("sub/b.txt")).toBe("alPHA");
    expect(fs.readdirSync(root).sort()).toEqual(["again", "all.zip", "base.db", "copy", "sub"]);
    expect(fs.readFileSync(join(home, "secret"), "utf8")).toBe("SECRET");
  });

  test("create-only: a box for results", async () => {
    await using sandbox = await Sandbox.create({
      isolation,
      files: { "/d": hostDirectory(root, "create-only") },
    });
    const { value } = await sandbox.run(`${attempt}
import shutil
os.mkdir("/d/results")
with open("/d/results/one", "w") as f: f.write("1"); f.seek(0); f.write("2")
fd = os.open("/d/results/two", os.O_RDWR | os.O_CREAT | os.O_EXCL); os.write(fd, b"two"); os.lseek(fd, 0, 0); back = os.read(fd, 9); os.close(fd)
shutil.copy("/d/results/one", "/d/results/three")
[back.decode(), open("/d/results/one").read(), sorted(os.listdir("/d")), sorted(os.listdir("/d/results")),
 [attempt(f) for f in (lambda: open("/d/a.txt"), lambda: open("/d/a.txt", "w"), lambda: open("/d/a.txt", "a"), lambda: open("/d/a.txt", "x"),
   lambda: open("/d/results/one", "w"), lambda: open("/d/results/one", "a"))],
 [attempt(f) for f in (lambda: os.remove("/d/results/one"), lambda: os.rename("/d/a.txt", "/d/b"), lambda: os.rmdir("/d/results"),
   lambda: os.truncate("/d/a.txt", 0))]]`);
    expect(value).toEqual([
      "two",
      "2",
      ["a.txt", "results", "sub"],
      ["one", "three", "two"],
      ["EACCES", "EACCES", "EACCES", "EEXIST", "EACCES", "EACCES"],
      ["EPERM", "EPERM", "EPERM", "EACCES"],
    ]);
    expect([onHost("a.txt"), onHost("results/one")]).toEqual(["alpha", "2"]);
  });

  test("quotas and globs hold, and quotas outlast a reset", async () => {
    const files = { "/d": hostDirectory(root, "write", { bytes: 10, files: 2, match: ["*.txt", "sub/**"] }) };
    await using sandbox = await Sandbox.create({ isolation, files });
    fs.writeFileSync(join(root, "private.key"), "SECRET");
    const first = await sandbox.run(`${attempt}
with open("/d/n.txt", "wb", buffering=0) as f: written = [f.write(b"123456"), f.write(b"7890123"), attempt(lambda: f.write(b"x"))]
[written, attempt(lambda: open("/d/private.key")), attempt(lambda: open("/d/n.key", "w")), sorted(os.listdir("/d")),
 os.mkdir("/d/sub/x"), attempt(lambda: os.mkdir("/d/sub/y"))]`);
    expect(first.value).toEqual([
      [6, 4, "EDQUOT"],
      "ENOENT",
      "EACCES",
      ["a.txt", "n.txt", "sub"],
      null,
      "EDQUOT",
    ]);
    await sandbox.reset();
    const again = await sandbox.run(`${attempt}
with open("/d/a.txt", "ab", buffering=0) as f: written = attempt(lambda: f.write(b"x"))
[written, attempt(lambda: open("/d/m.txt", "w"))]`);
    expect(again.value).toEqual(["EDQUOT", "EDQUOT"]);
  });

  test("the folder is moved, replaced and removed: what was granted is what was opened", async () => {
    const files = { "/d": hostDirectory(root, "write") };
    await using sandbox = await Sandbox.create({ isolation, files, onEvent: () => {} });
    fs.renameSync(root, join(home, "moved"));
    fs.mkdirSync(root);
    fs.writeFileSync(join(root, "a.txt"), "another");
    const run = async (source: string): Promise<unknown> =>
      (await sandbox.run(`${attempt}\n${source}`)).value;
    expect(await run(`open("/d/new", "w").write("x"); open("/d/a.txt").read()`)).toBe("alpha");
    expect(fs.readdirSync(root)).toEqual(["a.txt"]);
    await run(`f = open("/d/a.txt", "r+")`);
    fs.rmSync(join(home, "moved"), { recursive: true });
    expect(
      await run(
        `[attempt(lambda: os.listdir("/d")), attempt(lambda: open("/d/a.txt")), attempt(lambda: open("/d/x", "w")), attempt(lambda: os.mkdir("/d/x")), f.read()]`,
      ),
    ).toEqual(["ENOENT", "ENOENT", "ENOENT", "ENOENT", "alpha"]);
  });

  test("hostFile to update: reads and writes what is there, and no more", async () => {
    const path = join(root, "a.txt");
    await using sandbox = await Sandbox.create({
      isolation,
      files: { "/a": hostFile(path, "update", { bytes: 8 }) },
    });
    fs.renameSync(path, join(root, "moved"));
    fs.symlinkSync("../secret", path);
    const { value } = await sandbox.run(`${attempt}
with open("/a", "r+") as f: before = f.read(); f.seek(0); f.write("ALPHA")
with open("/a", "ab", buffering=0) as f: written = [f.write(b"12345"), attempt(lambda: f.write(b"6"))]
[before, open("/a").read(), written, attempt(lambda: os.remove("/a")), attempt(lambda: open("/b", "w"))]`);
    expect(value).toEqual(["alpha", "ALPHA123", [3, "EFBIG"], "EACCES", "EACCES"]);
    expect([onHost("moved"), fs.readFileSync(join(home, "secret"), "utf8")]).toEqual(["ALPHA123", "SECRET"]);
  });
});

test("what cannot be granted is refused before anything starts", async () => {
  const create = (path: string): Promise<Sandbox> =>
    Sandbox.create({ files: { "/d": hostDirectory(path, "read") } });
  for (const path of [join(root, "nothing"), join(root, "a.txt")])
    await expect(create(path)).rejects.toThrow(OptionError);
  await expect(
    Sandbox.create({ files: { "/f": hostFile(join(root, "nothing"), "update") } }),
  ).rejects.toThrow(OptionError);
  const bad = [
    () => hostDirectory("", "read"),
    () => hostDirectory("a\0", "read"),
    () => hostDirectory(root, "update" as "read"),
    () => hostDirectory(root, "read", { match: [] }),
    () => hostDirectory(root, "read", { match: "../x" }),
    () => hostDirectory(root, "read", { match: ["a", 1 as unknown as string] }),
    () => hostDirectory(root, "write", { bytes: -1 }),
    () => hostDirectory(root, "write", { files: 0.5 }),
  ];
  for (const action of bad) expect(action, String(action)).toThrow(OptionError);
});

test("when the sandbox is closed, nothing of the folder is open", async () => {
  const open = (): string[] =>
    fs.readdirSync("/proc/self/fd").flatMap((fd) => {
      try {
        return [fs.readlinkSync(`/proc/self/fd/${fd}`)].filter((path) => path.startsWith(home));
      } catch {
        return [];
      }
    });
  for (const isolation of walls) {
    const sandbox = await Sandbox.create({ isolation, files: { "/d": hostDirectory(root, "write") } });
    await sandbox.run(`keep = [open("/d/a.txt") for _ in range(10)]`);
    expect(open()).toContain(root);
    await sandbox.close();
    expect(open(), isolation).toEqual([]);
  }
});
