// What the tests of trees look with: everything that is in a tree, outcomes by name, and trees whose answers come later.
import { expect } from "vitest";
import { errno } from "../abi/errno.ts";
import { FileError } from "../errors/file-error.ts";
import { KernelError } from "../kernel/kernel-error.ts";
import type { Tree, TreeAccess, TreeEntry, TreeFile } from "./tree.ts";
import { pathNames } from "./tree-path.ts";
import { type TrailTree, type TreeTrail, trail } from "./tree-trail.ts";

/** The code of a refusal, now or later; "ok" when there is none. */
export async function outcome(action: () => unknown): Promise<string> {
  try {
    await action();
    return "ok";
  } catch (error) {
    if (error instanceof KernelError) return error.name;
    if (error instanceof FileError) return error.code;
    throw error;
  }
}

/** As the trail would be if each prefix were asked for alone. */
async function trailByStat(tree: Tree, path: string, count: number): Promise<TreeTrail> {
  const names = pathNames(path);
  const entries: TreeEntry[] = [];
  for (let end = names.length - count + 1; end <= names.length; end++) {
    const entry = await tree.stat(names.slice(0, end).join("/"));
    if (entry === undefined) return { entries, errno: errno.ENOENT };
    entries.push(entry);
    if (entry.kind !== "directory") break;
  }
  return { entries, errno: 0 };
}

/** What is told of the last names of a path at once is what is told of each alone, as far as it is told. Returns how much that was. */
export async function checkTrails(tree: TrailTree, path: string): Promise<number> {
  let told = 0;
  for (let count = 1; count <= pathNames(path).length + 1; count++) {
    const { entries, errno } = tree[trail](path, count);
    const expected = await trailByStat(tree, path, count);
    expect(entries, `${path} ${count}`).toEqual(expected.entries.slice(0, entries.length));
    if (errno !== 0) expect({ entries, errno }, `${path} ${count}`).toEqual(expected);
    told += entries.length + (errno === 0 ? 0 : 1);
  }
  return told;
}

/** Everything in a tree: path to kind, permission bits and content. */
export async function viewOf(tree: Tree, below = ""): Promise<Map<string, string>> {
  const view = new Map<string, string>();
  const entries = [...((await tree.list?.(below)) ?? [])].sort((one, other) =>
    one.name < other.name ? -1 : 1,
  );
  for (const { name, kind, size, mode } of entries) {
    const path = below === "" ? name : `${below}/${name}`;
    const entry = await tree.stat(path);
    expect([entry?.kind, entry?.size, entry?.mode], path).toEqual([kind, size, mode]);
    if (kind === "link") view.set(path, `link ${await tree.readLink?.(path)}`);
    else if (kind === "directory") {
      view.set(path, `directory ${mode?.toString(8)}`);
      for (const [inner, shown] of await viewOf(tree, path)) view.set(inner, shown);
    } else {
      const file = await tree.open(path, reading);
      const content = await contentOf(file);
      await file.close?.();
      expect(content.length, path).toBe(size);
      view.set(path, `file ${mode?.toString(8)} ${content}`);
    }
  }
  return view;
}

export const reading: TreeAccess = {
  read: true,
  write: false,
  append: false,
  truncate: false,
  create: "never",
  mode: 0,
};

/** Of a file that is open, in pieces of odd length. */
export async function contentOf(file: TreeFile): Promise<string> {
  let content = "";
  for (;;) {
    const part = (await file.read?.(content.length, 50_021)) ?? new Uint8Array(0);
    if (part.length === 0) return content;
    content += latin1(part);
  }
}

/** A tree whose answers come later whenever `later()` says so, but for the methods in `now`; so do those of its open files. */
export function sometimesLater(tree: Tree, later: () => boolean, now: readonly string[] = []): Tree {
  const delayed = (target: object): object =>
    new Proxy(target, {
      get: (_, key) => {
        const method = Reflect.get(target, key);
        if (typeof method !== "function") return method;
        return (...parameters: unknown[]) => {
          const wait = later() && !now.includes(String(key));
          const answer = wait ? undefined : method.apply(target, parameters);
          const made = (value: unknown): unknown => (key === "open" ? delayed(value as object) : value);
          if (wait) return Promise.resolve().then(async () => made(await method.apply(target, parameters)));
          return answer instanceof Promise ? answer.then(made) : made(answer);
        };
      },
    });
  return delayed(tree) as Tree;
}

export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("latin1");
}
