// What another process can do between two steps of one operation, done here at exactly that moment.
import * as fs from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { FolderFixture, refusal } from "./host-tree-fixture.ts";
import { directoryFlags, nameIn, openAt, pathOf, placeFlags, withOpen } from "./open-at.ts";
import { OpenedFolder } from "./opened-folder.ts";

let fixture: FolderFixture;
let folder: OpenedFolder;
beforeEach(() => {
  fixture = new FolderFixture();
  folder = new OpenedFolder(fixture.ticket().fd ?? -1);
});
afterEach(() => fixture.remove());

const inside = (...names: string[]): string => join(fixture.root, ...names);
const outside = (...names: string[]): string => join(fixture.outside, ...names);

test("what was moved out after it was opened is not in here, and is again when it comes back", () => {
  folder.directory(["a"], (fd) => {
    fs.renameSync(inside("a"), outside("a"));
    expect(refusal(() => folder.demandInside(fd))).toBe("ENOENT");
    fs.renameSync(outside("a"), inside("a"));
    expect(refusal(() => folder.demandInside(fd))).toBe("ok");
  });
});

test("a directory that is out while it is listed shows nothing of what is put into it there", () => {
  folder.directory(["a"], (fd) => {
    fs.renameSync(inside("a"), outside("a"));
    fs.renameSync(outside("secret"), outside("a", "secret"));
    expect(folder.entries(fd, folder.names(fd), (_, name) => name)).toEqual([]);
    fs.renameSync(outside("a", "secret"), outside("secret"));
    fs.renameSync(outside("a"), inside("a"));
    expect(folder.entries(fd, folder.names(fd), (_, name) => name)).toEqual(["b"]);
  });
});

test("a file that is reached through a directory that is out is not in here", () => {
  folder.directory(["a"], (fd) => {
    fs.renameSync(inside("a"), outside("a"));
    fs.renameSync(outside("secret"), outside("a", "secret"));
    withOpen(openAt(fd, "secret", placeFlags), (secret) => {
      expect(refusal(() => folder.demandInside(secret))).toBe("ENOENT");
    });
  });
});

test("the folder itself may be moved and replaced", () => {
  const other = join(fixture.home, "other");
  fs.renameSync(fixture.root, other);
  fs.mkdirSync(fixture.root);
  fs.writeFileSync(inside("hello.txt"), "replaced");
  folder.place(["hello.txt"], (fd) => expect(pathOf(fd)).toBe(join(other, "hello.txt")));
  folder.directory(["a"], (fd) => {
    fs.renameSync(join(other, "a"), inside("a"));
    expect(refusal(() => folder.demandInside(fd))).toBe("ENOENT");
  });
});

test("a neighbour whose name begins alike is not in here", () => {
  fs.mkdirSync(`${fixture.root}-more`);
  withOpen(fs.openSync(`${fixture.root}-more`, fs.constants.O_RDONLY), (fd) =>
    expect(refusal(() => folder.demandInside(fd))).toBe("ENOENT"),
  );
});

test("what was removed after it was opened was in here until then", () => {
  folder.place(["hello.txt"], (fd) => {
    fs.rmSync(inside("hello.txt"));
    expect(refusal(() => folder.demandInside(fd))).toBe("ok");
  });
});

test("neither the last name nor one before it is followed when it is a link", () => {
  fs.symlinkSync("a", inside("link"));
  expect(refusal(() => folder.directory(["link"], () => {}))).toBe("ENOTDIR");
  expect(refusal(() => folder.place(["link", "b"], () => {}))).toBe("ENOENT");
  folder.place(["link"], (fd) => expect(pathOf(fd)).toBe(inside("link")));
  expect(refusal(() => openAt(folder.fd, "link", directoryFlags))).toBe("ENOTDIR");
});

test.each(["", ".", "..", "a/b", "/", "x\0"])("%j is no name and never reaches the system", (name) => {
  expect(refusal(() => nameIn(folder.fd, name))).toBe("EINVAL");
});
