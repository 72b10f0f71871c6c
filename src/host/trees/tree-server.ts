// The host's side of granted trees, for one lifetime: answers one question at a time, and holds the files that are open. Everything that
// comes from the inside is checked before the embedder's code sees it, and everything that code says before the inside does.
// Invariant: each file that a tree has opened is closed once, however late it was opened and however the lifetime ended.
import { type ErrnoName, errno } from "../../abi/errno.ts";
import { maxPathBytes } from "../../abi/limits.ts";
import { FileError } from "../../errors/file-error.ts";
import { canReadAhead, firstLook } from "../../filesystems/first-look.ts";
import { HostFault } from "../../filesystems/host-fault.ts";
import type { HostFolderTicket } from "../../filesystems/host-folder.ts";
import { now, run, type Steps } from "../../filesystems/later.ts";
import { PlainList } from "../../filesystems/plain-list.ts";
import type { Later, Tree, TreeEntry } from "../../filesystems/tree.ts";
import { openedFile, plainBytes, plainCount, plainEntry } from "../../filesystems/tree-answers.ts";
import { isTreePath, pathBytes, pathNames } from "../../filesystems/tree-path.ts";
import { hasTrails, maxTrailPaths, type TreeTrail, trail } from "../../filesystems/tree-trail.ts";
import { fail, KernelError } from "../../kernel/kernel-error.ts";
import { monotonicMs } from "../../platform/node/powers.ts";
import type { FaultEvent, OnFault } from "../events.ts";
import { askTree, changeOf, done } from "./ask-tree.ts";
import { identityOf, type LockedBy, type LockedFile, type LockServer } from "./lock-server.ts";
import {
  type ListedPart,
  maxPieceBytes,
  type OpenedTreeFile,
  type TreeQuestion,
  type TreeReply,
} from "./tree-questions.ts";

/** A granted tree in its lifetime. */
export interface ServedPlace {
  /** Where the guest sees it. */
  readonly guestPath: string;
  readonly tree: Tree;
  /** Where the tree is a folder of the host and nothing more: what a thread needs to use it itself. */
  readonly folder?: HostFolderTicket | undefined;
  readonly lockedBy?: LockedBy | undefined;
}

type ListQuestion = Extract<TreeQuestion, { operation: "list" }>;

/** A listing whose last part was not asked for yet. */
interface Listing extends Pick<ListQuestion, "place" | "path"> {
  readonly list: PlainList;
}

interface OpenTreeFile extends LockedFile {
  readonly place: ServedPlace;
}

const nothing = new Uint8Array(0);
/** The guest's deadline is looked at between two questions. */
const longestTrailMs = 5;
/** How long the end of a lifetime waits for what the embedder's code has to say to it. */
const closingMs = 10_000;

export class TreeServer {
  readonly #places: ReadonlyMap<number, ServedPlace>;
  readonly #mostFiles: number;
  readonly #onFault: OnFault;
  readonly #locks: LockServer | undefined;
  readonly #files = new Map<number, OpenTreeFile>();
  /** What is being closed, and where. */
  readonly #closing = new Map<PromiseLike<void>, { readonly place: ServedPlace; readonly path: string }>();
  #lastFile = 0;
  /** Questions are counted: an answer to any but the last one has come too late. */
  #asked = 0;
  #ended: Promise<void> | undefined;
  #listing: Listing | undefined;
  /** What the last trail has come to. */
  #trailAt: { readonly operation: "stat"; readonly path: string } = { operation: "stat", path: "" };

  constructor(
    places: ReadonlyMap<number, ServedPlace>,
    mostFiles: number,
    onFault: OnFault,
    locks?: LockServer,
  ) {
    this.#locks = locks;
    this.#places = places;
    this.#mostFiles = mostFiles;
    this.#onFault = onFault;
  }

