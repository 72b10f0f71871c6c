// One simple model of a tree of files, random programs over it, and a run of both side by side: every answer must be the model's, and
// so must what is there in the end. Whatever calls itself a tree is tried with it.
import fc from "fast-check";
import { expect } from "vitest";
import { FileError } from "../errors/file-error.ts";
import { KernelError } from "../kernel/kernel-error.ts";
import type { Tree, TreeAccess, TreeFile } from "./tree.ts";
import { parentPath, pathNames } from "./tree-path.ts";

export interface ModelFile {
  readonly kind: "file";
  content: Uint8Array;
  mode: number;
}
interface ModelLink {
  readonly kind: "link";
  readonly target: string;
}
export interface ModelDirectory {
  readonly kind: "directory";
  readonly children: Map<string, ModelNode>;
  mode: number;
}
type ModelNode = ModelFile | ModelLink | ModelDirectory;

const names = fc.constantFrom("a", "b", "d", "e", "é", "\udcff", "__proto__");
const path = fc.oneof(
  fc.constantFrom("a", "d", "e", "d/a", "d/b", "d/d", "d/d/a", "e/d", "e/d/a"),
  fc.array(names, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/")),
);
const offset = fc.oneof(fc.nat(300), fc.integer({ min: 65_400, max: 65_700 }), fc.nat(200_000));
const access = fc.record({
  append: fc.boolean(),
  truncate: fc.boolean(),
  create: fc.constantFrom("never", "missing", "always"),
});
const extent = { position: offset, size: offset, byte: fc.integer({ min: 1, max: 255 }) } as const;
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ act: fc.constant("write"), path, access, ...extent }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constant("keep"), path, access }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constant("keptWrite"), which: fc.nat(5), ...extent }) },
  fc.record({ act: fc.constant("keptChange"), which: fc.nat(5), mode: fc.constantFrom(0o600, 0o755) }),
  fc.record({ act: fc.constant("truncate"), path, size: offset }),
  fc.record({ act: fc.constantFrom("remove", "removeDirectory", "list", "readLink"), path }),
  fc.record({ act: fc.constant("remove"), path }),
  fc.record({ act: fc.constant("makeDirectory"), path, mode: fc.constantFrom(0o700, 0o755) }),
  fc.record({ act: fc.constant("makeLink"), path, target: fc.constantFrom("a", "../é", "\udcff") }),
  { weight: 4, arbitrary: fc.record({ act: fc.constant("rename"), path, to: path }) },
  fc.record({ act: fc.constant("change"), path, mode: fc.constantFrom(0o600, 0o644, 0o700) }),
);
export interface Step {
  readonly act: string;
  readonly path?: string;
  readonly to?: string;
  readonly access?: { readonly append: boolean; readonly truncate: boolean; readonly create: string };
  readonly position?: number;
  readonly size?: number;
  readonly byte?: number;
  readonly which?: number;
  readonly mode?: number;
  readonly target?: string;
}

export const programs: fc.Arbitrary<Step[]> = fc.array(step, { minLength: 1, maxLength: 40, size: "max" });

/** Something to work on from the start; random steps alone would mostly miss. */
export const prelude: readonly Step[] = [
  { act: "makeDirectory", path: "d", mode: 0o755 },
  { act: "makeDirectory", path: "d/d", mode: 0o755 },
  { act: "makeDirectory", path: "e", mode: 0o700 },
  { act: "makeLink", path: "é", target: "a" },
  ...["a", "d/a", "d/b", "d/d/a", "e/\udcff", "d/d/__proto__"].map((path, at) => ({
    act: "write",
    path,
    access: { append: false, truncate: false, create: "missing" },
    position: 0,
    size: at === 1 ? 150_000 : 30 * at + 10,
    byte: at + 1,
  })),
];

/**
 * A tree and the model. `mayRunOut`: the tree may answer ENOSPC, and then has changed nothing. `foldersStay`: it renames no folder (EXDEV).
 */
export class SideBySide {
  readonly model: ModelDirectory;
  readonly #tree: Tree;
  readonly #mayRunOut: boolean;
  readonly #foldersStay: boolean;
  readonly #kept: { readonly file: TreeFile; readonly model: ModelFile; readonly append: boolean }[] = [];

  constructor(
    tree: Tree,
    options: {
      readonly mayRunOut?: boolean;
      readonly foldersStay?: boolean;
      readonly model?: ModelDirectory;
    } = {},
  ) {
    this.#tree = tree;
    this.#foldersStay = options.foldersStay ?? false;
    this.#mayRunOut = options.mayRunOut ?? false;
    this.model = options.model ?? { kind: "directory", children: new Map(), mode: 0o755 };
  }

