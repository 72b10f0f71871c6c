// The inside of a wall: one interpreter with its kernel, which lives one lifetime after the other. A lifetime begins with a plan
// and ends with a reset, which makes everything new: the process with all that the kernel held, and the memory.
import { FirstLook } from "../filesystems/first-look.ts";
import type { MemoryFileSystem } from "../filesystems/memory-filesystem.ts";
import type { Equipment } from "../interpreter/equipment.ts";
import { decodeImage, type Image } from "../interpreter/image-file.ts";
import {
  Interpreter,
  type Outcome,
  RenewalFailure,
  type UsedMemory,
  usedMemory,
} from "../interpreter/interpreter.ts";
import type { MemoryPower } from "../interpreter/snapshot.ts";
import type { FileSystem } from "../kernel/filesystem.ts";
import { GuestStop } from "../kernel/guest-stop.ts";
import { Kernel } from "../kernel/kernel.ts";
import { fail, failNumber } from "../kernel/kernel-error.ts";
import type { ClockPower, EntropyPower, InputPower, OutputPower } from "../kernel/powers.ts";
import { DenialLog } from "./denials/denial-log.ts";
import type { Meters, RunMeters, SessionReport } from "./meters.ts";
import { idlePlan, type SandboxPlan } from "./plan.ts";
import { type FilesQuestion, type FilesReply, Results } from "./results/results.ts";
import { SessionCalls } from "./session-calls.ts";
import { Supervisor, type SupervisorPowers } from "./supervisor.ts";
import { AskedLocks } from "./trees/asked-locks.ts";
import { askedTree } from "./trees/asked-tree.ts";
import { lookingPowers } from "./trees/looking-powers.ts";
import type { AskTree, OpenedTreeFile, TreeQuestion, TreeReply } from "./trees/tree-questions.ts";
import { usageText } from "./usage-text.ts";
import type { Control } from "./walls/control.ts";
import type { Answer, Request } from "./walls/protocol.ts";
import type { TakeDenial } from "./walls/wall.ts";
import { makeWorld, type WorldPowers } from "./world.ts";

export interface SessionPowers
  extends SupervisorPowers,
    Pick<WorldPowers, "openHostFile" | "createHostFile"> {
  readonly clock: Omit<ClockPower, "sleepMs">;
  readonly entropy: EntropyPower;
  readonly memory: MemoryPower;
  /**
   * Reads the embedder's own standard input: waits until there is something; 0 means the end. `pause` is called now and then meanwhile,
   * and throws when the guest is to be stopped or has a signal.
   */
  readHostInput(target: Uint8Array, pause: () => void): number;
  /** Asks the host about a granted tree; `look` is called now and then meanwhile, and throws when the guest is to be stopped. */
  askTree(question: TreeQuestion, bytes: Uint8Array | undefined, look: () => void): TreeReply;
  /** The most that one question may read or write: `bytes` above. */
  readonly pieceBytes: number;
  /** Asks the host about its functions: a frame, and its answer, which is valid until the next one; `look` as above. */
  callHost(frame: Uint8Array, look: () => void): Uint8Array;
  /** Whether the guest can wait in there for what the host says later. */
  readonly waits: boolean;
}

interface SessionImage {
  readonly module: WebAssembly.Module;
  /** What the module lacks; throws where it cannot be had. */
  readonly rest: () => WebAssembly.Module;
  /** The encoded image. */
  readonly image: Uint8Array;
  /** See decodeImage. */
  readonly beforeContent?: (() => void) | undefined;
  /** What stands where Python looks for its library; sessions may share it. */
  readonly library: FileSystem;
  /** Gives a memory of so many bytes, if there is one. */
  takeMemory?(bytes: number): UsedMemory | undefined;
}

const timeoutSignal = 14;
/** For lifetimes with a budget of fuel: the order of a set, and so the work of a program, must be the same each time. */
const fixedHashSecret = new Uint8Array(24).fill(0x5a);

