// What programs do with files, for each kind of place: the same program (programs/files.py) in Sandboa, in stock Pyodide's own file
// system in memory, and natively. Wall time, taken by the program itself.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadPyodide } from "pyodide";
import {
  type FileCapability,
  hostDirectory,
  type Isolation,
  overlay,
  readOnly,
  Sandbox,
  scratch,
} from "sandboa";
import { python } from "../harness/machine.ts";
import { line, number, passing } from "../harness/report.ts";
import { samples } from "../harness/samples.ts";
import { summarise } from "../harness/statistics.ts";

const largeMib = Number(process.env.LARGE_MIB ?? 100);
const smallFiles = Number(process.env.SMALL_FILES ?? 10_000);

export const title = `files: 1 and ${largeMib} MiB, ${smallFiles} files of 100 bytes in 100 folders; wall time in ms`;

type Times = ReadonlyMap<string, number>;

interface Contestant {
  readonly name: string;
  readonly measure: () => Promise<Times> | Times;
}

interface Place {
  readonly name: string;
  readonly isolations: readonly Isolation[];
  /** False: the folder holds already what is read. */
  readonly writes: boolean;
  /** A new one for each round; `folder` is an empty one of the host's, or for places that are only read, a full one. */
  readonly make: (folder: string) => FileCapability;
}

const everyWall: readonly Isolation[] = ["inline", "worker", "process"];
const room = { bytes: "1 GiB", files: 100_000 };
const places: readonly Place[] = [
  { name: "scratch", isolations: everyWall, writes: true, make: () => scratch(room) },
  {
    name: "scratch, shared",
    isolations: ["worker"],
    writes: true,
    make: () => scratch({ ...room, shared: true }),
  },
  {
    name: "hostDirectory to write",
    isolations: ["worker", "process"],
    writes: true,
    make: (folder) => hostDirectory(folder, "write", room),
  },
  {
    name: "hostDirectory to read",
    isolations: ["worker"],
    writes: false,
    make: (folder) => hostDirectory(folder, "read"),
  },
  {
    name: "readOnly(hostDirectory)",
    isolations: ["worker"],
    writes: false,
    make: (folder) => readOnly(hostDirectory(folder, "read")),
  },
  {
    name: "overlay on an empty folder",
    isolations: ["worker"],
    writes: true,
    make: (folder) => overlay(hostDirectory(folder, "read"), room),
  },
  {
    name: "overlay on a full one, read",
    isolations: ["worker"],
    writes: false,
    make: (folder) => overlay(hostDirectory(folder, "read"), room),
  },
];

const source = readFileSync("bench/programs/files.py", "utf8");
const call = (root: string, writes: boolean): string =>
  `measure(${JSON.stringify(root)}, ${writes ? "True" : "False"}, ${largeMib}, ${smallFiles})`;

export async function measure(): Promise<void> {
  const rounds = samples(3);
  const base = mkdtempSync(join(tmpdir(), "sandboa-bench-files-"));
  try {
    const contestants = await everyone(base);
    const series = contestants.map((): Map<string, number[]> => new Map());
    for (let round = 0; round < rounds; round++) {
      for (const [index, { name, measure }] of contestants.entries()) {
        passing(`round ${round + 1} of ${rounds}: ${name}`);
        for (const [step, ms] of await measure()) {
          const times = series[index]?.get(step) ?? [];
          series[index]?.set(step, [...times, ms]);
        }
      }
    }
    print(contestants, series, rounds);
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
}

async function everyone(base: string): Promise<Contestant[]> {
  const full = join(base, "full");
  mkdirSync(full);
  // What is only read was written natively, and stays.
  native(full, "remove = lambda *args: None");
  let count = 0;
  const empty = (): string => {
    const folder = join(base, String(count++));
    mkdirSync(folder);
    return folder;
  };
  passing("loading Pyodide");
  const pyodide = await loadPyodide();
  pyodide.runPython(source);
  const pyodideOnce = (): Times =>
    timesOf(
      JSON.parse(
        pyodide.runPython(
          `import json, os, shutil\nos.makedirs("/work")\nt = ${call("/work", true)}\nshutil.rmtree("/work")\njson.dumps(t)`,
        ),
      ),
    );
  return [
    { name: "python3", measure: () => native(empty()) },
    { name: "pyodide", measure: pyodideOnce },
    ...places.flatMap((place) =>
      place.isolations.map((isolation) => ({
        name: `${place.name}, ${isolation}`,
        measure: () => sandboxed(place, isolation, place.writes ? empty() : full),
      })),
    ),
  ];
}

function native(folder: string, change = ""): Times {
  const program = `${source}\n${change}\nimport json, sys\nprint(json.dumps(${call(folder, true)}))`;
  return timesOf(JSON.parse(execFileSync(python, ["-c", program], { encoding: "utf8" })));
}

async function sandboxed({ make, writes }: Place, isolation: Isolation, folder: string): Promise<Times> {
  await using sandbox = await Sandbox.create({
    isolation,
    clock: "real",
    files: { "/work": make(folder) },
    limits: { wall: "10 min", cpu: "10 min", hostMemory: "2 GiB" },
  });
  const { value } = await sandbox.run(`${source}\n${call("/work", writes)}`);
  return timesOf(value);
}

function timesOf(value: unknown): Times {
  if (value instanceof Map) return value as Times;
  return new Map(Object.entries(value as Record<string, number>));
}

function print(
  contestants: readonly Contestant[],
  series: readonly ReadonlyMap<string, number[]>[],
  rounds: number,
): void {
  line(`n=${rounds}; median (least to most)`);
  const steps = [...(series[0]?.keys() ?? [])];
  for (const step of steps) {
    line(step);
    for (const [index, { name }] of contestants.entries()) {
      const times = series[index]?.get(step);
      if (times === undefined) continue;
      const { median, least, most } = summarise(times);
      line(`  ${name.padEnd(32)} ${number(median).padStart(8)}  (${number(least)} to ${number(most)})`);
    }
  }
}
