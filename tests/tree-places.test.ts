// Places that are made of the embedder's code, behind all three walls: files behave as files do.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hostFile, memoryFile, observed, Sandbox, type Tree, virtualDirectory, virtualFile } from "sandboa";
import { describe, expect, test } from "vitest";
import { attempt, MapTree, openTree as open, walls } from "./tree-fixture.ts";

/** Inline nothing can come later. */
const later = (isolation: (typeof walls)[number]): number[] => (isolation === "inline" ? [0] : [0, 1]);
const table = walls.flatMap((isolation) => later(isolation).map((delayMs) => [isolation, delayMs] as const));

describe.each(table)("%s, answers after %d ms", (isolation, delayMs) => {
  test("reading, listing, looking", async () => {
    const tree = new MapTree({ "a.txt": "alpha", "deep/er/b": "beta" }, delayMs);
    await using sandbox = await open(tree, { isolation });
    const { value } = await sandbox.run(`${attempt}
import stat
info = os.stat("/d/a.txt")
with open("/d/deep/er/b", "rb") as f: part = (f.seek(1), f.read(2), f.read(), f.read())
[open("/d/a.txt").read(), list(part), sorted(os.listdir("/d")), [list(x[1:]) for x in os.walk("/d")],
 info.st_size, stat.filemode(info.st_mode), info.st_mtime_ns, info.st_uid, info.st_nlink,
 attempt(lambda: open("/d/none")), attempt(lambda: os.stat("/d/a.txt/x")), attempt(lambda: open("/d/deep")), os.path.isdir("/d/deep"),
 [e.is_dir() for e in sorted(os.scandir("/d"), key=lambda e: e.name)]]`);
    expect(value).toEqual([
      "alpha",
      [1, Buffer.from("et"), Buffer.from("a"), Buffer.from("")].map((x) =>
        typeof x === "number" ? x : new Uint8Array(x),
      ),
      ["a.txt", "deep"],
      [
        [["deep"], ["a.txt"]],
        [["er"], []],
        [[], ["b"]],
      ],
      5,
      "-rw-r--r--",
      1_700_000_000_000_000_000n,
      1000,
      1,
      "ENOENT",
      "ENOTDIR",
      "EISDIR",
      true,
      [false, true],
    ]);
    expect(tree.closed).toBe(tree.opened);
  });

  test("writing, appending, cutting, syncing", async () => {
    const tree = new MapTree({ kept: "0123456789" }, delayMs);
    await using sandbox = await open(tree, { isolation });
    const { value } = await sandbox.run(`${attempt}
open("/d/new", "w").write("made")
with open("/d/new", "a") as f: f.write(" and"); f.flush(); os.fsync(f.fileno()); f.write(" more")
with open("/d/kept", "r+") as f: f.seek(4); f.write("xx")
os.truncate("/d/kept", 8)
with open("/d/kept", "rb+") as f: f.truncate(7); size = os.fstat(f.fileno()).st_size
fd = os.open("/d/once", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
os.write(fd, b"still writable"); os.close(fd)
[size, attempt(lambda: open("/d/once", "x")), attempt(lambda: open("/d/once", "w")), oct(os.stat("/d/once").st_mode)]`);
    expect(value).toEqual([7, "EEXIST", "EACCES", "0o100400"]);
    expect([tree.text("new"), tree.text("kept"), tree.text("once")]).toEqual([
      "made and more",
      "0123xx6",
      "still writable",
    ]);
    // Made and opened in one step, since nothing says that it could be opened so again.
    expect(tree.asked.filter((asked) => asked === "open once")).toHaveLength(1);
    expect(tree.closed).toBe(tree.opened);
  });

  test("names: making, moving, removing, linking", async () => {
    const tree = new MapTree({ "from/a": "A", b: "B" }, delayMs);
    await using sandbox = await open(tree, { isolation });
    const { value } = await sandbox.run(`${attempt}
os.mkdir("/d/made", 0o700)
os.rename("/d/from/a", "/d/made/c")
os.rename("/d/b", "/d/made/c")
os.symlink("made/c", "/d/link"); os.symlink("loop", "/d/loop")
[open("/d/link").read(), os.readlink("/d/link"), attempt(lambda: open("/d/loop")), attempt(lambda: os.rmdir("/d/made")),
 os.rmdir("/d/from"), attempt(lambda: os.rename("/d/made", "/d/made/inner")),
 attempt(lambda: os.mkdir("/d/made")), os.unlink("/d/link"), sorted(os.listdir("/d")), attempt(lambda: os.rename("/d/made", "/tmp2")),
 oct(os.stat("/d/made").st_mode & 0o777)]`);
    const refused = ["ELOOP", "ENOTEMPTY", null, "EINVAL", "EEXIST", null];
    expect(value).toEqual(["B", "made/c", ...refused, ["loop", "made"], "EXDEV", "0o700"]);
    expect([...tree.nodes.keys()].sort()).toEqual(["", "loop", "made", "made/c"]);
  });

  test("directories that are held follow when they are moved", async () => {
    const tree = new MapTree({ "a/b/c": "C" }, delayMs);
    await using sandbox = await open(tree, { isolation });
    const { value } = await sandbox.run(`${attempt}
os.chdir("/d/a/b")
fd = os.open("/d/a", os.O_RDONLY | os.O_DIRECTORY)
os.rename("/d/a", "/d/z")
seen = [os.getcwd(), open("c").read(), os.listdir(fd), open(os.open("b/c", os.O_RDONLY, dir_fd=fd)).read(), os.path.samefile("..", "/d/z")]
os.mkdir("/d/gone"); os.chdir("/d/gone"); os.rmdir("/d/gone")
seen += [attempt(os.getcwd), attempt(lambda: open("x", "w")), os.stat(".").st_nlink]
os.mkdir("/d/gone")
seen += [attempt(os.getcwd), os.close(fd), os.chdir("/")]
seen`);
    expect(value).toEqual(["/d/z/b", "C", ["b"], "C", true, "ENOENT", "ENOENT", 0, "ENOENT", null, null]);
  });

  test("attributes, room, mappings", async () => {
    const tree = new MapTree({ f: "mapped file" }, delayMs);
    await using sandbox = await open(tree, { isolation });
    const { value } = await sandbox.run(`${attempt}
import mmap, shutil
os.chmod("/d/f", 0o640); os.utime("/d/f", ns=(5, 7))
with open("/d/f", "r+b") as f:
    with mmap.mmap(f.fileno(), 0) as m: text = m[:6]; m[0:6] = b"MAPPED"; m.flush()
    os.utime(f.fileno(), ns=(8, 1_000_000_007)); os.fchmod(f.fileno(), 0o600)
info, room = os.stat("/d/f"), os.statvfs("/d")
[text, open("/d/f").read(), oct(info.st_mode), info.st_mtime_ns, list(shutil.disk_usage("/d")), room.f_files, room.f_favail >= 0]`);
    expect(value).toEqual([
      new Uint8Array(Buffer.from("mapped")),
      "MAPPED file",
      "0o100600",
      1_000_000_007,
      [8_192_000, 4_096_000, 4_096_000],
      1000,
      true,
    ]);
    expect(tree.nodes.get("f")?.mode).toBe(0o600);
  });

  test("large files, in pieces", async () => {
    const tree = new MapTree({}, delayMs);
    await using sandbox = await open(tree, { isolation });
    const { value } = await sandbox.run(`
import hashlib
content = bytes(range(256)) * 12_345
with open("/d/large", "wb") as f: f.write(content)
hashlib.sha256(open("/d/large", "rb").read()).hexdigest() == hashlib.sha256(content).hexdigest()`);
    expect(value).toBe(true);
    expect(tree.nodes.get("large")?.bytes.length).toBe(256 * 12_345);
  });
});

