// struct sockaddr_in and sockaddr_in6 as musl lays them out, read to be shown: a host as text, and a port.

import { socket as kinds } from "../abi/flags.ts";
import type { GuestMemory } from "../abi/guest-memory.ts";

interface SocketAddress {
  /** Dotted, or eight groups between colons. */
  readonly host: string;
  readonly port: number;
}

/** Undefined for what is neither, or too short. Throws GuestRangeFault. */
export function readSocketAddress(
  memory: GuestMemory,
  address: number,
  length: number,
): SocketAddress | undefined {
  if (address === 0 || length >>> 0 < 16) return undefined;
  const bytes = memory.slice(address, 16);
  const family = memory.getU16(address);
  const port = ((bytes[2] ?? 0) << 8) | (bytes[3] ?? 0);
  if (family === kinds.AF_INET) return { host: [...bytes.subarray(4, 8)].join("."), port };
  if (family !== kinds.AF_INET6 || length >>> 0 < 28) return undefined;
  return { host: groups(memory.slice(address + 8, 16)), port };
}

/** RFC 5952, section 4: no leading zeros, and the longest run of zero groups, from two on, as "::". */
function groups(bytes: Uint8Array): string {
  const words = Array.from({ length: 8 }, (_, i) => ((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0));
  let [best, bestAt] = [1, -1];
  for (let at = 0; at < 8; at++) {
    let run = 0;
    while (words[at + run] === 0) run++;
    if (run > best) [best, bestAt] = [run, at];
  }
  const text = (part: number[]): string => part.map((word) => word.toString(16)).join(":");
  if (bestAt < 0) return text(words);
  return `${text(words.slice(0, bestAt))}::${text(words.slice(bestAt + best))}`;
}
