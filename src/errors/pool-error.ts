// A pool could not give a sandbox. No sandbox exists, and nothing was started.
import { SandboxError, type SandboxState } from "./sandbox-error.ts";

export class PoolError extends SandboxError {
  override readonly name = "PoolError";
  readonly code: "POOL_FULL" | "POOL_CLOSED" | "POOL_CANCELLED";
  readonly sandbox: SandboxState = "none";

  constructor(code: PoolError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
