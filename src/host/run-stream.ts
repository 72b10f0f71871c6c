// A run as it goes on: what it writes and what it calls, one after the other as it happens, and at the end its result.

import { OptionError } from "../errors/option-error.ts";
import { onAbort } from "./abort-listeners.ts";
import type { CallEvent } from "./calls/embedder.ts";
import { optionRecord } from "./options/option-record.ts";
import { checkSignal } from "./options/signal-option.ts";
import type { Run, RunOptions } from "./run.ts";
import type { OutputStream } from "./walls/output-ring.ts";

/** A piece of what the guest wrote. */
export interface OutputEvent {
  readonly type: OutputStream;
  /** The guest's: escape it before a person reads it. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /**
   * The same as text; a character that is cut in two comes whole in the next event. What is never completed is U+FFFD, at the end, in
   * an event without bytes.
   */
  readonly text: string;
}

/** The last event of a run that did not fail. */
export interface ResultEvent {
  readonly type: "result";
  readonly run: Run;
}

/** What `sandbox.stream` gives; `type` tells which it is. */
export type RunEvent = OutputEvent | CallEvent | ResultEvent;

/** Options of a run, without those that the events stand for. */
export type StreamOptions = Omit<RunOptions, "onOutput" | "onCall">;

type StartRun = (options: RunOptions) => Promise<Run>;

/**
 * Starts the run with the first event that is asked for. What fails the run is thrown after everything that came before it. Leaving the
 * loop early cancels the run, and the sandbox is then lost until reset(); an event that is being waited for does not come any more.
 */
export function streamRun(
  start: StartRun,
  options: StreamOptions,
  checked: (check: () => void) => void,
): AsyncGenerator<RunEvent, void, void> {
  const left = new AbortController();
  const events = eventsOf(start, options, checked, left.signal);
  const leave = events.return.bind(events);
  const fail = events.throw.bind(events);
  // A generator's own would wait for its turn behind the event that is being waited for.
  return Object.assign(events, {
    return: (value: PromiseLike<void> | void) => {
      left.abort();
      return leave(value);
    },
    throw: (error: unknown) => {
      left.abort();
      return fail(error);
    },
  });
}

/** What makes the events is ours, and would be called by nobody. Throws OptionError. */
function checkStreamOptions(options: RunOptions): void {
  optionRecord("", options);
  checkSignal(options.signal);
  for (const name of ["onOutput", "onCall"] as const)
    if (options[name] !== undefined)
      throw new OptionError(name, options[name], "none in a stream, whose events tell the same");
}

/** `left`: nobody reads any more. */
async function* eventsOf(
  start: StartRun,
  options: StreamOptions,
  checked: (check: () => void) => void,
  left: AbortSignal,
): AsyncGenerator<RunEvent, void, void> {
  checked(() => checkStreamOptions(options));
  const events = new Queue<RunEvent>();
  const { signal } = options;
  // Not AbortSignal.any, which takes Node's own signals only.
  const stop = new AbortController();
  const forward = (): void => stop.abort(signal?.reason);
  if (signal?.aborted) forward();
  const stopListening = onAbort(signal, forward);
  left.addEventListener("abort", () => stop.abort(), { once: true });
  const decoders = { stdout: newDecoder(), stderr: newDecoder() };
  const flush = (): void => {
    for (const type of ["stdout", "stderr"] as const) {
      const text = decoders[type].decode();
      if (text !== "") events.push({ type, bytes: new Uint8Array(0), text });
    }
  };
  const running = start({
    ...options,
    signal: stop.signal,
    onOutput: (stream, bytes) =>
      events.push({ type: stream, bytes, text: decoders[stream].decode(bytes, { stream: true }) }),
    onCall: (event) => events.push(event),
  });
  let failure: { readonly error: unknown } | undefined;
  const over = running.finally(flush).then(
    (run) => events.end({ type: "result", run }),
    (error: unknown) => {
      failure = { error };
      events.fail(error);
    },
  );
  try {
    for (;;) {
      const next = await events.next();
      if (next === undefined || left.aborted) return;
      yield next;
    }
  } catch (error) {
    // That a run was cancelled is no news to who has left it. What was thrown in here is the caller's own.
    const isOfTheRun = failure !== undefined && failure.error === error;
    if (!left.aborted || !isOfTheRun) throw error;
  } finally {
    await over;
    stopListening();
  }
}

/** As a run's own `stdout` is decoded. */
function newDecoder(): TextDecoder {
  return new TextDecoder("utf-8", { ignoreBOM: true });
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
