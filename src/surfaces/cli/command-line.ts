// What the command line may say: options, arguments, and the help about them.
import { Command, InvalidArgumentError, Option } from "commander";
import { Collected, fuel, grants, type RunFlags } from "./flags.ts";

/** What package.json says (tools/build.mjs). */
declare const __version: string;

const help = `
Grants (nothing is granted by default; HOST is a path here, GUEST is where the program sees it):
  a HOST without :GUEST appears under the same path, a relative one below /
  the program imports from the folder that FILE lies in where that is granted for reading

Sizes are bytes or 64KiB, 10MiB, 1GB; durations are milliseconds or 250ms, 5s, 2min; fuel is a count of units, each
about one bytecode instruction or one turn of a loop in C. --wall, --cpu and --fuel may be "unlimited".

Exit status:
  the program's own; 1 uncaught exception, 2 wrong usage or grants, 3 changes not committed, 124 out of time (--wall, --cpu),
  125 the sandbox was lost, 126 another limit, or standard output cannot be written, 141 whoever read the output has gone
  (| head); after a soft stop (--grace) that the program obeys, its own

Examples:
  sandboa run -c 'print(sum(range(10)))'
  sandboa run --read sales.csv --create report.md analyse.py sales.csv
  sandboa run --read data.json -m json.tool data.json
  sandboa run --scratch /tmp=10MiB --memory 128MiB --wall 5s untrusted.py
  sandboa run --isolation process --cpu 2s --host-memory 8MiB --json untrusted.py
  sandboa run --read data:/in --explain --learn policy.json untrusted.py
  sandboa run --fuel 5_000_000 --clock frozen -c 'print(sum(range(10)))'`;

/** `act` is told what to run. */
export function commandLine(
  act: (file: string | undefined, args: string[], flags: RunFlags) => Promise<void>,
): Command {
  const command = new Command("sandboa");
  command
    .description("Run Python that nobody trusts: CPython 3.14 with no ability but those that you grant.")
    .version(__version)
    .enablePositionalOptions()
    .addHelpText("after", help)
    .exitOverride();
  const run = command.command("run").description("run a Python program in a sandbox of its own");
  run
    .argument("[file]", "the program, UTF-8 unless it says otherwise; - for standard input")
    .argument("[args...]", "its arguments (sys.argv[1:])")
    .option("-c <code>", "run this code instead of a file; all that follows is its arguments")
    .option("-m <module>", "run this module instead of a file; all that follows is its arguments")
    .addOption(many("--read <host[:guest]>", "grant a file or a folder for reading", "read"))
    .addOption(
      many("--write <host[:guest]>", "grant a file for writing, or a folder for everything", "write"),
    )
    .addOption(many("--update <host[:guest]>", "grant a file for reading and changing", "update"))
    .addOption(many("--append <host[:guest]>", "grant a file for appending", "append"))
    .addOption(
      many(
        "--create <host[:guest]>",
        "grant the making of one new file, or of new files in a folder",
        "create",
      ),
    )
    .addOption(many("--scratch <guest=size>", "grant an empty folder in memory, e.g. /tmp=10MiB", "scratch"))
    .addOption(
      many(
        "--overlay <host[:guest][=size]>",
        "grant a folder for everything, and keep changes apart: they are told afterwards (default size 64MiB)",
        "overlay",
      ),
    )
    .option(
      "--commit",
      "bring changes of --overlay into their folders, all or none, if the program ends with 0",
    )
    .addOption(many("--env <name=value>", "set an environment variable", "env"))
    .option("--stdin", "grant this command's standard input, unless inline (otherwise it is empty)")
    .addOption(many("--module <name>", "grant a built-in module that is refused by default", "module"))
    .addOption(
      new Option("--isolation <wall>", "what the program runs behind (default worker)").choices([
        "inline",
        "worker",
        "process",
      ]),
    )
    .option("--memory <size>", "limit of the interpreter's memory (default 256MiB)")
    .option(
      "--host-memory <size>",
      "limit of what is held for the program outside of its memory: files, descriptors, output (default 64MiB and --scratch)",
    )
    .option("--wall <duration>", "limit of time (default 10s)")
    .option("--cpu <duration>", "limit of processor time (default as --wall)")
    .option(
      "--fuel <units>",
      "limit of steps, the same on every machine; meters the program (default none)",
      fuel,
    )
    .option(
      "--grace <duration>",
      "when time or fuel is spent, raise KeyboardInterrupt and wait this long before the end (default none)",
    )
    .option(
      "--output <size>",
      "limit of what is written to stdout and stderr (default 1MiB); beyond 64MiB raise --host-memory, too",
    )
    .addOption(
      new Option("--clock <policy>", "the program's clock (default coarse)").choices([
        "real",
        "coarse",
        "frozen",
      ]),
    )
    .option("--time-zone <name>", "the program's time zone (default UTC)")
    .option("--explain", "tell afterwards what the program was refused, and which flag would allow it")
    .option(
      "--learn <file>",
      "write a policy that allows all it tried, for you to read and cut; never over a file",
    )
    .option("--json", "print one JSON object that tells how the run ended")
    .passThroughOptions()
    .exitOverride()
    .action(act);
  for (const option of run.options) if (takesOne(option)) onceOnly(option);
  return command;
}

function many(flags: string, description: string, kind: keyof typeof grants): Option {
  return new Option(flags, description).argParser((text: string, previous: Collected | undefined) =>
    (previous ?? new Collected()).add(grants[kind](text), `--${kind} ${text}`),
  );
}

/** Whether it has a value, and does not gather all that it is given. */
function takesOne(option: Option): boolean {
  return option.required && !(option.attributeName() in grants);
}

/** Of two, the one would be ignored. */
function onceOnly(option: Option): void {
  const parse = option.parseArg;
  option.argParser((text: string, previous: unknown) => {
    if (previous !== undefined) throw new InvalidArgumentError("It is given twice.");
    return parse ? parse(text, previous) : text;
  });
}
