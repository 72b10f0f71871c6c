// The `files` option: guest paths are checked, granted files of the host are opened, once. What was opened is released when a
// later grant is refused.
import type { FileCapability } from "../capabilities/capability.ts";
import { OptionError } from "../errors/option-error.ts";
import type { HostFileTicket } from "../filesystems/host-file.ts";
import { grantHostFile, HostFileRefusal, releaseHostFile } from "../platform/node/host-files.ts";
import { optionRecord } from "./option-record.ts";
import type { PlannedPlace } from "./plan.ts";

export interface OpenedPlaces {
  readonly places: (readonly [string, PlannedPlace])[];
  readonly tickets: HostFileTicket[];
}

export function openPlaces(files: Readonly<Record<string, FileCapability>>): OpenedPlaces {
  optionRecord("files", files);
  const tickets: HostFileTicket[] = [];
  try {
    const paths = Object.keys(files);
    const places = Object.entries(files).map(([path, capability]) => {
      const option = `files[${JSON.stringify(path)}]`;
      checkGuestPath(option, path, paths);
      return [path, openPlace(option, capability, tickets)] as const;
    });
    return { places, tickets };
  } catch (error) {
    for (const ticket of tickets) releaseHostFile(ticket);
    throw error;
  }
}

const reserved = ["/lib/python3.14", "/dev"];

function checkGuestPath(option: string, path: string, all: readonly string[]): void {
  const plain = path.startsWith("/") && path.length > 1 && !path.endsWith("/") && !path.includes("\0");
  const names = path.slice(1).split("/");
  if (!plain || path.length > 1024 || names.some((name) => name === "" || name === "." || name === "..")) {
    throw new OptionError(
      option,
      path,
      "an absolute guest path such as /in/data.csv, without . or .. or a slash at the end",
    );
  }
  for (const place of reserved) {
    if (path === place || path.startsWith(`${place}/`) || place.startsWith(`${path}/`)) {
      throw new OptionError(option, path, `a path outside of ${place}, which is the sandbox's own`);
    }
  }
  const inside = all.find((other) => path.startsWith(`${other}/`));
  if (inside)
    throw new OptionError(option, path, `a path that is not inside of ${inside}, which is granted as well`);
}

function openPlace(option: string, capability: FileCapability, tickets: HostFileTicket[]): PlannedPlace {
  switch (capability?.kind) {
    case "scratch":
      return { kind: "scratch", quotaBytes: capability.quotaBytes, maxFiles: capability.maxFiles };
    case "memoryFile":
      return { kind: "memoryFile", bytes: capability.bytes };
    case "hostFile": {
      const { path, mode, maxBytes } = capability;
      try {
        const ticket = grantHostFile(path, mode);
        tickets.push(ticket);
        return { kind: "hostFile", mode, maxBytes, ticket };
      } catch (error) {
        if (!(error instanceof HostFileRefusal)) throw error;
        const accepted =
          mode === "create" ? "a path where nothing is yet" : `a regular file that can be opened to ${mode}`;
        throw new OptionError(option, path, `${accepted} (${error.message})`);
      }
    }
    default:
      throw new OptionError(option, capability, "hostFile(…), memoryFile(…) or scratch(…)");
  }
}
