// Who the guest is, and what permission bits allow it. The identity is constant and tells nothing about the host.
import { access, mode } from "../abi/flags.ts";
import type { Attributes, Owner } from "./filesystem.ts";
import { fail } from "./kernel-error.ts";

export const guestOwner: Owner = { uid: 1000, gid: 1000 };

/** Whether the guest may do all of `wanted` (bits of abi `access`) with an object of these attributes. */
export function permits(attributes: Attributes, wanted: number): boolean {
  const shift = attributes.uid === guestOwner.uid ? 6 : attributes.gid === guestOwner.gid ? 3 : 0;
  return ((attributes.mode >> shift) & wanted) === wanted;
}

export function demand(attributes: Attributes, wanted: number): void {
  if (!permits(attributes, wanted)) fail("EACCES");
}

/** chmod(2), utimensat(2) with times: only the owner may. */
export function demandOwnership(attributes: Attributes): void {
  if (attributes.uid !== guestOwner.uid) fail("EPERM");
}

/** unlink(2) and rename(2) in a sticky directory: only the owner of the directory or of the entry may. */
export function demandRemoval(directory: Attributes, entry: Attributes): void {
  demand(directory, access.WRITE | access.EXECUTE);
  if (directory.mode & mode.STICKY && directory.uid !== guestOwner.uid && entry.uid !== guestOwner.uid)
    fail("EPERM");
}
