// What the thread behind a wall asks the host for, and the answers: calls of functions and questions about granted trees through shared
// memory, as many at once as follow closely; the rest, which is rare, by message.
import { MessageChannel, type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import { isPending } from "../../../filesystems/later.ts";
import type { LoadedImage } from "../../../host/images/image-cache.ts";
import { hostFileAt, type SandboxPlan } from "../../../host/plan.ts";
import type { TreeReply } from "../../../host/trees/tree-questions.ts";
import type { TreeServer } from "../../../host/trees/tree-server.ts";
import type { Control } from "../../../host/walls/control.ts";
import type {
  ClosedFile,
  FromWorker,
  LatePart,
  NumberedAnswer,
  NumberedQuestion,
  NumberedReply,
} from "../../../host/walls/protocol.ts";
import type { CallAnswers, Served } from "../../../host/walls/served.ts";
import { createHostFileReply } from "../files/host-files.ts";
import { readHostInput } from "../files/host-input.ts";
import { monotonicMs } from "../powers.ts";

/** What comes as a message of its own. */
export type ThreadQuestion = Extract<FromWorker, { readonly question: number }>;

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

export class ThreadQuestions {
  readonly #control: Control;
  /** Takes the output that was written before what is answered. */
  readonly #drain: () => void;
  readonly #fail: (error: unknown) => void;
  readonly #replies = new MessageChannel();
  #ended = false;
  #plan: SandboxPlan | undefined;
  #served: Served = {};
  #late: Pick<LoadedImage, LatePart> | undefined;
  /** The last one, to which alone there may be a reply. */
  #question = 0;
  /** Whether the last question was a call. */
  #asksCalls = false;
  /** A question that came behind what was closed, and is about to be told of. */
  #waiting: NumberedQuestion | undefined;
  /** Shared with the inside, for what is read and written. */
  #piece: SharedArrayBuffer | undefined;
  #lastAnswerMs = 0;
  #burstStartMs = 0;
  /** A question that waits for everything else to have its turn. */
  #nextTurn: NodeJS.Immediate | undefined;
  /** While input is read: aborted when nobody waits for it any more. To abort one makes an error with a stack, so there is none else. */
  #reading: AbortController | undefined;

  /** Where frames of calls lie, and their answers. */
  readonly calls = new SharedArrayBuffer(callPieceBytes);

  /** `fail` is told of what throws or rejects on the host's side. */
  constructor(control: Control, drain: () => void, fail: (error: unknown) => void) {
    this.#control = control;
    this.#drain = drain;
    this.#fail = fail;
  }

  /** The inside's end of the port for replies. */
  get replies(): MessagePort {
    return this.#replies.port2;
  }

  introduce(late: Pick<LoadedImage, LatePart>): void {
    this.#late = late;
  }

  serve(plan: SandboxPlan | undefined, served: Served): void {
    this.#plan = plan;
    this.#served = served;
  }

  /** The thread waits, but the host has nothing to do for it. */
  get isGuestsTurn(): boolean {
    return this.#asksCalls && this.#served.calls?.isBusy === false;
  }

  endRun(): void {
    clearImmediate(this.#nextTurn);
    this.#nextTurn = undefined;
    this.#reading?.abort();
    this.takeReplies();
  }

  /** Nothing is answered any more. */
  end(): void {
    this.#ended = true;
    this.#replies.port1.close();
    this.#reading?.abort();
  }

  answer(message: ThreadQuestion): void {
    const { question } = message;
    this.#question = question;
    this.#asksCalls = false;
    switch (message.type) {
      case "create": {
        const { ticket, mode } = hostFileAt(this.#demandPlan(), message.place);
        this.#reply(question, createHostFileReply(ticket, mode));
        break;
      }
      case "call":
        this.#call(question, message.piece.byteLength, message.piece);
        break;
      case "late":
        this.#reply(question, this.#readLate(message.part));
        break;
      case "input":
        this.#input(question, message.target).catch(this.#fail);
    }
  }

  /**
   * The question that was told of, unless it was answered already; and those that follow so closely that telling of them would take longer
   * than they do.
   */
  answerTold(): void {
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
        frameBytes === undefined ? this.#tree(question) : this.#call(question, frameBytes, this.calls);
      if (!isAnswered || sinceMs >= closelyMs || answered >= most) break;
      if (!this.#control.isAskedAfter(question, looks)) break;
      this.#drain();
    }
    this.#lastAnswerMs = monotonicMs();
  }

  readonly #answerInTurn = (): void => {
    this.#nextTurn = undefined;
    if (this.#ended) return;
    this.#burstStartMs = this.#lastAnswerMs = monotonicMs();
    try {
      this.answerTold();
    } catch (error) {
      this.#fail(error);
    }
  };

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
      this.takeReplies();
      const message = this.#waiting;
      this.#waiting = undefined;
      if (message === undefined) throw new RangeError("a question that is not there");
      // Not one that was given up before anybody looked.
      if (message.question === number) return message;
    }
  }

  /** Closes files that were only read; the question that stands behind them, if there is one, is kept until it is told of. */
  takeReplies(): void {
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
    if (this.#question !== question || this.#served.trees !== trees || this.#ended) return;
    if (bytes && this.#piece) new Uint8Array(this.#piece).set(bytes);
    this.#replies.port1.postMessage({ question, reply } satisfies NumberedReply);
    this.#reply(question, 0);
  }

  /** Whether it was answered at once. */
  #call(question: number, frameBytes: number, piece: SharedArrayBuffer): boolean {
    this.#asksCalls = true;
    const { calls } = this.#served;
    if (calls === undefined) throw new RangeError("a call of a guest that was given nothing");
    // A copy that is not shared: text is not decoded from shared memory.
    const answer = calls.answer(new Uint8Array(piece).slice(0, frameBytes));
    if (!isPending(answer)) this.#replyOfCall(calls, question, piece, answer);
    else answer.then((bytes) => this.#replyOfCall(calls, question, piece, bytes)).then(undefined, this.#fail);
    return !isPending(answer);
  }

  #replyOfCall(calls: CallAnswers, question: number, piece: SharedArrayBuffer, bytes: Uint8Array): void {
    if (this.#question !== question || this.#served.calls !== calls || this.#ended) return;
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
}
