// docs/boundary.md, made from the syscall table, so that the page cannot say anything else than the code does.
import { type Support, type SyscallEntry, syscallTable } from "../src/kernel/syscall-table.ts";

const heading = `# The boundary

Every function that the interpreter's module may import: the only way out of a sandbox. A module that imports anything else, or one of
these with another signature, is refused before it runs. Made from \`src/kernel/syscall-table.ts\` by \`npm run docs\`; do not edit.

- **full**: as its man page says. **partial**: some of it; the note says what. **refused**: calling it ends the guest with
  [SANDBOX_CRASHED](errors/SANDBOX_CRASHED.md).
- A refusal of the first two kinds is an errno, in the convention of the import. Pointers, lengths and flags are checked before any effect.
- Whatever can be full or partial reaches only what was granted: files of the sandbox's own tree, its own pipes, its clock policy.
`;

export function boundaryPage(table: readonly SyscallEntry[] = syscallTable): string {
  const served = table.filter((entry) => entry.support !== "refused");
  const refused = table.filter((entry) => entry.support === "refused");
  const number = (support: Support): number => table.filter((entry) => entry.support === support).length;
  return [
    heading,
    `${table.length} imports: ${number("full")} full, ${number("partial")} partial, ${number("refused")} refused.`,
    "",
    "## Served",
    "",
    "| Import | Signature | Support | Note |",
    "|---|---|---|---|",
    ...served.map(
      (entry) => `| \`${nameOf(entry)}\` | \`${entry.signature}\` | ${entry.support} | ${cell(entry.note)} |`,
    ),
    "",
    "## Refused",
    "",
    ...[...byNote(refused)].flatMap(([note, names]) => [`- ${note}: ${names.join(", ")}.`]),
    "",
  ].join("\n");
}

function nameOf(entry: SyscallEntry): string {
  return entry.module === "env" ? entry.name : `wasi.${entry.name}`;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}

function byNote(entries: readonly SyscallEntry[]): ReadonlyMap<string, readonly string[]> {
  const groups = new Map<string, string[]>();
  for (const entry of entries) {
    const names = groups.get(entry.note) ?? [];
    names.push(`\`${nameOf(entry)}\``);
    groups.set(entry.note, names);
  }
  return groups;
}
