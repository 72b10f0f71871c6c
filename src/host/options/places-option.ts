// The `files` option: guest paths are checked, granted files of the host are opened, once. What was opened is released when a
// later grant is refused.

import { maxNameBytes, maxPathBytes } from "../../abi/limits.ts";
import type { FileCapability } from "../../capabilities/capability.ts";
import { checkedPlace } from "../../capabilities/place-check.ts";
import { OptionError } from "../../errors/option-error.ts";
import type { HostFileTicket } from "../../filesystems/host-file.ts";
import { releaseHostFile } from "../../platform/node/files/host-files.ts";
import type { PlannedPlace } from "../plan.ts";
import { grantCheckedTree, type TreeGrant } from "../trees/tree-grants.ts";
import { bytesForm, bytesOf } from "./guest-text.ts";
import { grantedTicket } from "./host-places.ts";
import { optionRecord } from "./option-record.ts";
import { ownPlaces } from "./own-places.ts";

export interface OpenedPlaces {
  /** As they were granted: data of their own, places of code as the embedder's. */
  readonly granted: (readonly [string, FileCapability])[];
  readonly places: (readonly [string, PlannedPlace])[];
  readonly tickets: HostFileTicket[];
  /** By place: those of kind "tree", of which the plan knows no more than that. */
  readonly trees: Map<number, TreeGrant>;
}

/** Lets go of everything that was opened. */
export function releasePlaces(opened: {
  readonly tickets: readonly HostFileTicket[];
  readonly trees: ReadonlyMap<number, TreeGrant>;
}): void {
  for (const ticket of opened.tickets) releaseHostFile(ticket);
  for (const grant of opened.trees.values()) grant.release();
}

export function openPlaces(files: Readonly<Record<string, FileCapability>>): OpenedPlaces {
  optionRecord("files", files);
  const opened: OpenedPlaces = { granted: [], places: [], tickets: [], trees: new Map() };
  try {
    const paths = Object.keys(files);
    for (const [path, capability] of Object.entries(files)) {
      const option = `files[${JSON.stringify(path)}]`;
      checkGuestPath(option, path, paths);
      const place = checkedPlace(option, capability);
      opened.places.push([path, openPlace(option, capability, place, opened)]);
      opened.granted.push([path, place]);
    }
    return opened;
  } catch (error) {
    releasePlaces(opened);
    throw error;
  }
}

function checkGuestPath(option: string, path: string, all: readonly string[]): void {
  const plain = path.startsWith("/") && path.length > 1 && !path.endsWith("/") && !path.includes("\0");
  const names = path.slice(1).split("/");
  if (!plain || names.some((name) => name === "" || name === "." || name === "..")) {
    throw new OptionError(
      option,
      path,
      "an absolute guest path such as /in/data.csv, without . or .. or a slash at the end",
    );
  }
  const bytes = bytesOf(path);
  if (bytes === undefined) throw new OptionError(option, path, bytesForm);
  if (bytes.length > maxPathBytes || bytes.split("/").some((name) => name.length > maxNameBytes)) {
    const accepted = `a path of at most ${maxPathBytes} bytes, in names of at most ${maxNameBytes}`;
    throw new OptionError(option, path, accepted);
  }
  for (const place of ownPlaces) {
    if (path === place || path.startsWith(`${place}/`) || place.startsWith(`${path}/`)) {
      throw new OptionError(option, path, `a path outside of ${place}, which is the sandbox's own`);
    }
  }
  const inside = all.find((other) => path.startsWith(`${other}/`));
  if (inside)
    throw new OptionError(option, path, `a path that is not inside of ${inside}, which is granted as well`);
}

/** `given` as the embedder has it, who may have granted the same to others; `place` as it was checked. */
function openPlace(
  option: string,
  given: FileCapability,
  place: FileCapability,
  opened: OpenedPlaces,
): PlannedPlace {
  switch (place.kind) {
    case "scratch":
    case "memoryFile":
      return place;
    case "hostFile": {
      const { mode, maxBytes } = place;
      const ticket = grantedTicket(option, place);
      opened.tickets.push(ticket);
      return { kind: "hostFile", mode, maxBytes, ticket };
    }
    case "tree":
    case "hostDirectory":
    case "wrapped":
    case "overlay":
      opened.trees.set(opened.places.length, grantCheckedTree(option, place, given));
      // What the root is, is asked when a lifetime begins.
      return { kind: "tree", root: "directory", confinesLinks: false };
  }
}
