// Interpreters that wait, pristine, for whoever needs one next. A member is started or made pristine off the caller's path; one that
// fell, grew old or was lost is replaced before anybody asks for it.
import { count, milliseconds, type Quantity } from "../capabilities/quantity.ts";
import { OptionError } from "../errors/option-error.ts";
import { PoolError } from "../errors/pool-error.ts";
import { SandboxLostError } from "../errors/run-errors.ts";
import { isPending } from "../filesystems/later.ts";
import type { Later } from "../filesystems/tree.ts";
import { afterThisTurn, startTimer } from "../platform/node/powers.ts";
import { unlessAborted } from "./abort-listeners.ts";
import { checkProgress, type Progress } from "./images/progress.ts";
import { warmOnce } from "./images/warm-up.ts";
import { beginLifetime, endLifetime, type Lifetime } from "./lifetime.ts";
import { optionRecord } from "./options/option-record.ts";
import {
  type CheckedEngine,
  type CheckedGrants,
  checkEngine,
  checkGrants,
  type EngineOptions,
  engineNames,
  type GrantOptions,
  grantNames,
  usesFuel,
} from "./options/options.ts";
import { releasePlaces } from "./options/places-option.ts";
import { checkSignal } from "./options/signal-option.ts";
import { cancelled, PoolQueue } from "./pool-queue.ts";
import { Sandbox, type WallSource } from "./sandbox.ts";
import { openWall } from "./walls/open-wall.ts";
import type { Wall } from "./walls/wall.ts";

/** What a pool's interpreters are good at. */
export type Programs = "short" | "long";

/** How many interpreters there are, and of what kind. */
export interface PoolOptions extends EngineOptions {
  /**
   * `short`: interpreters note which pages of their memory a program writes, so that making them pristine takes less than half of the time;
   * Python code takes an eighth to a sixth longer. `long`: the reverse. With `short`, programs of up to some four milliseconds are ahead.
   * Default: `short` for `inline`, else `long`.
   */
  readonly programs?: Programs | undefined;
  /** Interpreters at most: 1 to 1000. Default 4. */
  readonly size?: number | undefined;
  /** How many are kept ready even when nobody asks: 0 to `size`. Default: `size`. */
  readonly warm?: number | undefined;
  /** Checkouts that may wait until one is given back; with 0 none does. Default 1000. */
  readonly queue?: number | undefined;
  /** Checkouts after which an interpreter is replaced by a new one. Default 10,000. */
  readonly recycleAfter?: number | undefined;
  /** Told about long steps. */
  readonly onProgress?: Progress | undefined;
}

/** What a sandbox from a pool is granted and limited to. */
export interface CheckoutOptions extends GrantOptions {
  /** Withdraws a checkout that waits. */
  readonly signal?: AbortSignal | undefined;
}

/** How a pool ends. */
export interface PoolCloseOptions {
  /** How long those in use may go on, in milliseconds or as text. Default: until they are given back. */
  readonly grace?: Quantity | undefined;
}

/** What a pool's interpreters are doing at the moment. */
export interface PoolState {
  /** Ready for the next checkout. */
  readonly idle: number;
  /** In use. */
  readonly leased: number;
  /** Being started or made pristine. */
  readonly preparing: number;
  /** Checkouts that wait; no interpreters. */
  readonly waiting: number;
}

interface Member {
  wall: Wall | undefined;
  state: "preparing" | "idle" | "leased";
  checkouts: number;
  /** Who is told when the wall falls. */
  tenant: Sandbox | undefined;
}

const poolNames = [
  "programs",
  "size",
  "warm",
  "queue",
  "recycleAfter",
  "onProgress",
] satisfies (keyof PoolOptions)[];

/** A start that has failed is tried again after this time, even when nobody waits. */
const retryMs = 1000;

const ended = () => new SandboxLostError("SANDBOX_CLOSED", "the pool has ended this interpreter");

/** Pristine interpreters that wait for their next caller. Made by Pool.create; close it, or leave the scope of `await using`, to end them. */
export class Pool implements AsyncDisposable {
  readonly #engine: CheckedEngine;
  readonly #size: number;
  readonly #warm: number;
  readonly #recycleAfter: number;
  readonly #progress: Progress | undefined;
  readonly #queue: PoolQueue<Member>;
  readonly #members = new Set<Member>();
  readonly #idle: Member[] = [];
  /** Walls that are being opened, or taken down when their member is no more. */
  #underWay = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #closed = false;
  #whenEmpty: (() => void) | undefined;

