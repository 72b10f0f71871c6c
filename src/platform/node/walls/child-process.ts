// The process behind a process wall: starting it with as little as the system lets us, speaking to it through one pipe, killing it.
import type { ChildProcess } from "node:child_process";
import { serialize } from "node:v8";
import { maxDenialMessages } from "../../../host/denials/raw-denial.ts";
import type { ImageBytes, ImageFiles } from "../../../host/images/image-cache.ts";
import type { SandboxPlan } from "../../../host/plan.ts";
import { FrameReader } from "../../../host/walls/frames.ts";
import { type FromProcess, readFromProcess } from "../../../host/walls/process-protocol.ts";
import type { Request } from "../../../host/walls/protocol.ts";
import type { Link, LinkEvents } from "../../../host/walls/remote-wall.ts";
import type { Served } from "../../../host/walls/served.ts";
import { maxTransferBytes } from "../../../host/walls/transfer-bytes.ts";
import type { SentImage } from "../cache/process-image.ts";
import { firstChild, otherThreadCpuMs } from "../thread-cpu.ts";
import { FairShare } from "./fair-share.ts";
import { ProcessQuestions, type Reply } from "./process-questions.ts";
import { startProcess } from "./process-start.ts";

export type ToProcess =
  /** The image is in the files that it was given. */
  | { readonly type: "open"; readonly hasCode: boolean }
  | { readonly type: "start"; readonly image: SentImage }
  | Reply
  | Request;

const frameOverheadBytes = 2 ** 17;
/** How much later than the end of its pipe the end of a process is known. */
const exitMs = 100;
/** How long what a dead process still wrote is waited for: another process may hold its end of the pipe open. */
const lastWordsMs = 100;
/** What our own code cannot read it asks for once when it starts, and when the guest first needs the library, and the module's rest. */
const mostUnreadable = 3;

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
  readonly #questions: ProcessQuestions;
  readonly #share = new FairShare();
  /** Whether that is all that a piece of its words holds: what else it says costs the host as much as the host wants it to. */
  #onlyOutput = true;
  #outputBytes = 0;
  #denialMessages = 0;
  #reason: string | undefined;
  #killed = false;
  /** It has said what our own code never says, and is not listened to any more. */
  #distrusted = false;

  readonly view = {
    cpuMs: () => {
      const pid = this.#guestPid();
      return pid === undefined ? undefined : otherThreadCpuMs(`${pid}/task/${pid}`);
    },
    pause: () => this.#questions.pause,
  };

  /** `files` are closed here; what is in them need not be sent. */
  constructor(events: LinkEvents, files?: ImageFiles) {
    this.#events = events;
    this.#files = files;
    const { child, nested } = startProcess(files);
    this.#nested = nested;
    this.#child = child;
    this.#questions = new ProcessQuestions(
      (reply) => this.#post(reply),
      () => child.stdin?.writableLength ?? 0,
      (error) => this.#end(`the host failed to answer: ${String(error)}`),
    );
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
      this.#questions.endRun();
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
    this.#questions.serve(plan, served);
  }

  send(request: Request): void {
    if (request.type === "run") {
      this.#share.begin();
      this.#questions.beginRun();
      this.#outputBytes = 0;
      this.#denialMessages = 0;
    }
    if (request.type === "look") this.#questions.beginLook();
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
        if (message.answer.type === "done") {
          this.#share.end();
          this.#questions.endRun();
        }
        if (message.answer.type === "seen") this.#questions.endLook();
        this.#events.onAnswer(message.answer);
        break;
      case "output":
        this.#questions.demandRun();
        this.#outputBytes += message.bytes.length;
        if (this.#outputBytes > (this.#plan?.limits.outputBytes ?? 0))
          throw new RangeError("too much output");
        this.#events.onOutput(message.stream, message.bytes);
        break;
      case "denial":
        this.#questions.demandRun();
        this.#denialMessages += 1;
        if (this.#denialMessages > maxDenialMessages) throw new RangeError("too many denials");
        this.#events.onDenial(message.denial);
        break;
      case "question":
      case "treeQuestion":
      case "call":
        this.#questions.answer(message);
        break;
      case "unreadable":
        this.#unreadable += 1;
        if (this.#unreadable > mostUnreadable)
          throw new RangeError("an image that was sent is no more to be sent");
        this.#sendImage().catch((error: unknown) => this.#end(`the image cannot be read: ${String(error)}`));
    }
  }

  #end(reason: string): void {
    this.#reason ??= reason;
    this.#child.kill("SIGKILL");
  }
}
