// The archive as a file tree, and the real standard library in it.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { inflateRawSync } from "node:zlib";
import { expect, test } from "vitest";
import type { DirectoryNode } from "../kernel/filesystem.ts";
import { ArchiveFileSystem } from "./archive-filesystem.ts";
import {
  bytes,
  fileAt,
  names,
  nodeAt,
  owner,
  readFile,
  readOnly,
  readWrite,
  refusal,
} from "./filesystem-fixture.ts";
import { ArchiveFormatError } from "./zip-archive.ts";
import { inflate, type ZipPart, zip } from "./zip-fixture.ts";

const text = bytes("x = 1\n");
const parts: ZipPart[] = [
  { name: "top.py", content: text },
  { name: "pkg/sub/deep.py", content: text },
  { name: "pkg/", method: 0 },
  { name: "pkg/__init__.py" },
];

test("directories come from entries and from the paths of files", () => {
  const { root } = new ArchiveFileSystem(zip(parts), inflate);
  expect(names(root)).toEqual(["top.py", "pkg"]);
  const pkg = nodeAt(root, "pkg");
  const sub = nodeAt(root, "pkg/sub");
  if (pkg?.kind !== "directory" || sub?.kind !== "directory") throw new Error("no directory");
  expect(names(pkg)).toEqual(["sub", "__init__.py"]);
  expect([root.parent(), pkg.parent(), sub.parent()]).toEqual([root, root, pkg]);
  expect([root, pkg, sub].map((directory) => directory.attributes().nlink)).toEqual([3, 3, 2]);
  expect(readFile(fileAt(root, "pkg/sub/deep.py"))).toEqual(text);
  expect(readFile(fileAt(root, "pkg/__init__.py"))).toEqual(new Uint8Array(0));
  for (const name of ["__proto__", "constructor", ""]) expect(root.lookup(name)).toBeUndefined();
});

test("attributes tell nothing but the content", () => {
  const timeNs = 1_500_000_000_000_000_000n;
  const files = new ArchiveFileSystem(zip(parts), inflate, { timeNs });
  const file = fileAt(files.root, "top.py").attributes();
  expect(file).toMatchObject({ mode: 0o100444, nlink: 1, uid: 0, gid: 0, size: 6, blocks: 1, rdev: 0 });
  expect([file.atimeNs, file.mtimeNs, file.ctimeNs]).toEqual([timeNs, timeNs, timeNs]);
  expect(files.root.attributes()).toMatchObject({ mode: 0o040555, uid: 0, gid: 0, ino: 1 });
  const plain = new ArchiveFileSystem(zip(parts), inflate).root.attributes();
  expect(plain.mtimeNs).toBe(BigInt(Date.UTC(1980, 0, 1)) * 1_000_000n);
  expect(files.usage()).toMatchObject({ files: 6, freeFiles: 0, blocks: 1, freeBlocks: 0, readOnly: true });
});

test("every change is refused", () => {
  const { root } = new ArchiveFileSystem(zip(parts), inflate);
  const file = fileAt(root, "top.py");
  const changes: [() => unknown, string][] = [
    [() => root.createFile("new", 0o644, owner), "EROFS"],
    [() => root.createDirectory("new", 0o755, owner), "EROFS"],
    [() => root.createLink("new", "t", owner), "EROFS"],
    [() => root.createPipe("new", 0o644, owner), "EROFS"],
    [() => root.createFile("top.py", 0o644, owner), "EEXIST"],
    [() => root.createDirectory("pkg", 0o755, owner), "EEXIST"],
    [() => root.unlink("top.py"), "EROFS"],
    [() => root.removeDirectory("pkg"), "EROFS"],
    [() => root.rename("top.py", root, "x"), "EROFS"],
    [() => root.setAttributes({ mode: 0o777 }), "EROFS"],
    [() => file.setAttributes({ mode: 0o777 }), "EROFS"],
    [() => file.truncate(0), "EROFS"],
    [() => file.open(readWrite), "EROFS"],
    [() => file.open({ ...readOnly, truncate: true }), "EROFS"],
    [() => file.open(readOnly).write(text, 0), "EBADF"],
    [() => file.open(readOnly).truncate(0), "EBADF"],
    [() => file.open(readOnly).allocate(9), "EBADF"],
  ];
  for (const [change, errno] of changes) expect(refusal(change)).toBe(errno);
  expect(readFile(file)).toEqual(text);
});

