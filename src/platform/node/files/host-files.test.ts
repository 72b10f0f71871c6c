// Granted files of the host that somebody else writes at the same time.
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { HostFileTicket } from "../../../filesystems/host-file.ts";
import { createHostFile, grantHostFile, openHostFile, releaseHostFile } from "./host-files.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sandboa-host-files-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const fdOf = (ticket: HostFileTicket): number => ticket.fd ?? createHostFile(ticket, "append");

test.each(["there already", "made for it"])(
  "what is appended to a file that is %s comes over nobody's",
  (which) => {
    const path = join(folder, which);
    if (which === "there already") writeFileSync(path, "first\n");
    const ticket = grantHostFile(path, "append");
    const file = openHostFile(fdOf(ticket));
    const end = file.size();
    appendFileSync(path, "of another\n");
    expect(file.write(bytes("second\n"), end)).toBe(7);
    expect(readFileSync(path, "utf8")).toBe(
      `${which === "there already" ? "first\n" : ""}of another\nsecond\n`,
    );
    releaseHostFile(ticket);
  },
);