/** Whether the machine is known to be whole: its memory can be restored in place. */
function isPlanned(outcome: Outcome): boolean {
  if (outcome.kind !== "stopped") return outcome.kind !== "crashed";
  return ["limit", "cancelled", "exit"].includes(outcome.reason.kind);
}

function equipmentOf(plan: SandboxPlan, waits: boolean): Equipment {
  return {
    functions: plan.functions,
    waits: waits || !plan.functions,
    args: plan.args,
    environment: plan.environment,
    recursion: plan.limits.recursion,
    timeoutSignal: plan.soft?.raise === "TimeoutError" ? timeoutSignal : 0,
  };
}

export class Session {
  readonly #module: WebAssembly.Module;
  readonly #rest: () => WebAssembly.Module;
  readonly #image: Image;
  readonly #library: FileSystem;
  readonly #powers: SessionPowers;
  readonly #supervisor: Supervisor;
  readonly #worldPowers: Omit<WorldPowers, "refusals" | "inputAsked">;
  readonly #tell: TakeDenial;
  readonly #kernel: Kernel;
  readonly #calls: SessionCalls;
  readonly #look = new FirstLook();
  readonly #locks: AskedLocks;
  #interpreter: Interpreter;
  #scratches: readonly MemoryFileSystem[] = [];
  #plan = idlePlan;
  #results: Results;
  #looking = false;
  #denials: DenialLog;
  #outputBytes = 0;
  #heldOutputBytes = 0;
  #broken = false;
  /** Why this lifetime could not begin: the answer to all of its runs. */
  #failure: Outcome | undefined;

