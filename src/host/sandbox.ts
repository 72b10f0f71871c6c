// A sandbox: one interpreter in a worker thread, what it was granted, and the clock that ends it. All authority is decided
// here, before the worker starts; afterwards this file only sends runs, collects output and kills.
import { LimitError, RunError, SandboxLostError } from "../errors/run-errors.ts";
import type { Outcome } from "../interpreter/interpreter.ts";
import { type HostFileTicket, releaseHostFile } from "../platform/node/host-files.ts";
import { type RunningWorker, startWorker } from "../platform/node/worker-thread.ts";
import { type LoadedImage, loadImage, type Progress } from "./image-cache.ts";
import { checkOptions, type SandboxOptions } from "./options.ts";
import { makeOutputRing, OutputReader } from "./output-ring.ts";
import type { SandboxPlan } from "./plan.ts";
import type { FromWorker } from "./protocol.ts";
import { encodeRun, endingOf, type Run, type RunOptions } from "./run.ts";
import { RunRecord } from "./run-record.ts";

type State = "usable" | "running" | "lost" | "closed";

interface Waiting {
  readonly id: number;
  settle(result: { outcome: Outcome; memoryBytes: number } | { failure: Error }): void;
}

export interface CreateOptions extends SandboxOptions {
  /** Told about long steps: the interpreter is prepared once per version and machine. */
  readonly onProgress?: Progress;
}

export class Sandbox implements AsyncDisposable {
  readonly #plan: SandboxPlan;
  readonly #loadImage: () => Promise<LoadedImage>;
  readonly #tickets: readonly HostFileTicket[];
  #worker: RunningWorker | undefined;
  #reader: OutputReader | undefined;
  #record: RunRecord | undefined;
  #waiting: Waiting | undefined;
  #state: State = "lost";
  #crashed = false;
  #lastId = 0;

  private constructor(
    plan: SandboxPlan,
    loadImage: () => Promise<LoadedImage>,
    tickets: readonly HostFileTicket[],
  ) {
    this.#plan = plan;
    this.#loadImage = loadImage;
    this.#tickets = tickets;
  }

  /**
   * A pristine interpreter with exactly these grants. Throws OptionError before anything starts, ImageError when the
   * interpreter's files are not the known ones.
   */
  static async create(options: CreateOptions = {}): Promise<Sandbox> {
    const { onProgress, ...rest } = options;
    const { plan, refusedModules, tickets } = checkOptions(rest);
    const sandbox = new Sandbox(
      plan,
      () => loadImage(refusedModules, { metered: false, progress: onProgress }),
      tickets,
    );
    try {
      await sandbox.#start();
      return sandbox;
    } catch (error) {
      await sandbox.close();
      throw error;
    }
  }

  /** "usable", "running", "lost" (reset() helps) or "closed". */
  get state(): State {
    return this.#state;
  }

  /**
   * Runs source in the sandbox's __main__, which keeps its variables from run to run. Throws PythonError, LimitError,
   * SandboxLostError, RunError, or OptionError for inputs that cannot cross.
   */
  async run(source: string, options: RunOptions = {}): Promise<Run> {
    const request = encodeRun(source, options);
    const worker = this.#demandUsable();
    options.signal?.throwIfAborted();
    const record = new RunRecord(options.onOutput);
    this.#record = record;
    this.#state = "running";
    const id = ++this.#lastId;
    const stop = (failure: Error): void => this.#kill(failure);
    const { wallMs } = this.#plan.limits;
    const deadline = setTimeout(
      () => stop(new LimitError("wall", wallMs, Math.round(record.elapsedMs), "lost")),
      wallMs,
    );
    const onAbort = (): void =>
      stop(new RunError("RUN_CANCELLED", "the run was cancelled", "lost", { cause: options.signal?.reason }));
    options.signal?.addEventListener("abort", onAbort, { once: true });
    try {
      const { outcome, memoryBytes } = await this.#exchange(worker, id, () =>
        worker.send({ type: "run", id, request }),
      );
      const ending = endingOf(outcome, this.#plan);
      if ("error" in ending) {
        this.#crashed ||= outcome.kind === "crashed";
        this.#state = ending.error.sandbox === "lost" ? "lost" : "usable";
        record.attachTo(ending.error, memoryBytes);
        throw ending.error;
      }
      this.#state = "usable";
      return { ...ending, ...record.finish(memoryBytes) };
    } catch (error) {
      if (error instanceof Error) record.attachTo(error, 0);
      throw error;
    } finally {
      clearTimeout(deadline);
      options.signal?.removeEventListener("abort", onAbort);
      this.#record = undefined;
    }
  }

