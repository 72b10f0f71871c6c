// The words that host and guest thread share while a run goes on. They lie in memory of their own, never in the guest's: the
// guest can neither read nor write them.

const word = {
  command: 0,
  answering: 1,
  pausedMs: 2,
  asked: 3,
  replied: 4,
  reply: 5,
  frameBytes: 6,
  length: 7,
} as const;
const command = { none: 0, cancel: 1 } as const;
/** In place of the bytes of a frame. */
const other = -1;
const aboutTree = -2;
/** How often a guest that waits for a reply looks whether its time is over. */
const lookMs = 20;
/**
 * How often a guest that waits looks for a reply before its thread sleeps: waking two threads takes longer than most replies. Some 150
 * microseconds are enough for a walk through a folder. Where they were not several times in a row, because the host is slow or has no
 * processor of its own, it is twenty, but for one question out of sixteen.
 */
const looks = { patient: 30_000, brief: 4000 } as const;
const mostMisses = 3;
const patientEvery = 16;

export class Control {
  readonly shared: SharedArrayBuffer;
  readonly #words: Int32Array;
  /** Replies in a row for which the thread had to sleep. */
  #misses = 0;

  constructor(shared: SharedArrayBuffer = new SharedArrayBuffer(word.length * 4)) {
    this.shared = shared;
    this.#words = new Int32Array(shared);
  }

  /** Before a run. Questions go on being counted: a late reply must not be taken for that of another one. */
  clear(): void {
    for (const at of [word.command, word.answering, word.pausedMs]) Atomics.store(this.#words, at, 0);
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

  /** Asks the host, through `ask`, and blocks until it has replied; `look`, called now and then, may throw. */
  question(ask: (number: number) => void, look: () => void): number {
    return this.#question(other, () => {}, ask, look);
  }
  /** A call, whose frame lies in the memory for calls already: a host that looks can begin before it is told. */
  call(frameBytes: number, tell: (number: number) => void, look: () => void): number {
    return this.#question(frameBytes, () => {}, tell, look);
  }
  /** A question about a granted tree, likewise, once `put` has put it where the host finds it. */
  askTree(put: (number: number) => void, tell: () => void, look: () => void): number {
    return this.#question(aboutTree, put, tell, look);
  }

  #question(
    what: number,
    put: (number: number) => void,
    tell: (number: number) => void,
    look: () => void,
  ): number {
    const number = this.asked + 1;
    put(number);
    Atomics.store(this.#words, word.frameBytes, what);
    Atomics.store(this.#words, word.asked, number);
    tell(number);
    const isPatient = this.#misses < mostMisses || number % patientEvery === 0;
    for (let left = isPatient ? looks.patient : looks.brief; left > 0; left--) {
      if (Atomics.load(this.#words, word.replied) !== number) continue;
      this.#misses = 0;
      return Atomics.load(this.#words, word.reply);
    }
    this.#misses += 1;
    for (;;) {
      const replied = Atomics.load(this.#words, word.replied);
      if (replied === number) return Atomics.load(this.#words, word.reply);
      if (Atomics.wait(this.#words, word.replied, replied, lookMs) === "timed-out") look();
    }
  }
  /** The number of the last question. */
  get asked(): number {
    return Atomics.load(this.#words, word.asked);
  }
  /** Of the last question; undefined if it is no call. */
  get frameBytes(): number | undefined {
    const bytes = Atomics.load(this.#words, word.frameBytes);
    return bytes < 0 ? undefined : bytes;
  }
  /** Whether the last question is about a tree. */
  get isAboutTree(): boolean {
    return Atomics.load(this.#words, word.frameBytes) === aboutTree;
  }
  /** Looks for a question after that one, up to so many times, some seven nanoseconds each. */
  isAskedAfter(question: number, looks: number): boolean {
    for (let look = 0; look < looks; look++)
      if (Atomics.load(this.#words, word.asked) !== question) return true;
    return false;
  }
  reply(number: number, value: number): void {
    Atomics.store(this.#words, word.reply, value);
    Atomics.store(this.#words, word.replied, number);
    Atomics.notify(this.#words, word.replied);
  }
}
