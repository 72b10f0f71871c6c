// Another process swaps files, folders and links as fast as it can, inside for outside and back, while the tree opens, lists, writes and
// renames. SANDBOA_RACES says how many tries; the gate takes a moderate number.
import { spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { keeping } from "../../../filesystems/tree-keep.ts";
import { trail } from "../../../filesystems/tree-trail.ts";
import type { HostTree } from "./host-tree.ts";
import { FolderFixture, making, reading, refusal, replacing, writing } from "./host-tree-fixture.ts";

const tries = Number(process.env.SANDBOA_RACES ?? 20_000);

/**
 * Run by another Node, with the fixture's home as its argument. What it swaps waits in "stock", beside the root. While a folder is out
 * there, a secret lies in it for a moment.
 */
const swapper = `
const fs = require("node:fs"), { join } = require("node:path"), home = process.argv[1];
const root = join(home, "root"), stock = join(home, "stock"), vault = join(home, "vault");
const quietly = (work) => { try { work(); return 1; } catch { return 0; } };
const exchange = (name, other) => {
  quietly(() => fs.renameSync(join(root, name), join(stock, name)));
  quietly(() => fs.renameSync(join(stock, other), join(root, name)));
  if (name === "folder") {
    quietly(() => fs.renameSync(join(vault, "lure"), join(stock, "folder", "lure")));
    quietly(() => fs.renameSync(join(stock, "folder", "lure"), join(vault, "lure")));
  }
  quietly(() => fs.renameSync(join(root, name), join(stock, other)));
  quietly(() => fs.renameSync(join(stock, name), join(root, name)));
};
let swaps = 0;
process.on("SIGTERM", () => {});
process.on("disconnect", () => process.exit());
process.on("message", () => { process.send(swaps, () => process.exit()); });
const turn = () => {
  for (let i = 0; i < 50; i++, swaps++) {
    exchange("file", "file-link"); exchange("folder", "folder-link"); exchange("deep", "deep-link");
    exchange("file", "file-absolute"); exchange("folder", "folder-absolute");
    exchange("file", "file-folder"); exchange("folder", "other-folder");
  }
  setImmediate(turn);
};
process.send("ready"); turn();
`;

/** When all files of the vault were changed. */
const vaultSeconds = 1_000_000_007;

let folder: FolderFixture;
beforeEach(() => {
  folder = new FolderFixture();
  const at = (...names: string[]): string => join(folder.home, ...names);
  for (const name of [
    "stock",
    "vault",
    "stock/other-folder",
    "stock/file-folder",
    "root/folder",
    "root/deep/er",
  ])
    fs.mkdirSync(at(name), { recursive: true });
  fs.writeFileSync(at("root/file"), "inside");
  fs.writeFileSync(at("root/folder/file"), "inside");
  fs.writeFileSync(at("root/deep/er/file"), "inside");
  for (const name of ["file", "lure", "only-in-the-vault"]) fs.writeFileSync(at("vault", name), "SECRET");
  fs.mkdirSync(at("vault/er"));
  fs.writeFileSync(at("vault/er/file"), "SECRET");
  for (const name of ["file", "lure", "er/file"])
    fs.utimesSync(at("vault", name), vaultSeconds, vaultSeconds);
  fs.symlinkSync("../vault/file", at("stock/file-link"));
  fs.symlinkSync(at("vault/file"), at("stock/file-absolute"));
  fs.symlinkSync("../vault", at("stock/folder-link"));
  fs.symlinkSync(at("vault"), at("stock/folder-absolute"));
  fs.symlinkSync("../vault", at("stock/deep-link"));
});
afterEach(() => folder.remove());

/** Names, modes, times and content of all that must not change. */
function portrait(): string[] {
  const vault = join(folder.home, "vault");
  return (fs.readdirSync(vault, { recursive: true }) as string[]).sort().map((name) => {
    const path = join(vault, name);
    const { mode, mtimeNs, size } = fs.statSync(path, { bigint: true });
    const content = fs.statSync(path).isFile() ? `${mtimeNs} ${fs.readFileSync(path, "latin1")}` : "";
    return [name, mode, fs.statSync(path).isFile() ? size : "", content].join(" ");
  });
}

class Guest {
  readonly outcomes = new Map<string, number>();
  readonly seen = new Set<string>();
  readonly #tree: HostTree;
  #random = 1;

  constructor(tree: HostTree) {
    this.#tree = tree;
  }

  try(): void {
    const outcome = refusal(() => this.#do());
    this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1);
  }

  #do(): unknown {
    const tree = this.#tree;
    const opened = this.#pick(["file", "folder/file", "folder/lure", "deep/er/file", "folder/er/file"]);
    // What is opened is looked at after it was opened. A name is made, moved or removed in the folder in which it was found, and nobody
    // can look afterwards: so the names that are swapped are for opening only.
    const made = this.#pick(["folder/new", "deep/er/new", "file/new"]);
    switch (this.#next() % 16) {
      case 0:
        return tree.open(made, making).close();
      case 1:
        return tree.open(made, replacing).close();
      case 2:
        return tree.rename(made, this.#pick(["folder/new", "deep/er/new", "new"]));
      case 3:
        return tree.remove(this.#pick([made, "new", "deep/er/link"]));
      case 4:
        return tree.makeDirectory(`${made}er`, 0o755);
      case 5:
        return tree.removeDirectory(`${made}er`);
      case 6:
        return tree.makeLink("deep/er/link", "../../file");
      case 7:
        this.seen.add(tree.readLink(this.#pick(["file", "folder", "deep"])));
        return;
      case 8:
        return tree.change(opened, { mode: 0o600, modifiedNs: 1n });
      case 9:
      case 10:
        for (const { name } of tree.list(this.#pick(["folder", "deep/er", ""]))) this.seen.add(name);
        return;
      case 11: {
        const names = opened.split("/").length;
        for (const entry of [tree.stat(opened), ...tree[trail](opened, 1 + (this.#next() % names)).entries])
          this.seen.add(
            entry?.modifiedNs === BigInt(vaultSeconds) * 10n ** 9n ? "from the vault" : "an entry",
          );
        return;
      }
      case 12: {
        const file = tree.open(opened, writing);
        file.write(0, Buffer.from("inside"));
        return file.close();
      }
      default: {
        const file = tree.open(opened, reading);
        this.seen.add(Buffer.from(file.read(0, 100)).toString());
        return file.close();
      }
    }
  }

  #pick<T>(from: readonly T[]): T {
    return from[this.#next() % from.length] as T;
  }

  /** Park and Miller's generator: the same tries in each run, against a process that no run repeats. */
  #next(): number {
    this.#random = (this.#random * 48_271) % 2_147_483_647;
    return this.#random >> 8;
  }
}

test(`${tries} tries while everything is swapped: nothing outside is read, written or named`, async () => {
  const before = portrait();
  const child = spawn(process.execPath, ["-e", swapper, folder.home], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  await once(child, "message");
  const tree = folder.grant({ files: 2 ** 40 });
  const guest = new Guest(tree);
  let done: (() => void) | undefined;
  for (let i = 0; i < tries; i++) {
    // Half of them as in long work, where a walk begins near the last one.
    if (i % 200 === 0) done?.();
    if (i % 200 === 100) done = tree[keeping]();
    guest.try();
  }
  done?.();
  child.send("stop");
  const [swaps] = await once(child, "message");
  if (child.exitCode === null) await once(child, "exit");
  expect(swaps).toBeGreaterThan(0);
  expect(
    [...guest.seen].filter((text) => /SECRET|vault|lure/.test(text) || text.includes(folder.home)),
  ).toEqual([]);
  expect(guest.seen).toContain("inside");
  expect(guest.seen).toContain("an entry");
  expect(portrait()).toEqual(before);
  if (process.env.SANDBOA_RACES)
    process.stdout.write(`${tries} tries, ${swaps} rounds: ${JSON.stringify([...guest.outcomes])}\n`);
}, 3_600_000);
