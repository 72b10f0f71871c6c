// Why the changes of an overlay were not brought into the tree below it. In both cases they are all still in the overlay.
import { SandboxError, type SandboxState } from "./sandbox-error.ts";

/** A path at which the lower tree is not any more what was changed. */
export interface OverlayConflict {
  /** Below the root of the lower tree. */
  readonly path: string;
  /** `open`: a sandbox has the file open for writing. The others say what became of it underneath. */
  readonly reason: "changed" | "removed" | "created" | "open";
}

/** The lower tree is not any more what the changes were made over. Nothing was changed in it. */
export class OverlayConflictError extends SandboxError {
  override readonly name = "OverlayConflictError";
  readonly code = "OVERLAY_CONFLICT";
  readonly sandbox: SandboxState = "none";
  readonly conflicts: readonly OverlayConflict[];

  constructor(conflicts: readonly OverlayConflict[]) {
    const shown = conflicts.slice(0, 5).map(({ path, reason }) => `${JSON.stringify(path)} (${reason})`);
    const more = conflicts.length > shown.length ? `, and ${conflicts.length - shown.length} more` : "";
    super(`the changes do not fit what is underneath: ${shown.join(", ")}${more}`);
    this.conflicts = conflicts;
  }
}

/** The lower tree refused a step. `cause` is what it said. */
export class OverlayCommitError extends SandboxError {
  override readonly name = "OverlayCommitError";
  readonly code = "OVERLAY_COMMIT_FAILED";
  readonly sandbox: SandboxState = "none";
  /** What the step was about, as the overlay shows it; undefined when no step was begun. */
  readonly path: string | undefined;
  /** Whether the lower tree is again as it was. */
  readonly undone: boolean;
  /** Paths in the lower tree that could not be cleared away or put back: old content that was set aside, or new that was made ready. */
  readonly leftovers: readonly string[];

  constructor(
    cause: unknown,
    how: { readonly path?: string; readonly undone: boolean; readonly leftovers: readonly string[] },
  ) {
    const { path, undone, leftovers } = how;
    const step = path === undefined ? "the commit" : `the commit, at ${JSON.stringify(path)}`;
    const end = undone ? "it is again as it was" : "not all of it could be undone";
    super(`the tree underneath refused a step of ${step}; ${end}`, { cause });
    this.path = path;
    this.undone = undone;
    this.leftovers = leftovers;
  }
}
