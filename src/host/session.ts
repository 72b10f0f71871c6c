// The inside of a wall: one interpreter with its kernel, which lives one lifetime after the other. A lifetime begins with a plan
// and ends with a reset, which makes everything new: the process with all that the kernel held, and the memory.
import { ArchiveFileSystem } from "../filesystems/archive-filesystem.ts";
import type { MemoryFileSystem } from "../filesystems/memory-filesystem.ts";
import { decodeImage, type Image } from "../interpreter/image-file.ts";
import { Interpreter, type Outcome, RenewalFailure } from "../interpreter/interpreter.ts";
import type { ClearPower } from "../interpreter/snapshot.ts";
import { clockStepNs } from "../kernel/clocks.ts";
import { Kernel } from "../kernel/kernel.ts";
import { fail } from "../kernel/kernel-error.ts";
import type { ClockPower, EntropyPower, InputPower, OutputPower } from "../kernel/powers.ts";
import type { Control } from "./control.ts";
import type { LoadedImage } from "./image-cache.ts";
import { idlePlan, type SandboxPlan } from "./plan.ts";
import type { Answer, Request } from "./protocol.ts";
import { type RunMeters, Supervisor, type SupervisorPowers } from "./supervisor.ts";
import { usageOf } from "./usage.ts";
import { makeWorld, type WorldPowers } from "./world.ts";

export interface SessionPowers
  extends SupervisorPowers,
    Pick<WorldPowers, "openHostFile" | "createHostFile"> {
  readonly clock: Omit<ClockPower, "sleepMs">;
  readonly entropy: EntropyPower;
  readonly inflate: (compressed: Uint8Array, sizeBytes: number) => Uint8Array;
  readonly clearMemory: ClearPower;
  /**
   * Reads the process's own standard input. While there is nothing `pause` is called, which sleeps and throws when the guest is
   * to be stopped or has a signal.
   */
  readHostInput(target: Uint8Array, pause: (milliseconds: number) => void): number;
}

/** What a run used, and what the sandbox holds after it. */
export interface Meters extends RunMeters {
  readonly memoryBytes: number;
  readonly hostMemoryBytes: number;
  readonly hostMemoryPeakBytes: number;
  readonly outputBytes: number;
  readonly openFiles: number;
  /** Files, directories, links and pipes in scratch places. */
  readonly files: number;
}

export interface SessionReport {
  readonly outcome: Outcome;
  readonly meters: Meters;
}

/** Memory cannot shrink: an instance that grew beyond this is replaced by a new one when its lifetime ends. */
const recycleBytes = 64 * 2 ** 20;
const timeoutSignal = 14;
/** For lifetimes with a budget of fuel: the order of a set, and so the work of a program, must be the same each time. */
const fixedHashSecret = new Uint8Array(24).fill(0x5a);

/** Whether the machine is known to be whole: its memory can be restored in place. */
function isPlanned(outcome: Outcome): boolean {
  if (outcome.kind !== "stopped") return outcome.kind !== "crashed";
  return ["limit", "cancelled", "exit"].includes(outcome.reason.kind);
}

export class Session {
  readonly #image: LoadedImage;
  readonly #opened: Image;
  readonly #library: ArchiveFileSystem;
  readonly #powers: SessionPowers;
  readonly #supervisor: Supervisor;
  readonly #worldPowers: WorldPowers;
  readonly #kernel: Kernel;
  #interpreter: Interpreter;
  #scratches: readonly MemoryFileSystem[] = [];
  #plan = idlePlan;
  #outputBytes = 0;
  #heldOutputBytes = 0;
  #broken = false;
  /** Why this lifetime could not begin: the answer to all of its runs. */
  #failure: Outcome | undefined;

