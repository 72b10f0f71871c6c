// The worker thread behind a wall: starting it, speaking to it, and ending it.
import { MessageChannel, receiveMessageOnPort, type Worker } from "node:worker_threads";
import { isPending } from "../../../filesystems/later.ts";
import type { LoadedImage } from "../../../host/images/image-cache.ts";
import { hostFileAt, type SandboxPlan } from "../../../host/plan.ts";
import type { TreeReply } from "../../../host/trees/tree-questions.ts";
import type { TreeServer } from "../../../host/trees/tree-server.ts";
import { Control } from "../../../host/walls/control.ts";
import { makeOutputRing, OutputReader } from "../../../host/walls/output-ring.ts";
import type {
  ClosedFile,
  FromWorker,
  LatePart,
  NumberedAnswer,
  NumberedQuestion,
  NumberedReply,
  Request,
  ToWorker,
} from "../../../host/walls/protocol.ts";
import type { Link, LinkEvents } from "../../../host/walls/remote-wall.ts";
import type { CallAnswers, Served } from "../../../host/walls/served.ts";
import { createHostFileReply } from "../files/host-files.ts";
import { readHostInput } from "../files/host-input.ts";
import { monotonicMs } from "../powers.ts";
import { otherThreadCpuMs } from "../thread-cpu.ts";
import { FairShare } from "./fair-share.ts";
import { hint, started } from "./started.ts";
import { startWorker } from "./worker-start.ts";

/** What most calls of functions, and their answers, fit into. */
const callPieceBytes = 1 << 16;
/**
 * Questions that come within this time of the last answer make the host look for more of them before it goes on with its own work: a guest
 * that works with files does more between two of them than one that calls functions. The host's own work waits for no more than `most`.
 */
const haste = {
  call: { closelyMs: 0.05, looks: 2000, most: 32 },
  tree: { closelyMs: 0.3, looks: 6000, most: 8 },
} as const;

/**
 * Questions that follow each other faster than this are one burst, which may keep this thread from all else for so long: Node takes a thousand
 * messages in a turn, and a guest that asks for nothing all the time has the next one there before it looks.
 */
