// What the tests of host folders share: a folder with something inside and secrets beside it, trees over it, refusals by name.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { HostDirectoryMode, HostFolderTicket } from "../../../filesystems/host-folder.ts";
import type { TreeAccess, TreePath } from "../../../filesystems/tree.ts";
import { KernelError } from "../../../kernel/kernel-error.ts";
import { grantHostFolder, releaseHostFolder } from "./host-folders.ts";
import { HostTree } from "./host-tree.ts";

export const reading: TreeAccess = {
  read: true,
  write: false,
  append: false,
  truncate: false,
  create: "never",
  mode: 0o644,
};
export const writing: TreeAccess = { ...reading, write: true };
export const making: TreeAccess = { ...writing, create: "always" };
/** open(path, "w") of C and Python. */
export const replacing: TreeAccess = { ...writing, read: false, truncate: true, create: "missing" };
export const appending: TreeAccess = { ...writing, read: false, append: true, create: "missing" };

interface GrantOptions {
  readonly mode?: HostDirectoryMode;
  readonly match?: readonly string[];
  readonly bytes?: number;
  readonly files?: number;
}

export class FolderFixture {
  readonly home = mkdtempSync(join(tmpdir(), "sandboa-folder-"));
  readonly root = join(this.home, "root");
  readonly outside = join(this.home, "outside");
  readonly #tickets: HostFolderTicket[] = [];

  constructor() {
    mkdirSync(join(this.root, "a", "b"), { recursive: true });
    mkdirSync(this.outside);
    writeFileSync(join(this.root, "hello.txt"), "hello");
    writeFileSync(join(this.root, "a", "b", "deep.txt"), "deep");
    writeFileSync(join(this.outside, "secret"), "SECRET");
  }

  ticket(options: GrantOptions = {}, path: string = this.root): HostFolderTicket {
    const ticket = grantHostFolder({
      path,
      mode: options.mode ?? "write",
      match: options.match,
      growthBytes: options.bytes ?? 2 ** 26,
      maxFiles: options.files ?? 10_000,
    });
    this.#tickets.push(ticket);
    return ticket;
  }

  grant(options: GrantOptions = {}, path: string = this.root): HostTree {
    return new HostTree(this.ticket(options, path));
  }

  remove(): void {
    for (const ticket of this.#tickets) releaseHostFolder(ticket);
    rmSync(this.home, { recursive: true, force: true });
  }
}

/** The errno name that `action` is refused with; "ok" when it is not. Other errors pass through. */
export function refusal(action: () => unknown): string {
  try {
    action();
    return "ok";
  } catch (error) {
    if (error instanceof KernelError) return error.name;
    throw error;
  }
}

export function readAll(tree: HostTree, path: TreePath): string {
  const file = tree.open(path, reading);
  try {
    return Buffer.from(file.read(0, 2 ** 20)).toString("latin1");
  } finally {
    file.close();
  }
}

/** Opens, writes at 0 and closes. */
export function writeAll(tree: HostTree, path: TreePath, text: string, access: TreeAccess = replacing): void {
  const file = tree.open(path, access);
  try {
    file.write(0, Buffer.from(text, "latin1"));
  } finally {
    file.close();
  }
}

export function listed(tree: HostTree, path: TreePath): string[] {
  return Array.from(tree.list(path), ({ name, kind }) => `${name}:${kind}`).sort();
}
