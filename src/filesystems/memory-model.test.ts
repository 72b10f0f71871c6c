// MemoryFileSystem against a model of maps and plain arrays: random programs must give the same files and the same errno,
// stay within the quota, and leave nothing charged once everything is removed.
import fc from "fast-check";
import { expect, test } from "vitest";
import type { DirectoryNode, FileHandle, FileNode } from "../kernel/filesystem.ts";
import { contentOf, owner, readWrite, refusal, scratch } from "./filesystem-fixture.ts";
import type { MemoryFileSystem } from "./memory-filesystem.ts";

interface ModelFile {
  kind: "file";
  content: Uint8Array;
}
interface ModelDirectory {
  kind: "directory";
  children: Map<string, ModelFile | ModelDirectory>;
}

const place = fc.record({
  directory: fc.constantFrom("", "d", "e"),
  name: fc.constantFrom("a", "d", "e", "__proto__", "\x80\xff"),
});
const offset = fc.oneof(fc.nat(300), fc.integer({ min: 65_400, max: 65_700 }), fc.nat(200_000));
const step = fc.oneof(
  fc.record({ act: fc.constantFrom("create", "mkdir", "unlink", "rmdir", "keep"), at: place }),
  fc.record({ act: fc.constant("rename"), at: place, to: place }),
  fc.record({ act: fc.constantFrom("truncate", "allocate"), at: place, size: offset }),
  fc.record({
    act: fc.constant("write"),
    at: place,
    size: offset,
    position: offset,
    byte: fc.integer({ min: 1, max: 255 }),
  }),
);
type Step = {
  act: string;
  at: { directory: string; name: string };
  to?: { directory: string; name: string };
  size?: number;
  position?: number;
  byte?: number;
};

/** Something to work on from the start; random steps alone would mostly miss. */
const prelude: readonly Step[] = [
  { act: "mkdir", at: { directory: "", name: "d" } },
  { act: "create", at: { directory: "", name: "a" } },
  { act: "create", at: { directory: "d", name: "a" } },
  { act: "create", at: { directory: "d", name: "__proto__" } },
];

/** Both worlds, and the handles that are kept open in both. */
class Run {
  readonly real: MemoryFileSystem;
  readonly model: ModelDirectory = { kind: "directory", children: new Map() };
  readonly kept: { handle: FileHandle; file: ModelFile }[] = [];
  readonly mayRunOut: boolean;

  constructor(real: MemoryFileSystem, mayRunOut: boolean) {
    this.real = real;
    this.mayRunOut = mayRunOut;
  }

