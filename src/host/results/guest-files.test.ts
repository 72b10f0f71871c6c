// `sandbox.files` against a process that was taken over: whatever it answers becomes an entry, an error or the end of that process.
import { expect, test } from "vitest";
import { SandboxLostError } from "../../errors/run-errors.ts";
import { encodeEntries, type PagedEntry } from "./entry-page.ts";
import { GuestFiles } from "./guest-files.ts";
import type { FilesQuestion, FilesReply } from "./results.ts";

const file: PagedEntry = { kind: "file", name: "a", size: 3, mode: 0o644, modifiedNs: 0n, ino: 1, links: 1 };
const nothing = new Uint8Array(0);

function lying(answer: (question: FilesQuestion) => Partial<FilesReply>) {
  let distrusted = 0;
  const files = new GuestFiles({
    look: async (question) => ({ errno: 0, next: 0, bytes: nothing, ...answer(question) }),
    time: {},
    checked: (check) => check(),
    distrust: async () => {
      distrusted += 1;
      return new SandboxLostError("SANDBOX_CRASHED", "distrusted");
    },
  });
  return { files, distrusted: () => distrusted };
}

const page = (...entries: PagedEntry[]) => ({ bytes: encodeEntries(entries) });

test.each<[string, (question: FilesQuestion) => Partial<FilesReply>]>([
  ["a listing that never ends", () => ({ ...page(file), next: 1 })],
  [
    "a listing that goes backwards",
    ({ after = 0 }: { after?: number }) => ({ ...page(file), next: after === 0 ? 5 : 4 }),
  ],
  ["empty pages without end", ({ after = 0 }: { after?: number }) => ({ next: after + 1 })],
  ["a name with a slash", () => page({ ...file, name: "../../etc" })],
  ["a name of two dots", () => page({ ...file, name: ".." })],
  ["bytes that are no page", () => ({ bytes: new Uint8Array(10) })],
] as [string, (question: FilesQuestion) => Partial<FilesReply>][])("%s", async (_what, answer) => {
  const { files, distrusted } = lying(answer);
  await expect(files.list("/x")).rejects.toBeInstanceOf(SandboxLostError);
  expect(distrusted()).toBe(1);
});

test.each([
  [[]],
  [
    [
      { ...file, name: "" },
      { ...file, name: "" },
    ],
  ],
  [[file]],
])("an answer about one file that is none: %#", async (entries) => {
  const { files, distrusted } = lying(() => page(...entries));
  await expect(files.stat("/x")).rejects.toBeInstanceOf(SandboxLostError);
  expect(distrusted()).toBe(1);
});

test("a file that says it is small and never ends is read no further than was allowed", async () => {
  let asked = 0;
  const { files } = lying((question) => {
    if (question.operation === "stat") return page({ ...file, name: "" });
    if (question.operation === "close") return {};
    asked += 1;
    if (asked > 100) throw new Error("it goes on");
    return { bytes: new Uint8Array(1000) };
  });
  await expect(files.read("/x", { bytes: 10_500 })).rejects.toMatchObject({ code: "FILE_TOO_LARGE" });
  expect(asked).toBe(11);
});

test("an errno that is none is an input or output error", async () => {
  const { files } = lying(() => ({ errno: 2 ** 40 }));
  await expect(files.stat("/x")).rejects.toMatchObject({ code: "FILE_NOT_READABLE", errno: "EIO" });
});

test("what is read together is told apart, and what is not read to its end is let go", async () => {
  const asked: FilesQuestion[] = [];
  const { files } = lying((question) => {
    asked.push(question);
    if (question.operation === "stat") return page({ ...file, name: "" });
    return question.operation === "list" ? { ...page(file), next: 1 } : { bytes: new Uint8Array(1) };
  });
  const readers = [files.stream("/x").getReader(), files.stream("/x").getReader()];
  for (const reader of readers) await reader.read();
  for (const reader of readers) await reader.cancel();
  for await (const _entry of files.walk("/x")) break;
  await expect(files.read("/x", { bytes: 4 })).rejects.toMatchObject({ code: "FILE_TOO_LARGE" });
  const numbers = (operation: FilesQuestion["operation"]) =>
    asked.flatMap((each) => (each.operation === operation && "reader" in each ? [each.reader] : []));
  expect(numbers("read").slice(0, 2)).toEqual([1, 2]);
  expect(numbers("list")).toEqual([3]);
  expect(numbers("close")).toEqual([1, 2, 3, 4]);
});