  private constructor(options: PoolOptions) {
    optionRecord("", options, [...engineNames, ...poolNames]);
    const { programs = options.isolation === "inline" ? "short" : "long", size = 4 } = options;
    if (programs !== "short" && programs !== "long")
      throw new OptionError("programs", programs, '"short", "long"');
    this.#engine = checkEngine(options, false, programs === "short");
    this.#size = count("size", size, { from: 1, to: 1000 });
    const { warm = this.#size, queue = 1000, recycleAfter = 10_000, onProgress } = options;
    this.#warm = count("warm", warm, { to: this.#size });
    this.#queue = new PoolQueue(count("queue", queue));
    this.#recycleAfter = count("recycleAfter", recycleAfter, { from: 1 });
    this.#progress = checkProgress(onProgress);
  }

  /**
   * Resolves when `warm` interpreters are ready and, the first time in a process, the evaluator's code is optimised (about a second
   * on Node 20), so that the first caller is not the slow one. Throws OptionError before anything starts, ImageError, SandboxLostError. */
  static async create(options: PoolOptions = {}): Promise<Pool> {
    const pool = new Pool(options);
    try {
      await Promise.all(Array.from({ length: pool.#warm }, () => pool.#addMember()));
      return pool;
    } catch (error) {
      await pool.close({ grace: 0 });
      throw error;
    }
  }

  /** How many interpreters are in which state just now, and how many checkouts wait. */
  state(): PoolState {
    return {
      idle: this.#count("idle"),
      leased: this.#count("leased"),
      preparing: this.#count("preparing"),
      waiting: this.#queue.length,
    };
  }

  /**
   * A pristine sandbox with exactly these grants; closing it gives it back. Throws OptionError, PoolError when the queue is full, the
   * pool was closed, or `signal` fired, and ImageError or SandboxLostError when no interpreter can be started.
   */
  async checkout(options: CheckoutOptions = {}): Promise<Sandbox> {
    optionRecord("", options, [...grantNames, "signal"]);
    const { signal: given, ...rest } = options;
    const signal = checkSignal(given);
    this.#demandOpen(signal);
    if (usesFuel(rest) && !this.#engine.metered) {
      throw new OptionError(
        "limits.fuel",
        rest.limits?.fuel,
        "none, in a pool that was made without metered: true",
      );
    }
    const grants = checkGrants(rest, this.#engine.isolation);
    const begun = beginLifetime(grants);
    let member: Member | undefined;
    let lifetime: Lifetime | undefined;
    try {
      lifetime = isPending(begun) ? await unlessAborted(begun, signal, () => cancelled(signal)) : begun;
      member = await this.#take(signal);
      const wall = member.wall;
      if (wall === undefined) throw ended();
      member.checkouts += 1;
      const sandbox = Sandbox.around(grants, lifetime, wall, this.#sourceFor(member));
      member.tenant = sandbox;
      // A run is sent right behind it, and reports what kept it from beginning.
      wall.begin(lifetime.plan, lifetime, false).catch((failure: Error) => sandbox.fell(failure));
      return sandbox;
    } catch (error) {
      const gone = letGo(grants, begun);
      // A place that does not open keeps nobody who has withdrawn.
      if (lifetime || !signal?.aborted) await gone;
      if (member) void this.#giveBack(member);
      throw error;
    }
  }

  /**
   * Refuses new checkouts, waits until all sandboxes were given back, and ends every interpreter. With `grace`, in milliseconds or as
   * text, those still in use are ended after that time.
   */
  async close(options: PoolCloseOptions = {}): Promise<void> {
    optionRecord("", options, ["grace"]);
    const graceMs = options.grace === undefined ? undefined : milliseconds("grace", options.grace);
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#queue.refuseAll(new PoolError("POOL_CLOSED", "the pool was closed"));
    for (const member of this.#idle.splice(0)) void this.#drop(member);
    const empty = new Promise<void>((resolve) => {
      const before = this.#whenEmpty;
      this.#whenEmpty = () => {
        before?.();
        resolve();
      };
    });
    const endAll = (): void => {
      for (const member of this.#members) void this.#drop(member);
    };
    const disarm = graceMs === undefined ? undefined : startTimer(graceMs, endAll);
    this.#noteEmpty();
    await empty;
    disarm?.();
  }

  /** Ends everything at once; use close() to wait for sandboxes in use. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close({ grace: 0 });
  }

  #demandOpen(signal: AbortSignal | undefined): void {
    if (this.#closed) throw new PoolError("POOL_CLOSED", "the pool was closed");
    if (signal?.aborted) throw cancelled(signal);
  }

  async #take(signal: AbortSignal | undefined): Promise<Member> {
    // Again: what was granted may have taken its time to open.
    this.#demandOpen(signal);
    const member = this.#queue.length === 0 ? this.#idle.pop() : undefined;
    if (member === undefined) {
      const given = this.#queue.wait(signal, this.#size - this.#count("leased"));
      this.#fill();
      return given;
    }
    member.state = "leased";
    return member;
  }

  #count(state: Member["state"]): number {
    return [...this.#members].filter((member) => member.state === state).length;
  }

  /** Starts as many members as those who wait, and the warm stock, need. */
  #fill(): void {
    const wanted = Math.min(this.#size, Math.max(this.#warm, this.#count("leased") + this.#queue.length));
    while (!this.#closed && this.#members.size < wanted) this.#addMember().catch(() => {});
  }

  /** Nobody waits whose checkout would start what is missing. */
  #fillLater(): void {
    if (this.#closed) return;
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.#fill(), retryMs).unref();
  }

  async #addMember(): Promise<void> {
    const member: Member = { wall: undefined, state: "preparing", checkouts: 0, tenant: undefined };
    this.#members.add(member);
    try {
      await warmOnce(this.#engine, await this.#open(member));
      if (!this.#members.has(member)) throw ended();
    } catch (error) {
      // Who has dropped it meanwhile has seen to the rest.
      if (this.#members.has(member)) {
        void this.#drop(member);
        // Whoever waited longest is told, so that a pool that cannot start makes nobody wait for ever.
        this.#queue.refuseFirst(error);
        if (this.#queue.length > 0) this.#fill();
        else this.#fillLater();
      }
      throw error;
    }
    this.#offer(member);
  }

  /** A wall for the member, unless that is no more when it stands. */
  async #open(member: Member): Promise<Wall> {
    if (!this.#members.has(member)) throw ended();
    this.#underWay += 1;
    try {
      const wall = await openWall(this.#engine, (failure) => this.#lose(member, failure), this.#progress);
      if (!this.#members.has(member)) {
        await wall.kill(ended());
        throw ended();
      }
      member.wall = wall;
      return wall;
    } finally {
      this.#underWay -= 1;
      this.#noteEmpty();
    }
  }

  #offer(member: Member): void {
    if (this.#closed) {
      void this.#drop(member);
      return;
    }
    member.state = "leased";
    if (this.#queue.give(member)) return;
    member.state = "idle";
    this.#idle.push(member);
  }

  #sourceFor(member: Member): WallSource {
    return {
      isMetered: this.#engine.metered,
      open: () => this.#open(member),
      release: async () => {
        void this.#giveBack(member);
      },
    };
  }

  async #giveBack(member: Member): Promise<void> {
    member.state = "preparing";
    member.tenant = undefined;
    const { wall } = member;
    if (!wall?.stands || this.#closed || member.checkouts >= this.#recycleAfter) {
      await this.#drop(member);
      this.#fill();
      return;
    }
    try {
      // Inline, making it pristine takes the caller's own thread: not before the caller has gone on.
      if (this.#engine.isolation === "inline") await afterThisTurn();
      await wall.reset();
      this.#offer(member);
    } catch (failure) {
      this.#lose(member, failure as Error);
    }
  }

  #lose(member: Member, failure: Error): void {
    if (member.state === "leased") {
      member.tenant?.fell(failure);
      return;
    }
    void this.#drop(member);
    this.#fill();
  }

  async #drop(member: Member): Promise<void> {
    const at = this.#idle.indexOf(member);
    if (at >= 0) this.#idle.splice(at, 1);
    if (this.#members.delete(member)) {
      const failure = ended();
      member.tenant?.fell(failure);
      this.#underWay += 1;
      await member.wall?.kill(failure);
      this.#underWay -= 1;
    }
    this.#noteEmpty();
  }

  #noteEmpty(): void {
    if (this.#closed && this.#members.size + this.#underWay === 0) this.#whenEmpty?.();
  }
}

async function letGo(grants: CheckedGrants, begun: Later<Lifetime>): Promise<void> {
  // What could not be opened has closed itself.
  const lifetime = await Promise.resolve(begun).catch(() => undefined);
  if (lifetime) await endLifetime(lifetime);
  releasePlaces(grants);
}
