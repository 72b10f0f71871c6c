// The names of a sandbox's time zone in libc. It asks for them once (Emscripten system/lib/libc/tzset.c), and has done so when the
// image was made, in UTC; from then on tm_zone and strftime's %Z take them from there.
import { fromLatin1 } from "../abi/guest-memory.ts";
import type { TimeZone } from "../kernel/time-zone.ts";
import type { Machine } from "./machine.ts";

/** TZNAME_MAX there, and the NUL. */
const nameBytes = 17;

/** `char *tzname[2]`: in a pristine machine, whose pointers are libc's own. */
export function writeZoneNames({ guest, python }: Machine, { standardName, daylightName }: TimeZone): void {
  const pointers = python.tzname.value >>> 0;
  for (const [index, name] of [standardName, daylightName].entries()) {
    const target = guest.slice(guest.getU32(pointers + 4 * index), nameBytes);
    target.fill(0);
    target.set(fromLatin1(name.slice(0, nameBytes - 1)));
  }
}
