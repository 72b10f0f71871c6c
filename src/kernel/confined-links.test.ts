// A link of a file system that confines its links is broken when it leads out, by whatever way; the guest's own path is not confined.
import { beforeEach, expect, test } from "vitest";
import { refusal, scratch } from "../filesystems/filesystem-fixture.ts";
import type { MemoryFileSystem } from "../filesystems/memory-filesystem.ts";
import { SkeletonFileSystem } from "../filesystems/skeleton.ts";
import type { DirectoryNode, Node } from "./filesystem.ts";
import { Mounts } from "./mounts.ts";
import { existing, walk } from "./path-walk.ts";

const owner = { uid: 1000, gid: 1000 };
let mounts: Mounts;
let inside: DirectoryNode;
let outside: DirectoryNode;

beforeEach(() => {
  const skeleton = new SkeletonFileSystem({ timeNs: 0n });
  mounts = new Mounts(skeleton);
  const confined: MemoryFileSystem & { confinesLinks?: boolean } = scratch();
  confined.confinesLinks = true;
  const free = scratch();
  mounts.mount(skeleton.directory("/confined"), confined);
  mounts.mount(skeleton.directory("/free"), free);
  [inside, outside] = [confined.root, free.root];
  outside.createFile("secret", 0o644, owner);
  const below = inside.createDirectory("below", 0o755, owner);
  below.createFile("kept", 0o644, owner);
  below.createDirectory("deeper", 0o755, owner);
});

function look(path: string): Node {
  return existing(walk(mounts, mounts.root, path, { followLast: true }));
}

test.each([
  "/free/secret",
  "/",
  "/confined/below",
  "../free/secret",
  "below/../../free/secret",
  "..",
  "below/../..",
])("a link to %s leads nowhere", (target) => {
  inside.createLink("link", target, owner);
  expect(refusal(() => look("/confined/link"))).toBe("ENOENT");
  expect(refusal(() => look("/confined/link/"))).toBe("ENOENT");
});

test("links that stay inside lead on, also up and down and through each other", () => {
  inside.createLink("link", "below/deeper/../kept", owner);
  inside.createLink("again", "./link", owner);
  inside.createLink("folder", "below/deeper", owner);
  inside.createLink("up", "folder/../..", owner);
  expect(look("/confined/again").kind).toBe("file");
  expect(look("/confined/folder/../kept").kind).toBe("file");
  expect(look("/confined/up")).toBe(inside);
});

test("a link through a link is confined from where it really leads", () => {
  inside.createLink("here", ".", owner);
  inside.createLink("out", "here/../free/secret", owner);
  inside.createLink("chain", "out", owner);
  expect(refusal(() => look("/confined/out"))).toBe("ENOENT");
  expect(refusal(() => look("/confined/chain"))).toBe("ENOENT");
});

test("what the guest's own path says after a link is not confined", () => {
  inside.createLink("top", ".", owner);
  expect(look("/confined/top/../free/secret").kind).toBe("file");
  expect(look("/confined/../free/secret").kind).toBe("file");
});

test("a link from outside to a confined one is confined only there", () => {
  inside.createLink("out", "../free/secret", owner);
  inside.createLink("in", "below/kept", owner);
  outside.createLink("broken", "../confined/out", owner);
  outside.createLink("works", "../confined/in", owner);
  outside.createLink("around", "/confined/../free/secret", owner);
  expect(refusal(() => look("/free/broken"))).toBe("ENOENT");
  expect(look("/free/works").kind).toBe("file");
  expect(look("/free/around").kind).toBe("file");
});
