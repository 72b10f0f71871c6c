// What an option of the API is called on the command line: whoever typed flags is told of those.
import type { OptionError } from "../../index.ts";

const flags: ReadonlyMap<string, string> = new Map([
  ["limits.memory", "--memory"],
  ["limits.hostMemory", "--host-memory"],
  ["limits.wall", "--wall"],
  ["limits.cpu", "--cpu"],
  ["limits.fuel", "--fuel"],
  ["limits.output", "--output"],
  ["limits.soft.grace", "--grace"],
  ["timeZone", "--time-zone"],
  ["modules", "--module"],
  ["env", "--env"],
  ["args", "the program's arguments"],
]);

/** `typed`: by option, the grants as they were given. */
export function messageInFlags({ option, message }: OptionError, typed: ReadonlyMap<string, string>): string {
  const flag = typed.get(option) ?? flags.get(option);
  // It begins with the option.
  return flag === undefined ? message : flag + message.slice(option.length);
}

/** What the API calls a grant at this guest path. */
export const fileOption = (guest: string): string => `files[${JSON.stringify(guest)}]`;

export const envOption = (name: string): string => `env[${JSON.stringify(name)}]`;
