// What the process behind a wall asks the host for, and the answers. It may have been taken over: what our own code would not ask, or not
// now, throws, and costs it its life.
import { isPending } from "../../../filesystems/later.ts";
import type { Later } from "../../../filesystems/tree.ts";
import type { SandboxPlan } from "../../../host/plan.ts";
import type { TreeQuestion, TreeReply } from "../../../host/trees/tree-questions.ts";
import { answerFileQuestion } from "../../../host/walls/host-answers.ts";
import type { FileQuestion, FromProcess } from "../../../host/walls/process-protocol.ts";
import type { Served } from "../../../host/walls/served.ts";
import { maxTransferBytes } from "../../../host/walls/transfer-bytes.ts";
import { readHostInput } from "../files/host-input.ts";
import { monotonicMs } from "../powers.ts";

export type Reply =
  | { readonly type: "reply"; readonly value: number; readonly bytes: Uint8Array }
  | { readonly type: "treeReply"; readonly reply: TreeReply }
  | { readonly type: "callReply"; readonly answer: Uint8Array };

export type ProcessQuestion = Extract<FromProcess, { kind: "question" | "treeQuestion" | "call" }>;

/** While it lasts, what was asked in it is answered. No AbortController, which takes longer to abort than all else of a short run here. */
interface Asking {
  isOver: boolean;
}

/** Bytes of its own: a view of shared memory cannot be serialised, and a view is sent with all that it is a view of. */
function serializable({ bytes, ...reply }: TreeReply): TreeReply {
  return bytes === undefined ? reply : { ...reply, bytes: new Uint8Array(bytes) };
}

/** How much may wait for the process to read it when it asks: our own code reads one reply before its next question. */
const mostUnreadBytes = 2 * maxTransferBytes;
const nothing = new Uint8Array(0);

export class ProcessQuestions {
  readonly #post: (reply: Reply) => void;
  readonly #unreadBytes: () => number;
  readonly #fail: (error: unknown) => void;
  #plan: SandboxPlan | undefined;
  #served: Served = {};
  /** Undefined outside of runs, when the process has nothing to ask and nothing to show. */
  #running: Asking | undefined;
  /** Questions of ours about files that are not answered yet, for which it may have to ask back. */
  #looks = 0;
  /** Undefined when there are none. */
  #looking: Asking | undefined;
  /** While input is read. */
  #reading: AbortController | undefined;
  #answeringSinceMs: number | undefined;
  /** Whether what is being answered is the host's to do: then wall time may stand still. */
  #isHostBusy = (): boolean => true;
  #pausedMs = 0;

  /** `unreadBytes` tells how much it was sent and has not read; `fail` is told of what throws or rejects on the host's side. */
  constructor(post: (reply: Reply) => void, unreadBytes: () => number, fail: (error: unknown) => void) {
    this.#post = post;
    this.#unreadBytes = unreadBytes;
    this.#fail = fail;
  }

  serve(plan: SandboxPlan | undefined, served: Served): void {
    this.#plan = plan;
    this.#served = served;
  }

  get pause(): { readonly now: boolean; readonly totalMs: number } {
    return {
      now: this.#plan?.wallPauses === true && this.#answeringSinceMs !== undefined && this.#isHostBusy(),
      totalMs: this.#pausedMs,
    };
  }

  beginRun(): void {
    this.#running = { isOver: false };
    this.#answeringSinceMs = undefined;
    this.#pausedMs = 0;
  }

  endRun(): void {
    this.#reading?.abort();
    this.#reading = undefined;
    if (this.#running) this.#running.isOver = true;
    this.#running = undefined;
  }

  beginLook(): void {
    this.#looks += 1;
    this.#looking ??= { isOver: false };
  }

  endLook(): void {
    this.#looks -= 1;
    if (this.#looks > 0) return;
    if (this.#looking) this.#looking.isOver = true;
    this.#looking = undefined;
  }

  /** Throws outside of runs. */
  demandRun(): Asking {
    if (this.#running === undefined) throw new RangeError("a word outside of a run");
    return this.#running;
  }

  answer(question: ProcessQuestion): void {
    const asking = this.#demandTurn();
    switch (question.kind) {
      case "question":
        this.#answerFile(question.question, question.bytes);
        break;
      case "treeQuestion":
        this.#answerTree(question.question, question.bytes, asking);
        break;
      case "call":
        this.#answerCall(question.frame);
    }
  }

  /** Our own code asks one question at a time, in runs or when it was asked, and reads what it is answered. */
  #demandTurn(): Asking {
    const asking = this.#looking ?? this.demandRun();
    if (this.#answeringSinceMs !== undefined) throw new RangeError("a question before the last was answered");
    if (this.#unreadBytes() > mostUnreadBytes) throw new RangeError("questions whose answers are not read");
    return asking;
  }

  #answerFile(question: FileQuestion, content: Uint8Array): void {
    const plan = this.#plan;
    if (plan === undefined) throw new RangeError("a question of a guest that was given nothing");
    if (question.operation !== "input") {
      const { value, bytes = nothing } = answerFileQuestion(plan, question, content);
      this.#post({ type: "reply", value, bytes });
      return;
    }
    const asking = this.demandRun();
    if (plan.stdin !== "host") throw new RangeError("standard input was not granted");
    const send = (bytes: Uint8Array): void => this.#post({ type: "reply", value: bytes.length, bytes });
    this.#reading = new AbortController();
    const input = readHostInput(Math.min(question.length, maxTransferBytes), this.#reading.signal);
    this.#whenAnswered(input, asking, send, () => true);
  }

  #answerTree(question: TreeQuestion, content: Uint8Array, asking: Asking): void {
    const { trees } = this.#served;
    if (trees === undefined) throw new RangeError("a question of a guest that was given no tree");
    const isAwaited = question.operation !== "close" || question.isAwaited;
    const send = (reply: TreeReply): void => {
      if (isAwaited) this.#post({ type: "treeReply", reply: serializable(reply) });
    };
    this.#whenAnswered(trees.answer(question, content), asking, send, () => true);
  }

  #answerCall(frame: Uint8Array): void {
    const asking = this.demandRun();
    const { calls } = this.#served;
    if (calls === undefined) throw new RangeError("a call of a guest that was given no function");
    // A copy, since a view is sent with all that it is a view of.
    const send = (answer: Uint8Array): void =>
      this.#post({ type: "callReply", answer: new Uint8Array(answer) });
    this.#whenAnswered(calls.answer(frame), asking, send, () => calls.isBusy);
  }

  /** An answer that comes when nobody waits for it any more goes nowhere. */
  #whenAnswered<T>(
    answer: Later<T>,
    asking: Asking,
    send: (answer: T) => void,
    isHostBusy: () => boolean,
  ): void {
    if (!isPending(answer)) {
      send(answer);
      return;
    }
    const start = monotonicMs();
    this.#answeringSinceMs = start;
    this.#isHostBusy = isHostBusy;
    const wasHostBusy = isHostBusy();
    const sendLate = (given: T): void => {
      if (asking.isOver) return;
      if (this.#plan?.wallPauses && wasHostBusy) this.#pausedMs += monotonicMs() - start;
      this.#answeringSinceMs = undefined;
      send(given);
    };
    answer.then(sendLate).then(undefined, this.#fail);
  }
}
