// docs/conformance.md, made from what is expected of CPython's tests.
import type { Expected, ModuleRecord } from "../tests/conformance/record.ts";

/** Found by running the same programs natively (tests/standard-files.test.ts), where CPython's tests say nothing. */
const beyond = `## What else differs

What this build of Python lacks or does by itself, before the kernel is asked:

- \`os\` has no \`link\`, \`mkfifo\`, \`mknod\`, \`lchown\`, \`preadv\`, \`pwritev\`, \`posix_fallocate\`, \`sendfile\`, \`copy_file_range\`, \`getxattr\` and its
  like, \`SEEK_HOLE\`, \`SEEK_DATA\`; \`os.symlink\` and \`os.access\` take no \`dir_fd\`, \`os.utime\` no \`follow_symlinks=False\` (\`NotImplementedError\`).
  \`os.utime\` sets times to the microsecond; the file system keeps nanoseconds.
- \`fcntl.flock\` keeps nobody out, neither another sandbox nor another descriptor of the same program: it reports success and never reaches the
  kernel. \`fcntl.lockf\` is right: a process does not lock itself out, and [other sandboxes are kept out](files.md#locks).
- A mapping (\`mmap\`) is a copy: what is written to it is in the file after \`flush()\` or \`close()\`, what is written to the file meanwhile is not
  in the mapping, and one that is never closed is never written back. \`resize()\` and \`flush()\` of a part that does not begin at the start fail.
- \`time.gmtime\`, \`localtime\` and \`ctime\` of a second whose year is beyond 32 bits give a time in the first or last of those years, where native
  Python raises OSError or OverflowError; \`datetime\` refuses it as ever (ValueError).
- A handler for \`SIGPIPE\` is not called: who writes to a pipe that nobody reads gets \`BrokenPipeError\`, and no signal.
- \`%Z\` and \`tm_zone\` of a moment long ago are the zone's names of today (the offsets are those of that moment), and \`tm_isdst\` of Dublin is that of its summer.
- \`locale.setlocale\` takes any name and changes nothing. \`hashlib\` has no \`pbkdf2_hmac\` and no \`scrypt\`. A file with a byte order mark and another
  encoding declared runs as UTF-8.
- \`os.set_inheritable\` and \`ioctl\` with \`FIOCLEX\` or \`FIONCLEX\` report success and change nothing; \`fcntl\` with \`F_SETFD\` does.

What runs a program is Python, too, and can be seen: \`traceback.print_stack()\` and \`inspect.stack()\` at the top level begin with frames of \`<sys>\` and of
\`/lib/python3.14/sandboa\`, \`sys._getframe(1)\` is one of them, and so is what \`warnings.warn()\` names with a \`stacklevel\` beyond the program.

Of locks, which are those of Linux between the sandboxes of one process of yours:

- \`F_SETLKW\` looks again every 20 ms at most. Two sandboxes that wait for each other wait until a limit ends one of them; \`EDEADLK\` is
  only told inline, where whoever is waited for could never go on.
- \`F_GETLK\` says 0 for the process that holds the lock, as Linux does for one that cannot be seen. \`F_OFD_SETLK\` is \`EINVAL\`.
- A shared mapping of a file on which another sandbox holds a lock is \`EAGAIN\`, since a copy would not show what that one writes.

And two of our own, outside of scratch, where files are known by their paths:

- \`F_SETFL\` takes \`O_APPEND\` away by opening the file anew under the name that it was opened by. Where that is another file by now, or
  may not be opened so, it is \`EPERM\`. A shared mapping that is written to, of a file open with \`O_APPEND\`, opens it anew likewise; where that
  cannot be, \`mmap\` is \`EACCES\`.
- A descriptor that was opened with \`O_PATH\` for a file stands for its path: what is there now, and \`ENOENT\` after a renaming. Those for
  folders follow.
`;

export function conformancePage({ suite, python, reasons, modules }: Expected): string {
  const records = Object.entries(modules).sort(([a], [b]) => (a < b ? -1 : 1));
  const total = records
    .map(([, record]) => numbers(record))
    .reduce((sum, next) => sum.map((n, i) => n + (next[i] ?? 0)));
  return [
    "# CPython's own tests, in the box",
    "",
    `The test suite of CPython ${suite} (Debian's packages, fetched by \`npm run conformance:fetch\`, never part of this repository) against`,
    `Python ${python} in the box, with nothing granted but the suite's folder for reading and a scratch folder as \`/tmp\`. Made from`,
    "`tests/conformance/expected.json` by `npm run docs`; do not edit. `npm run conformance` runs all of it and holds it against that file:",
    "a new failure, an expected one that passes, and another number of skipped tests are errors.",
    "",
    "The modules are those whose results depend on what the box does itself: files, clocks, randomness, asyncio, import, tracebacks, hooks,",
    "pickling. CPython thinks of all tests of asyncio as needing sockets; those listed do not, and are run.",
    "",
    "Two parts of Python's library that the box's build leaves out are lent by the suite: `dbm`, and `zoneinfo` in pure Python.",
    "",
    "| Module | Pass | Skipped by CPython | Differ |",
    "|---|---|---|---|",
    ...records.map(([name, record]) => `| \`${name}\` | ${numbers(record).join(" | ")} |`),
    `| all | ${total.join(" | ")} |`,
    "",
    "## What differs, and why",
    "",
    ...Object.entries(reasons).flatMap(([reason, { text }]) => [text, "", ...testsOf(records, reason), ""]),
    beyond,
    "## What CPython skips here",
    "",
    'Its tests know the platform (`sys.platform == "emscripten"`) and look for what a build has.',
    "",
    ...skips(records),
    "",
  ].join("\n");
}

function numbers({ passed, skipped, failed }: ModuleRecord): number[] {
  const skips = Object.values(skipped).reduce((sum, count) => sum + count, 0);
  return [passed, skips, Object.keys(failed).length];
}

function testsOf(records: readonly (readonly [string, ModuleRecord])[], reason: string): string[] {
  return records
    .flatMap(([, { failed }]) => Object.entries(failed))
    .filter(([, given]) => given === reason)
    .map(([id]) => `- \`${id}\``);
}

function skips(records: readonly (readonly [string, ModuleRecord])[]): string[] {
  const counts = new Map<string, number>();
  for (const [, { skipped }] of records)
    for (const [reason, count] of Object.entries(skipped))
      counts.set(reason, (counts.get(reason) ?? 0) + count);
  return [...counts]
    .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
    .map(([reason, count]) => `- ${count}: ${reason.replaceAll(/[<>|`]/g, "\\$&")}`);
}
