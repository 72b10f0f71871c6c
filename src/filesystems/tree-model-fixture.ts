// One simple model of a tree of files, and a run of a program on it and on a tree side by side: every answer must be the model's, and
// so must what is there in the end. Whatever calls itself a tree is tried with it.
import { expect } from "vitest";
import type { Tree, TreeAccess, TreeFile } from "./tree.ts";
import { parentPath, pathNames } from "./tree-path.ts";
import type { Step } from "./tree-programs-fixture.ts";
import { hasTrails } from "./tree-trail.ts";
import { checkTrails, contentOf, latin1, outcome, viewOf } from "./tree-view-fixture.ts";

interface ModelFile {
  readonly kind: "file";
  content: Uint8Array;
  mode: number;
}
interface ModelLink {
  readonly kind: "link";
  readonly target: string;
}
interface ModelDirectory {
  readonly kind: "directory";
  readonly children: Map<string, ModelNode>;
  mode: number;
}
type ModelNode = ModelFile | ModelLink | ModelDirectory;

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

  /** How much trails have told, where the tree has such. */
  told = 0;

  async do(step: Step): Promise<void> {
    await this.#do(step);
    if (hasTrails(this.#tree)) this.told += await checkTrails(this.#tree, step.path ?? "");
  }

  async #do(step: Step): Promise<void> {
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

function viewOfModel(directory: ModelDirectory, below = ""): Map<string, string> {
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

function lastOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function resized(content: Uint8Array, size: number): Uint8Array {
  const made = new Uint8Array(size);
  made.set(content.subarray(0, size));
  return made;
}
