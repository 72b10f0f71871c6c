// A place whose every use is told to a function of the embedder's, after it was done or refused. The function changes nothing: what it
// throws is told as a fault of it, and the guest never learns.
import { FileError } from "../../errors/file-error.ts";
import { OptionError } from "../../errors/option-error.ts";
import { aroundTree, type TreeOperation, type TreeRequest } from "../../filesystems/around-tree.ts";
import { type EntryStep, isLongListing, stepped } from "../../filesystems/entry-steps.ts";
import { isPending, now, run, type Steps } from "../../filesystems/later.ts";
import type { NamedTreeEntry, Tree, TreeAccess, TreePath } from "../../filesystems/tree.ts";
import { KernelError } from "../../kernel/kernel-error.ts";
import type { FileCapability, Wrapped } from "../capability.ts";
import { type Callable, isCallable } from "../functions/around-function.ts";
import { type CallUse, observedFunction } from "../functions/observed-functions.ts";
import { wrapped } from "./wrapped.ts";

/** What was done with a place, or was refused. */
export interface FileUse {
  /** As of a request to `aroundTree`. */
  readonly operation: TreeOperation;
  /** Below the place's own root; of an open file, the path under which it was opened. */
  readonly path: TreePath;
  /** Of `rename` only: the new path. */
  readonly to?: TreePath;
  /** Of `open` only. */
  readonly access?: TreeAccess;
  /** Of `read` and `write`: how many were. */
  readonly bytes?: number;
  /** The errno's name if it was refused; "EIO" for every error that is no refusal. */
  readonly error?: string;
}

/**
 * The same place, function or object, with every use told to a listener. It is called in the order in which uses end, for every sandbox that
 * has the capability; what it throws is an event of type "fault". Paths are the guest's: hostile text.
 */
export function observed<C extends Callable>(capability: C, listener: (use: CallUse) => void): C;
export function observed(capability: FileCapability, listener: (use: FileUse) => void): Wrapped;
export function observed(
  capability: Callable | FileCapability,
  listener: ((use: CallUse) => void) | ((use: FileUse) => void),
): Callable | Wrapped {
  if (typeof listener !== "function") throw new OptionError("observed listener", listener, "a function");
  if (isCallable(capability)) return observedFunction(capability, listener as (use: CallUse) => void);
  const tell = listener as (use: FileUse) => void;
  return wrapped(capability, (tree, { fault }) => observedTree(tree, tell, fault));
}

function observedTree(tree: Tree, listener: (use: FileUse) => void, fault: (error: unknown) => void): Tree {
  const tell = (use: FileUse): void => {
    try {
      const answer: unknown = listener(use);
      if (isPending(answer)) answer.then(undefined, fault);
    } catch (error) {
      fault(error);
    }
  };
  return aroundTree(tree, (request, proceed) => {
    function* steps(): Steps<unknown> {
      try {
        const answer = yield* now(proceed(request));
        if (request.operation === "list" && isLongListing(answer)) return observedList(answer, request, tell);
        tell({ ...useOf(request), ...bytesOf(request, answer) });
        return answer;
      } catch (error) {
        tell({ ...useOf(request), error: codeOf(error) });
        throw error;
      }
    }
    return run(steps());
  });
}

/** Told when it has ended, which is when it is known what became of it. */
function observedList(
  entries: Iterable<NamedTreeEntry>,
  request: TreeRequest,
  tell: (use: FileUse) => void,
): Iterable<NamedTreeEntry> {
  let isTold = false;
  const ended = (): void => {
    if (!isTold) tell(useOf(request));
    isTold = true;
  };
  const step: EntryStep = (next) => {
    try {
      const item = next();
      if (item.done) ended();
      return item;
    } catch (error) {
      tell({ ...useOf(request), error: codeOf(error) });
      isTold = true;
      throw error;
    }
  };
  return stepped(entries, step, ended);
}

function useOf(request: TreeRequest): FileUse {
  const { operation, path } = request;
  if (request.operation === "rename") return { operation, path, to: request.to };
  return request.operation === "open" ? { operation, path, access: request.access } : { operation, path };
}

function bytesOf(request: TreeRequest, answer: unknown): { bytes?: number } {
  if (request.operation === "read") return { bytes: (answer as Uint8Array).length };
  if (request.operation === "write") return { bytes: (answer as number | undefined) ?? request.bytes.length };
  return {};
}

function codeOf(error: unknown): string {
  if (error instanceof KernelError) return error.name;
  return error instanceof FileError ? error.code : "EIO";
}
