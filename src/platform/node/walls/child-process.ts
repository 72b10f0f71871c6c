// The process behind a process wall: starting it with as little as the system lets us, speaking to it through one pipe, killing it.
import type { ChildProcess } from "node:child_process";
import { serialize } from "node:v8";
import { isPending } from "../../../filesystems/later.ts";
import type { Later } from "../../../filesystems/tree.ts";
import { maxDenialMessages } from "../../../host/denials/raw-denial.ts";
import type { ImageBytes, ImageFiles } from "../../../host/images/image-cache.ts";
import type { SandboxPlan } from "../../../host/plan.ts";
import type { TreeQuestion, TreeReply } from "../../../host/trees/tree-questions.ts";
import { FrameReader } from "../../../host/walls/frames.ts";
import { answerFileQuestion } from "../../../host/walls/host-answers.ts";
import {
  type FileQuestion,
  type FromProcess,
  readFromProcess,
} from "../../../host/walls/process-protocol.ts";
import type { Request } from "../../../host/walls/protocol.ts";
import type { Link, LinkEvents } from "../../../host/walls/remote-wall.ts";
import type { Served } from "../../../host/walls/served.ts";
import { maxTransferBytes } from "../../../host/walls/transfer-bytes.ts";
import type { SentImage } from "../cache/process-image.ts";
import { readHostInput } from "../files/host-input.ts";
import { monotonicMs } from "../powers.ts";
import { firstChild, otherThreadCpuMs } from "../thread-cpu.ts";
import { FairShare } from "./fair-share.ts";
import { startProcess } from "./process-start.ts";

export type ToProcess =
  /** The image is in the files that it was given. */
  | { readonly type: "open"; readonly hasCode: boolean }
  | { readonly type: "start"; readonly image: SentImage }
  | { readonly type: "reply"; readonly value: number; readonly bytes: Uint8Array }
  | { readonly type: "treeReply"; readonly reply: TreeReply }
  | { readonly type: "callReply"; readonly answer: Uint8Array }
  | Request;

/** Bytes of its own: a view of shared memory cannot be serialised, and a view is sent with all that it is a view of. */
function serializable({ bytes, ...reply }: TreeReply): TreeReply {
  return bytes === undefined ? reply : { ...reply, bytes: new Uint8Array(bytes) };
}

const frameOverheadBytes = 2 ** 17;
/** How much may wait for the process to read it when it asks: our own code reads one reply before its next question. */
const mostUnreadBytes = 2 * maxTransferBytes;
/** How much later than the end of its pipe the end of a process is known. */
const exitMs = 100;
/** How long what a dead process still wrote is waited for: another process may hold its end of the pipe open. */
const lastWordsMs = 100;
/** What our own code cannot read it asks for once when it starts, and when the guest first needs the library, and the module's rest. */
const mostUnreadable = 3;
const nothing = new Uint8Array(0);

export class ProcessLink implements Link {
  readonly #child: ChildProcess;
  readonly #events: LinkEvents;
  readonly #gone: Promise<void>;
  /** Whether the guest runs in a child of the process that was started. */
  readonly #nested: boolean;
  #nestedPid: number | undefined;
  readonly #files: ImageFiles | undefined;
  #load: (() => Promise<ImageBytes>) | undefined;
  #unreadable = 0;
  #plan: SandboxPlan | undefined;
  /** Aborted when the run is over; undefined outside of runs, when the process has nothing to ask and nothing to show. */
  #running: AbortController | undefined;
  /** Questions of ours about files that are not answered yet, for which it may have to ask back. */
  #looks = 0;
  /** Aborted when they are answered; undefined when there are none. */
  #looking: AbortController | undefined;
  #served: Served = {};
  readonly #share = new FairShare();
  /** Whether that is all that a piece of its words holds: what else it says costs the host as much as the host wants it to. */
  #onlyOutput = true;
  #outputBytes = 0;
  #denialMessages = 0;
  #answeringSinceMs: number | undefined;
  /** Whether what is being answered is the host's to do: then wall time may stand still. */
  #isHostBusy = (): boolean => true;
  #pausedMs = 0;
  #reason: string | undefined;
  #killed = false;
  /** It has said what our own code never says, and is not listened to any more. */
  #distrusted = false;

  readonly view = {
    cpuMs: () => {
      const pid = this.#guestPid();
      return pid === undefined ? undefined : otherThreadCpuMs(`${pid}/task/${pid}`);
    },
    pause: () => ({
      now: this.#plan?.wallPauses === true && this.#answeringSinceMs !== undefined && this.#isHostBusy(),
      totalMs: this.#pausedMs,
    }),
  };

