// What the tests of wrappers share: a place in memory, its resolving as in a sandbox, and every use that there is.
import { scratch } from "../../filesystems/filesystem-fixture.ts";
import { filesystemTree } from "../../filesystems/filesystem-tree.ts";
import type { Later, Tree, TreeAccess, TreeFile } from "../../filesystems/tree.ts";
import { contentOf, outcome, reading, sometimesLater } from "../../filesystems/tree-view-fixture.ts";
import type { FileCapability, PlaceEnvironment } from "../capability.ts";

export const writing: TreeAccess = { ...reading, write: true, create: "missing", mode: 0o644 };
export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A clock that is moved by hand, and the faults that were told. */
export class Hands implements PlaceEnvironment {
  ms = 1000;
  readonly faults: unknown[] = [];
  nowMs = (): number => this.ms;
  fault = (error: unknown): void => {
    this.faults.push(error);
  };
}

export function capabilityOf(tree: Tree): FileCapability {
  return { kind: "tree", open: () => tree };
}

/** As a sandbox gets it, from the inside out. */
export function resolve(capability: FileCapability, environment: PlaceEnvironment = new Hands()): Tree {
  if (capability.kind === "tree") return capability.open(environment);
  if (capability.kind !== "wrapped") throw new Error(capability.kind);
  return capability.wrap(resolve(capability.inner, environment), environment);
}

/** d/f holds "content", l leads there. */
export async function place(later: boolean): Promise<{ memory: Tree; capability: FileCapability }> {
  const memory = filesystemTree(scratch());
  memory.makeDirectory("d", 0o755);
  await write(memory, "d/f", "content");
  memory.makeLink("l", "d/f");
  return { memory, capability: capabilityOf(sometimesLater(memory, () => later)) };
}

export async function write(tree: Tree, path: string, content: string): Promise<number> {
  const file = await tree.open(path, writing);
  const count = (await file.write?.(0, bytes(content))) ?? content.length;
  await file.close?.();
  return count;
}

export async function read(tree: Tree, path: string): Promise<string> {
  const file = await tree.open(path, reading);
  try {
    return await contentOf(file);
  } finally {
    await file.close?.();
  }
}

/** Every use of a tree. The types see to it that none is missing. */
export function uses(tree: Tree): Record<keyof Omit<Required<Tree>, "close">, () => Later<unknown>> {
  return {
    stat: () => tree.stat("d/f"),
    list: () => tree.list?.("d"),
    open: () => tree.open("d/f", reading),
    readLink: () => tree.readLink?.("l"),
    makeDirectory: () => tree.makeDirectory?.("n", 0o755),
    makeLink: () => tree.makeLink?.("m", "t"),
    remove: () => tree.remove?.("l"),
    removeDirectory: () => tree.removeDirectory?.("n"),
    rename: () => tree.rename?.("d/f", "d/g"),
    change: () => tree.change?.("d", { mode: 0o700 }),
    room: () => tree.room?.(),
  };
}

export function fileUses(
  file: TreeFile,
): Record<keyof Omit<Required<TreeFile>, "close">, () => Later<unknown>> {
  return {
    stat: () => file.stat(),
    read: () => file.read?.(0, 10),
    write: () => file.write?.(0, bytes("X")),
    truncate: () => file.truncate?.(1),
    sync: () => file.sync?.(),
    change: () => file.change?.({ mode: 0o600 }),
  };
}

export async function outcomes(all: Record<string, () => Later<unknown>>): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const [name, use] of Object.entries(all)) found[name] = await outcome(use);
  return found;
}