test("content is inflated when first opened, and not again soon", () => {
  let inflated = 0;
  const { root } = new ArchiveFileSystem(zip(parts), (compressed, sizeBytes) => {
    inflated += 1;
    return inflate(compressed, sizeBytes);
  });
  const file = fileAt(root, "top.py");
  expect([file.attributes().size, inflated]).toEqual([6, 0]);
  readFile(file);
  readFile(file);
  expect(inflated).toBe(1);
});

test("what open files do not need is kept up to a few MiB, and open files are charged", () => {
  const megabyte = new Uint8Array(1 << 20);
  const many = Array.from({ length: 6 }, (_, i) => ({ name: `f${i}`, content: megabyte }));
  let inflated = 0;
  const { root } = new ArchiveFileSystem(
    zip(many),
    (compressed, sizeBytes) => {
      inflated += 1;
      return inflate(compressed, sizeBytes);
    },
    { extra: new Map([["given", megabyte]]) },
  );
  for (const name of ["f0", "f1", "f2", "f3", "f0", "f4", "f5", "f0", "f1"]) readFile(fileAt(root, name));
  // Four fit: f4 and f5 replaced f1 and f2, since f0 had been used again; f1 came anew.
  expect(inflated).toBe(7);
  expect(fileAt(root, "f0").open(readOnly).heldBytes).toBe(1 << 20);
  expect(fileAt(root, "given").open(readOnly).heldBytes).toBe(0);
});

test("a reader gets copies, at any position", () => {
  const { root } = new ArchiveFileSystem(zip(parts), inflate);
  const handle = fileAt(root, "top.py").open(readOnly);
  const target = new Uint8Array(4);
  expect([handle.read(target, 2), [...target]]).toEqual([4, [...text.subarray(2, 6)]]);
  target.fill(0);
  expect([handle.read(target, 5), handle.read(target, 6), handle.read(target, 2 ** 52)]).toEqual([1, 0, 0]);
  expect(refusal(() => handle.read(target, -1))).toBe("EINVAL");
  expect(readFile(fileAt(root, "top.py"))).toEqual(text);
});

test("damaged content is an input error for the guest", () => {
  const { root } = new ArchiveFileSystem(zip([{ name: "a", content: text, crc: 5 }]), inflate);
  expect(refusal(() => fileAt(root, "a").open(readOnly))).toBe("EIO");
});

test("extra files stand beside the archive's", () => {
  const extra = new Map([
    ["sandboa/__init__.py", text],
    ["pkg/more.py", bytes("y")],
  ]);
  const { root } = new ArchiveFileSystem(zip(parts), inflate, { extra });
  expect(names(root)).toEqual(["top.py", "pkg", "sandboa"]);
  expect(readFile(fileAt(root, "sandboa/__init__.py"))).toEqual(text);
  expect(readFile(fileAt(root, "pkg/more.py"))).toEqual(bytes("y"));
});

test("a path that means two things is refused", () => {
  const archiveWith = (more: ZipPart[], extra = new Map<string, Uint8Array>()) => {
    return () => new ArchiveFileSystem(zip([...parts, ...more]), inflate, { extra });
  };
  expect(archiveWith([{ name: "top.py" }])).toThrow("the same path twice");
  expect(archiveWith([{ name: "pkg" }])).toThrow("the same path twice");
  expect(archiveWith([{ name: "top.py/x" }])).toThrow("there is a file");
  expect(archiveWith([{ name: "top.py/", method: 0 }])).toThrow("there is a file");
  expect(archiveWith([], new Map([["top.py", text]]))).toThrow("the same path twice");
  expect(archiveWith([], new Map([["/abs", text]]))).toThrow("plain relative path");
  expect(archiveWith([], new Map([["../up", text]]))).toThrow(ArchiveFormatError);
});

