// `--explain`: what the program was refused, one line each, with the flag that would allow it. Paths and hosts are the program's own
// words: escaped, and cut to what fits a line.
import type { Denial, DenialReport } from "../../index.ts";
import { printable } from "./printable.ts";

const mostCharacters = 200;

const accesses: Readonly<Record<string, string>> = {
  makeDirectory: "make folder",
  look: "look at",
  change: "change mode or times of",
};

/** Lines for a person, each ended; also when there is nothing to tell. */
export function explanation({ denials, dropped }: DenialReport): string {
  if (denials.length === 0) return "sandboa: nothing was refused for want of a grant\n";
  const rows = denials.map((denial) => ({ what: whatOf(denial), cure: cureOf(denial) }));
  const width = Math.min(60, Math.max(...rows.map(({ what }) => what.length)));
  const lines = rows.map(({ what, cure }) => `  ${what.padEnd(width)}  ${cure}`);
  if (dropped > 0) lines.push(`  and ${dropped} times something else, which is not kept`);
  return `sandboa: refused for want of a grant:\n${lines.join("\n")}\n`;
}

function whatOf(denial: Denial): string {
  const times = denial.count === 1 ? "" : ` (${denial.count} times)`;
  return `${line(thingOf(denial))}${times}`;
}

function thingOf(denial: Denial): string {
  switch (denial.kind) {
    case "file":
      return `${accesses[denial.access] ?? denial.access} ${denial.path}`;
    case "quota":
      return denial.path === undefined
        ? `more than ${denial.option}`
        : `more ${denial.option} in ${denial.path}`;
    case "network": {
      const host = denial.host.includes(":") ? `[${denial.host}]` : denial.host;
      return `${denial.access} ${host}${denial.port === undefined ? "" : `:${denial.port}`}`;
    }
    case "module":
      return `import ${denial.name}`;
    case "library":
      return `load native code ${denial.name}`;
    case "stdin":
      return "read standard input";
  }
}

function cureOf({ flag, allowedBy }: Denial): string {
  if (flag !== undefined) return line(flag);
  return allowedBy === undefined ? "(no grant allows this)" : `(in the API) ${line(allowedBy)}`;
}

function line(text: string): string {
  const cut = text.length > mostCharacters ? `${text.slice(0, mostCharacters)}…` : text;
  return printable(cut, true);
}
