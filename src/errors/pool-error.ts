// A pool could not give a sandbox. No sandbox exists, and nothing was started.
import { SandboxError, type SandboxState } from "./sandbox-error.ts";

/** A checkout was refused or withdrawn: the queue is full, the pool was closed, or the checkout's signal fired (`cause` is its reason). */
export class PoolError extends SandboxError {
  override readonly name = "PoolError";
  readonly code: "POOL_FULL" | "POOL_CLOSED" | "POOL_CANCELLED";
  readonly sandbox: SandboxState = "none";

  constructor(code: PoolError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
