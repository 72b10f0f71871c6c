// The local kinds of place as trees, for what is wrapped around them.

import { GrantedHostFile } from "../../filesystems/host-file.ts";
import { type LockableFile, lockIdentity } from "../../filesystems/lock-identity.ts";
import type { Tree, TreeAccess, TreeEntry } from "../../filesystems/tree.ts";
import { fail } from "../../kernel/kernel-error.ts";
import { hostFileIdentity } from "../../platform/node/files/file-identity.ts";
import { createHostFile, openHostFile } from "../../platform/node/files/host-files.ts";
import type { PlannedHostFile } from "../plan.ts";
import { grantOf } from "../world.ts";

/** A tree whose root is one file of these bytes, which can only be read. */
export function memoryFileTree(bytes: Uint8Array): Tree {
  const entry: TreeEntry = { kind: "file", size: bytes.length, mode: 0o444 };
  return {
    stat: (path) => (path === "" ? entry : undefined),
    open: (path, access) => {
      demandRoot(path, true, access);
      if (access.write) fail("EACCES");
      return { stat: () => entry, read: (position, length) => bytes.slice(position, position + length) };
    },
  };
}

/** A tree whose root is one granted file of the host; what the grant does not allow is refused on every use. */
export function hostFileTree(place: PlannedHostFile): Tree {
  const { ticket, mode } = place;
  const grant = grantOf(place);
  const file = (): GrantedHostFile | undefined =>
    ticket.fd === undefined ? undefined : new GrantedHostFile(openHostFile(ticket.fd), grant);
  const entryOf = (opened: GrantedHostFile): TreeEntry => ({
    kind: "file",
    size: opened.size(),
    mode: (grant.read ? 0o400 : 0) | (grant.write ? 0o200 : 0),
  });
  return {
    stat: (path) => {
      const present = path === "" ? file() : undefined;
      return present && entryOf(present);
    },
    open: (path, access) => {
      demandRoot(path, ticket.fd !== undefined, access);
      if ((access.read && !grant.read) || (access.write && !grant.write)) fail("EACCES");
      if (grant.appendOnly && ((access.write && !access.append) || access.truncate)) fail("EPERM");
      if (ticket.fd === undefined) createHostFile(ticket, mode);
      const opened = file() ?? fail("EIO");
      if (access.truncate) opened.truncate(0);
      const made: LockableFile = {
        [lockIdentity]: () => (ticket.fd === undefined ? undefined : hostFileIdentity(ticket.fd)),
        stat: () => entryOf(opened),
        read: (position, length) => {
          const target = new Uint8Array(length);
          return target.subarray(0, opened.read(target, position));
        },
        write: (position, bytes) => opened.write(bytes, access.append ? opened.size() : position),
        truncate: (size) => opened.truncate(size),
        sync: () => opened.sync(),
        change: () => opened.demandChangeable(),
      };
      return made;
    },
    change: (path) => {
      demandRoot(path, ticket.fd !== undefined, { create: "never" });
      (file() ?? fail("ENOENT")).demandChangeable();
    },
  };
}

function demandRoot(path: string, exists: boolean, { create }: Pick<TreeAccess, "create">): void {
  if (path !== "") fail("ENOTDIR");
  if (exists && create === "always") fail("EEXIST");
  if (!exists && create === "never") fail("ENOENT");
}
