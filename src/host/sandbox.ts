// A sandbox: one interpreter behind a wall, what it was granted, and the state that tells what may be asked of it. All authority
// is decided before anything starts; afterwards this file only sends runs and collects what comes back.
import { checkedFor } from "../errors/option-error.ts";
import { RunError, SandboxLostError } from "../errors/run-errors.ts";
import type { Usage, UsageLimits } from "../errors/usage.ts";
import { onAbort, reasonOf, throwIfAborted, unlessAborted } from "./abort-listeners.ts";
import { DenialRecord, type DenialReport } from "./denials/denials.ts";
import type { RawDenial } from "./denials/raw-denial.ts";
import { checkProgress, type Progress } from "./images/progress.ts";
import { beginLifetime, endLifetime, type Lifetime } from "./lifetime.ts";
import type { Meters } from "./meters.ts";
import { optionRecord } from "./options/option-record.ts";
import {
  type CheckedGrants,
  checkEngine,
  checkGrants,
  engineNames,
  grantNames,
  type SandboxOptions,
  usesFuel,
} from "./options/options.ts";
import { releasePlaces } from "./options/places-option.ts";
import { waitAtMost } from "./patience.ts";
import type { SandboxPlan } from "./plan.ts";
import { GuestFiles } from "./results/guest-files.ts";
import type { FilesQuestion, FilesReply } from "./results/results.ts";
import type { Run, RunOptions } from "./run.ts";
import { endingOf } from "./run-ending.ts";
import { RunRecord } from "./run-record.ts";
import { encodeRun } from "./run-request.ts";
import { type RunEvent, type StreamOptions, streamRun } from "./run-stream.ts";
import { usageLimits, usageOf } from "./usage.ts";
import { openWall } from "./walls/open-wall.ts";
import type { OnFall, Wall } from "./walls/wall.ts";

type State = "usable" | "running" | "lost" | "closed";

/** All that a sandbox is made with. */
export interface CreateOptions extends SandboxOptions {
  /** Told about long steps: the interpreter is prepared once per version and machine. */
  readonly onProgress?: Progress | undefined;
}

/** @internal Where a sandbox has its wall from, and who takes it back. */
export interface WallSource {
  /** Whether the interpreters behind its walls count fuel. */
  readonly isMetered: boolean;
  /** A wall for a sandbox whose own one fell. */
  open(onFall: OnFall): Promise<Wall>;
  /** Takes back what the sandbox does not need any more; the wall may have fallen. */
  release(wall: Wall): Promise<void>;
}

/** How long a reset leaves to what was asked about files before: a place may be slow, or never answer. */
const lookGraceMs = 1000;
/** How long a close waits for a reset under way: a place may never say what its root is. */
const closingMs = 10_000;

const closedError = () => new SandboxLostError("SANDBOX_CLOSED", "the sandbox was closed");

/**
 * One interpreter behind a wall, with exactly what it was granted. Made by Sandbox.create or a pool's checkout; close it, or leave the scope of
 * `await using`, to end it.
 */