  async do(step: Step): Promise<void> {
    const { act, path = "", to = "", mode = 0, target = "", position = 0, size = 0 } = step;
    const tree = this.#tree;
    switch (act) {
      case "write":
        await this.#opened(step, async (file, model, append) => this.#write(file, model, append, step));
        return;
      case "keep":
        await this.#opened(step, async (file, model, append) => {
          this.#kept.push({ file, model, append });
          return "kept";
        });
        return;
      case "keptWrite": {
        const kept = this.#kept[step.which ?? 0];
        if (kept !== undefined) await this.#write(kept.file, kept.model, kept.append, { ...step, position });
        return;
      }
      case "keptChange": {
        const kept = this.#kept[step.which ?? 0];
        if (kept === undefined) return;
        const done = await this.#same("ok", () => kept.file.change?.({ mode }));
        if (done) kept.model.mode = mode;
        return;
      }
      case "truncate": {
        const writing = { append: false, truncate: false, create: "never" };
        await this.#opened({ act, path, access: writing }, async (file, model) => {
          const done = await this.#same("ok", () => file.truncate?.(size));
          if (done) model.content = resized(model.content, size);
          return "close";
        });
        return;
      }
      case "list": {
        const found = this.#find(path);
        const expected =
          found === undefined ? this.#missing(path) : found.kind === "directory" ? "ok" : "ENOTDIR";
        let listed: string[] = [];
        await this.#same(expected, async () => {
          const entries = [...((await tree.list?.(path)) ?? [])];
          listed = entries.map((entry) => entry.name);
        });
        if (found?.kind === "directory") expect(listed.sort()).toEqual([...found.children.keys()].sort());
        return;
      }
      case "readLink": {
        const found = this.#find(path);
        const expected = found === undefined ? this.#missing(path) : found.kind === "link" ? "ok" : "EINVAL";
        let read: string | undefined;
        await this.#same(expected, async () => {
          read = await tree.readLink?.(path);
        });
        expect(read).toBe(found?.kind === "link" ? found.target : undefined);
        return;
      }
      case "makeDirectory":
        await this.#make(path, { kind: "directory", children: new Map(), mode }, () =>
          tree.makeDirectory?.(path, mode),
        );
        return;
      case "makeLink":
        await this.#make(path, { kind: "link", target }, () => tree.makeLink?.(path, target));
        return;
      case "remove":
      case "removeDirectory": {
        const found = this.#find(path);
        const full = found?.kind === "directory" && found.children.size > 0;
        const ofFile = found?.kind === "directory" ? "EISDIR" : "ok";
        const ofDirectory = found?.kind !== "directory" ? "ENOTDIR" : full ? "ENOTEMPTY" : "ok";
        const expected = found === undefined ? this.#missing(path) : act === "remove" ? ofFile : ofDirectory;
        if (
          await this.#same(expected, () =>
            act === "remove" ? tree.remove?.(path) : tree.removeDirectory?.(path),
          )
        )
          this.#parent(path)?.children.delete(lastOf(path));
        return;
      }
      case "rename":
        if (!(await this.#same(this.#renameOutcome(path, to), () => tree.rename?.(path, to)))) return;
        this.#move(path, to);
        return;
      case "change": {
        const found = this.#find(path);
        // A link's bits are never looked at: not every system has them.
        if (found?.kind === "link") return;
        const expected = found === undefined ? this.#missing(path) : "ok";
        if ((await this.#same(expected, () => tree.change?.(path, { mode }))) && found !== undefined)
          found.mode = mode;
        return;
      }
      default:
        throw new Error(`no such step: ${act}`);
    }
  }

  /** Everything that is there, and all that is still open; then it is closed. */
  async finish(): Promise<void> {
    expect(await viewOf(this.#tree)).toEqual(viewOfModel(this.model));
    for (const { file, model } of this.#kept) {
      expect(await contentOf(file)).toBe(latin1(model.content));
      await file.close?.();
    }
    this.#kept.length = 0;
    expect(await viewOf(this.#tree)).toEqual(viewOfModel(this.model));
  }

  async #opened(
    { path = "", access = { append: false, truncate: false, create: "never" } }: Step,
    use: (file: TreeFile, model: ModelFile, append: boolean) => Promise<string>,
  ): Promise<void> {
    const found = this.#find(path);
    const present =
      access.create === "always"
        ? "EEXIST"
        : found?.kind === "directory"
          ? "EISDIR"
          : found?.kind === "link"
            ? "ELOOP"
            : "ok";
    const parent = this.#parent(path);
    const absent = parent === undefined ? this.#missing(path) : access.create === "never" ? "ENOENT" : "ok";
    const wanted = {
      read: true,
      write: true,
      append: access.append,
      truncate: access.truncate,
      create: access.create,
      mode: 0o640,
    } as TreeAccess;
    let file: TreeFile | undefined;
    const done = await this.#same(found === undefined ? absent : present, async () => {
      file = await this.#tree.open(path, wanted);
    });
    if (!done || file === undefined) return;
    let model = found;
    if (model === undefined) {
      model = { kind: "file", content: new Uint8Array(0), mode: 0o640 };
      parent?.children.set(lastOf(path), model);
    }
    if (model.kind !== "file") throw new Error("it was opened");
    if (access.truncate) model.content = new Uint8Array(0);
    if ((await use(file, model, access.append)) !== "kept") await file.close?.();
  }

  async #write(file: TreeFile, model: ModelFile, append: boolean, step: Step): Promise<string> {
    const { position = 0, size = 0, byte = 0 } = step;
    const bytes = new Uint8Array(size).fill(byte);
    let count = 0;
    if (size === 0) return "nothing";
    const done = await this.#same("ok", async () => {
      const answer = file.write?.(position, bytes);
      // The bytes are the writer's again as soon as the call is over, also when the answer is still to come.
      bytes.fill(0);
      count = (await answer) ?? size;
    });
    if (!done) return "close";
    if (!this.#mayRunOut) expect(count).toBe(size);
    expect(count).toBeGreaterThan(0);
    const at = append ? model.content.length : position;
    model.content = resized(model.content, Math.max(model.content.length, at + count));
    model.content.fill(byte, at, at + count);
    expect(await contentOf(file)).toBe(latin1(model.content));
    return "close";
  }

  async #make(path: string, node: ModelNode, make: () => unknown): Promise<void> {
    const parent = this.#parent(path);
    const expected =
      this.#find(path) !== undefined ? "EEXIST" : parent === undefined ? this.#missing(path) : "ok";
    if (await this.#same(expected, make)) parent?.children.set(lastOf(path), node);
  }

  #renameOutcome(from: string, to: string): string {
    const moved = this.#find(from);
    if (this.#parent(from) === undefined || moved === undefined) return this.#missing(from);
    if (this.#foldersStay && moved.kind === "directory") return "EXDEV";
    if (this.#parent(to) === undefined) return this.#missing(to);
    if (from === to) return "ok";
    if (to.startsWith(`${from}/`)) return "EINVAL";
    const replaced = this.#find(to);
    if (replaced === undefined) return "ok";
    if (moved.kind === "directory" && replaced.kind !== "directory") return "ENOTDIR";
    if (moved.kind !== "directory" && replaced.kind === "directory") return "EISDIR";
    return replaced.kind === "directory" && replaced.children.size > 0 ? "ENOTEMPTY" : "ok";
  }

  #move(from: string, to: string): void {
    const moved = this.#find(from);
    if (moved === undefined || from === to) return;
    this.#parent(from)?.children.delete(lastOf(from));
    this.#parent(to)?.children.set(lastOf(to), moved);
  }

  #find(path: string): ModelNode | undefined {
    let node: ModelNode | undefined = this.model;
    for (const name of pathNames(path))
      node = node?.kind === "directory" ? node.children.get(name) : undefined;
    return node;
  }

  #parent(path: string): ModelDirectory | undefined {
    const parent = this.#find(parentPath(path));
    return parent?.kind === "directory" ? parent : undefined;
  }

  #missing(path: string): string {
    for (let above = parentPath(path); above !== ""; above = parentPath(above)) {
      const found = this.#find(above);
      if (found !== undefined) return found.kind === "file" ? "ENOTDIR" : "ENOENT";
    }
    return "ENOENT";
  }

  /** Whether it was done. It must end as the model expects; only where space may run out, ENOSPC instead. */
  async #same(expected: string, real: () => unknown): Promise<boolean> {
    const got = await outcome(real);
    if (got === "ENOSPC" && this.#mayRunOut && expected === "ok") return false;
    expect(got).toBe(expected);
    return got === "ok";
  }
}

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

export function viewOfModel(directory: ModelDirectory, below = ""): Map<string, string> {
  const view = new Map<string, string>();
  for (const name of [...directory.children.keys()].sort()) {
    const node = directory.children.get(name);
    const path = below === "" ? name : `${below}/${name}`;
    if (node?.kind === "link") view.set(path, `link ${node.target}`);
    else if (node?.kind === "file") view.set(path, `file ${node.mode.toString(8)} ${latin1(node.content)}`);
    else if (node?.kind === "directory") {
      view.set(path, `directory ${node.mode.toString(8)}`);
      for (const [inner, shown] of viewOfModel(node, path)) view.set(inner, shown);
    }
  }
  return view;
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

function lastOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("latin1");
}

function resized(content: Uint8Array, size: number): Uint8Array {
  const made = new Uint8Array(size);
  made.set(content.subarray(0, size));
  return made;
}
