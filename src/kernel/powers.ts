// What the kernel needs from the machine, handed in by the embedder's platform. Tests hand in fakes.

export interface ClockPower {
  /** Nanoseconds since 1970-01-01T00:00Z. */
  wallNs(): bigint;
  /** Nanoseconds from an arbitrary origin; never goes back. */
  monotonicNs(): bigint;
  /**
   * Blocks the calling thread without burning CPU; may return early. Infinity waits until the guest is stopped. `false` means
   * that a signal for the guest is pending: the call that sleeps ends at once. Throws GuestStop when the guest is over.
   */
  sleepMs(milliseconds: number): false | undefined;
}

export interface EntropyPower {
  /** Fills all of target with cryptographically strong random bytes, whatever its length. */
  fill(target: Uint8Array): void;
}

/** Where the guest's standard output and error go. Throws GuestStop when the output budget is spent. */
export interface OutputPower {
  write(stream: "stdout" | "stderr", bytes: Uint8Array): void;
}

/** Where the guest's standard input comes from. */
export interface InputPower {
  /** Blocks until there is something; 0 means the end. */
  read(target: Uint8Array): number;
}

/** Who answers what the guest asks of functions of the host. */
export interface CallPower {
  /**
   * Blocks until there is an answer. `request` is a view of guest memory, of any content. Throws GuestStop, and KernelError for
   * ENOSYS where there is nobody.
   */
  call(request: Uint8Array): Uint8Array;
}
