// The powers of a guest's world, for as long as a first look (filesystems/first-look.ts) may stand: whatever lets the guest learn or tell
// anything makes it old. Granted trees see to that themselves.
import type { FirstLook } from "../../filesystems/first-look.ts";
import type { HostFilePower } from "../../filesystems/host-file.ts";
import type { WorldPowers } from "../world.ts";

type Watched = Pick<
  WorldPowers,
  "clock" | "output" | "hostInput" | "usageText" | "openHostFile" | "createHostFile" | "calls"
>;

export function lookingPowers(look: FirstLook, powers: Watched): Watched {
  const { clock, output, hostInput, calls } = powers;
  const watched =
    <A extends unknown[], T>(use: (...given: A) => T): ((...given: A) => T) =>
    (...given) => {
      look.forget();
      return use(...given);
    };
  const watchedFile = (file: HostFilePower): HostFilePower => ({
    read: watched((target, position) => file.read(target, position)),
    write: watched((source, position) => file.write(source, position)),
    size: watched(() => file.size()),
    truncate: watched((size) => file.truncate(size)),
    sync: watched(() => file.sync()),
  });
  return {
    clock: {
      wallNs: watched(() => clock.wallNs()),
      monotonicNs: watched(() => clock.monotonicNs()),
      sleepMs: watched((milliseconds) => clock.sleepMs(milliseconds)),
    },
    output: { write: watched((stream, bytes) => output.write(stream, bytes)) },
    hostInput: { read: watched((target) => hostInput.read(target)) },
    usageText: watched(powers.usageText),
    openHostFile: (place, number) => {
      const file = powers.openHostFile(place, number);
      return file && watchedFile(file);
    },
    createHostFile: watched((place, number) => watchedFile(powers.createHostFile(place, number))),
    calls: { call: watched((frame) => calls.call(frame)) },
  };
}