  /** Throws RenewalFailure. */
  constructor(image: LoadedImage, powers: SessionPowers, output: OutputPower, control: Control) {
    this.#image = image;
    this.#powers = powers;
    this.#opened = decodeImage(image.image);
    const extra = new Map([...image.guestFiles, ...this.#opened.bytecode]);
    this.#library = new ArchiveFileSystem(image.library, powers.inflate, { extra });
    const supervisor = new Supervisor(control, powers);
    this.#supervisor = supervisor;
    this.#worldPowers = {
      clock: { ...powers.clock, sleepMs: (milliseconds) => supervisor.sleep(milliseconds) },
      entropy: powers.entropy,
      output: { write: (stream, bytes) => this.#write(output, stream, bytes) },
      hostInput: this.#hostInput(),
      usageText: () => this.#usageText(),
      openHostFile: powers.openHostFile,
      createHostFile: (place, number) =>
        supervisor.whileHostAnswers(() => powers.createHostFile(place, number)),
    };
    this.#kernel = new Kernel(this.#world(idlePlan), supervisor.ask);
    this.#interpreter = this.#newInterpreter();
  }

  answer(request: Request): Answer {
    const { id } = request;
    switch (request.type) {
      case "begin":
        this.begin(request.plan);
        return { type: "begun", id, failure: this.#failure };
      case "run":
        return { type: "done", id, report: this.run(request.request) };
      case "reset":
        this.reset();
        return { type: "reset", id };
    }
  }

  /** Gives the pristine interpreter its grants and limits. Returns why that could not be, if it could not. */
  begin(plan: SandboxPlan): Outcome | undefined {
    this.#heldOutputBytes = 0;
    try {
      this.#kernel.restart(this.#world(plan));
      this.#plan = plan;
      // A memory that is larger than its limit already would never ask for more.
      if (this.#interpreter.memoryBytes > plan.limits.memoryBytes) this.#interpreter = this.#newInterpreter();
      if (plan.fixedHashes) this.#interpreter.reset(this.#powers.clearMemory, fixedHashSecret);
      this.#interpreter.equip({
        args: plan.args,
        environment: plan.environment,
        recursion: plan.limits.recursion,
        timeoutSignal: plan.soft?.raise === "TimeoutError" ? timeoutSignal : 0,
      });
    } catch (error) {
      if (!(error instanceof RenewalFailure)) throw error;
      this.#failure = error.outcome;
    }
    return this.#failure;
  }

  run(request: Uint8Array): SessionReport {
    const { hostMemory } = this.#kernel.process;
    hostMemory.give(this.#heldOutputBytes);
    this.#heldOutputBytes = 0;
    this.#outputBytes = 0;
    this.#supervisor.begin(this.#kernel, this.#plan);
    const outcome =
      this.#failure ??
      this.#interpreter.request(request, Math.min(this.#plan.limits.valueBytes, hostMemory.freeBytes));
    this.#broken ||= !isPlanned(outcome);
    const meters = { ...this.#holdings(), ...this.#supervisor.finish() };
    return { outcome, meters };
  }

  /** Pristine again, without grants. Throws RenewalFailure. */
  reset(): void {
    this.#plan = idlePlan;
    // After a trap that nobody planned the machine itself is not trusted to be as it was, nor after calls of any function at all.
    const suspect = this.#broken || this.#kernel.foreign.called;
    this.#kernel.restart(this.#world(idlePlan));
    if (suspect || this.#interpreter.memoryBytes > recycleBytes) this.#interpreter = this.#newInterpreter();
    else this.#interpreter.reset(this.#powers.clearMemory);
    this.#broken = false;
    this.#failure = undefined;
  }

  #holdings(): Omit<Meters, keyof RunMeters> {
    const { hostMemory } = this.#kernel.process;
    return {
      memoryBytes: this.#interpreter.memoryBytes,
      hostMemoryBytes: hostMemory.usedBytes,
      hostMemoryPeakBytes: hostMemory.peakBytes,
      outputBytes: this.#outputBytes,
      openFiles: this.#kernel.process.fds.size,
      files: this.#scratches.reduce((sum, scratch) => sum + scratch.usedInodes, 0),
    };
  }

  /** For sandboa.usage() in the guest: each figure with its limit, null where there is none. */
  #usageText(): string {
    const usage = usageOf(this.#plan, { ...this.#holdings(), ...this.#supervisor.meters() });
    const { limits } = usage;
    // No finer than the clock that the guest was given, and not at all where that one stands still.
    const stepMs = Number(clockStepNs[this.#plan.clock]) / 1e6;
    const seconds = (ms: number): number | null =>
      this.#plan.clock === "frozen" ? null : (Math.floor(ms / stepMs) * stepMs) / 1000;
    return JSON.stringify({
      memory: [usage.memoryBytes, limits.memoryBytes],
      host_memory: [usage.hostMemoryBytes, limits.hostMemoryBytes],
      wall: [seconds(usage.wallMs), limits.wallMs / 1000],
      cpu: [seconds(usage.cpuMs), limits.cpuMs / 1000],
      fuel: [usage.fuel, usage.fuel === null ? null : limits.fuel],
      output: [usage.outputBytes, limits.outputBytes],
      open_files: [usage.openFiles, limits.openFiles],
      files: [usage.files, null],
      calls: [usage.calls, null],
    });
  }

  #newInterpreter(): Interpreter {
    return Interpreter.start(this.#image.module, this.#kernel, this.#opened);
  }

  #world(plan: SandboxPlan) {
    const { process, scratches } = makeWorld(plan, this.#library, this.#worldPowers);
    this.#scratches = scratches;
    return process;
  }

  #hostInput(): InputPower {
    const supervisor = this.#supervisor;
    const pause = (milliseconds: number): void => {
      if (supervisor.sleep(milliseconds) === false) fail("EINTR");
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
