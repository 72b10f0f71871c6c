// The words that host and guest thread share while a run goes on. They lie in memory of their own, never in the guest's: the
// guest can neither read nor write them.

const word = { command: 0, answering: 1, pausedMs: 2, replied: 3, reply: 4, length: 5 } as const;
const command = { none: 0, cancel: 1 } as const;

export class Control {
  readonly shared: SharedArrayBuffer;
  readonly #words: Int32Array;

  constructor(shared: SharedArrayBuffer = new SharedArrayBuffer(word.length * 4)) {
    this.shared = shared;
    this.#words = new Int32Array(shared);
  }

  /** Before a run. */
  clear(): void {
    this.#words.fill(0);
  }

  /** Ends the run at the guest's next step, and wakes it if it sleeps. */
  cancel(): void {
    Atomics.store(this.#words, word.command, command.cancel);
    Atomics.notify(this.#words, word.command);
  }

  get cancelled(): boolean {
    return Atomics.load(this.#words, word.command) === command.cancel;
  }

  /** Blocks the calling thread until `milliseconds` have passed or the run is cancelled. */
  sleep(milliseconds: number): void {
    Atomics.wait(this.#words, word.command, command.none, milliseconds);
  }

  /** Whether the guest waits for an answer of the host and its wall time stands still. */
  get answering(): boolean {
    return Atomics.load(this.#words, word.answering) === 1;
  }
  /** How long wall time has stood still in this run. */
  get pausedMs(): number {
    return Atomics.load(this.#words, word.pausedMs);
  }
  setPause(answering: boolean, pausedMs: number): void {
    Atomics.store(this.#words, word.pausedMs, Math.ceil(pausedMs));
    Atomics.store(this.#words, word.answering, answering ? 1 : 0);
  }

  /** Asks the host, through `ask`, and blocks until it has replied. */
  question(ask: () => void): number {
    Atomics.store(this.#words, word.replied, 0);
    ask();
    Atomics.wait(this.#words, word.replied, 0);
    return Atomics.load(this.#words, word.reply);
  }
  reply(value: number): void {
    Atomics.store(this.#words, word.reply, value);
    Atomics.store(this.#words, word.replied, 1);
    Atomics.notify(this.#words, word.replied);
  }
}
