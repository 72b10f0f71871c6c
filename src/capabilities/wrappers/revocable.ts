// A place whose use can be ended at any time, for every sandbox that has it and every file that is open through it. After that nothing
// comes back from it, not even the answer to what was asked before, and what is open below it is closed.
import { type Around, aroundTree, type TreeOperation } from "../../filesystems/around-tree.ts";
import { type EntryStep, isLongListing, stepped } from "../../filesystems/entry-steps.ts";
import { now, run, type Steps } from "../../filesystems/later.ts";
import { isLockable, lockIdentity } from "../../filesystems/lock-identity.ts";
import type { Tree, TreeFile } from "../../filesystems/tree.ts";
import { fail } from "../../kernel/kernel-error.ts";
import type { FileCapability, Wrapped } from "../capability.ts";
import { type Callable, isCallable } from "../functions/around-function.ts";
import { type RevocableFunction, revocableFunction } from "../functions/ended-functions.ts";
import { wrapped } from "./wrapped.ts";

/** A place to grant, and the end of its use. */
export interface Revocable {
  readonly capability: Wrapped;
  /** Ends all use, now and for good. Open files fail with EBADF, everything else with EACCES. Calling it again does nothing. */
  revoke(): void;
}

/** The same place, function or object, and `revoke`, which ends its use for every sandbox that has it. */
export function revocable<C extends Callable>(capability: C): RevocableFunction<C>;
export function revocable(capability: FileCapability): Revocable;
export function revocable(capability: Callable | FileCapability): Revocable | RevocableFunction<Callable> {
  return isCallable(capability) ? revocableFunction(capability) : revocablePlace(capability);
}

function revocablePlace(capability: FileCapability): Revocable {
  let revoked = false;
  const lifetimes = new Set<OpenFiles>();
  const wrap = (tree: Tree, fault: (error: unknown) => void): Tree => {
    const files = new OpenFiles(() => revoked, fault);
    lifetimes.add(files);
    return endingTree(tree, files, () => lifetimes.delete(files));
  };
  return {
    capability: wrapped(capability, (tree, { fault }) => wrap(tree, fault)),
    revoke: () => {
      revoked = true;
      for (const files of lifetimes) files.sweep();
    },
  };
}

/** The files that are open through one tree, and whether its use has ended. */
export class OpenFiles {
  readonly ended: () => boolean;
  readonly #fault: (error: unknown) => void;
  readonly #close = new Set<() => unknown>();
  #asking = 0;

  constructor(ended: () => boolean, fault: (error: unknown) => void) {
    this.ended = ended;
    this.#fault = fault;
  }

  /** The file, which is closed once: by whoever has it, or when the use has ended. */
  opened(file: TreeFile): TreeFile {
    const close = (): ReturnType<NonNullable<TreeFile["close"]>> =>
      this.#close.delete(close) ? file.close?.() : undefined;
    this.#close.add(close);
    if (!isLockable(file)) return { ...file, close };
    const identity = () => (this.ended() ? fail("EBADF") : file[lockIdentity]());
    return Object.assign({ ...file, close }, { [lockIdentity]: identity });
  }

  /** Closes everything once the use has ended; not while an answer is on its way, which may still need it. */
  sweep(): void {
    if (!this.ended() || this.#asking > 0) return;
    for (const close of [...this.#close]) {
      try {
        Promise.resolve(close()).catch(this.#fault);
      } catch (error) {
        this.#fault(error);
      }
    }
  }

  *asking<T>(steps: Steps<T>): Steps<T> {
    this.#asking += 1;
    try {
      return yield* steps;
    } finally {
      this.#asking -= 1;
      this.sweep();
    }
  }
}

/** A tree that is of no use as soon as the use of its files has ended. */
export function endingTree(tree: Tree, files: OpenFiles, closed: () => void = () => {}): Tree {
  function* answered(operation: TreeOperation, ask: () => ReturnType<Around>): Steps<unknown> {
    if (files.ended()) refuse(operation);
    const answer = yield* now(ask());
    const kept = operation === "open" ? files.opened(answer as TreeFile) : answer;
    if (files.ended()) refuse(operation);
    return operation === "list" && isLongListing(kept) ? stepped(kept, listed) : kept;
  }
  const listed: EntryStep = (next) => {
    const item = files.ended() ? refuse("list") : next();
    return files.ended() ? refuse("list") : item;
  };
  return aroundTree(tree, (request, proceed) => {
    const { operation } = request;
    if (operation === "close") closed();
    if (operation === "close" || operation === "closeFile") return proceed(request);
    return run(files.asking(answered(operation, () => proceed(request))));
  });
}

const onFiles: ReadonlySet<TreeOperation> = new Set<TreeOperation>([
  "statFile",
  "syncFile",
  "read",
  "write",
  "truncate",
  "changeFile",
]);

function refuse(operation: TreeOperation): never {
  return fail(onFiles.has(operation) ? "EBADF" : "EACCES");
}
