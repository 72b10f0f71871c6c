// The thinnest wall: the guest runs in the embedder's own thread, which waits for it. The interpreter is metered, so every loop of
// the guest comes past the supervisor; what else separates the two is WebAssembly itself.
import { SandboxLostError } from "../errors/run-errors.ts";
import { isPending } from "../filesystems/later.ts";
import { RenewalFailure } from "../interpreter/interpreter.ts";
import { createHostFile, openHostFile } from "../platform/node/host-files.ts";
import { inflateRaw } from "../platform/node/powers.ts";
import { makeSessionPowers } from "../platform/node/session-powers.ts";
import { Control } from "./control.ts";
import type { LoadedImage } from "./image-cache.ts";
import { LibraryFileSystem } from "./library-filesystem.ts";
import type { SessionReport } from "./meters.ts";
import type { SandboxPlan } from "./plan.ts";
import type { FilesQuestion, FilesReply } from "./results.ts";
import { failureOf } from "./run.ts";
import { Session } from "./session.ts";
import type { SharedLibrary } from "./shared-library.ts";
import type { TreeQuestion, TreeReply } from "./tree-questions.ts";
import type { TreeServer } from "./tree-server.ts";
import type { TakeDenial, TakeOutput, Wall } from "./wall.ts";

const powers = makeSessionPowers({
  readHostInput: () => {
    throw new RangeError("an inline guest cannot be given the standard input");
  },
  askTree: () => {
    throw new RangeError("a question of a guest that was given nothing");
  },
  openHostFile: ({ ticket }) => (ticket.fd === undefined ? undefined : openHostFile(ticket.fd)),
  createHostFile: ({ ticket, mode }) => openHostFile(createHostFile(ticket, mode)),
});

/** One for all inline sandboxes. */
const libraries = new WeakMap<SharedLibrary, LibraryFileSystem>();

function libraryOf({ library }: LoadedImage): LibraryFileSystem {
  const known = libraries.get(library) ?? new LibraryFileSystem(() => library.bytes(), inflateRaw);
  libraries.set(library, known);
  return known;
}

/** Throws SandboxLostError and LimitError. */
export function openInline(image: LoadedImage): Wall {
  try {
    return new InlineWall(image);
  } catch (error) {
    throw error instanceof RenewalFailure ? failureOf(error.outcome, undefined) : error;
  }
}

class InlineWall implements Wall {
  readonly #control = new Control();
  readonly #session: Session;
  #takeOutput: TakeOutput | undefined;
  #takeDenial: TakeDenial | undefined;
  #failure: Error | undefined;
  #trees: TreeServer | undefined;

  /** Throws RenewalFailure. */
  constructor(image: LoadedImage) {
    const output = {
      write: (stream: "stdout" | "stderr", bytes: Uint8Array) => {
        if (bytes.length > 0) this.#takeOutput?.(stream, new Uint8Array(bytes));
      },
    };
    const own = {
      ...powers,
      askTree: (question: TreeQuestion, bytes: Uint8Array | undefined) => this.#askTree(question, bytes),
    };
    this.#session = new Session(
      { ...image, library: libraryOf(image) },
      own,
      output,
      this.#control,
      (denial) => this.#takeDenial?.(denial),
    );
  }

  get stands(): boolean {
    return this.#failure === undefined;
  }

  async begin(plan: SandboxPlan, trees?: TreeServer): Promise<void> {
    this.#trees = trees;
    const failure = this.#inside(() => this.#session.begin(plan));
    if (failure) throw failureOf(failure, plan);
  }

  async run(request: Uint8Array, takeOutput: TakeOutput, takeDenial?: TakeDenial): Promise<SessionReport> {
    this.#control.clear();
    this.#takeOutput = takeOutput;
    this.#takeDenial = takeDenial;
    try {
      const report = this.#inside(() => this.#session.run(request));
      // Killed from within onOutput.
      if (this.#failure !== undefined) throw this.#failure;
      return report;
    } finally {
      this.#takeOutput = undefined;
      this.#takeDenial = undefined;
    }
  }

  async look(question: FilesQuestion): Promise<FilesReply> {
    return this.#inside(() => this.#session.look(question));
  }

  cancel(): void {
    this.#control.cancel();
  }

  async reset(): Promise<void> {
    this.#trees = undefined;
    this.#inside(() => this.#session.reset());
  }

  async kill(failure: Error): Promise<void> {
    this.#failure ??= failure;
    this.#control.cancel();
  }

  #askTree(question: TreeQuestion, bytes: Uint8Array | undefined): TreeReply {
    const trees = this.#trees;
    if (trees === undefined) throw new RangeError("a question of a guest that was given nothing");
    // A copy: memory may grow, and so be detached, while the embedder's code still holds the bytes.
    const reply = trees.answer(question, question.operation === "write" ? bytes?.slice() : undefined);
    return isPending(reply) ? trees.refusePending(question) : reply;
  }

  #inside<T>(work: () => T): T {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      return work();
    } catch (error) {
      // A session answers for whatever a guest does; what it throws is a failure of ours, and nothing of it is used again.
      this.#failure = new SandboxLostError("SANDBOX_CRASHED", "the sandbox failed inside", undefined, {
        cause: error,
      });
      throw this.#failure;
    }
  }
}
