// A run as it goes on: what it writes and what it calls, one after the other as it happens, and at the end its result.
import type { CallEvent } from "./calls/embedder.ts";
import type { Run, RunOptions } from "./run.ts";
import type { OutputStream } from "./walls/output-ring.ts";

export interface OutputEvent {
  readonly type: OutputStream;
  /** The guest's: escape it before a person reads it. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The same as text; a character that is cut in two comes whole in the next event. */
  readonly text: string;
}

export interface ResultEvent {
  readonly type: "result";
  readonly run: Run;
}

export type RunEvent = OutputEvent | CallEvent | ResultEvent;

/** Without what makes the events. */
export type StreamOptions = Omit<RunOptions, "onOutput" | "onCall">;

type StartRun = (options: RunOptions) => Promise<Run>;

/**
 * Starts the run with the first event that is asked for. What fails the run is thrown after everything that came before it. Leaving the
 * loop early cancels the run, and the sandbox is then lost until reset().
 */
export async function* streamRun(
  start: StartRun,
  options: StreamOptions,
): AsyncGenerator<RunEvent, void, void> {
  const events = new Queue<RunEvent>();
  const left = new AbortController();
  const { signal } = options;
  const decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };
  const running = start({
    ...options,
    signal: signal ? AbortSignal.any([signal, left.signal]) : left.signal,
    onOutput: (stream, bytes) =>
      events.push({ type: stream, bytes, text: decoders[stream].decode(bytes, { stream: true }) }),
    onCall: (event) => events.push(event),
  });
  const over = running.then(
    (run) => events.end({ type: "result", run }),
    (error: unknown) => events.fail(error),
  );
  try {
    for (;;) {
      const next = await events.next();
      if (next === undefined) return;
      yield next;
    }
  } finally {
    left.abort();
    await over;
  }
}

/** One reader; whatever was pushed is read before the end. */
class Queue<T> {
  #items: T[] = [];
  #at = 0;
  #ended = false;
  #failure: { readonly error: unknown } | undefined;
  #wake: (() => void) | undefined;

  push(item: T): void {
    this.#items.push(item);
    this.#wake?.();
  }
  end(last: T): void {
    this.#ended = true;
    this.push(last);
  }
  fail(error: unknown): void {
    this.#failure = { error };
    this.#wake?.();
  }

  async next(): Promise<T | undefined> {
    while (this.#at === this.#items.length) {
      if (this.#failure) throw this.#failure.error;
      if (this.#ended) return undefined;
      this.#items = [];
      this.#at = 0;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const item = this.#items[this.#at];
    this.#at += 1;
    return item;
  }
}