  /** Back to pristine: nothing that a run left is there any more, except what it wrote to files of the host. */
  async reset(): Promise<void> {
    if (this.#state === "running") throw new RunError("SANDBOX_BUSY", "a run is under way", "usable");
    if (this.#state === "closed") throw new SandboxLostError("SANDBOX_CLOSED", "the sandbox was closed");
    const worker = this.#worker;
    // After a crash the machine itself is not trusted to be as it was: a new one replaces it.
    if (worker === undefined || this.#crashed) {
      this.#worker = undefined;
      await worker?.kill();
      await this.#start();
      return;
    }
    const id = ++this.#lastId;
    this.#state = "running";
    await this.#exchange(worker, id, () => worker.send({ type: "reset", id }));
    this.#state = "usable";
  }

  /** Ends the sandbox and everything that it holds. A run under way fails. */
  async close(): Promise<void> {
    if (this.#state === "closed") return;
    const worker = this.#worker;
    this.#worker = undefined;
    this.#state = "closed";
    this.#fail(new SandboxLostError("SANDBOX_CLOSED", "the sandbox was closed"));
    await worker?.kill();
    for (const ticket of this.#tickets) releaseHostFile(ticket);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #start(): Promise<void> {
    const ring = makeOutputRing();
    this.#reader = new OutputReader(ring);
    this.#crashed = false;
    const id = ++this.#lastId;
    const worker = startWorker({
      onMessage: (message) => this.#onMessage(message, id),
      onDeath: (reason) => this.#onDeath(worker, reason),
    });
    this.#worker = worker;
    // After the worker: the thread comes up while this one reads and verifies the image.
    const image = await this.#loadImage();
    await this.#exchange(worker, id, () =>
      worker.send({ type: "start", start: { image, plan: this.#plan, ring } }),
    );
    this.#state = "usable";
  }

  #demandUsable(): RunningWorker {
    if (this.#state === "closed") throw new SandboxLostError("SANDBOX_CLOSED", "the sandbox was closed");
    if (this.#state === "running") throw new RunError("SANDBOX_BUSY", "another run is under way", "usable");
    if (this.#state === "lost" || this.#worker === undefined) {
      throw new SandboxLostError(
        "SANDBOX_CRASHED",
        "the sandbox was lost in an earlier run; reset() makes it pristine",
      );
    }
    return this.#worker;
  }

  /** Sends and waits for the answer with this id. */
  async #exchange(
    worker: RunningWorker | undefined,
    id: number,
    send: () => void,
  ): Promise<{ outcome: Outcome; memoryBytes: number }> {
    worker?.hold(true);
    try {
      return await new Promise((resolve, reject) => {
        this.#waiting = {
          id,
          settle: (result) => ("failure" in result ? reject(result.failure) : resolve(result)),
        };
        send();
      });
    } finally {
      worker?.hold(false);
    }
  }

  #onMessage(message: FromWorker, startId: number): void {
    this.#drain();
    const done: Outcome = { kind: "answer", bytes: new Uint8Array(0) };
    switch (message.type) {
      case "output":
        break;
      case "ready":
        this.#settle(startId, { outcome: done, memoryBytes: 0 });
        break;
      case "failed": {
        const ending = endingOf(message.outcome, this.#plan);
        const lost = new SandboxLostError("SANDBOX_CRASHED", "the sandbox could not start");
        this.#kill("error" in ending ? ending.error : lost);
        break;
      }
      case "done":
        this.#settle(message.id, { outcome: message.outcome, memoryBytes: message.memoryBytes });
        break;
      case "reset":
        this.#settle(message.id, { outcome: done, memoryBytes: 0 });
        break;
    }
  }

  #settle(id: number, result: Parameters<Waiting["settle"]>[0]): void {
    if (this.#waiting?.id !== id) return;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting.settle(result);
  }

  #fail(failure: Error): void {
    if (this.#waiting) this.#settle(this.#waiting.id, { failure });
  }

  #drain(): void {
    this.#reader?.drain((stream, bytes) => this.#record?.take(stream, bytes));
  }

  #onDeath(worker: RunningWorker | undefined, reason: string): void {
    if (worker !== this.#worker) return;
    this.#worker = undefined;
    this.#drain();
    this.#state = "lost";
    this.#fail(new SandboxLostError("SANDBOX_CRASHED", reason));
  }

  /** Ends the worker now; what it had written before is still taken. */
  #kill(failure: Error): void {
    const worker = this.#worker;
    if (worker === undefined || this.#waiting === undefined) return;
    this.#worker = undefined;
    this.#state = "lost";
    worker.kill().then(() => {
      this.#drain();
      this.#fail(failure);
    });
  }
}
