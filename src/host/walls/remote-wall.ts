// A wall with its inside in another thread or process: requests go out, answers come back, and a timer of ours ends the guest that
// its own thread could not end.
import { SandboxLostError } from "../../errors/run-errors.ts";
import type { SessionReport } from "../meters.ts";
import type { SandboxPlan } from "../plan.ts";
import type { FilesQuestion, FilesReply } from "../results/results.ts";
import type { TakeOutput } from "../run.ts";
import { failureOf } from "../run-ending.ts";
import { Backstop, type OutsideView } from "./backstop.ts";
import type { Answer, Request } from "./protocol.ts";
import type { Served } from "./served.ts";
import type { OnFall, TakeDenial, Wall } from "./wall.ts";

/** The connection to one inside. */
export interface Link {
  readonly view: OutsideView;
  send(request: Request): void;
  /** What questions of the inside are about from now on; without a plan nothing is granted. */
  serve(plan: SandboxPlan | undefined, served: Served): void;
  /** Asks the inside to end its run; false where only killing helps. */
  cancel(): boolean;
  /** Whether a pending request keeps the embedder's process alive. */
  hold(alive: boolean): void;
  /** Resolves when the inside is gone and all of its output was delivered. */
  kill(): Promise<void>;
}

export interface LinkEvents {
  /** Throws RangeError for an answer to nothing that was asked. */
  readonly onAnswer: (answer: Answer) => void;
  readonly onOutput: TakeOutput;
  readonly onDenial: TakeDenial;
  /** The inside is gone without having been asked to go. */
  readonly onDeath: (reason: string) => void;
}

const answerTypes = { begin: "begun", run: "done", look: "seen", reset: "reset" } as const satisfies Record<
  Request["type"],
  Answer["type"]
>;

interface Pending {
  readonly type: Answer["type"];
  resolve(answer: Answer): void;
  reject(failure: Error): void;
}

/** How long a guest that was asked to end may take before it is killed. */
const cancelGraceMs = 20;
/**
 * How long the inside may take for our own work. Without this an inside that was taken over keeps a pool's place, and whoever waits
 * for it, for ever by not answering. Clearing 4 GiB takes two seconds; a thousand that start at once on few cores take half a minute.
 */
const ownWorkMs = 60_000;
const readyId = 0;

export class RemoteWall implements Wall {
  readonly #link: Link;
  readonly #onFall: OnFall;
  readonly #pending = new Map<number, Pending>();
  #plan: SandboxPlan | undefined;
  #takeOutput: TakeOutput | undefined;
  #takeDenial: TakeDenial | undefined;
  #running = false;
  #failure: Error | undefined;
  #ended: Promise<void> | undefined;
  #lastId = readyId;

