// The embedder's own standard input, for guests that were granted it: read when a guest asks and not before, without blocking the
// thread. What nobody took stays for the next one who asks.

/** At most `length` bytes, as soon as there are any; none at the end, and none once `signal` says that nobody waits any more. */
export async function takeHostInput(length: number, signal: AbortSignal): Promise<Uint8Array> {
  const { stdin } = process;
  const handle = stdin as { ref?(): void; unref?(): void };
  handle.ref?.();
  try {
    while (!signal.aborted) {
      const chunk = stdin.read() as Buffer | null;
      if (chunk !== null) {
        if (chunk.length > length) stdin.unshift(chunk.subarray(length));
        return chunk.subarray(0, length);
      }
      if (stdin.readableEnded || stdin.destroyed) break;
      await somethingHappened(signal);
    }
    return new Uint8Array(0);
  } finally {
    // Nobody waits for it any more: it must not keep the process alive.
    handle.unref?.();
  }
}

function somethingHappened(signal: AbortSignal): Promise<void> {
  const events = ["readable", "end", "close", "error"] as const;
  return new Promise((resolve) => {
    const done = (): void => {
      for (const event of events) process.stdin.off(event, done);
      signal.removeEventListener("abort", done);
      resolve();
    };
    for (const event of events) process.stdin.on(event, done);
    signal.addEventListener("abort", done);
  });
}
