// The worker thread behind a wall: starting it, speaking to it, and ending it.
import type { Worker } from "node:worker_threads";
import type { LoadedImage } from "../../../host/images/image-cache.ts";
import type { SandboxPlan } from "../../../host/plan.ts";
import { Control } from "../../../host/walls/control.ts";
import { makeOutputRing, OutputReader } from "../../../host/walls/output-ring.ts";
import type { FromWorker, Request, ToWorker } from "../../../host/walls/protocol.ts";
import type { Link, LinkEvents } from "../../../host/walls/remote-wall.ts";
import type { Served } from "../../../host/walls/served.ts";
import { otherThreadCpuMs } from "../thread-cpu.ts";
import { FairShare } from "./fair-share.ts";
import { hint, started } from "./started.ts";
import { ThreadQuestions } from "./thread-questions.ts";
import { startWorker } from "./worker-start.ts";

/** The thread comes up while the caller still prepares what to send it first. */
export class WorkerLink implements Link {
  readonly #worker: Worker;
  readonly #ring = makeOutputRing();
  readonly #reader = new OutputReader(this.#ring);
  readonly #share = new FairShare();
  /** Set while output waits in the ring for its share of this thread's time. */
  #pause: NodeJS.Timeout | undefined;
  readonly #control = new Control();
  readonly #events: LinkEvents;
  readonly #questions: ThreadQuestions;
  #served: Served = {};
  #thread: string | undefined;
  #killed = false;
  /** Why the thread is gone, once it is. */
  #reason = "the worker thread ended";
  /** Resolves when the thread runs code of ours, or will never do so. */
  readonly online: Promise<void>;

  readonly view = {
    cpuMs: () => (this.#thread === undefined ? undefined : otherThreadCpuMs(this.#thread)),
    pause: () => ({
      now: this.#control.answering && !this.#questions.isGuestsTurn,
      totalMs: this.#control.pausedMs,
    }),
  };

  constructor(events: LinkEvents) {
    this.#events = events;
    this.#questions = new ThreadQuestions(this.#control, () => this.#drain(), this.#fail);
    const { worker, online } = started("worker thread", "--allow-worker", startWorker);
    this.#worker = worker;
    this.online = online;
    this.#worker.on("message", (message: FromWorker) => {
      if (this.#killed) return;
      try {
        this.#onMessage(message);
      } catch (error) {
        this.#fail(error);
      }
    });
    this.#worker.on("error", (error: Error & { code?: string }) => {
      this.#reason =
        error.code === "ERR_WORKER_OUT_OF_MEMORY"
          ? "the worker thread ran out of memory"
          : `the worker thread failed: ${hint(error.message) ?? error.message}`;
    });
    this.#worker.on("exit", () => {
      this.#share.end();
      this.#questions.end();
      if (this.#killed) return;
      this.#drain();
      events.onDeath(this.#reason);
    });
  }

  introduce({ module, image, library, rest }: LoadedImage): void {
    this.#questions.introduce({ library, rest });
    const { calls, replies } = this.#questions;
    const start = {
      module,
      image,
      library: library.shared,
      rest: rest.shared,
      ring: this.#ring,
      control: this.#control.shared,
      calls,
      replies,
    };
    this.#worker.postMessage({ type: "start", start } satisfies ToWorker, [replies]);
  }

  serve(plan: SandboxPlan | undefined, served: Served): void {
    this.#questions.serve(plan, served);
    this.#served = served;
  }

  send(request: Request): void {
    if (request.type === "run") {
      this.#control.clear();
      this.#share.begin();
    }
    // Only here: what a process is sent must not be shared.
    this.#post(request.type === "begin" ? { ...request, folders: this.#served.trees?.folders } : request);
  }

  cancel(): boolean {
    this.#control.cancel();
    return true;
  }

  hold(alive: boolean): void {
    // A dying thread keeps the process alive until it is gone: somebody waits for that.
    if (this.#killed) return;
    if (alive) this.#worker.ref();
    else this.#worker.unref();
  }

  async kill(): Promise<void> {
    this.#killed = true;
    this.#questions.end();
    this.#worker.ref();
    await this.#worker.terminate();
    this.#drain();
  }

  /** Ours or not, it costs this sandbox and not the embedder's process. */
  readonly #fail = (error: unknown): void => {
    this.#reason = `the host failed to answer the worker thread: ${String(error)}`;
    void this.#worker.terminate();
  };

  #post(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  #onMessage(message: FromWorker): void {
    if (typeof message !== "number" && message.type === "output") {
      if (this.#pause === undefined) this.#takeOutput();
      return;
    }
    this.#drain();
    if (typeof message === "number") {
      this.#questions.answerTold();
      return;
    }
    switch (message.type) {
      case "denial":
        this.#events.onDenial(message.denial);
        break;
      case "fault":
        this.#served.trees?.tell(message.fault);
        break;
      case "create":
      case "call":
      case "late":
      case "input":
        this.#questions.answer(message);
        break;
      case "ready":
        this.#thread = message.thread;
        this.#events.onAnswer(message);
        break;
      case "done":
        this.#share.end();
        this.#questions.endRun();
        this.#events.onAnswer(message);
        break;
      case "seen":
        this.#questions.takeReplies();
        this.#events.onAnswer(message);
        break;
      default:
        this.#events.onAnswer(message);
    }
  }

  #takeOutput(): void {
    const pauseMs = this.#share.spend(() => {
      this.#drain();
      return true;
    });
    if (pauseMs === 0) return;
    this.#pause = setTimeout(() => {
      this.#pause = undefined;
      if (!this.#killed) this.#takeOutput();
    }, pauseMs).unref();
  }

  #drain(): void {
    this.#reader.drain(this.#events.onOutput);
  }
}
