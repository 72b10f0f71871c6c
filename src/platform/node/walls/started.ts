// Starting what stands behind a wall: what Node or the system refuses is the embedder's to change, and says how.
import { SandboxLostError } from "../../../errors/run-errors.ts";

/** What `start` gives. `flag` of Node's allows it. Throws SandboxLostError. */
export function started<T>(what: string, flag: string, start: () => T): T {
  try {
    return start();
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const reason =
      code === "ERR_ACCESS_DENIED"
        ? `Node's permission model is on, and needs ${flag} for it`
        : (hint(message) ?? message);
    throw new SandboxLostError("SANDBOX_CRASHED", `the ${what} cannot be started: ${reason}`, undefined, {
      cause,
    });
  }
}

/** A better word for a failure that says nothing to whoever has not read Node's source; undefined where there is none. */
export function hint(message: unknown): string | undefined {
  return String(message).includes("uv_cwd")
    ? "the working folder of this process is gone, without which Node starts no thread; process.chdir() to one that exists"
    : undefined;
}
