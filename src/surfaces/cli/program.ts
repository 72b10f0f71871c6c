// The program that a command line names: a file, standard input, -c CODE or -m MODULE.
import { readFileSync } from "node:fs";
import type { Run, RunOptions, Sandbox } from "../../index.ts";
import type { RunFlags } from "./flags.ts";
import { programText } from "./program-text.ts";
import { UsageError } from "./usage-error.ts";

export interface Program {
  readonly source: string;
  readonly filename: string;
  /** sys.argv[0]. */
  readonly name: string;
  readonly isModule: boolean;
  /** Guest path of the folder that it lies in, where that is granted. */
  readonly folder?: string | undefined;
}

export function readProgram(file: string | undefined, flags: RunFlags): Program {
  const { c: code, m: module } = flags;
  if (code !== undefined) return { source: code, filename: "<string>", name: "-c", isModule: false };
  if (module !== undefined) {
    const source = `import runpy; runpy._run_module_as_main(${JSON.stringify(module)})`;
    return { source, filename: "<module>", name: "-m", isModule: true };
  }
  if (file === undefined) throw new UsageError("which program? Give FILE, -, -c CODE or -m MODULE");
  if (file !== "-") return { source: readText(file), filename: file, name: file, isModule: false };
  if (flags.stdin) throw new UsageError("standard input cannot be both the program and its input");
  return { source: readText(0), filename: "<stdin>", name: "-", isModule: false };
}

function readText(file: string | 0): string {
  const where = file === 0 ? "from standard input" : file;
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    throw new UsageError(`cannot read the program ${where}: ${(error as NodeJS.ErrnoException).code}`);
  }
  try {
    return programText(bytes);
  } catch (error) {
    throw new UsageError(`cannot read the program ${where}: ${(error as Error).message}`);
  }
}

/** Runs all of it. Without `wantsValue`, and of a module, no value is made or copied: that may fail, and runs code of the program's. */
export async function runWhole(
  sandbox: Sandbox,
  { source, filename, isModule, folder }: Program,
  wantsValue: boolean,
  onOutput?: RunOptions["onOutput"],
): Promise<Run> {
  if (folder !== undefined) {
    // JSON's text is Python's as well. What was found without it is still found: / stands behind it.
    const text = `__import__("sys").path.insert(0, ${JSON.stringify(folder)})`;
    await sandbox.run(text, { filename, value: false });
  }
  const value = wantsValue && !isModule;
  return sandbox.run(source, { filename, finalize: true, value, ...(onOutput && { onOutput }) });
}