  /** `files` are closed here; what is in them need not be sent. */
  constructor(events: LinkEvents, files?: ImageFiles) {
    this.#events = events;
    this.#files = files;
    const { child, nested } = startProcess(files);
    this.#nested = nested;
    this.#child = child;
    const frames = new FrameReader(() => frameOverheadBytes + Math.max(maxTransferBytes, this.#valueBytes));
    child.stdout?.on("data", (chunk: Buffer) => {
      if (this.#distrusted) return;
      this.#onlyOutput = true;
      const pauseMs = this.#share.spend(() => {
        try {
          for (const body of frames.push(chunk)) this.#onMessage(readFromProcess(body));
        } catch {
          this.#distrusted = true;
          this.#end("the process sent what no sandbox sends");
        }
        return this.#onlyOutput;
      });
      if (pauseMs === 0 || this.#killed) return;
      child.stdout?.pause();
      setTimeout(() => child.stdout?.resume(), pauseMs);
    });
    // The guest's own process has ended, or it has closed its pipe and lives. Whoever started it is told of its end first, and ends then.
    child.stdout?.on("end", () => {
      setTimeout(() => this.#end("the process closed its pipe"), exitMs).unref();
    });
    // Reads and writes of a process that has just died: its end is reported by "exit".
    for (const stream of [child.stdin, child.stdout]) stream?.on("error", () => {});
    this.#gone = new Promise((resolve) => {
      child.on("error", (error) => {
        this.#reason ??= `the process could not be started: ${error.message}`;
        if (child.pid === undefined) resolve();
      });
      child.on("exit", (status, signal) => {
        this.#reason ??= `the process ended (${signal ?? `status ${status}`})`;
        setTimeout(() => child.stdout?.destroy(), lastWordsMs).unref();
      });
      child.on("close", () => resolve());
    });
    void this.#gone.then(() => {
      this.#share.end();
      if (!this.#killed) events.onDeath(this.#reason ?? "the process ended");
    });
  }

