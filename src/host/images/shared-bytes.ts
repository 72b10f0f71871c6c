// Bytes in memory that all threads share, and that are read when the first sandbox of a process needs them: the guest's library, and the
// rest of the interpreter's module. Most small programs need nothing but what the image holds already.

const stateBytes = 8;
const state = { empty: 0, full: 1 } as const;

export class SharedBytes {
  /** A word that tells whether the content is there, then the content. */
  readonly shared: SharedArrayBuffer;
  readonly #state: Int32Array;
  readonly #fill: (content: Uint8Array) => void;

  /** `fill` is called once, unless it throws or another thread comes first. */
  constructor(shared: SharedArrayBuffer, fill: (content: Uint8Array) => void) {
    this.shared = shared;
    this.#state = new Int32Array(shared, 0, 1);
    this.#fill = fill;
  }

  static ofSize(contentBytes: number, fill: (content: Uint8Array) => void): SharedBytes {
    return new SharedBytes(new SharedArrayBuffer(stateBytes + contentBytes), fill);
  }

  /** With that content. */
  static of(content: Uint8Array): SharedBytes {
    const shared = SharedBytes.ofSize(content.length, (to) => to.set(content));
    // Not held by a closure for as long as the process lives.
    shared.bytes();
    return shared;
  }

  bytes(): Uint8Array {
    const content = new Uint8Array(this.shared, stateBytes);
    if (Atomics.load(this.#state, 0) !== state.full) {
      this.#fill(content);
      Atomics.store(this.#state, 0, state.full);
    }
    return content;
  }
}