  get folders(): ReadonlyMap<number, HostFolderTicket> {
    return new Map([...this.#places].flatMap(([number, { folder }]) => (folder ? [[number, folder]] : [])));
  }

  get openFiles(): number {
    return this.#files.size;
  }

  /**
   * The answer never rejects; it is of no use once another question has come, or `abandon` was called. Throws RangeError at once for what
   * our own inside does not ask: a place or file that is not there, a path that is none.
   */
  answer(question: TreeQuestion, content: Uint8Array = nothing): Later<TreeReply> {
    this.#asked += 1;
    const number = this.#asked;
    if ("place" in question) this.#placeOf(question);
    // The host may still look at what a lost guest has left.
    if (this.#ended !== undefined) return { errno: errno.EIO };
    if (question.operation === "lock") return run(this.#lock(question));
    if (question.operation === "list") this.#demandNext(question);
    const steps =
      "place" in question
        ? this.#ofPlace(question, this.#placeOf(question), number)
        : this.#ofFile(question, this.#opened(question.file), content);
    return run(steps);
  }

  /** Nobody waits any more for the answer under way: what it opens is closed. */
  abandon(): void {
    this.#asked += 1;
  }

  /** Answers that came too late because nobody could wait for them are a fault of the place. */
  refusePending(question: TreeQuestion): TreeReply {
    this.abandon();
    const error = new Error(
      "the place answered with a promise, and an inline sandbox cannot wait: isolation must be worker or process",
    );
    const file = question.operation === "lock" ? question.of : question;
    const open = "file" in file ? this.#files.get(file.file) : undefined;
    const place = "place" in question ? this.#placeOf(question) : open?.place;
    const asked = question.operation === "trail" ? this.#trailAt : question;
    const path = "path" in asked ? asked.path : (open?.path ?? "");
    if (place) this.#report(place, path, asked.operation, error);
    return { errno: errno.EIO };
  }

  /** Closes all files and trees; resolves when they are closed, or have had their time. May be called again. */
  end(): Promise<void> {
    this.#ended ??= this.#end();
    return this.#ended;
  }

  async #end(): Promise<void> {
    this.abandon();
    this.#endListing();
    this.#locks?.end();
    for (const [number, open] of this.#files) {
      this.#files.delete(number);
      this.#close(open);
    }
    for (const place of this.#places.values()) this.#keepAsking(place, "", () => place.tree.close?.());
    if (this.#closing.size === 0) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(true), closingMs);
    });
    const isLate = await Promise.race([late, Promise.all(this.#closing.keys()).then(() => false)]);
    clearTimeout(timer);
    if (!isLate) return;
    const told = new Set<ServedPlace>();
    for (const { place, path } of this.#closing.values()) {
      // A guest can leave many files open: one of each place is enough.
      if (told.has(place)) continue;
      told.add(place);
      this.#report(place, path, "close", new Error("what was open was not closed within ten seconds"));
    }
  }

  #isCurrent(number: number): boolean {
    return number === this.#asked && this.#ended === undefined;
  }

  #placeOf(question: Extract<TreeQuestion, { place: number }>): ServedPlace {
    demandPath(question.path);
    if (question.operation === "rename") demandPath(question.to);
    return this.#places.get(question.place) ?? unasked(`place ${question.place} is no tree`);
  }

  *#ofPlace(
    question: Extract<TreeQuestion, { place: number }>,
    place: ServedPlace,
    number: number,
  ): Steps<TreeReply> {
    const { path, operation } = question;
    try {
      if (question.operation === "open") return yield* this.#open(question, place, number);
      if (question.operation === "trail")
        return { errno: 0, answer: yield* this.#trail(path, question.count, place, number) };
      if (question.operation === "list")
        return { errno: 0, answer: yield* this.#list(question, place, number) };
      return { errno: 0, answer: yield* askTree(place.tree, question) };
    } catch (error) {
      const reply = this.#refusal(place, path, operation, error);
      return operation === "stat" && reply.errno === errno.ENOENT ? { errno: 0 } : reply;
    }
  }

  #demandNext({ place, path, from }: ListQuestion): void {
    if (from === 0) return;
    const { list, ...of } = this.#listing ?? unasked("no listing is under way");
    if (of.place !== place || of.path !== path || list.seen !== from) unasked("no part of this listing");
  }

  *#list({ place: at, path, from }: ListQuestion, place: ServedPlace, number: number): Steps<ListedPart> {
    if (from === 0) {
      this.#endListing();
      const { tree } = place;
      if (!tree.list) fail("EACCES");
      const given = yield* now(tree.list(path));
      const list = new PlainList(given, (fault) => this.#report(place, path, "list", fault));
      if (!this.#isCurrent(number)) {
        list.close();
        fail("EIO");
      }
      this.#listing = { place: at, path, list };
    }
    const { list } = this.#listing ?? fail("EIO");
    try {
      const { entries, isLast } = list.next();
      if (isLast) this.#listing = undefined;
      return { entries, next: isLast ? 0 : list.seen };
    } catch (error) {
      this.#endListing();
      throw error;
    }
  }

  #endListing(): void {
    const listing = this.#listing;
    this.#listing = undefined;
    listing?.list.close();
  }

  /** Asks a tree that does not tell it at once for each prefix, until one leads no further. */
  *#trail(path: string, asked: number, place: ServedPlace, number: number): Steps<TreeTrail> {
    const { tree } = place;
    const startMs = monotonicMs();
    const names = pathNames(path);
    const count = Math.max(1, Math.min(asked, maxTrailPaths, names.length + 1));
    if (hasTrails(tree)) return tree[trail](path, count);
    const entries: TreeEntry[] = [];
    for (let end = names.length - count + 1; end <= names.length; end++) {
      const prefix = names.slice(0, end).join("/");
      this.#trailAt = { operation: "stat", path: prefix };
      try {
        const given = yield* now(tree.stat(prefix));
        if (given === undefined) return { entries, errno: errno.ENOENT };
        entries.push(plainEntry(given));
      } catch (error) {
        return { entries, errno: this.#refusal(place, prefix, "stat", error).errno };
      }
      // When nobody waits any more the embedder's code is not asked for nothing.
      const isOver = monotonicMs() - startMs > longestTrailMs || !this.#isCurrent(number);
      if (entries.at(-1)?.kind !== "directory" || isOver) break;
    }
    return { entries, errno: 0 };
  }

  *#open(
    { access, path, tells = false }: Extract<TreeQuestion, { operation: "open" }>,
    place: ServedPlace,
    number: number,
  ): Steps<TreeReply> {
    if (this.#files.size >= this.#mostFiles) fail("EMFILE");
    const file = openedFile(yield* now(place.tree.open(path, access)));
    const open = { place, path, file };
    const able = (!access.read || file.read) && (!access.write || file.write);
    if (!able || !this.#isCurrent(number)) {
      this.#close(open);
      fail(able ? "EIO" : access.read && !file.read ? "EACCES" : "EROFS");
    }
    this.#lastFile += 1;
    const opened: OpenedTreeFile = { file: this.#lastFile };
    this.#files.set(opened.file, open);
    const look = tells && canReadAhead(file) ? yield* firstLook(file) : undefined;
    return look && this.#isCurrent(number)
      ? { errno: 0, answer: { ...opened, entry: look.entry }, bytes: look.content }
      : { errno: 0, answer: opened };
  }

  *#ofFile(
    question: Extract<TreeQuestion, { file: number }>,
    open: OpenTreeFile,
    content: Uint8Array,
  ): Steps<TreeReply> {
    const { file } = open;
    try {
      switch (question.operation) {
        case "statFile":
          return { errno: 0, answer: plainEntry(yield* now(file.stat())) };
        case "read": {
          if (!file.read) fail("EBADF");
          const length = Math.min(question.length, maxPieceBytes);
          const bytes = plainBytes(yield* now(file.read(question.position, length)), length);
          return { errno: 0, answer: bytes.length, bytes };
        }
        case "write": {
          if (!file.write) fail("EBADF");
          if (content.length === 0) return { errno: 0, answer: 0 };
          const written = yield* now(file.write(question.position, content));
          return { errno: 0, answer: plainCount(written, content.length) };
        }
        case "truncate":
          if (!file.truncate) fail("EROFS");
          return { errno: 0, answer: yield* done(file.truncate(question.size)) };
        case "sync":
          return { errno: 0, answer: yield* done(file.sync?.()) };
        case "changeFile":
          if (!file.change) fail("EROFS");
          return { errno: 0, answer: yield* done(file.change(changeOf(question.change))) };
        case "close":
          this.#files.delete(question.file);
          if (!question.isAwaited) {
            this.#close(open);
            return { errno: 0 };
          }
          return { errno: 0, answer: yield* done(file.close?.()) };
      }
    } catch (error) {
      return this.#refusal(open.place, open.path, question.operation, error);
    }
  }

  *#lock({ of, lock }: Extract<TreeQuestion, { operation: "lock" }>): Steps<TreeReply> {
    const open = "file" in of ? this.#opened(of.file) : undefined;
    try {
      if (this.#locks === undefined) fail("ENOLCK");
      return { errno: 0, answer: yield* this.#locks.answer(of, lock, open) };
    } catch (error) {
      if (open) return this.#refusal(open.place, open.path, "lock", error);
      if (error instanceof KernelError) return { errno: error.errno };
      throw error;
    }
  }

  /** The word of an open file of a granted folder. Throws KernelError. */
  hostFile(file: number): string {
    const word = run(identityOf(this.#opened(file)));
    return typeof word === "string" ? word : fail("EBADF");
  }

  #opened(file: number): OpenTreeFile {
    return this.#files.get(file) ?? unasked("no such open file");
  }

  #refusal(place: ServedPlace, path: string, operation: string, error: unknown): TreeReply {
    if (error instanceof HostFault) this.#report(place, path, operation, error.cause);
    if (error instanceof KernelError) return { errno: error.errno, spent: error.spent };
    if (error instanceof FileError && Object.hasOwn(errno, error.code))
      return { errno: errno[error.code as ErrnoName] };
    this.#report(place, path, operation, error);
    return { errno: errno.EIO };
  }

  /** What a place that is used on the inside has to tell. */
  tell(fault: FaultEvent): void {
    this.#onFault(fault);
  }

  #report({ guestPath }: ServedPlace, path: string, operation: string, error: unknown): void {
    const at = path === "" ? guestPath : `${guestPath}/${path}`;
    this.#onFault({ type: "fault", path: at, operation, error });
  }

  /** Nobody waits for this answer but the end of the lifetime. */
  #close({ place, path, file }: OpenTreeFile): void {
    this.#keepAsking(place, path, () => file.close?.());
  }

  #keepAsking(place: ServedPlace, path: string, ask: () => Later<void> | undefined): void {
    const report = (error: unknown): void => {
      if (error instanceof HostFault) this.#report(place, path, "close", error.cause);
      else if (!(error instanceof KernelError || error instanceof FileError))
        this.#report(place, path, "close", error);
    };
    const steps = function* (): Steps<void> {
      try {
        yield* now(ask());
      } catch (error) {
        report(error);
      }
    };
    const closed = run(steps());
    if (closed === undefined) return;
    const pending = Promise.resolve(closed as PromiseLike<void>).then(() => {
      this.#closing.delete(pending);
    });
    this.#closing.set(pending, { place, path });
  }
}

function unasked(reason: string): never {
  throw new RangeError(reason);
}

function demandPath(path: string): void {
  if (!isTreePath(path) || pathBytes(path).length > maxPathBytes) unasked("a path that is none");
}