describe.each(walls)("%s", (isolation) => {
  test("names that are not UTF-8, and those that plain objects have", async () => {
    const tree = new MapTree({ __proto__x: "1", constructor: "2", "a\udcff\udc80b": "3" });
    await using sandbox = await open(tree, { isolation });
    const { value } = await sandbox.run(`
import os
open(b"/d/\\xc3\\xa9\\xfe", "w").write("new"); os.mkdir("/d/__proto__")
[sorted(os.listdir(b"/d")), open(b"/d/a\\xff\\x80b").read(), open("/d/constructor").read(), os.path.exists("/d/toString")]`);
    const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "latin1"));
    expect(value).toEqual([
      ["__proto__", "__proto__x", "a\xff\x80b", "constructor", "\xc3\xa9\xfe"].map(bytes),
      "3",
      "2",
      false,
    ]);
    expect(tree.text("é\udcfe")).toBe("new");
  });

  test("a thousand files", async () => {
    const files = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`f${i}`, `${i}`]));
    const tree = new MapTree(files);
    await using sandbox = await open(tree, { isolation });
    const { value } = await sandbox.run(
      "import os; sum(int(open(e.path).read()) for e in os.scandir('/d') if e.is_file() and e.stat().st_size)",
    );
    expect(value).toBe(499_500);
    expect([tree.opened, tree.closed]).toEqual([1000, 1000]);
  });

  test("a walk is one question, of which a place is asked once for each component, and usage counts the questions", async () => {
    const tree = new MapTree({ "a/b/c": "C" });
    await using sandbox = await open(tree, { isolation });
    await sandbox.run("import os");
    tree.asked.length = 0;
    const { usage } = await sandbox.run("os.stat('/d/a/b/c').st_size");
    expect(tree.asked).toEqual(["stat ", "stat a", "stat a/b", "stat a/b/c"]);
    expect(usage.calls).toBe(1);
    expect(sandbox.usage().calls).toBe(1);
  });

  test("single files: by functions, generated, written", async () => {
    const log: string[] = [];
    const store = { bytes: Buffer.from("stored") };
    let made = 0;
    await using sandbox = await Sandbox.create({
      isolation,
      files: {
        "/report": virtualFile(() => `report ${made++}`),
        "/log": virtualFile({ write: (_, bytes) => void log.push(Buffer.from(bytes).toString()) }),
        "/store": virtualFile({
          read: (position, length) => store.bytes.subarray(position, position + length),
          size: () => store.bytes.length,
          write: (position, bytes) => {
            store.bytes = Buffer.concat([store.bytes.subarray(0, position), bytes]);
            return bytes.length;
          },
          truncate: (size) => {
            store.bytes = store.bytes.subarray(0, size);
          },
        }),
      },
    });
    expect(made).toBe(0);
    const { value } = await sandbox.run(`${attempt}
with open("/log", "a") as f: f.write("one")
with open("/store", "a") as f: f.write(" and more")
first, second = open("/report").read(), open("/report").read()
stored = open("/store").read()
with open("/store", "w") as f: f.write("new")
[first != second, first[:7], stored, open("/store").read(), attempt(lambda: open("/log")), attempt(lambda: open("/report", "w")),
 attempt(lambda: open("/log", "w")), attempt(lambda: os.remove("/report")), attempt(lambda: open("/report", "x")), os.listdir("/")]`);
    const refused = ["EACCES", "EACCES", "EROFS", "EACCES", "EEXIST"];
    const names = ["dev", "lib", "log", "report", "store"];
    expect(value).toEqual([
      true,
      "report ",
      "stored and more",
      "new",
      ...refused,
      expect.arrayContaining(names),
    ]);
    expect(log).toEqual(["one"]);
  });

  test("O_APPEND is taken away only where the same file may be written anywhere", async () => {
    const folder = mkdtempSync(join(tmpdir(), "sandboa-test-"));
    try {
      const tree = new MapTree({ moved: "m", removed: "r", same: "s" });
      const log = join(folder, "log");
      await using sandbox = await Sandbox.create({
        isolation,
        files: {
          "/d": virtualDirectory(tree),
          "/log": hostFile(log, "append"),
          "/seen": observed(hostFile(join(folder, "seen"), "append"), () => {}),
        },
      });
      const { value } = await sandbox.run(`${attempt}
import fcntl
def cleared(path, prepare=lambda: None):
    fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(fd, b"12"); prepare()
    result = attempt(lambda: fcntl.fcntl(fd, fcntl.F_SETFL, 0))
    kept = fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_APPEND != 0
    os.lseek(fd, 0, 0); os.write(fd, b"0"); os.close(fd)
    return [result, kept]
def moved(): os.rename("/d/moved", "/d/other"); open("/d/moved", "w").close()
[cleared("/d/same"), cleared("/d/moved", moved), cleared("/d/removed", lambda: os.remove("/d/removed")), cleared("/log"), cleared("/seen")]`);
      const refused = ["EPERM", true];
      expect(value).toEqual([[0, false], refused, refused, refused, refused]);
      expect([tree.text("same"), tree.text("other"), tree.text("moved")]).toEqual(["012", "m120", ""]);
      expect(readFileSync(log, "utf8")).toBe("120");
      expect(tree.closed).toBe(tree.opened);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("listing, and so importing, asks no file that stands beside", async () => {
    let made = 0;
    await using sandbox = await Sandbox.create({
      isolation,
      files: {
        "/p": virtualFile(() => {
          made += 1;
          throw new Error("broken");
        }),
        "/report.json": virtualFile(() => `{"made": ${made++}}`),
        "/work/none": virtualDirectory({ stat: () => undefined, open: () => expect.fail("it is not there") }),
      },
    });
    const { value } = await sandbox.run(`${attempt}
import asyncio, ftplib, wave
os.chdir("/work")
[sorted(os.listdir("/")), os.listdir("."), os.getcwd(), [(e.name, e.is_file()) for e in os.scandir("/") if e.name[0] in "pr"],
 sorted(os.listdir(os.open("/", os.O_RDONLY)))[-1]]`);
    expect(value).toEqual([
      ["dev", "lib", "p", "report.json", "work"],
      [],
      "/work",
      [
        ["p", true],
        ["report.json", true],
      ],
      "work",
    ]);
    expect(made).toBe(0);
    expect((await sandbox.run('[open("/report.json").read(), attempt(lambda: open("/p"))]')).value).toEqual([
      '{"made": 0}',
      "EIO",
    ]);
  });

  test("a root that is not there can be made, where the tree makes files", async () => {
    const tree = new MapTree();
    tree.nodes.delete("");
    await using sandbox = await open(tree, { isolation });
    const { value } = await sandbox.run(`${attempt}
before = [attempt(lambda: open("/d")), os.path.exists("/d"), "d" in os.listdir("/")]
fd = os.open("/d", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400); os.write(fd, b"made"); os.close(fd)
[before, open("/d").read(), attempt(lambda: open("/d", "x")), "d" in os.listdir("/")]`);
    expect(value).toEqual([["ENOENT", false, false], "made", "EEXIST", true]);
    expect(tree.text("")).toBe("made");
  });

  test("places may be wrapped", async () => {
    const shout = (tree: Tree): Tree => ({
      stat: (path) => tree.stat(path),
      open: async (path, access) => {
        const file = await tree.open(path, access);
        return {
          stat: () => file.stat(),
          read: async (at, length) =>
            Buffer.from(
              Buffer.from((await file.read?.(at, length)) ?? [])
                .toString()
                .toUpperCase(),
            ),
        };
      },
    });
    if (isolation === "inline") return;
    await using sandbox = await Sandbox.create({
      isolation,
      files: { "/loud": { kind: "wrapped", inner: memoryFile("quiet"), wrap: shout } },
    });
    expect((await sandbox.run("open('/loud').read()")).value).toBe("QUIET");
  });
});
