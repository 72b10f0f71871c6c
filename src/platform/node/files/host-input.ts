// The embedder's standard input for guests behind a wall, without blocking its thread. It is read through process.stdin: a plain read
// of a pipe that stays silent would hold a thread of Node's pool until the process is killed, and would take what comes later
// away from whoever asks next.

const nothing = new Uint8Array(0);
/** Read already, and not given to anybody yet: where an embedder's process.stdin.setEncoding() has made it text, bytes cannot be counted. */
let rest: Uint8Array = nothing;

/** At most `length` bytes as soon as there are some; none at the end of the input, or when `abandoned` fires. Never rejects. */
export async function readHostInput(length: number, abandoned: AbortSignal): Promise<Uint8Array> {
  const { stdin } = process;
  if (stdin.listenerCount("error") === 0) stdin.on("error", () => {});
  hold(true);
  try {
    while (!abandoned.aborted && !stdin.readableEnded && !stdin.destroyed) {
      if (length === 0) return nothing;
      if (rest.length === 0) rest = readStdin(length);
      if (rest.length > 0) return takeOf(length);
      await change(abandoned);
    }
    return abandoned.aborted ? nothing : takeOf(length);
  } finally {
    hold(false);
  }
}

function readStdin(length: number): Uint8Array {
  const { stdin } = process;
  const encoding = stdin.readableEncoding;
  const chunk: unknown = encoding ? stdin.read() : stdin.read(Math.min(length, stdin.readableLength));
  if (typeof chunk === "string") return Buffer.from(chunk, encoding ?? "utf8");
  return chunk instanceof Uint8Array ? chunk : nothing;
}

function takeOf(length: number): Uint8Array {
  const taken = new Uint8Array(rest.subarray(0, length));
  rest = rest.subarray(taken.length);
  return taken;
}

/** Only while somebody waits for it does the input keep the process alive. */
function hold(alive: boolean): void {
  const { stdin } = process;
  const handle = stdin as { ref?(): void; unref?(): void };
  if (alive) handle.ref?.();
  else if (stdin.listenerCount("readable") === 0 && stdin.listenerCount("data") === 0) handle.unref?.();
}

const changes = ["readable", "end", "error", "close"] as const;
/** Whoever waits for something new, with one listener for all: Node warns of the eleventh as of a leak. */
const waiting = new Set<() => void>();

function wakeAll(): void {
  for (const event of changes) process.stdin.off(event, wakeAll);
  for (const wake of waiting) wake();
}

/** Resolves when there may be something new. */
function change(abandoned: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      waiting.delete(done);
      abandoned.removeEventListener("abort", done);
      if (waiting.size === 0) for (const event of changes) process.stdin.off(event, wakeAll);
      resolve();
    };
    if (waiting.size === 0) for (const event of changes) process.stdin.on(event, wakeAll);
    waiting.add(done);
    abandoned.addEventListener("abort", done);
  });
}
