// Somebody on the host's side exchanges a file and a link while the guest walks to one of them: as natively, the guest finds one or the
// other (renameat2(2), RENAME_EXCHANGE is atomic).
import { beforeEach, expect, test } from "vitest";
import { open } from "../abi/flags.ts";
import { Guest } from "../kernel/guest-fixture.ts";
import { fail } from "../kernel/kernel-error.ts";
import type { SyncTree, SyncTreeFile } from "./sync-tree.ts";
import type { TreeEntry } from "./tree.ts";
import { TreeFileSystem } from "./tree-filesystem.ts";

const contents: Readonly<Record<string, string>> = { file: "file", target: "target" };
const root: TreeEntry = { kind: "directory", size: 0 };

let guest: Guest;
/** What stands at each name: "link" leads to "target". */
let names: Map<string, string>;
let asked: string[];
/** Called before each question that follows a walk. */
let meanwhile: () => void;
/** Called before each question of a walk. */
let looks: () => void;

beforeEach(() => {
  names = new Map([
    ["f", "file"],
    ["l", "link"],
    ["target", "target"],
  ]);
  asked = [];
  meanwhile = () => {};
  looks = () => {};
  guest = new Guest();
  guest.kernel.process.mounts.mount(
    guest.skeleton.directory("/t"),
    new TreeFileSystem(exchanged, { timeNs: 0n }),
  );
});

function exchange(): void {
  const [one, other] = [names.get("f") ?? "", names.get("l") ?? ""];
  names.set("f", other).set("l", one);
}
/** A `meanwhile` that does this so many times. */
function times(count: number, happen: () => void): void {
  let left = count;
  meanwhile = () => {
    if (left-- > 0) happen();
  };
}

function entryOf(name: string): TreeEntry | undefined {
  const thing = names.get(name);
  if (name === "" || thing === undefined) return name === "" ? root : undefined;
  return thing === "link" ? { kind: "link", size: 6 } : { kind: "file", size: contents[thing]?.length ?? 0 };
}

function fileOf(thing: string): SyncTreeFile {
  const bytes = new TextEncoder().encode(contents[thing] ?? "");
  return {
    stat: () => ({ kind: "file", size: bytes.length }),
    read: (target, position) => {
      const part = bytes.subarray(position, position + target.length);
      target.set(part);
      return part.length;
    },
    write: (source) => source.length,
    truncate: () => {},
    sync: () => {},
    change: () => {},
    lock: () => undefined,
    unlock: () => {},
    close: () => void asked.push("close"),
  };
}

const exchanged: SyncTree = {
  stat: (path) => {
    looks();
    return entryOf(path);
  },
  trail: () => ({ entries: [], errno: 0 }),
  list: () => [],
  open: (path, { create }) => {
    meanwhile();
    asked.push(`open ${path} ${create}`);
    const thing = names.get(path);
    if (thing === "link") fail("ELOOP");
    if (thing === undefined && create === "never") fail("ENOENT");
    if (thing === undefined) names.set(path, "made");
    return fileOf(thing ?? "made");
  },
  readLink: (path) => {
    meanwhile();
    asked.push(`readLink ${path}`);
    return names.get(path) === "link" ? "target" : fail("EINVAL");
  },
  makeDirectory: () => fail("EROFS"),
  makeLink: () => fail("EROFS"),
  remove: () => fail("EROFS"),
  removeDirectory: () => fail("EROFS"),
  rename: () => fail("EROFS"),
  change: () => fail("EROFS"),
  room: () => undefined,
};

test.each([
  ["a file that has become a link", "/t/f", 1, "target", ["open f never", "readLink f", "open target never"]],
  ["a link that has become a file", "/t/l", 1, "file", ["readLink l", "open l never"]],
  ["both in turn", "/t/f", 2, "file", ["open f never", "readLink f", "open f never"]],
])("%s", (_name, path, count, content, expected) => {
  times(count, exchange);
  expect(guest.content(path)).toBe(content);
  expect(asked).toEqual([...expected, "close"]);
});

test("truncation by path goes back as well", () => {
  times(1, exchange);
  expect(guest.call("truncate64", guest.path("/t/f"), 0n)).toBe(0);
  expect(asked).toEqual(["open f never", "readLink f", "open target never", "close"]);
});

test("what is not to be followed never is", () => {
  times(1, exchange);
  expect(guest.tryOpen("/t/f", open.NOFOLLOW)).toBe("ELOOP");
  expect(asked).toEqual(["open f never"]);
  times(1, exchange);
  expect(guest.readlink("/t/f")).toBe("EINVAL");
});

test("a file that has gone is made, where that was asked for, and else is not there", () => {
  times(1, () => names.delete("f"));
  expect(guest.tryOpen("/t/f")).toBe("ENOENT");
  names.set("f", "file");
  times(1, () => names.delete("f"));
  guest.close(guest.open("/t/f", open.WRONLY | open.CREAT));
  expect(asked).toEqual(["open f never", "open f never", "open f missing", "close"]);
});

test("a link that somebody has made where a file was to be made is followed", () => {
  names.delete("f");
  times(1, () => names.set("f", "link"));
  expect(guest.read(guest.open("/t/f", open.RDWR | open.CREAT), 10)).toBe("target");
});

test("a tree that contradicts itself without end is asked so often and no more", () => {
  // Each look at "f" finds a file, each use of it a link.
  looks = () => void names.set("f", "file");
  meanwhile = () => void names.set("f", "link");
  const before = [guest.openFiles, guest.hostMemory.usedBytes];
  expect(guest.tryOpen("/t/f")).toBe("ELOOP");
  expect(asked).toEqual(Array(8).fill("open f never"));
  names.set("l", "link");
  looks = () => void names.set("l", "link");
  meanwhile = () => void names.set("l", "file");
  asked.length = 0;
  expect(guest.chdir("/t/l")).toBe("EINVAL");
  expect(asked).toEqual(Array(8).fill("readLink l"));
  expect([guest.openFiles, guest.hostMemory.usedBytes]).toEqual(before);
});
