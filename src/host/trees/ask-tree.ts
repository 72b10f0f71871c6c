// One question about a path of a granted tree, put to the embedder's code, and its answer as plain data.
import { now, type Steps } from "../../filesystems/later.ts";
import type { Later, Tree, TreeChange } from "../../filesystems/tree.ts";
import { plainEntry, plainRoom, plainTarget } from "../../filesystems/tree-answers.ts";
import { fail } from "../../kernel/kernel-error.ts";
import type { AskedChange, TreeQuestion } from "./tree-questions.ts";

type PathQuestion = Exclude<
  Extract<TreeQuestion, { place: number }>,
  { operation: "open" | "trail" | "list" }
>;

/** Throws what the tree throws, and KernelError for what it cannot do. */
export function* askTree(tree: Tree, question: PathQuestion): Steps<unknown> {
  const { path } = question;
  switch (question.operation) {
    case "stat": {
      const entry = yield* now(tree.stat(path));
      return entry === undefined ? undefined : plainEntry(entry);
    }
    case "readLink":
      if (!tree.readLink) fail("EACCES");
      return plainTarget(yield* now(tree.readLink(path)));
    case "room":
      return plainRoom(yield* now(tree.room?.()));
    case "makeDirectory":
      if (!tree.makeDirectory) fail("EROFS");
      return yield* done(tree.makeDirectory(path, question.mode));
    case "makeLink":
      if (!tree.makeLink) fail("EROFS");
      return yield* done(tree.makeLink(path, question.target));
    case "remove":
      if (!tree.remove) fail("EROFS");
      return yield* done(tree.remove(path));
    case "removeDirectory":
      if (!tree.removeDirectory) fail("EROFS");
      return yield* done(tree.removeDirectory(path));
    case "rename":
      if (!tree.rename) fail("EROFS");
      return yield* done(tree.rename(path, question.to));
    case "change":
      if (!tree.change) fail("EROFS");
      return yield* done(tree.change(path, changeOf(question.change)));
  }
}

export function* done(answer: Later<void> | undefined): Steps<undefined> {
  yield* now(answer);
  return undefined;
}

export function changeOf({ mode, accessedNs, modifiedNs }: AskedChange): TreeChange {
  return {
    ...(mode !== undefined && { mode }),
    ...(accessedNs !== undefined && { accessedNs: BigInt(accessedNs) }),
    ...(modifiedNs !== undefined && { modifiedNs: BigInt(modifiedNs) }),
  };
}