const burst = { gapMs: 1, longestMs: 10 } as const;

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
  #late: Pick<LoadedImage, LatePart> | undefined;
  #plan: SandboxPlan | undefined;
  #thread: string | undefined;
  /** While input is read: aborted when nobody waits for it any more. To abort one makes an error with a stack, so there is none else. */
  #reading: AbortController | undefined;
  #killed = false;
  /** Why the thread is gone, once it is. */
  #reason = "the worker thread ended";
  /** The last one, to which alone there may be a reply. */
  #question = 0;
  #lastAnswerMs = 0;
  #burstStartMs = 0;
  /** A question that waits for everything else to have its turn. */
  #nextTurn: NodeJS.Immediate | undefined;
  readonly #calls = new SharedArrayBuffer(callPieceBytes);
  readonly #replies = new MessageChannel();
  /** A question that came behind what was closed, and is about to be told of. */
  #waiting: NumberedQuestion | undefined;
  #served: Served = {};
  /** Whether the last question was a call. */
  #asksCalls = false;
  /** Shared with the inside, for what is read and written. */
  #piece: SharedArrayBuffer | undefined;

  /** Resolves when the thread runs code of ours, or will never do so. */
  readonly online: Promise<void>;

  readonly view = {
    cpuMs: () => (this.#thread === undefined ? undefined : otherThreadCpuMs(this.#thread)),
    pause: () => ({
      now: this.#control.answering && !this.#isGuestsTurn,
      totalMs: this.#control.pausedMs,
    }),
  };

  constructor(events: LinkEvents) {
    this.#events = events;
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
      this.#reading?.abort();
      if (this.#killed) return;
      this.#drain();
      events.onDeath(this.#reason);
    });
  }

  introduce({ module, image, library, rest }: LoadedImage): void {
    this.#late = { library, rest };
    const replies = this.#replies.port2;
    const start = {
      module,
      image,
      library: library.shared,
      rest: rest.shared,
      ring: this.#ring,
      control: this.#control.shared,
      calls: this.#calls,
      replies,
    };
    this.#worker.postMessage({ type: "start", start } satisfies ToWorker, [replies]);
  }

  serve(plan: SandboxPlan | undefined, served: Served): void {
    this.#plan = plan;
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
    this.#replies.port1.close();
    this.#reading?.abort();
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
      this.#answerQuestions();
      return;
    }
    if ("question" in message) {
      this.#question = message.question;
      this.#asksCalls = false;
    }
    switch (message.type) {
      case "denial":
        this.#events.onDenial(message.denial);
        break;
      case "create": {
        const { ticket, mode } = hostFileAt(this.#demandPlan(), message.place);
        this.#reply(message.question, createHostFileReply(ticket, mode));
        break;
      }
      case "call":
        this.#call(message.question, message.piece.byteLength, message.piece);
        break;
      case "fault":
        this.#served.trees?.tell(message.fault);
        break;
      case "late":
        this.#reply(message.question, this.#readLate(message.part));
        break;
      case "input":
        this.#input(message.question, message.target).catch(this.#fail);
        break;
      case "ready":
        this.#thread = message.thread;
        this.#events.onAnswer(message);
        break;
      case "done":
        clearImmediate(this.#nextTurn);
        this.#nextTurn = undefined;
        this.#share.end();
        this.#reading?.abort();
        this.#takeReplies();
        this.#events.onAnswer(message);
        break;
      case "seen":
        this.#takeReplies();
        this.#events.onAnswer(message);
        break;
      default:
        this.#events.onAnswer(message);
    }
  }

  /** 0, or -1 when there is none. */
  #readLate(part: LatePart): number {
    try {
      this.#late?.[part].bytes();
      return 0;
    } catch {
      return -1;
    }
  }

  async #input(question: number, target: SharedArrayBuffer): Promise<void> {
    this.#reading?.abort();
    const reading = new AbortController();
    this.#reading = reading;
    const granted = this.#plan?.stdin === "host";
    const bytes = granted ? await readHostInput(target.byteLength, reading.signal) : new Uint8Array(0);
    if (reading.signal.aborted) return;
    this.#reading = undefined;
    new Uint8Array(target).set(bytes);
    this.#reply(question, bytes.length);
  }

  /** Whether it was answered at once. */
  #tree(number: number): boolean {
    this.#asksCalls = false;
    const { question, asked, writtenBytes, piece } = this.#received(number);
    this.#piece = piece;
    const { trees } = this.#served;
    if (trees === undefined) throw new RangeError("a question of a guest that was given nothing");
    // A copy that is not shared: the embedder's code may hand it on to whatever does not take shared memory.
    const content = piece && writtenBytes > 0 ? new Uint8Array(piece).slice(0, writtenBytes) : undefined;
    const reply = trees.answer(asked, content && new Uint8Array(content));
    if (isPending(reply))
      reply.then((answer) => this.#replyOfTree(trees, question, answer)).then(undefined, this.#fail);
    else this.#replyOfTree(trees, question, reply);
    return !isPending(reply);
  }

  #received(number: number): NumberedQuestion {
    for (;;) {
      this.#takeReplies();
      const message = this.#waiting;
      this.#waiting = undefined;
      if (message === undefined) throw new RangeError("a question that is not there");
      // Not one that was given up before anybody looked.
      if (message.question === number) return message;
    }
  }

  /** Closes files that were only read; the question that stands behind them, if there is one, is kept until it is told of. */
  #takeReplies(): void {
    while (this.#waiting === undefined) {
      const message = receiveMessageOnPort(this.#replies.port1)?.message as
        | NumberedQuestion
        | ClosedFile
        | undefined;
      if (message === undefined) return;
      if ("closed" in message)
        void this.#served.trees?.answer({ operation: "close", file: message.closed, isAwaited: false });
      else this.#waiting = message;
    }
  }

  #replyOfTree(trees: TreeServer, question: number, { bytes, ...reply }: TreeReply): void {
    if (this.#question !== question || this.#served.trees !== trees || this.#killed) return;
    if (bytes && this.#piece) new Uint8Array(this.#piece).set(bytes);
    this.#replies.port1.postMessage({ question, reply } satisfies NumberedReply);
    this.#reply(question, 0);
  }

  /**
   * The question that was told of, unless it was answered already; and those that follow so closely that telling of them would take longer
   * than they do.
   */
  #answerQuestions(): void {
    if (this.#control.asked === this.#question) return;
    const nowMs = monotonicMs();
    const sinceMs = nowMs - this.#lastAnswerMs;
    if (sinceMs > burst.gapMs) this.#burstStartMs = nowMs;
    else if (nowMs - this.#burstStartMs > burst.longestMs) {
      this.#nextTurn ??= setImmediate(this.#answerInTurn);
      return;
    }
    for (let answered = 1; ; answered++) {
      const question = this.#control.asked;
      const { frameBytes, isAboutTree } = this.#control;
      if (frameBytes === undefined && !isAboutTree) return;
      this.#question = question;
      const { closelyMs, looks, most } = haste[isAboutTree ? "tree" : "call"];
      const isAnswered =
        frameBytes === undefined ? this.#tree(question) : this.#call(question, frameBytes, this.#calls);
      if (!isAnswered || sinceMs >= closelyMs || answered >= most) break;
      if (!this.#control.isAskedAfter(question, looks)) break;
      this.#drain();
    }
    this.#lastAnswerMs = monotonicMs();
  }

  readonly #answerInTurn = (): void => {
    this.#nextTurn = undefined;
    if (this.#killed) return;
    this.#burstStartMs = this.#lastAnswerMs = monotonicMs();
    try {
      this.#answerQuestions();
    } catch (error) {
      this.#fail(error);
    }
  };

  /** It waits, but the host has nothing to do for it. */
  get #isGuestsTurn(): boolean {
    return this.#asksCalls && this.#served.calls?.isBusy === false;
  }

  /** Whether it was answered at once. */
  #call(question: number, frameBytes: number, piece: SharedArrayBuffer): boolean {
    this.#asksCalls = true;
    const { calls } = this.#served;
    if (calls === undefined) throw new RangeError("a question of a guest that was given nothing");
    // A copy that is not shared: text is not decoded from shared memory.
    const answer = calls.answer(new Uint8Array(piece).slice(0, frameBytes));
    if (!isPending(answer)) this.#replyOfCall(calls, question, piece, answer);
    else answer.then((bytes) => this.#replyOfCall(calls, question, piece, bytes)).then(undefined, this.#fail);
    return !isPending(answer);
  }

  #replyOfCall(calls: CallAnswers, question: number, piece: SharedArrayBuffer, bytes: Uint8Array): void {
    if (this.#question !== question || this.#served.calls !== calls || this.#killed) return;
    if (bytes.length <= piece.byteLength) {
      new Uint8Array(piece).set(bytes);
      this.#reply(question, bytes.length);
      return;
    }
    this.#replies.port1.postMessage({ question, answer: bytes } satisfies NumberedAnswer);
    this.#reply(question, -1);
  }

  /** Only to the last question: the inside has given up every other one, and would miss the reply to this. */
  #reply(question: number, value: number): void {
    if (this.#question === question) this.#control.reply(question, value);
  }

  #demandPlan(): SandboxPlan {
    if (this.#plan === undefined) throw new RangeError("a question of a guest that was given nothing");
    return this.#plan;
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
