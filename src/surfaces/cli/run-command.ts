// `sandboa run`: one program, one sandbox, one exit status.
import { accessSync, constants, lstatSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import {
  type CreateOptions,
  type FileCapability,
  hostStdin,
  LimitError,
  OptionError,
  PythonError,
  type Run,
  Sandbox,
  SandboxError,
  SandboxLostError,
} from "../../index.ts";
import { exitStatus } from "./exit-status.ts";
import { explanation } from "./explain.ts";
import { envOption, fileOption, messageInFlags } from "./flag-names.ts";
import { type GivenGrant, limitsOf, type RunFlags } from "./flags.ts";
import { failureReport, refusalReport, reportWithoutValue, successReport } from "./json-report.ts";
import { type GivenGrants, type LearnedPolicy, learnedPolicy } from "./learned-policy.ts";
import { type GrantedOverlay, grantOverlay, settleOverlays } from "./overlays.ts";
import { encodable, printable } from "./printable.ts";
import { type Program, readProgram, runWhole } from "./program.ts";
import { scriptFolder } from "./script-folder.ts";
import { TerminalText } from "./terminal-text.ts";
import { UsageError, usageCode } from "./usage-error.ts";

export async function runCommand(
  file: string | undefined,
  args: readonly string[],
  flags: RunFlags,
): Promise<number> {
  const typed = new Map<string, string>();
  let isReported = false;
  try {
    const named = flags.c !== undefined || flags.m !== undefined;
    const rest = named && file !== undefined ? [file, ...args] : args;
    const program = readProgram(named ? undefined : file, flags);
    const given = givenBy(flags, typed);
    if (flags.learn !== undefined) demandPlace(flags.learn);
    const folder = named || file === undefined ? undefined : scriptFolder(file, given);
    let status: number;
    {
      await using sandbox = await Sandbox.create(optionsOf(flags, given, [program.name, ...rest]));
      isReported = true;
      status = await runProgram(sandbox, { ...program, folder }, flags.json === true);
      if (flags.explain) process.stderr.write(explanation(sandbox.denials()));
      if (flags.learn !== undefined) writePolicy(flags.learn, learnedPolicy(given, sandbox.denials()));
    }
    // Closed first: files that the program left open are no changes yet.
    const commits = flags.commit !== true ? "no" : status === 0 ? "yes" : "failed";
    const isWell = await settleOverlays(given.overlays, commits, (text) => process.stderr.write(text));
    if (!isWell && status === 0) return exitStatus.commit;
    return status;
  } catch (error) {
    return refused(error, typed, flags.json === true && !isReported);
  }
}

/** Tells why, on standard error and where asked in the one object of `--json`. Gives the exit status; throws what is no refusal. */
function refused(error: unknown, typed: ReadonlyMap<string, string>, json: boolean): number {
  if (!(error instanceof UsageError || error instanceof SandboxError)) throw error;
  const message = error instanceof OptionError ? messageInFlags(error, typed) : error.message;
  process.stderr.write(`sandboa: ${printable(message, true)}\n`);
  const [code, left] =
    error instanceof UsageError ? [usageCode, "none" as const] : [error.code, error.sandbox];
  if (json) process.stdout.write(`${refusalReport(code, message, left)}\n`);
  return error instanceof UsageError ? exitStatus.usage : statusOf(error);
}

/** `typed` is told what the words of each grant were, by the API's option. */
function givenBy(
  flags: RunFlags,
  typed: Map<string, string>,
): GivenGrants & { readonly overlays: readonly GrantedOverlay[] } {
  const collected: GivenGrant[] = [
    flags.read,
    flags.write,
    flags.update,
    flags.append,
    flags.create,
    flags.scratch,
    flags.overlay,
    flags.env,
    flags.module,
  ].flatMap((option) => option?.grants ?? []);
  const files = new Map<string, FileCapability>();
  const env = new Map<string, string>();
  const modules: string[] = [];
  const overlays: GrantedOverlay[] = [];
  const place = (guest: string, capability: FileCapability): void => {
    if (files.has(guest)) throw new UsageError(`${guest} is granted twice`);
    files.set(guest, capability);
  };
  for (const grant of collected) {
    const option = optionOf(grant);
    if (option !== undefined) typed.set(option, grant.words);
    if (grant.kind === "env") env.set(grant.name, grant.value);
    else if (grant.kind === "module") modules.push(grant.name);
    else if (grant.kind === "file") place(grant.guest, grant.capability);
    else {
      const granted = grantOverlay(grant.overlay, flags.commit === true);
      overlays.push(granted);
      place(granted.guest, granted.place);
    }
  }
  if (flags.commit && overlays.length === 0) throw new UsageError("--commit needs --overlay");
  return { files, overlays, env, modules, stdin: flags.stdin === true, limits: { ...limitsOf(flags) } };
}

/** What the API calls it; modules are one option, whose values it names itself. */
function optionOf(grant: GivenGrant): string | undefined {
  switch (grant.kind) {
    case "env":
      return envOption(grant.name);
    case "file":
      return fileOption(grant.guest);
    case "overlay":
      return fileOption(grant.overlay.guest);
    case "module":
      return undefined;
  }
}

function optionsOf(flags: RunFlags, given: GivenGrants, args: readonly string[]): CreateOptions {
  if (flags.stdin && flags.isolation === "inline")
    throw new UsageError(
      "--stdin needs --isolation worker or process: inline, waiting for input could not be ended",
    );
  return {
    files: Object.fromEntries(given.files),
    env: Object.fromEntries(given.env),
    args,
    modules: given.modules,
    limits: limitsOf(flags),
    ...(flags.isolation && { isolation: flags.isolation }),
    ...(flags.stdin && { stdin: hostStdin }),
    ...(flags.clock && { clock: flags.clock }),
    ...(flags.timeZone !== undefined && { timeZone: flags.timeZone }),
    ...(process.stderr.isTTY && { onProgress: (step: string) => process.stderr.write(`sandboa: ${step}\n`) }),
  };
}

const taken = (file: string): string =>
  `--learn writes over no file: ${file} exists; remove it or name another`;

/** Before the program runs, not after. */
function demandPlace(file: string): void {
  if (file === "") throw new UsageError("--learn needs the name of a file");
  let isTaken: boolean;
  try {
    // Not what a link leads to, perhaps nowhere: the link is there.
    isTaken = lstatSync(file, { throwIfNoEntry: false }) !== undefined;
    // With a slash it can only be a folder.
    accessSync(`${dirname(resolve(file))}/`, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new UsageError(`--learn cannot write ${file}: ${(error as NodeJS.ErrnoException).code}`);
  }
  if (isTaken) throw new UsageError(taken(file));
}

function writePolicy(file: string, policy: LearnedPolicy): void {
  try {
    writeFileSync(file, `${JSON.stringify(policy, undefined, 2)}\n`, { flag: "wx" });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    throw new UsageError(code === "EEXIST" ? taken(file) : `--learn cannot write ${file}: ${code}`);
  }
}

async function runProgram(sandbox: Sandbox, program: Program, json: boolean): Promise<number> {
  try {
    const run = json ? await runWhole(sandbox, program, true) : await runShown(sandbox, program);
    if (json) process.stdout.write(`${successReport(run, sandbox.denials())}\n`);
    return run.exitCode & 0xff;
  } catch (error) {
    if (!(error instanceof SandboxError)) throw error;
    const withoutValue = json ? reportWithoutValue(error, sandbox.denials()) : undefined;
    if (withoutValue !== undefined) {
      process.stdout.write(`${withoutValue}\n`);
      return 0;
    }
    if (json) process.stdout.write(`${failureReport(error, sandbox.denials())}\n`);
    else if (error instanceof PythonError) writeTraceback(error);
    else if (!(error instanceof SandboxLostError && error.exitCode !== undefined)) {
      // After a soft stop: where the program was.
      if (error.cause instanceof PythonError) writeTraceback(error.cause);
      process.stderr.write(`sandboa: ${printable(error.message, true)}\n`);
    }
    return statusOf(error);
  }
}

/** Unless the program has told of it in its own way. */
function writeTraceback({ traceback, reported }: PythonError): void {
  const { stderr } = process;
  const text = encodable(traceback);
  if (!reported) stderr.write(stderr.isTTY ? printable(text, false) : text);
}

/** Its output goes to the streams of the command, and to a terminal as text. */
async function runShown(sandbox: Sandbox, program: Program): Promise<Run> {
  const texts = { stdout: new TerminalText(), stderr: new TerminalText() };
  try {
    return await runWhole(sandbox, program, false, (stream, bytes) => {
      const target = process[stream];
      target.write(target.isTTY ? texts[stream].next(bytes) : bytes);
    });
  } finally {
    for (const stream of ["stdout", "stderr"] as const) {
      const rest = texts[stream].rest();
      if (rest !== "") process[stream].write(rest);
    }
  }
}

function statusOf(error: SandboxError): number {
  if (error instanceof PythonError) return exitStatus.pythonError;
  if (error instanceof LimitError)
    return error.limit === "wall" || error.limit === "cpu" ? exitStatus.time : exitStatus.limit;
  if (error instanceof OptionError) return exitStatus.usage;
  // os._exit is the guest's own word, as in every other Python.
  if (error instanceof SandboxLostError && error.exitCode !== undefined) return error.exitCode;
  return exitStatus.lost;
}
