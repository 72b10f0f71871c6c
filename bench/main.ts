// The groups of the bench, in the order in which they run. With names as arguments, only those.
import * as calls from "./groups/calls.ts";
import * as command from "./groups/command.ts";
import * as files from "./groups/files.ts";
import * as growth from "./groups/growth.ts";
import * as hostile from "./groups/hostile.ts";
import * as interpreter from "./groups/interpreter.ts";
import * as kernels from "./groups/kernels.ts";
import * as kill from "./groups/kill.ts";
import * as neighbours from "./groups/neighbours.ts";
import * as prepare from "./groups/prepare.ts";
import * as throughput from "./groups/throughput.ts";
import * as walls from "./groups/walls.ts";
import { describeMachine } from "./harness/machine.ts";
import { heading } from "./harness/report.ts";

interface Group {
  readonly title: string;
  measure(): void | Promise<void>;
}

const groups: Readonly<Record<string, Group>> = {
  command,
  prepare,
  interpreter,
  walls,
  throughput,
  kill,
  hostile,
  neighbours,
  calls,
  files,
  growth,
  kernels,
};

export async function main(names: readonly string[]): Promise<number> {
  const unknown = names.find((name) => !(name in groups));
  if (unknown !== undefined) {
    console.error(`There is no bench group ${unknown}. The groups: ${Object.keys(groups).join(", ")}`);
    return 2;
  }
  describeMachine();
  for (const [name, group] of Object.entries(groups)) {
    if (names.length > 0 && !names.includes(name)) continue;
    heading(`${name} - ${group.title}`);
    await group.measure();
  }
  return 0;
}