  #directories(name: string): [DirectoryNode, ModelDirectory] | undefined {
    if (name === "") return [this.real.root, this.model];
    const real = this.real.root.lookup(name);
    const model = this.model.children.get(name);
    expect(real?.kind).toBe(model?.kind);
    return real?.kind === "directory" && model?.kind === "directory" ? [real, model] : undefined;
  }

  do(wanted: Step): void {
    const pair = this.#directories(wanted.at.directory);
    const target = wanted.to && this.#directories(wanted.to.directory);
    if (pair === undefined || (wanted.to && target === undefined)) return;
    const [real, model] = pair;
    const { name } = wanted.at;
    const file = real.lookup(name);
    const modelFile = model.children.get(name);
    expect(file?.kind).toBe(modelFile?.kind);
    const { size = 0, position = 0, byte = 0 } = wanted;

    switch (wanted.act) {
      case "create":
        this.#same(
          model.children.has(name) ? "EEXIST" : "ok",
          () => real.createFile(name, 0o644, owner),
          () => model.children.set(name, { kind: "file", content: new Uint8Array(0) }),
        );
        return;
      case "mkdir":
        this.#same(
          model.children.has(name) ? "EEXIST" : "ok",
          () => real.createDirectory(name, 0o755, owner),
          () => model.children.set(name, { kind: "directory", children: new Map() }),
        );
        return;
      case "unlink": {
        const expected =
          modelFile === undefined ? "ENOENT" : modelFile.kind === "directory" ? "EISDIR" : "ok";
        this.#same(
          expected,
          () => real.unlink(name),
          () => model.children.delete(name),
        );
        return;
      }
      case "rmdir": {
        const kind = modelFile === undefined ? "ENOENT" : modelFile.kind === "file" ? "ENOTDIR" : "ok";
        const full = modelFile?.kind === "directory" && modelFile.children.size > 0;
        this.#same(
          full ? "ENOTEMPTY" : kind,
          () => real.removeDirectory(name),
          () => model.children.delete(name),
        );
        return;
      }
      case "rename": {
        if (target === undefined || wanted.to === undefined) return;
        const newName = wanted.to.name;
        const expected = renameErrno(modelFile, target[1], newName);
        this.#same(
          expected,
          () => real.rename(name, target[0], newName),
          () => {
            if (modelFile === undefined || modelFile === target[1].children.get(newName)) return;
            model.children.delete(name);
            target[1].children.set(newName, modelFile);
          },
        );
        return;
      }
    }
    if (file?.kind !== "file" || modelFile?.kind !== "file") return;
    if (wanted.act === "keep") this.kept.push({ handle: file.open(readWrite), file: modelFile });
    else this.#change(file, modelFile, wanted.act, { size, position, byte });
    this.#compare(file.open(readWrite), modelFile, true);
  }

  #change(
    file: FileNode,
    model: ModelFile,
    act: string,
    { size, position, byte }: { size: number; position: number; byte: number },
  ): void {
    const handle = file.open(readWrite);
    if (act === "truncate") {
      handle.truncate(size);
      model.content = resized(model.content, size);
    } else if (act === "allocate") {
      this.#same(
        "ok",
        () => handle.allocate(size),
        () => {
          model.content = resized(model.content, Math.max(size, model.content.length));
        },
      );
    } else if (size > 0) {
      let count = 0;
      this.#same(
        "ok",
        () => {
          count = handle.write(new Uint8Array(size).fill(byte), position);
        },
        () => {
          if (!this.mayRunOut) expect(count).toBe(size);
          expect(count).toBeGreaterThan(0);
          model.content = resized(model.content, Math.max(position + count, model.content.length));
          model.content.fill(byte, position, position + count);
        },
      );
    }
    handle.close();
  }

  /** The real call must end as the model expects; only where space may run out, ENOSPC instead, and then without effect. */
  #same(expected: string, real: () => unknown, apply: () => unknown): void {
    const got = refusal(real);
    if (got === "ENOSPC" && this.mayRunOut && expected === "ok") return;
    expect(got).toBe(expected);
    if (got === "ok") apply();
  }

  #compare(handle: FileHandle, model: ModelFile, close: boolean): void {
    expect(Buffer.compare(contentOf(handle), model.content)).toBe(0);
    if (close) handle.close();
  }

  finish(): void {
    const used = this.real.usedBytes;
    for (const { handle, file } of this.kept) this.#compare(handle, file, false);
    this.#removeAll(this.real.root, this.model);
    for (const { handle, file } of this.kept) this.#compare(handle, file, true);
    expect(this.real.usedBytes).toBeLessThanOrEqual(used);
    expect([this.real.usedBytes, this.real.usedInodes]).toEqual([0, 0]);
  }

  #removeAll(real: DirectoryNode, model: ModelDirectory): void {
    expect(
      real
        .list()
        .map((entry) => entry.name)
        .sort(),
    ).toEqual([...model.children.keys()].sort());
    for (const { name, node } of real.list()) {
      const twin = model.children.get(name);
      if (node.kind === "directory" && twin?.kind === "directory") {
        this.#removeAll(node, twin);
        real.removeDirectory(name);
      } else if (node.kind === "file" && twin?.kind === "file") {
        this.#compare(node.open(readWrite), twin, true);
        real.unlink(name);
      } else expect(node.kind).toBe(twin?.kind);
    }
  }
}

function renameErrno(
  moved: ModelFile | ModelDirectory | undefined,
  target: ModelDirectory,
  newName: string,
): string {
  if (moved === undefined) return "ENOENT";
  if (moved === target) return "EINVAL";
  if (moved.kind === "directory" && [...moved.children.values()].includes(target)) return "EINVAL";
  const replaced = target.children.get(newName);
  if (replaced === undefined || replaced === moved) return "ok";
  if (replaced.kind === "file") return moved.kind === "file" ? "ok" : "ENOTDIR";
  if (moved.kind === "file") return "EISDIR";
  return replaced.children.size > 0 ? "ENOTEMPTY" : "ok";
}

function resized(content: Uint8Array, size: number): Uint8Array {
  const made = new Uint8Array(size);
  made.set(content.subarray(0, size));
  return made;
}

const program = fc.array(step, { minLength: 1, maxLength: 40, size: "max" });

test("does what the model does", () => {
  fc.assert(
    fc.property(program, (steps) => {
      const run = new Run(scratch({ quotaBytes: 64 * 1024 * 1024 }), false);
      for (const wanted of [...prelude, ...steps]) run.do(wanted);
      run.finish();
    }),
    { numRuns: 300 },
  );
});

test("does what the model does or runs out of space, within its quota", () => {
  const quotas = fc.record({ quotaBytes: fc.integer({ min: 0, max: 250_000 }), maxInodes: fc.nat(8) });
  fc.assert(
    fc.property(program, quotas, (steps, { quotaBytes, maxInodes }) => {
      const run = new Run(scratch({ quotaBytes, maxInodes }), true);
      for (const wanted of [...prelude, ...steps]) {
        run.do(wanted);
        expect(run.real.usedBytes).toBeLessThanOrEqual(quotaBytes);
        expect(run.real.usedInodes).toBeLessThanOrEqual(maxInodes);
      }
      run.finish();
    }),
    { numRuns: 300 },
  );
});
