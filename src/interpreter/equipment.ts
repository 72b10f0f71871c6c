// What the host chooses for a sandbox besides what the kernel's process holds, as the guest's runner is told it.
import { type TimeZone, utc } from "../kernel/time-zone.ts";

export interface Equipment {
  readonly args: readonly string[];
  readonly environment: readonly (readonly [string, string])[];
  /** sys.setrecursionlimit. */
  readonly recursion: number;
  /** Whether functions of the host were granted. */
  readonly functions: boolean;
  /** Whether the guest can wait for an answer of the host's; else it is told to come again. True where there are no functions. */
  readonly waits: boolean;
  /** The signal that raises TimeoutError in the guest, or 0. */
  readonly timeoutSignal: number;
}

/** What an image is captured with, so that a pristine interpreter has what most sandboxes choose. */
export const imageEquipment: Equipment = {
  args: [""],
  environment: [],
  recursion: 1000,
  functions: false,
  waits: true,
  timeoutSignal: 0,
};

/** Equal texts for what makes no difference to a guest. */
export function equipmentKey(equipment: Equipment, zone: TimeZone): string {
  const { args, environment, recursion, functions, waits, timeoutSignal } = equipment;
  return JSON.stringify([args, environment, recursion, functions, waits, timeoutSignal, zoneFields(zone)]);
}

export const imageEquipmentKey = equipmentKey(imageEquipment, utc);

/** For the handler of guest/sandboa/_runner.py. */
export function equipRequest(equipment: Equipment, zone: TimeZone): Readonly<Record<string, unknown>> {
  return {
    action: "equip",
    argv: equipment.args,
    environment: new Map(equipment.environment),
    zone: zoneFields(zone),
    recursion: equipment.recursion,
    timeout_signal: equipment.timeoutSignal,
    functions: equipment.functions,
    waits: equipment.waits,
  };
}

/** time.timezone, altzone, daylight and tzname. */
function zoneFields({ standardOffsetSeconds, hasDst, standardName, daylightName }: TimeZone) {
  const timezone = 0 - standardOffsetSeconds;
  return [timezone, hasDst ? timezone - 3600 : timezone, hasDst ? 1 : 0, standardName, daylightName] as const;
}
