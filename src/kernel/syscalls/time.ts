// Clocks and calendars: everything comes from the sandbox's own clocks and zone, nothing from the host's Date.
import { clockId } from "../../abi/flags.ts";
import { assemble, type BrokenDownTime, breakDown } from "../calendar.ts";
import type { Kernel } from "../kernel.ts";
import { fail } from "../kernel-error.ts";
import { type TimeZone, utc } from "../time-zone.ts";

/** clock_gettime: (id, precision, u64*). CPU clocks show the monotonic clock: the guest's own elapsed time. */
export function clockTime(kernel: Kernel, id: number, _precision: bigint, target: number): number {
  kernel.memory.check(target, 8);
  const { clocks } = kernel.process;
  if (id < 0 || id > clockId.THREAD_CPU) fail("EINVAL");
  kernel.memory.setI64(target, id === clockId.REALTIME ? clocks.wallNs() : clocks.monotonicNs());
  return 0;
}

export function clockResolution(kernel: Kernel, id: number, target: number): number {
  kernel.memory.check(target, 8);
  if (id < 0 || id > clockId.THREAD_CPU) fail("EINVAL");
  kernel.memory.setI64(target, kernel.process.clocks.stepNs);
  return 0;
}

export function dateNow(kernel: Kernel): number {
  return Number(kernel.process.clocks.wallNs()) / 1e6;
}

/** Milliseconds, monotonic: libc's sleep spins on it, see Clocks.spinningNowMs. */
export function now(kernel: Kernel): number {
  return kernel.process.clocks.spinningNowMs();
}

/** struct tm, 44 bytes; the zone pointer at 40 is libc's own business. */
const tmBytes = 44;

function writeTm(kernel: Kernel, target: number, time: BrokenDownTime): void {
  const fields = [
    time.second,
    time.minute,
    time.hour,
    time.dayOfMonth,
    time.month0,
    time.yearSince1900,
    time.weekday,
    time.dayOfYear,
    time.isDst,
    time.offsetSeconds,
  ];
  fields.forEach((value, index) => {
    kernel.memory.setI32(target + index * 4, value);
  });
}

/**
 * What is far beyond all years that anybody takes for one becomes the first or last of those that an int has: these two calls have no way
 * to fail, and CPython indexes its names of months with what they leave in the struct.
 */
function writeBrokenDown(kernel: Kernel, seconds: bigint, target: number, zone: TimeZone): void {
  kernel.memory.check(target, tmBytes);
  writeTm(kernel, target, breakDown(seconds, zone) ?? (seconds < 0n ? firstTime : lastTime));
}

const atYear = (year: number): BrokenDownTime => ({
  ...{ second: 0, minute: 0, hour: 0, dayOfMonth: 1, month0: 0, yearSince1900: year - 1900 },
  ...{ weekday: 0, dayOfYear: 0, isDst: 0, offsetSeconds: 0 },
});
const firstTime = atYear(1900 - 2 ** 31);
const lastTime = atYear(2 ** 31 - 1);

export function gmtime(kernel: Kernel, seconds: bigint, target: number): void {
  writeBrokenDown(kernel, seconds, target, utc);
}

export function localtime(kernel: Kernel, seconds: bigint, target: number): void {
  writeBrokenDown(kernel, seconds, target, kernel.process.timeZone);
}

/** mktime(3) and timegm(3): -1 when the result does not fit; the struct is normalised in place. */
function assembleTm(kernel: Kernel, address: number, zone: TimeZone): bigint {
  const { memory } = kernel;
  memory.check(address, tmBytes);
  const field = (index: number): number => memory.getI32(address + index * 4);
  const seconds = assemble(
    {
      second: field(0),
      minute: field(1),
      hour: field(2),
      dayOfMonth: field(3),
      month0: field(4),
      yearSince1900: field(5),
      isDst: Math.sign(field(8)),
    },
    zone,
  );
  const normal = seconds === undefined ? undefined : breakDown(seconds, zone);
  if (seconds === undefined || normal === undefined) return -1n;
  writeTm(kernel, address, normal);
  return seconds;
}

export function mktime(kernel: Kernel, address: number): bigint {
  return assembleTm(kernel, address, kernel.process.timeZone);
}

export function timegm(kernel: Kernel, address: number): bigint {
  return assembleTm(kernel, address, utc);
}

/** (long* secondsWest, int* daylight, char std[17], char dst[17]). */
export function tzset(
  kernel: Kernel,
  timezone: number,
  daylight: number,
  standard: number,
  summer: number,
): void {
  const { memory } = kernel;
  for (const [address, bytes] of [
    [timezone, 4],
    [daylight, 4],
    [standard, 17],
    [summer, 17],
  ] as const)
    memory.check(address, bytes);
  const zone = kernel.process.timeZone;
  memory.setI32(timezone, -zone.standardOffsetSeconds);
  memory.setI32(daylight, zone.hasDst ? 1 : 0);
  writeName(kernel, standard, zone.standardName);
  writeName(kernel, summer, zone.daylightName);
}

function writeName(kernel: Kernel, target: number, name: string): void {
  const bytes = kernel.memory.slice(target, 17);
  bytes.fill(0);
  for (let i = 0; i < Math.min(name.length, 16); i++) bytes[i] = name.charCodeAt(i) & 0x7f;
}