  private constructor(connect: (events: LinkEvents) => Link, onFall: OnFall) {
    this.#onFall = onFall;
    this.#link = connect({
      onAnswer: (answer) => this.#onAnswer(answer),
      onOutput: (stream, bytes) => this.#takeOutput?.(stream, bytes),
      onDenial: (denial) => this.#takeDenial?.(denial),
      onDeath: (reason) => this.#fall(new SandboxLostError("SANDBOX_CRASHED", reason)),
    });
  }

  /** Connects, lets `introduce` tell the inside what it is to be, and waits until it is ready. */
  static async open(
    connect: (events: LinkEvents) => Link,
    introduce: () => Promise<void>,
    onFall: OnFall,
  ): Promise<Wall> {
    const wall = new RemoteWall(connect, onFall);
    const ready = wall.#await(readyId, "ready");
    try {
      const introduced = introduce();
      const inTime = introduced.then(() => wall.#inTime(ready));
      await Promise.all([introduced, ready, inTime]);
      return wall;
    } catch (error) {
      ready.catch(() => {});
      await wall.kill(new SandboxLostError("SANDBOX_CLOSED", "the sandbox could not start"));
      throw error;
    }
  }

  get stands(): boolean {
    return this.#failure === undefined;
  }

  async begin(plan: SandboxPlan, served: Served = {}, isAwaited = true): Promise<void> {
    this.#plan = plan;
    this.#link.serve(plan, served);
    if (!isAwaited) {
      if (this.#failure !== undefined) throw this.#failure;
      this.#link.send({ type: "begin", id: ++this.#lastId, plan, isAwaited });
      return;
    }
    const answer = await this.#inTime(this.#ask((id) => ({ type: "begin", id, plan, isAwaited })));
    if (answer.type === "begun" && answer.failure) throw failureOf(answer.failure, plan);
  }

  async run(request: Uint8Array, takeOutput: TakeOutput, takeDenial?: TakeDenial): Promise<SessionReport> {
    const plan = this.#plan;
    if (plan === undefined) throw new RangeError("a run needs a lifetime");
    this.#takeOutput = takeOutput;
    this.#takeDenial = takeDenial;
    this.#running = true;
    const backstop = new Backstop(plan, this.#link.view, (error) => void this.kill(error));
    try {
      const answer = await this.#ask((id) => ({ type: "run", id, request }));
      // Killed when its answer was on its way: the run is told as ended by that, as the sandbox is lost.
      if (this.#failure !== undefined) throw this.#failure;
      return (answer as Extract<Answer, { type: "done" }>).report;
    } finally {
      backstop.disarm();
      this.#running = false;
      this.#takeOutput = undefined;
      this.#takeDenial = undefined;
    }
  }

  async look(question: FilesQuestion): Promise<FilesReply> {
    const answer = await this.#inTime(this.#ask((id) => ({ type: "look", id, question })));
    return (answer as Extract<Answer, { type: "seen" }>).reply;
  }

  cancel(failure: Error): void {
    if (!this.#running) return;
    if (!this.#link.cancel()) {
      void this.kill(failure);
      return;
    }
    const id = this.#lastId;
    setTimeout(() => {
      if (this.#pending.has(id)) void this.kill(failure);
    }, cancelGraceMs);
  }

  async reset(): Promise<void> {
    this.#plan = undefined;
    this.#link.serve(undefined, {});
    await this.#inTime(this.#ask((id) => ({ type: "reset", id })));
  }

  /** Resolves when the inside is gone, for whoever calls: what it was granted can be closed then. */
  kill(failure: Error): Promise<void> {
    if (this.#failure === undefined) {
      this.#failure = failure;
      this.#ended = this.#link.kill().then(() => this.#rejectAll(failure));
    }
    return this.#ended ?? Promise.resolve();
  }

  #ask(make: (id: number) => Request): Promise<Answer> {
    const id = ++this.#lastId;
    const request = make(id);
    const answered = this.#await(id, answerTypes[request.type]);
    if (this.#failure === undefined) this.#link.send(request);
    return answered;
  }

  async #await(id: number, type: Answer["type"]): Promise<Answer> {
    if (this.#failure !== undefined) throw this.#failure;
    this.#link.hold(true);
    try {
      return await new Promise((resolve, reject) => this.#pending.set(id, { type, resolve, reject }));
    } finally {
      this.#pending.delete(id);
      if (this.#pending.size === 0) this.#link.hold(false);
    }
  }

  async #inTime<T>(answered: Promise<T>): Promise<T> {
    const timer = setTimeout(() => {
      void this.kill(new SandboxLostError("SANDBOX_CRASHED", "the inside of the sandbox did not answer"));
    }, ownWorkMs);
    try {
      return await answered;
    } finally {
      clearTimeout(timer);
    }
  }

  #onAnswer(answer: Answer): void {
    const atStart = answer.type === "ready" || answer.type === "failed";
    const id = atStart ? readyId : answer.id;
    const asked = this.#pending.get(id);
    if (asked === undefined || asked.type !== (atStart ? "ready" : answer.type))
      throw new RangeError("an answer to nothing that was asked");
    this.#pending.delete(id);
    if (answer.type === "failed") asked.reject(failureOf(answer.outcome, this.#plan));
    else asked.resolve(answer);
  }

  #fall(failure: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = failure;
    if (this.#pending.size === 0) this.#onFall(failure);
    this.#rejectAll(failure);
  }

  #rejectAll(failure: Error): void {
    for (const { reject } of this.#pending.values()) reject(failure);
  }
}