export class Sandbox implements AsyncDisposable {
  /** What the guest left, after a run. */
  readonly files: GuestFiles;
  readonly #grants: CheckedGrants;
  readonly #plan: SandboxPlan;
  #lifetime: Lifetime;
  readonly #source: WallSource;
  #wall: Wall;
  #state: State = "usable";
  readonly #limits: UsageLimits;
  #lastUsage: Usage;
  #record: RunRecord | undefined;
  /** Ends with each run and each reset. */
  #time = {};
  #denials: DenialRecord;
  /** Resolves when the questions about files that are under way are answered; undefined when there are none. */
  #looked: Promise<void> | undefined;
  /** With what the wall fell, where that was between two runs. */
  #fallen: Error | undefined;
  #resetting: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  private constructor(grants: CheckedGrants, lifetime: Lifetime, wall: Wall, source: WallSource) {
    this.#grants = grants;
    this.#plan = grants.plan;
    this.#lifetime = lifetime;
    this.#limits = usageLimits(grants.plan, source.isMetered);
    this.#lastUsage = usageOf(this.#limits, {});
    this.#denials = new DenialRecord(grants.granted);
    this.#wall = wall;
    this.#source = source;
    const time = (): object => this.#time;
    this.files = new GuestFiles({
      look: (question) => this.#look(question),
      distrust: () => this.#distrust(),
      get time() {
        return time();
      },
      checked: (check) => this.#checked(check),
    });
  }

  /** @internal For `Pool.checkout`. */
  static around(grants: CheckedGrants, lifetime: Lifetime, wall: Wall, source: WallSource): Sandbox {
    return new Sandbox(grants, lifetime, wall, source);
  }

  /**
   * A pristine interpreter with exactly these grants. Throws OptionError before anything starts, ImageError when the
   * interpreter's files are not the known ones or cannot be prepared, SandboxLostError when its wall cannot be opened.
   */
  static async create(options: CreateOptions = {}): Promise<Sandbox> {
    optionRecord("", options, [...grantNames, ...engineNames, "onProgress"]);
    const progress = checkProgress(options.onProgress);
    const engine = checkEngine(options, usesFuel(options));
    const grants = checkGrants(options, engine.isolation);
    const source: WallSource = {
      isMetered: engine.metered,
      open: (onFall) => openWall(engine, onFall, progress),
      release: (wall) => wall.kill(closedError()),
    };
    let sandbox: Sandbox | undefined;
    let wall: Wall | undefined;
    let lifetime: Lifetime | undefined;
    try {
      lifetime = await beginLifetime(grants);
      wall = await source.open((failure) => sandbox?.fell(failure));
      await wall.begin(lifetime.plan, lifetime);
      sandbox = new Sandbox(grants, lifetime, wall, source);
      return sandbox;
    } catch (error) {
      await wall?.kill(closedError());
      if (lifetime) await endLifetime(lifetime);
      releasePlaces(grants);
      throw error;
    }
  }

  /** "usable", "running", "lost" (reset() helps) or "closed". */
  get state(): State {
    return this.#state;
  }

  /** Of the run under way (as far as it shows from outside) or the last one; what stands is as it was after the last run. */
  usage(): Usage {
    return this.#record?.usage() ?? this.#lastUsage;
  }

  /** What the guest was refused since the sandbox was created or reset, for want of a grant. */
  denials(): DenialReport {
    return this.#denials.report();
  }

  /**
   * Runs source in the sandbox's __main__, which keeps its variables from run to run. Throws PythonError, LimitError,
   * SandboxLostError, RunError, or OptionError for inputs that cannot cross.
   */
  async run(source: string, options: RunOptions = {}): Promise<Run> {
    const request = this.#checked(() => encodeRun(source, options));
    this.#demandUsable();
    const { signal } = options;
    throwIfAborted(signal);
    this.#state = "running";
    this.#time = {};
    // What is asked about files is answered first, and is not the run's time.
    if (this.#looked !== undefined) await this.#untilLooked(this.#looked, signal);
    const wall = this.#wall;
    const cancelled = (): RunError =>
      new RunError("RUN_CANCELLED", "the run was cancelled", "lost", { cause: signal?.reason });
    const cancel = (): void => wall.cancel(cancelled());
    const record = new RunRecord(this.#limits, options.onOutput, cancel);
    this.#record = record;
    const stopListening = onAbort(signal, cancel);
    let meters: Meters | undefined;
    try {
      this.#lifetime.calls?.beginRun(options.onCall);
      const report = await wall.run(request, record.take, (denial) => this.#denied(denial));
      meters = report.meters;
      this.#denials.untold(meters.untoldDenials);
      const ending = endingOf(report, this.#plan, options.values);
      this.#end("error" in ending && ending.error.sandbox === "lost" ? "lost" : "usable");
      if (record.failure) throw record.failure.thrown;
      if (!("error" in ending)) return { ...ending, ...record.finish(meters) };
      throw ending.error.code === "RUN_CANCELLED" ? cancelled() : ending.error;
    } catch (error) {
      if (!wall.stands) this.#end("lost");
      if (record.failure) throw record.failure.thrown;
      if (error instanceof Error) record.attachTo(error, meters);
      throw error;
    } finally {
      this.#lifetime.trees?.abandon();
      this.#lifetime.calls?.endRun();
      stopListening();
      record.end();
      this.#lastUsage = record.usage(meters);
      this.#record = undefined;
    }
  }

  /** The same run as events, one after the other: what it writes, what it calls, what that gave, and its result. */
  stream(source: string, options: StreamOptions = {}): AsyncGenerator<RunEvent, void, void> {
    return streamRun(
      (all) => this.run(source, all),
      options,
      (check) => this.#checked(check),
    );
  }

  /** What the guest can import from `host` and which places it can open, as the text of a Python stub (.pyi): for people and for models. */
  describe(): string {
    return this.#grants.stubText();
  }

  /**
   * Back to pristine: nothing that a run left is there any more, except what it wrote to files of the host. Throws RunError while a run
   * goes on, SandboxLostError when the sandbox was closed or cannot be made anew.
   */
  async reset(): Promise<void> {
    if (this.#state === "running") throw new RunError("SANDBOX_BUSY", "a run is under way", "usable");
    if (this.#state === "closed") throw closedError();
    this.#state = "running";
    this.#time = {};
    this.#resetting = this.#reset();
    try {
      await this.#resetting;
    } finally {
      this.#resetting = undefined;
    }
  }

  async #reset(): Promise<void> {
    try {
      await this.#endLooks();
      await this.#wall.reset().catch((error: unknown) => {
        // Fallen before or just now: a new one is as pristine.
        if (this.#wall.stands) throw error;
        return this.#replaceWall();
      });
      await endLifetime(this.#lifetime);
      const lifetime = await beginLifetime(this.#grants);
      // Closed meanwhile: nobody would end it.
      if (this.#is("closed")) {
        await endLifetime(lifetime);
        throw closedError();
      }
      this.#lifetime = lifetime;
      await this.#wall.begin(lifetime.plan, lifetime);
      this.#lastUsage = usageOf(this.#limits, {});
      this.#denials = new DenialRecord(this.#grants.granted);
      this.#fallen = undefined;
      this.#end("usable");
    } catch (error) {
      this.#end("lost");
      // Whatever that has brought down here.
      if (this.#is("closed")) throw closedError();
      throw error;
    }
  }

  /**
   * Ends the sandbox and everything that it holds, or gives it back to its pool. A run or a question about files that is under way fails.
   * May be called again: each call resolves when the sandbox has ended.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const isBusy = this.#state === "running" || this.#looked !== undefined;
    this.#state = "closed";
    if (isBusy) await this.#wall.kill(closedError());
    await this.#looked;
    if (this.#resetting) await waitAtMost(closingMs, this.#resetting);
    await this.#source.release(this.#wall);
    await endLifetime(this.#lifetime);
    releasePlaces(this.#grants);
  }

  /** As close(). */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** @internal For whoever opened the wall: it fell while nothing was asked of it. What is under way learns of it by itself. */
  fell(failure: Error): void {
    if (this.#state !== "usable") return;
    this.#fallen = failure;
    this.#end("lost");
  }

  #denied(raw: RawDenial): void {
    const denial = this.#denials.take(raw);
    if (denial) this.#grants.onEvent({ type: "denial", denial });
  }

  async #look(question: FilesQuestion): Promise<FilesReply> {
    if (this.#state === "closed") throw closedError();
    if (this.#state === "running")
      throw new RunError("SANDBOX_BUSY", "a run or a reset is under way", "usable");
    const wall = this.#wall;
    if (!wall.stands) {
      const gone = "the sandbox was lost, and with it what the guest left; reset() makes a pristine one";
      throw this.#fallen ?? new SandboxLostError("SANDBOX_CRASHED", gone);
    }
    const seen = wall.look(question);
    const looked = Promise.allSettled([this.#looked, seen]).then(() => {
      if (this.#looked === looked) this.#looked = undefined;
    });
    this.#looked = looked;
    // Who is asked something tells whoever asked, and nobody else.
    seen.catch((failure: Error) => {
      if (!wall.stands && this.#wall === wall) this.fell(failure);
    });
    return seen;
  }

  /** Throws the signal's reason if that fires first: nothing has run then. */
  async #untilLooked(looked: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
    try {
      await unlessAborted(looked, signal, () => reasonOf(signal));
      throwIfAborted(signal);
    } catch (reason) {
      this.#end(this.#wall.stands ? "usable" : "lost");
      throw reason;
    }
  }

  async #endLooks(): Promise<void> {
    if (this.#looked === undefined) return;
    await waitAtMost(lookGraceMs, this.#looked);
    if (this.#looked === undefined) return;
    await this.#wall.kill(new RunError("SANDBOX_BUSY", "the sandbox was reset meanwhile", "usable"));
  }

  async #distrust(): Promise<SandboxLostError> {
    const error = new SandboxLostError("SANDBOX_CRASHED", "the process sent what no sandbox sends");
    await this.#wall.kill(error);
    this.#end("lost");
    return error;
  }

  async #replaceWall(): Promise<void> {
    const wall = await this.#source.open((failure) => this.fell(failure));
    // Closed meanwhile: nobody would end it.
    if (this.#state === "closed") {
      await wall.kill(closedError());
      throw closedError();
    }
    this.#wall = wall;
  }

  #end(state: "usable" | "lost"): void {
    // A guest that is lost leaves its files open, and has no more use for them.
    if (state === "lost") void endLifetime(this.#lifetime);
    if (this.#state !== "closed") this.#state = state;
  }

  #checked<T>(check: () => T): T {
    return checkedFor(this.#is("lost") || this.#is("closed") ? "lost" : "usable", check);
  }

  #is(state: State): boolean {
    return this.#state === state;
  }

  #demandUsable(): void {
    switch (this.#state) {
      case "closed":
        throw closedError();
      case "running":
        throw new RunError("SANDBOX_BUSY", "another run is under way", "usable");
      case "lost":
        throw (
          this.#fallen ??
          new SandboxLostError(
            "SANDBOX_CRASHED",
            "the sandbox was lost in an earlier run; reset() makes it pristine",
          )
        );
    }
  }
}
