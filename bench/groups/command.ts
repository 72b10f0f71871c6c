// Cold start: a whole process to its first Python output, with the image cached and the system's file cache warm.
import { python } from "../harness/machine.ts";
import { hasMonty } from "../harness/monty.ts";
import { samples } from "../harness/samples.ts";
import { type Command, wholeProcesses } from "../harness/whole-process.ts";

export const title = "whole process to its first Python output";

const module = (source: string): readonly string[] => ["--input-type=module", "-e", source];
const inline =
  "const { Sandbox } = await import('sandboa'); const box = await Sandbox.create({ isolation: 'inline' }); " +
  "process.stdout.write((await box.run('print(1)')).stdout); await box.close()";
const loadPyodide =
  "const { loadPyodide } = await import('pyodide'); (await loadPyodide()).runPython('print(1)')";
const records = "bench/programs/records.py";
const pyodideRecords =
  "const { loadPyodide } = await import('pyodide'); const { readFileSync } = await import('node:fs'); " +
  `(await loadPyodide()).runPython(readFileSync('${records}', 'utf8'))`;
const monty = "const { Monty } = await import('@pydantic/monty'); console.log(new Monty('1').run())";

const commands: readonly Command[] = [
  { name: "an empty Node script", file: process.execPath, args: ["-e", "0"] },
  {
    name: "sandboa run -c 'print(1)'",
    file: process.execPath,
    args: ["dist/cli.cjs", "run", "-c", "print(1)"],
  },
  { name: "Sandboa in the same thread, print(1)", file: process.execPath, args: module(inline) },
  { name: "python3 -c 'print(1)'", file: python, args: ["-c", "print(1)"] },
  { name: "stock loadPyodide, print(1)", file: process.execPath, args: module(loadPyodide) },
  {
    name: "sandboa run records.py",
    file: process.execPath,
    args: ["dist/cli.cjs", "run", records],
  },
  {
    name: "the same, with SANDBOA_ENGINE_FLAGS=none: no code of earlier processes",
    file: process.execPath,
    args: ["dist/cli.cjs", "run", records],
    env: { SANDBOA_ENGINE_FLAGS: "none" },
  },
  { name: "python3 records.py", file: python, args: [records] },
  { name: "stock loadPyodide, records.py", file: process.execPath, args: module(pyodideRecords) },
  ...(hasMonty ? [{ name: "Monty, 1", file: process.execPath, args: module(monty) }] : []),
];

export function measure(): void {
  wholeProcesses(commands, samples(15));
}
