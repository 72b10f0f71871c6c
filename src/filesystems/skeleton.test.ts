// What the host may place in a sandbox's root, and what the guest may do there: nothing but create what was granted.
import { expect, test } from "vitest";
import { byteString } from "../abi/guest-memory.ts";
import type { FileNode } from "../kernel/filesystem.ts";
import { fail } from "../kernel/kernel-error.ts";
import { nullDevice } from "./devices.ts";
import { bytes, names, nodeAt, readFile, refusal } from "./filesystem-fixture.ts";
import { memoryFileNode } from "./fixed-file.ts";
import { PlacementError, SkeletonFileSystem } from "./skeleton.ts";

const timeNs = 42n;

function skeleton(): { world: SkeletonFileSystem; file: (text?: string) => FileNode } {
  const world = new SkeletonFileSystem({ timeNs });
  return { world, file: (text = "x") => memoryFileNode(world.identity(), bytes(text)) };
}

test("places nodes and makes the directories above them", () => {
  const { world, file } = skeleton();
  const placed = file("content");
  world.place("/in/deep/a", placed);
  world.place("/in/b", file());
  world.place("/dev/null", nullDevice(world.identity()));
  const tmp = world.directory("/tmp");
  expect(world.directory("/tmp")).toBe(tmp);
  expect(world.directory("/")).toBe(world.root);
  expect(names(world.root)).toEqual(["in", "dev", "tmp"]);
  expect(nodeAt(world.root, "in/deep/a")).toBe(placed);
  const deep = world.directory("/in/deep");
  expect([deep.parent(), world.root.parent()]).toEqual([world.directory("/in"), world.root]);
  expect(world.root.attributes()).toEqual({
    ino: 1,
    mode: 0o040555,
    nlink: 5,
    uid: 0,
    gid: 0,
    rdev: 0,
    size: 0,
    blocks: 0,
    atimeNs: timeNs,
    mtimeNs: timeNs,
    ctimeNs: timeNs,
  });
  const inodes = [world.root, deep, placed, tmp].map((node) => node.attributes().ino);
  expect(new Set(inodes).size).toBe(4);
});

test("link counts follow directories that are placed later", () => {
  const { world } = skeleton();
  expect(world.root.attributes().nlink).toBe(2);
  world.directory("/a/b");
  expect([world.root, world.directory("/a")].map((node) => node.attributes().nlink)).toEqual([3, 3]);
});

test("names are any bytes", () => {
  const { world, file } = skeleton();
  for (const name of ["__proto__", "constructor", "\x80\xff"]) {
    expect(world.root.lookup(name)).toBeUndefined();
    world.place(`/${name}`, file(name));
    expect(nodeAt(world.root, name)?.kind).toBe("file");
  }
});

test("an impossible path is told to the host in plain words", () => {
  const { world, file } = skeleton();
  world.place("/a", file());
  world.directory("/d");
  world.placeCreatable("/c", () => file());
  const refused = (path: string, words: string): void => {
    const named = path === "" ? words : new RegExp(`^/?.*${words}`, "s");
    expect(() => world.place(path, file())).toThrow(named);
    expect(() => world.place(path, file())).toThrow(PlacementError);
    expect(() => world.placeCreatable(path, () => file())).toThrow(named);
  };
  refused("/a", "granted twice");
  refused("/c", "granted twice");
  refused("/d", "a directory already");
  refused("/", "the root is a directory");
  refused("/a/b", "/a is a file, and a directory is needed there");
  refused("/c/b/e", "/c is a file, and a directory is needed there");
  refused("relative", "must be absolute");
  refused("", "must be absolute");
  refused("//a", "empty component");
  refused("/a/", "empty component");
  refused("/./a", "component . is not allowed");
  refused("/d/../e", "component .. is not allowed");
  refused("/a\0", "NUL");
  refused(`/${"x".repeat(256)}`, "longer than 255 bytes");
  refused(`/${"x/".repeat(2100)}x`, "longer than 4095 bytes");
  expect(() => world.directory("/a")).toThrow("/a is a file");
  expect(() => world.directory("d")).toThrow(PlacementError);
  expect(() => world.place(byteString("/ä/../b"), file())).toThrow("/ä/../b: ");
  expect(names(world.root)).toEqual(["a", "d"]);
});

test("the guest can change nothing", () => {
  const { world, file } = skeleton();
  world.place("/f", file());
  const { root } = world;
  const changes: [() => unknown, string][] = [
    [() => root.createFile("new", 0o644), "EACCES"],
    [() => root.createDirectory("new"), "EACCES"],
    [() => root.createLink("new"), "EACCES"],
    [() => root.createPipe("new"), "EACCES"],
    [() => root.createFile("f", 0o644), "EEXIST"],
    [() => root.createDirectory("f"), "EEXIST"],
    [() => root.unlink("f"), "EACCES"],
    [() => root.unlink("none"), "ENOENT"],
    [() => root.removeDirectory("f"), "EACCES"],
    [() => root.rename("f"), "EACCES"],
    [() => root.setAttributes(), "EPERM"],
  ];
  for (const [change, errno] of changes) expect(refusal(change)).toBe(errno);
  expect(root.grantsCreation("f")).toBe(false);
  expect(root.grantsCreation("new")).toBe(false);
  expect(names(root)).toEqual(["f"]);
});

test("a file granted for creation exists once the guest made it", () => {
  const { world, file } = skeleton();
  const modes: number[] = [];
  world.placeCreatable("/out/report", (mode) => {
    modes.push(mode);
    return file("made");
  });
  const out = world.directory("/out");
  expect([out.lookup("report"), names(out), out.grantsCreation("report")]).toEqual([undefined, [], true]);
  expect(refusal(() => out.createDirectory("report"))).toBe("EACCES");
  expect(refusal(() => out.createPipe("report"))).toBe("EACCES");
  const made = out.createFile("report", 0o640);
  expect([modes, out.lookup("report"), names(out)]).toEqual([[0o640], made, ["report"]]);
  expect(readFile(made)).toEqual(bytes("made"));
  expect(out.grantsCreation("report")).toBe(false);
  expect(refusal(() => out.createFile("report", 0o640))).toBe("EEXIST");
  expect(refusal(() => out.unlink("report"))).toBe("EACCES");
});

test("a creation that fails can be tried again", () => {
  const { world, file } = skeleton();
  let full = true;
  world.placeCreatable("/f", () => (full ? fail("EDQUOT") : file()));
  expect(refusal(() => world.root.createFile("f", 0o644))).toBe("EDQUOT");
  expect(world.root.grantsCreation("f")).toBe(true);
  full = false;
  expect(refusal(() => world.root.createFile("f", 0o644))).toBe("ok");
});

test("a granted file that the host has already is found, and asked for no more", () => {
  const { world, file } = skeleton();
  let present: FileNode | undefined;
  let asked = 0;
  const existing = (): FileNode | undefined => {
    asked += 1;
    return present;
  };
  world.placeCreatable("/f", () => file("made"), existing);
  expect(asked).toBe(0);
  expect(world.root.lookup("f")).toBeUndefined();
  present = file("there");
  expect(world.root.grantsCreation("f")).toBe(false);
  expect(refusal(() => world.root.createFile("f", 0o644))).toBe("EEXIST");
  const before = asked;
  present = undefined;
  expect(names(world.root)).toEqual(["f"]);
  expect(asked).toBe(before);
});
