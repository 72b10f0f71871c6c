// What a grant allows in its folder: by mode, by the globs of `match`, and how many names it may still make.
import { Allowance } from "../../../filesystems/allowance.ts";
import type { HostDirectoryMode, HostFolderTicket } from "../../../filesystems/host-folder.ts";
import { PathGlobs } from "../../../filesystems/path-globs.ts";
import type { TreeEntry, TreePath } from "../../../filesystems/tree.ts";
import { fail } from "../../../kernel/kernel-error.ts";

/** A mode that is none of these allows nothing but to look. */
const making: readonly HostDirectoryMode[] = ["write", "create-only"];

export class FolderRights {
  /** Whether anything may be made or written. */
  readonly makes: boolean;
  /** Whether only what was made through the grant may be changed, and nothing be moved. */
  readonly addsOnly: boolean;
  readonly growth: Allowance;
  readonly names: Allowance;
  readonly #globs: PathGlobs | undefined;

  constructor(ticket: HostFolderTicket) {
    this.makes = making.includes(ticket.mode);
    this.addsOnly = ticket.mode === "create-only";
    this.growth = new Allowance(ticket.growth);
    this.names = new Allowance(ticket.names);
    this.#globs = ticket.match && new PathGlobs(ticket.match);
  }

  /** Whether something may be hidden from the guest. */
  get hides(): boolean {
    return this.#globs !== undefined;
  }

  /** Whether what is at the path is there for the guest. Directories and links are, too, where they could lead to a match. */
  shows(path: TreePath, kind: TreeEntry["kind"]): boolean {
    const globs = this.#globs;
    if (globs === undefined || path === "" || globs.matches(path)) return true;
    return kind !== "file" && globs.leadsOn(path);
  }

  demandShown(path: TreePath, kind: TreeEntry["kind"]): void {
    if (!this.shows(path, kind)) fail("ENOENT");
  }

  /** To make something at the path. */
  demandMaking(path: TreePath, kind: TreeEntry["kind"]): void {
    if (!this.makes) fail("EROFS");
    if (!this.shows(path, kind)) fail("EACCES");
  }

  /** To rename or remove. */
  demandMoving(): void {
    if (!this.makes) fail("EROFS");
    if (this.addsOnly) fail("EPERM");
  }

  /** Makes one name, which is counted when it is made. */
  making<T>(make: () => T): T {
    if (this.names.take(1) === undefined) fail("EDQUOT", "files");
    try {
      return make();
    } catch (error) {
      this.names.giveBack(1);
      throw error;
    }
  }
}
