// The command. It knows words and exit statuses; everything else is the library's public API.
import { writeSync } from "node:fs";
import { CommanderError } from "commander";
import { commandLine } from "./command-line.ts";
import { exitStatus } from "./exit-status.ts";
import { givenWords } from "./given-words.ts";
import { refusalReport } from "./json-report.ts";
import { printable } from "./printable.ts";
import { runCommand } from "./run-command.ts";
import { UsageError, usageCode } from "./usage-error.ts";
import { demandUtf8, wordsOf } from "./words.ts";

/** At once, as the process ends: to standard error, where that can be written to. */
function tryToTell(text: string): void {
  try {
    writeSync(2, text);
  } catch {
    // Nobody can be told.
  }
}

function watchStreams(): void {
  // What is told there is lost, and nobody can be told that. How the program ended is still to be said.
  process.stderr.on("error", () => {});
  process.stdout.on("error", ({ code }: NodeJS.ErrnoException) => {
    // Whoever read it has gone, as in `sandboa run … | head`: nothing is left to do, and no error to report.
    if (code === "EPIPE") process.exit(exitStatus.brokenPipe);
    tryToTell(`sandboa: cannot write standard output: ${code}\n`);
    process.exit(exitStatus.unwritable);
  });
}

/** Warnings of ours are told as all else that the command says; what Node does with others, it does. */
function showWarnings(): void {
  const usual = process.listeners("warning");
  // Node has none where it was told to be silent.
  if (usual.length === 0) return;
  process.removeAllListeners("warning");
  process.on("warning", (warning) => {
    if (warning.name === "SandboaWarning")
      process.stderr.write(`sandboa: ${printable(warning.message, true)}\n`);
    else for (const listener of usual) listener.call(process, warning);
  });
}

/** Resolves when the command is over; its status is the process's. */
export async function main(): Promise<void> {
  watchStreams();
  showWarnings();
  const command = commandLine(async (file, args, flags) => {
    process.exitCode = await runCommand(file, args, flags);
  });
  const words = wordsOf(givenWords(), command.commands[0]);
  try {
    demandUtf8(words);
    await command.parseAsync([...words.all]);
  } catch (error) {
    process.exitCode = notRun(error, words.json);
  }
}

/** The words were no command, or asked for help. */
function notRun(error: unknown, json: boolean): number {
  if (error instanceof UsageError) process.stderr.write(`sandboa: ${printable(error.message, true)}\n`);
  else if (!(error instanceof CommanderError)) throw error;
  else if (error.exitCode === 0) return 0;
  const message = error.message.replace(/^error: /, "");
  if (json) process.stdout.write(`${refusalReport(usageCode, message, "none")}\n`);
  return exitStatus.usage;
}