  /** Throws RenewalFailure. */
  constructor(
    image: SessionImage,
    powers: SessionPowers,
    output: OutputPower,
    control: Control,
    tellDenial: TakeDenial = () => {},
  ) {
    this.#tell = (denial) => {
      this.#look.forget();
      tellDenial(denial);
    };
    this.#module = image.module;
    this.#rest = image.rest;
    this.#image = decodeImage(image.image, image.beforeContent);
    this.#library = image.library;
    this.#powers = powers;
    const supervisor = new Supervisor(control, powers);
    this.#supervisor = supervisor;
    this.#calls = new SessionCalls(supervisor, powers);
    const look = this.#look;
    const locks = new AskedLocks(this.#askTree, powers.waits);
    this.#locks = locks;
    const asking = {
      ask: this.#askTree,
      locks,
      pieceBytes: powers.pieceBytes,
      isInterrupted: () => supervisor.hasSignal,
      look: powers.waits ? look : undefined,
    };
    this.#worldPowers = {
      ...lookingPowers(look, {
        clock: { ...powers.clock, sleepMs: (milliseconds) => supervisor.sleep(milliseconds) },
        output: { write: (stream, bytes) => this.#write(output, stream, bytes) },
        hostInput: this.#hostInput(),
        usageText: () => usageText(this.#plan, { ...this.#holdings(), ...supervisor.meters() }),
        openHostFile: powers.openHostFile,
        createHostFile: (place, number) =>
          supervisor.whileHostAnswers(() => powers.createHostFile(place, number)),
        calls: this.#calls,
      }),
      entropy: powers.entropy,
      tree: (number) => askedTree(number, asking),
      hostFileLocks: (granted) => ({
        lock: (request) => locks.lock({ granted }, request),
        unlock: () => locks.unlock({ granted }),
      }),
    };
    this.#denials = new DenialLog(idlePlan, this.#tell);
    this.#kernel = new Kernel(this.#world(idlePlan), (kernel) => {
      const signal = supervisor.ask(kernel);
      // A sign of the time.
      if (signal !== 0) look.forget();
      return signal;
    });
    this.#results = new Results(this.#kernel.process.mounts);
    this.#interpreter = this.#start(image.takeMemory?.(this.#image.snapshot.memoryBytes));
  }

  answer(request: Request): Answer | undefined {
    const { id } = request;
    switch (request.type) {
      case "begin":
        this.begin(request.plan);
        return request.isAwaited ? { type: "begun", id, failure: this.#failure } : undefined;
      case "run":
        return { type: "done", id, report: this.run(request.request) };
      case "look":
        return { type: "seen", id, reply: this.look(request.question) };
      case "reset":
        this.reset();
        return { type: "reset", id };
    }
  }

  /** Gives the pristine interpreter its grants and limits. Returns why that could not be, if it could not. */
  begin(plan: SandboxPlan): Outcome | undefined {
    this.#heldOutputBytes = 0;
    try {
      this.#restart(plan);
      this.#plan = plan;
      if (plan.fixedHashes) this.#interpreter.reset(fixedHashSecret);
      this.#interpreter.equip(equipmentOf(plan, this.#powers.waits));
    } catch (error) {
      if (!(error instanceof RenewalFailure)) throw error;
      this.#failure = error.outcome;
    }
    return this.#failure;
  }

  run(request: Uint8Array): SessionReport {
    this.#asHost(() => this.#results.letGo());
    this.#kernel.process.hostMemory.give(this.#heldOutputBytes);
    this.#heldOutputBytes = 0;
    this.#outputBytes = 0;
    this.#calls.end();
    this.#supervisor.begin(this.#kernel, this.#plan);
    const report = this.#request(request);
    if (!this.toldToComeAgain) this.#calls.end();
    return report;
  }

  /** Whether the run was told by the host that what it waits for comes later; then it may be gone on with. */
  get toldToComeAgain(): boolean {
    return this.#calls.toldToComeAgain;
  }

  /** Milliseconds of wall time that the run has left. */
  msLeft(isHostBusy: boolean): number {
    return this.#supervisor.msLeft(isHostBusy);
  }

  /** The same run goes on: its limits, and what it has used of them, are as they were. */
  goOn(request: Uint8Array, wasHostBusy: boolean): SessionReport {
    this.#supervisor.goOn(wasHostBusy);
    const report = this.#request(request);
    if (!this.toldToComeAgain) this.#calls.end();
    return report;
  }

  #request(request: Uint8Array): SessionReport {
    const { hostMemory } = this.#kernel.process;
    this.#calls.begin(this.#plan, hostMemory);
    this.#look.forget();
    this.#denials.listening = true;
    const outcome =
      this.#failure ??
      this.#overdue() ??
      this.#interpreter.request(request, Math.min(this.#plan.limits.valueBytes, hostMemory.freeBytes));
    this.#denials.finish();
    this.#broken ||= !isPlanned(outcome);
    const meters = { ...this.#holdings(), ...this.#supervisor.finish() };
    return { outcome, meters };
  }

  /** Guests that are gone on with in short steps might never be asked. */
  #overdue(): Outcome | undefined {
    try {
      this.#supervisor.lookWhileWaiting();
      return undefined;
    } catch (error) {
      if (!(error instanceof GuestStop)) throw error;
      return { kind: "stopped", reason: error.reason };
    }
  }

  /** What the host asks about the guest's files, between runs. */
  look(question: FilesQuestion): FilesReply {
    return this.#asHost(() => this.#results.answer(question));
  }

  /** Pristine again, without grants. Throws RenewalFailure. */
  reset(): void {
    this.#plan = idlePlan;
    this.#restart(idlePlan);
    // After a trap that nobody planned the machine itself is not trusted to be as it was. Memory cannot shrink, and its size would
    // tell the next guest of this one.
    if (this.#broken || this.#interpreter.hasGrown) this.#interpreter = this.#start(usedMemory(this.memory));
    else this.#interpreter.reset();
    this.#broken = false;
    this.#failure = undefined;
  }

  /** For another session with the same image, when nothing is asked of this one any more; undefined when it has grown. */
  get memory(): WebAssembly.Memory | undefined {
    return this.#interpreter.memory;
  }

  #start(memory: UsedMemory | undefined): Interpreter {
    return Interpreter.start(this.#module, this.#kernel, this.#image, this.#powers.memory, {
      memory,
      rest: this.#rest,
    });
  }

  #holdings(): Omit<Meters, keyof RunMeters> {
    const { hostMemory } = this.#kernel.process;
    return {
      memoryBytes: this.#interpreter.memoryBytes,
      hostMemoryBytes: hostMemory.usedBytes,
      hostMemoryPeakBytes: hostMemory.peakBytes,
      outputBytes: this.#outputBytes,
      openFiles: this.#kernel.process.fds.size,
      untoldDenials: this.#denials.untold,
      files: this.#scratches.reduce((sum, scratch) => sum + scratch.usedInodes, 0),
    };
  }

  /** Granted trees are asked for the host that looks, not for the guest. */
  #asHost<T>(work: () => T): T {
    this.#looking = true;
    try {
      return work();
    } finally {
      this.#looking = false;
    }
  }

  #restart(plan: SandboxPlan): void {
    this.#results.letGo();
    this.#locks.forget();
    this.#kernel.restart(this.#world(plan));
    this.#results = new Results(this.#kernel.process.mounts);
  }

  #world(plan: SandboxPlan) {
    const denials = new DenialLog(plan, this.#tell);
    const powers = { ...this.#worldPowers, refusals: denials, inputAsked: denials.inputAsked };
    const { process, scratches } = makeWorld(plan, this.#library, powers);
    denials.watch(process);
    this.#denials = denials;
    this.#scratches = scratches;
    return process;
  }

  /** No signal interrupts it: an operation that was asked for twice would be done twice. */
  readonly #askTree: AskTree = (question, bytes) => {
    const supervisor = this.#supervisor;
    this.#look.forget();
    // Files that a lifetime leaves open are closed by the host.
    if (!supervisor.running && !this.#looking) return fail("EIO");
    // One walk of a path asks about each of its names: its time may be over in the middle.
    supervisor.lookWhileWaiting();
    const reply = supervisor.whileHostAnswers(() =>
      this.#powers.askTree(question, bytes, () => supervisor.lookWhileWaiting()),
    );
    if (reply.errno !== 0) failNumber(reply.errno, reply.spent);
    if (question.operation === "read" && reply.bytes) bytes?.set(reply.bytes);
    if (question.operation === "open") {
      const { file, entry } = reply.answer as OpenedTreeFile;
      if (entry && reply.bytes) this.#look.keep(file, entry, reply.bytes.slice());
    }
    return reply.answer as never;
  };

  #hostInput(): InputPower {
    const supervisor = this.#supervisor;
    const pause = (): void => {
      if (supervisor.sleep(0) === false) fail("EINTR");
    };
    return {
      read: (target) => supervisor.whileHostAnswers(() => this.#powers.readHostInput(target, pause)),
    };
  }

  /** Passes on what the budgets allow, then ends the guest. What was captured is held until the next run begins. */
  #write(output: OutputPower, stream: "stdout" | "stderr", bytes: Uint8Array): void {
    const { hostMemory } = this.#kernel.process;
    const budget = this.#plan.limits.outputBytes;
    const room = Math.max(0, Math.min(budget - this.#outputBytes, hostMemory.freeBytes, bytes.length));
    hostMemory.take(room);
    this.#heldOutputBytes += room;
    this.#outputBytes += bytes.length;
    output.write(stream, bytes.subarray(0, room));
    if (bytes.length === room) return;
    const { limitBytes } = hostMemory;
    throw this.#kernel.stop(
      this.#outputBytes > budget
        ? { kind: "limit", limit: "output", budget, used: this.#outputBytes }
        : { kind: "limit", limit: "hostMemory", budget: limitBytes, used: limitBytes + bytes.length - room },
    );
  }
}
