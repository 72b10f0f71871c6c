// What the guest has lent for the run: its callables and iterators, as functions and AsyncIterables of the host. A use of one is a callback,
// which the guest is given to do when it next waits. Invariant: when the run ends, every use has been answered or rejected.

import { GuestException } from "../../errors/guest-exception.ts";
import type { Call } from "./call.ts";
import type { FunctionTarget } from "./function-target.ts";
import { Refusal } from "./refusal.ts";

export interface Lent {
  readonly id: number;
  readonly kind: "call" | "iterate";
  /** How its values cross: as those of the function that it was lent to first. */
  readonly target: FunctionTarget;
  /** The calls whose arguments brought it, for which the guest waits. */
  readonly broughtBy: Call[];
  readonly thing: object;
}

export interface Callback {
  readonly token: number;
  readonly lent: Lent;
  /** The call that the guest waits for meanwhile; undefined: its event loop does it. */
  readonly via: Call | undefined;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

export type CallbackWork = "call" | "next" | "close";

const most = 10_000;
const lastToken = 0xffff_ffff;

export class LentThings {
  readonly #lent = new Map<number, Lent>();
  readonly #ids = new WeakMap<object, number>();
  readonly #callbacks = new Map<number, Callback>();
  readonly #send: (callback: Callback, work: CallbackWork, given: readonly unknown[]) => void;
  readonly #route: (lent: Lent) => Call | undefined;
  #lastToken = 0;

  /** `send` throws what keeps a callback from being sent. */
  constructor(
    send: (callback: Callback, work: CallbackWork, given: readonly unknown[]) => void,
    route: (lent: Lent) => Call | undefined,
  ) {
    this.#send = send;
    this.#route = route;
  }

  /** Whether the guest has callbacks to do. */
  get isUsed(): boolean {
    return this.#callbacks.size > 0;
  }

  /** What `id` is for the host. Throws Refusal. */
  borrow(id: number, kind: Lent["kind"], target: FunctionTarget, call: Call | undefined): unknown {
    let lent = this.#lent.get(id);
    if (lent === undefined) {
      if (this.#lent.size >= most)
        throw new Refusal("RuntimeError", `more than ${most} things are lent to the host`);
      lent = this.#make(id, kind, target);
      this.#lent.set(id, lent);
      this.#ids.set(lent.thing, id);
    }
    if (call?.number === 0) bring(lent.broughtBy, call);
    return lent.thing;
  }

  /** Of a thing that was lent in this run: the guest gets it back as it was. */
  idOf(thing: object): number | undefined {
    const id = this.#ids.get(thing);
    return id !== undefined && this.#lent.get(id)?.thing === thing ? id : undefined;
  }

  /** Undefined for a token that nobody waits for. */
  take(token: number): Callback | undefined {
    const callback = this.#callbacks.get(token);
    this.#callbacks.delete(token);
    return callback;
  }

  end(): void {
    const callbacks = [...this.#callbacks.values()];
    this.#lent.clear();
    this.#callbacks.clear();
    for (const callback of callbacks) callback.reject(over());
  }

  #make(id: number, kind: Lent["kind"], target: FunctionTarget): Lent {
    const broughtBy: Call[] = [];
    if (kind === "call") {
      const thing = (...given: readonly unknown[]): Promise<unknown> => this.#use(lent, "call", given);
      const lent: Lent = { id, kind, target, broughtBy, thing };
      return lent;
    }
    const ended = { done: true, value: undefined } as const;
    const iterator = {
      next: (): Promise<unknown> => this.#use(lent, "next", []),
      return: (): Promise<unknown> => ignored(this.#use(lent, "close", []).then(() => ended)),
      [Symbol.asyncIterator]: (): unknown => iterator,
    };
    const lent: Lent = { id, kind, target, broughtBy, thing: iterator };
    return lent;
  }

  #use(lent: Lent, work: CallbackWork, given: readonly unknown[]): Promise<unknown> {
    const used = new Promise((resolve, reject) => {
      if (this.#lent.get(lent.id) !== lent) throw over();
      if (this.#callbacks.size >= most || this.#lastToken >= lastToken)
        throw new RangeError(`more than ${most} callbacks wait for the guest`);
      this.#lastToken += 1;
      const callback: Callback = { token: this.#lastToken, lent, via: this.#route(lent), resolve, reject };
      this.#callbacks.set(callback.token, callback);
      try {
        this.#send(callback, work, given);
      } catch (error) {
        this.#callbacks.delete(callback.token);
        throw error;
      }
    });
    return ignored(used);
  }
}

/** Calls for which the guest waits lie in one another: those that are over are behind those that are not. */
function bring(broughtBy: Call[], call: Call): void {
  while (broughtBy.at(-1)?.isOver) broughtBy.pop();
  if (broughtBy.at(-1) !== call) broughtBy.push(call);
}

/** An embedder that does not look at the outcome must not be ended by a rejection that the guest can cause at will. */
function ignored<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

function over(): Error {
  return new GuestException("RuntimeError", "the run that lent this is over");
}
