// The thinnest wall: the guest runs in the embedder's own thread, which waits for it. The interpreter is metered, so every loop of
// the guest comes past the supervisor; what else separates the two is WebAssembly itself.
import { SandboxLostError } from "../../errors/run-errors.ts";
import { isPending } from "../../filesystems/later.ts";
import { RenewalFailure, usedMemory } from "../../interpreter/interpreter.ts";
import { createHostFile, openHostFile } from "../../platform/node/files/host-files.ts";
import { inflateRaw, startTimer } from "../../platform/node/powers.ts";
import { makeSessionPowers } from "../../platform/node/session-powers.ts";
import type { LoadedImage } from "../images/image-cache.ts";
import { LibraryFileSystem } from "../images/library-filesystem.ts";
import { compileRest } from "../images/rest-module.ts";
import type { SharedBytes } from "../images/shared-bytes.ts";
import type { SessionReport } from "../meters.ts";
import type { SandboxPlan } from "../plan.ts";
import type { FilesQuestion, FilesReply } from "../results/results.ts";
import type { TakeOutput } from "../run.ts";
import { failureOf } from "../run-ending.ts";
import { Session } from "../session.ts";
import { maxPieceBytes, type TreeQuestion, type TreeReply } from "../trees/tree-questions.ts";
import { Control } from "./control.ts";
import type { Served } from "./served.ts";
import { leaveMemory, takeMemory } from "./spare-memory.ts";
import { resumeRequest, waitOf } from "./waiting-run.ts";
import type { TakeDenial, Wall } from "./wall.ts";

const powers = makeSessionPowers({
  readHostInput: () => {
    throw new RangeError("an inline guest cannot be given the standard input");
  },
  askTree: () => {
    throw new RangeError("a question of a guest that was given nothing");
  },
  callHost: () => {
    throw new RangeError("a question of a guest that was given nothing");
  },
  pieceBytes: maxPieceBytes,
  waits: false,
  openHostFile: ({ ticket }) => (ticket.fd === undefined ? undefined : openHostFile(ticket.fd)),
  createHostFile: ({ ticket, mode }) => openHostFile(createHostFile(ticket, mode)),
});

/** One for all inline sandboxes. */
const libraries = new WeakMap<SharedBytes, LibraryFileSystem>();

function libraryOf({ library }: LoadedImage): LibraryFileSystem {
  const known = libraries.get(library) ?? new LibraryFileSystem(() => library.bytes(), inflateRaw);
  libraries.set(library, known);
  return known;
}

const rests = new WeakMap<SharedBytes, () => WebAssembly.Module>();

function restOf({ rest }: LoadedImage): () => WebAssembly.Module {
  const known = rests.get(rest) ?? compileRest(() => rest.bytes());
  rests.set(rest, known);
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
  #served: Served = {};
  /** Whether anything of the session is on the stack. */
  #isInside = false;
  /** Ends the wait of a run that was told to come again. */
  #wake: (() => void) | undefined;

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
      callHost: (frame: Uint8Array) => this.#callHost(frame),
    };
    const { prefilled } = image;
    this.#session = new Session(
      {
        module: image.module,
        rest: restOf(image),
        image: prefilled?.bytes ?? image.image,
        beforeContent: () => prefilled?.complete(),
        library: libraryOf(image),
        takeMemory: (bytes) => prefilled?.takeMemory() ?? usedMemory(takeMemory(bytes)),
      },
      own,
      output,
      this.#control,
      (denial) => this.#takeDenial?.(denial),
    );
  }

  get stands(): boolean {
    return this.#failure === undefined;
  }

  async begin(plan: SandboxPlan, served: Served = {}, isAwaited = true): Promise<void> {
    this.#served = served;
    const failure = this.#inside(() => this.#session.begin(plan));
    if (failure && isAwaited) throw failureOf(failure, plan);
  }

  async run(request: Uint8Array, takeOutput: TakeOutput, takeDenial?: TakeDenial): Promise<SessionReport> {
    this.#control.clear();
    this.#takeOutput = takeOutput;
    this.#takeDenial = takeDenial;
    try {
      let report = this.#inside(() => this.#session.run(request));
      while (this.#session.toldToComeAgain) {
        const wait = waitOf(report);
        if (wait === undefined) break;
        const isBusy = this.#served.calls?.isBusy === true;
        await this.#settled(Math.min(wait.ms, this.#session.msLeft(isBusy)));
        report = this.#inside(() => this.#session.goOn(resumeRequest, isBusy));
      }
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
    this.#wake?.();
  }

  async reset(): Promise<void> {
    this.#served = {};
    this.#inside(() => this.#session.reset());
  }

  async kill(failure: Error): Promise<void> {
    this.cancel();
    // A guest that is still on the stack will go on for a moment.
    const { memory } = this.#session;
    if (this.#failure === undefined && !this.#isInside && memory) leaveMemory(memory);
    this.#failure ??= failure;
  }

  #askTree(question: TreeQuestion, bytes: Uint8Array | undefined): TreeReply {
    const { trees } = this.#served;
    if (trees === undefined) throw new RangeError("a question of a guest that was given nothing");
    // A copy: memory may grow, and so be detached, while the embedder's code still holds the bytes.
    const reply = trees.answer(question, question.operation === "write" ? bytes?.slice() : undefined);
    return isPending(reply) ? trees.refusePending(question) : reply;
  }

  #callHost(frame: Uint8Array): Uint8Array {
    const { calls } = this.#served;
    if (calls === undefined) throw new RangeError("a question of a guest that was given nothing");
    const answer = calls.answer(frame);
    if (isPending(answer)) throw new RangeError("an answer for which nobody can wait");
    return answer;
  }

  /** Until the host has something for the guest, the time is over, or the run is to end. */
  async #settled(ms: number): Promise<void> {
    let disarm: (() => void) | undefined;
    const woken = new Promise<void>((resolve) => {
      this.#wake = resolve;
      if (ms < Number.POSITIVE_INFINITY) disarm = startTimer(Math.max(0, ms), resolve);
    });
    await Promise.race([woken, this.#served.calls?.settled()]);
    this.#wake = undefined;
    disarm?.();
  }

  #inside<T>(work: () => T): T {
    if (this.#failure !== undefined) throw this.#failure;
    const wasInside = this.#isInside;
    this.#isInside = true;
    try {
      return work();
    } catch (error) {
      // A session answers for whatever a guest does; what it throws is a failure of ours, and nothing of it is used again.
      this.#failure = new SandboxLostError("SANDBOX_CRASHED", "the sandbox failed inside", undefined, {
        cause: error,
      });
      throw this.#failure;
    } finally {
      this.#isInside = wasInside;
    }
  }
}
