// What the guest is told when the host refuses: an errno that means the same there, or EIO. Never a text, which would have host paths.
import { type ErrnoName, errno as errnoNumbers } from "../../abi/errno.ts";
import { fail, KernelError } from "../../kernel/kernel-error.ts";

const shownErrors: ReadonlySet<string> = new Set([
  "EACCES",
  "EBUSY",
  "EDQUOT",
  "EEXIST",
  "EFBIG",
  "EINVAL",
  "EISDIR",
  "ELOOP",
  "EMLINK",
  "ENAMETOOLONG",
  "ENOENT",
  "ENOSPC",
  "ENOTDIR",
  "ENOTEMPTY",
  "EPERM",
  "EROFS",
  "EXDEV",
]);

/** The operation's result; what the system refuses is thrown as KernelError. */
export function attempt<T>(operation: () => T): T {
  try {
    return operation();
  } catch (error) {
    return refuse(error);
  }
}

/** As attempt, with undefined for "there is nothing" (ENOENT, ENOTDIR). */
export function attemptFound<T>(operation: () => T): T | undefined {
  try {
    return operation();
  } catch (error) {
    const code = hostCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    return refuse(error);
  }
}

export function hostCode(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : "";
}

function refuse(error: unknown): never {
  if (error instanceof KernelError) throw error;
  const code = hostCode(error);
  return fail(shownErrors.has(code) && code in errnoNumbers ? (code as ErrnoName) : "EIO");
}
