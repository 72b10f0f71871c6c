// What the guest is told when the host refuses: an errno that means the same there, or EIO. Never a text, which would have host paths.
import { type ErrnoName, errno as errnoNumbers } from "../../../abi/errno.ts";
import { HostFault } from "../../../filesystems/host-fault.ts";
import { fail, KernelError } from "../../../kernel/kernel-error.ts";

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

/** What a guest does not bring about by what it asks for: the embedder should know. Everything that is not shown is one of these, too. */
const faults: ReadonlySet<string> = new Set(["EACCES", "EDQUOT", "ENOSPC", "EPERM", "EROFS"]);

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
  const isShown = shownErrors.has(code) && code in errnoNumbers;
  if (isShown && !faults.has(code)) fail(code as ErrnoName);
  throw new HostFault(isShown ? (code as ErrnoName) : "EIO", error);
}