test("the real standard library is all there, and right", () => {
  const library = readFileSync(createRequire(import.meta.url).resolve("pyodide/python_stdlib.zip"));
  const shared = new Uint8Array(new SharedArrayBuffer(library.length));
  shared.set(library);
  const files = new ArchiveFileSystem(shared, inflate);
  let count = 0;
  let sizeBytes = 0;
  const visit = (directory: DirectoryNode): void => {
    for (const { node } of directory.list()) {
      if (node.kind === "directory") visit(node);
      else if (node.kind === "file") {
        count += 1;
        sizeBytes += readFile(node).length;
      }
    }
  };
  visit(files.root);
  expect(count).toBeGreaterThan(500);
  expect(sizeBytes).toBeGreaterThan(9_000_000);

  const os = Buffer.from(readFile(fileAt(files.root, "os.py")));
  expect(Buffer.compare(os, localEntry(library, "os.py"))).toBe(0);
  expect(os.toString("utf8")).toContain("def makedirs(name, mode=0o777, exist_ok=False):");
});

/** An independent reader: finds the local header by its name and inflates what follows. */
function localEntry(archive: Buffer, name: string): Buffer {
  for (let header = 0; header >= 0; header = archive.indexOf("PK\x03\x04", header + 4, "latin1")) {
    const nameBytes = archive.readUInt16LE(header + 26);
    if (archive.toString("latin1", header + 30, header + 30 + nameBytes) !== name) continue;
    const start = header + 30 + nameBytes + archive.readUInt16LE(header + 28);
    return inflateRawSync(archive.subarray(start, start + archive.readUInt32LE(header + 18)));
  }
  throw new Error(`no ${name}`);
}

test("a further archive is read when somebody looks into its directory, and nothing tells whether somebody has", () => {
  const archive = zip([{ name: "one/two.py", content: text }, { name: "three.py" }]);
  const make = () => new ArchiveFileSystem(zip(parts), inflate, { later: { directory: "pkg", archive } });
  const { root } = make();
  expect(names(root)).toEqual(["top.py", "pkg"]);
  expect(readFile(fileAt(root, "pkg/one/two.py"))).toEqual(text);
  expect(names(directoryAt(root, "pkg"))).toEqual(["sub", "__init__.py", "one", "three.py"]);

  const looks: ((files: ArchiveFileSystem) => unknown)[] = [
    () => undefined,
    ({ root: top }) => nodeAt(top, "pkg/three.py"),
    ({ root: top }) => directoryAt(top, "pkg").list(),
    ({ root: top }) => directoryAt(top, "pkg").reader?.().after(0),
  ];
  const seen = looks.map((look) => {
    const files = make();
    look(files);
    return [
      directoryAt(files.root, "pkg").attributes(),
      files.usage(),
      nodeAt(files.root, "pkg/one")?.attributes(),
    ];
  });
  for (const each of seen) expect(each).toEqual(seen[0]);
  expect(seen[0]?.[0]).toMatchObject({ nlink: 4 });
  expect(make().usage()).toEqual(seen[0]?.[1]);

  // Listing what is above must not look into it: that happens in nearly every program.
  const damaged = { directory: "pkg", archive: new Uint8Array(3) };
  const careless = new ArchiveFileSystem(zip(parts), inflate, { later: damaged });
  const reader = careless.root.reader?.();
  expect([reader?.after(0)?.name, reader?.after(1), reader?.after(2)]).toEqual([
    "top.py",
    { name: "pkg", kind: "directory", ino: 3, position: 2 },
    undefined,
  ]);
  expect(() => nodeAt(careless.root, "pkg/three.py")).toThrow(ArchiveFormatError);
});

function directoryAt(root: DirectoryNode, path: string): DirectoryNode {
  const node = nodeAt(root, path);
  if (node?.kind !== "directory") throw new Error("no directory");
  return node;
}