  /** `load` is called where the process has no files, or cannot read one of them. */
  async introduce(load: () => Promise<ImageBytes>): Promise<void> {
    this.#load = load;
    if (this.#files) this.#post({ type: "open", hasCode: this.#files.code !== undefined });
    else await this.#sendImage();
  }

  async #sendImage(): Promise<void> {
    const loaded = await this.#load?.();
    if (loaded === undefined || this.#killed) return;
    const { lean, code, image, library, rest } = loaded;
    // Copies, since views of shared memory cannot be serialised.
    this.#post({
      type: "start",
      image: {
        lean,
        code,
        image: image.slice(),
        library: library.bytes().slice(),
        rest: rest.bytes().slice(),
      },
    });
  }

  serve(plan: SandboxPlan | undefined, served: Served): void {
    this.#plan = plan;
    this.#served = served;
  }

  send(request: Request): void {
    if (request.type === "run") {
      this.#share.begin();
      this.#running = new AbortController();
      this.#outputBytes = 0;
      this.#denialMessages = 0;
      this.#answeringSinceMs = undefined;
      this.#pausedMs = 0;
    }
    if (request.type === "look") {
      this.#looks += 1;
      this.#looking ??= new AbortController();
    }
    this.#post(request);
  }

  cancel(): boolean {
    return false;
  }

  hold(alive: boolean): void {
    if (this.#killed) return;
    const handles = [this.#child, this.#child.stdin, this.#child.stdout] as unknown as {
      ref(): void;
      unref(): void;
    }[];
    for (const handle of handles) {
      if (alive) handle?.ref();
      else handle?.unref();
    }
  }

  async kill(): Promise<void> {
    this.hold(true);
    this.#killed = true;
    this.#child.stdout?.resume();
    this.#child.kill("SIGKILL");
    await this.#gone;
    this.#running?.abort();
  }

  #guestPid(): number | undefined {
    const { pid } = this.#child;
    if (!this.#nested || pid === undefined) return pid;
    this.#nestedPid ??= firstChild(pid);
    return this.#nestedPid;
  }

  get #valueBytes(): number {
    return this.#plan?.limits.valueBytes ?? 0;
  }

  #post(message: ToProcess): void {
    const body = serialize(message);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(body.length);
    const { stdin } = this.#child;
    // What is sent in one turn wakes the process once.
    if (stdin?.writableCorked === 0) {
      stdin.cork();
      process.nextTick(() => stdin.uncork());
    }
    stdin?.write(length);
    stdin?.write(body);
  }

  #onMessage(message: FromProcess): void {
    // What it asked before it was killed is answered to nobody, and nobody's code is to be called for it.
    if (this.#killed && !["answer", "output", "denial"].includes(message.kind)) return;
    if (message.kind !== "output") this.#onlyOutput = false;
    switch (message.kind) {
      case "answer":
        if (message.answer.type === "done") this.#finish();
        if (message.answer.type === "seen") this.#seen();
        this.#events.onAnswer(message.answer);
        break;
      case "output":
        this.#demandRun();
        this.#outputBytes += message.bytes.length;
        if (this.#outputBytes > (this.#plan?.limits.outputBytes ?? 0))
          throw new RangeError("too much output");
        this.#events.onOutput(message.stream, message.bytes);
        break;
      case "denial":
        this.#demandRun();
        this.#denialMessages += 1;
        if (this.#denialMessages > maxDenialMessages) throw new RangeError("too many denials");
        this.#events.onDenial(message.denial);
        break;
      case "question":
        this.#onQuestion(message.question, message.bytes);
        break;
      case "treeQuestion":
        this.#onTreeQuestion(message.question, message.bytes);
        break;
      case "call":
        this.#onCall(message.frame);
        break;
      case "unreadable":
        this.#unreadable += 1;
        if (this.#unreadable > mostUnreadable)
          throw new RangeError("an image that was sent is no more to be sent");
        this.#sendImage().catch((error: unknown) => this.#end(`the image cannot be read: ${String(error)}`));
    }
  }

  #demandRun(): AbortController {
    if (this.#running === undefined) throw new RangeError("a word outside of a run");
    return this.#running;
  }

  #finish(): void {
    this.#share.end();
    this.#running?.abort();
    this.#running = undefined;
  }

  #onQuestion(question: FileQuestion, content: Uint8Array): void {
    this.#demandQuestion();
    const plan = this.#plan;
    if (plan === undefined) throw new RangeError("a question of a guest that was given nothing");
    if (question.operation !== "input") {
      const { value, bytes = nothing } = answerFileQuestion(plan, question, content);
      this.#post({ type: "reply", value, bytes });
      return;
    }
    const { signal } = this.#demandRun();
    if (plan.stdin !== "host") throw new RangeError("standard input was not granted");
    const start = monotonicMs();
    this.#answeringSinceMs = start;
    this.#isHostBusy = () => true;
    const send = (bytes: Uint8Array): void => {
      if (signal.aborted) return;
      if (plan.wallPauses) this.#pausedMs += monotonicMs() - start;
      this.#answeringSinceMs = undefined;
      this.#post({ type: "reply", value: bytes.length, bytes });
    };
    readHostInput(Math.min(question.length, maxTransferBytes), signal).then(send).catch(this.#fail);
  }

  #onTreeQuestion(question: TreeQuestion, content: Uint8Array): void {
    const { signal } = this.#demandQuestion();
    const { trees } = this.#served;
    if (trees === undefined) throw new RangeError("a question of a guest that was given no tree");
    const isAwaited = question.operation !== "close" || question.isAwaited;
    const post = (reply: TreeReply): void => {
      if (isAwaited) this.#post({ type: "treeReply", reply: serializable(reply) });
    };
    this.#whenAnswered(trees.answer(question, content), signal, post, () => true);
  }

  #onCall(frame: Uint8Array): void {
    this.#demandQuestion();
    const { signal } = this.#demandRun();
    const { calls } = this.#served;
    if (calls === undefined) throw new RangeError("a call of a guest that was given no function");
    // A copy, since a view is sent with all that it is a view of.
    const post = (answer: Uint8Array): void =>
      this.#post({ type: "callReply", answer: new Uint8Array(answer) });
    this.#whenAnswered(calls.answer(frame), signal, post, () => calls.isBusy);
  }

  /** An answer that comes when nobody waits for it any more goes nowhere. */
  #whenAnswered<T>(
    answer: Later<T>,
    signal: AbortSignal,
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
      if (signal.aborted) return;
      if (this.#plan?.wallPauses && wasHostBusy) this.#pausedMs += monotonicMs() - start;
      this.#answeringSinceMs = undefined;
      send(given);
    };
    answer.then(sendLate).then(undefined, this.#fail);
  }

  #seen(): void {
    this.#looks -= 1;
    if (this.#looks > 0) return;
    this.#looking?.abort();
    this.#looking = undefined;
  }

  /** Our own code asks one question at a time, in runs or when it was asked, and reads what it is answered. */
  #demandQuestion(): AbortController {
    const running = this.#looking ?? this.#demandRun();
    if (this.#answeringSinceMs !== undefined) throw new RangeError("a question before the last was answered");
    if ((this.#child.stdin?.writableLength ?? 0) > mostUnreadBytes)
      throw new RangeError("questions whose answers are not read");
    return running;
  }

  /** Ours or not, it costs this sandbox and not the embedder's process. */
  readonly #fail = (error: unknown): void => this.#end(`the host failed to answer: ${String(error)}`);

  #end(reason: string): void {
    this.#reason ??= reason;
    this.#child.kill("SIGKILL");
  }
}
