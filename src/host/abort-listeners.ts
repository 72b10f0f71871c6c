// Who wants to know when a signal fires. One listener of ours for each signal, however many wait: Node warns of the eleventh as of a leak,
// and one signal for all that a service does is ordinary.

interface Listening {
  readonly acts: Set<() => void>;
  readonly fired: () => void;
}

const known = new WeakMap<AbortSignal, Listening>();

/** Calls `act`, which is the caller's own and never throws, when the signal fires; one that has fired before says nothing. Returns what takes it back. */
export function onAbort(signal: AbortSignal | undefined, act: () => void): () => void {
  if (signal === undefined) return () => {};
  const listening = known.get(signal) ?? listen(signal);
  listening.acts.add(act);
  return () => {
    listening.acts.delete(act);
    if (listening.acts.size > 0) return;
    signal.removeEventListener("abort", listening.fired);
    if (known.get(signal) === listening) known.delete(signal);
  };
}

function listen(signal: AbortSignal): Listening {
  const acts = new Set<() => void>();
  const fired = (): void => {
    known.delete(signal);
    for (const act of acts) act();
  };
  signal.addEventListener("abort", fired, { once: true });
  const listening = { acts, fired };
  known.set(signal, listening);
  return listening;
}

/** As AbortSignal's own method, which a library's signal may not have. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw reasonOf(signal);
}

/** Old libraries' signals have no reason. */
export function reasonOf(signal: AbortSignal | undefined): unknown {
  const reason: unknown = signal?.reason;
  return reason === undefined ? new DOMException("This operation was aborted", "AbortError") : reason;
}

/** Resolves or rejects as `answer` does; rejects with what `reason` makes as soon as the signal fires. */
export async function unlessAborted<T>(
  answer: PromiseLike<T>,
  signal: AbortSignal | undefined,
  reason: () => unknown,
): Promise<T> {
  if (signal === undefined) return answer;
  let stop: () => void = () => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = onAbort(signal, () => reject(reason()));
  });
  try {
    return await Promise.race([answer, aborted]);
  } finally {
    stop();
  }
}
