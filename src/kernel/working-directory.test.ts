// getcwd(2) does not search the directories above, and its memory of names is never stale.
import { beforeEach, expect, test, vi } from "vitest";
import { errno } from "../abi/errno.ts";
import { fromLatin1 } from "../abi/guest-memory.ts";
import { MemoryDirectory } from "../filesystems/memory-directory.ts";
import { bindImports } from "./bind-imports.ts";
import { type Fixture, makeFixture } from "./kernel-fixture.ts";

type Raw = (...values: number[]) => number;

const [path, other, buffer] = [1024, 2048, 4096];
let world: Fixture;
let call: (name: string, ...values: number[]) => number;
beforeEach(() => {
  world = makeFixture();
  const imports = bindImports(world.kernel) as Record<string, Record<string, Raw>>;
  call = (name, ...values) => imports.env?.[name]?.(...values) ?? -1;
});

function put(address: number, text: string): number {
  world.memory.set(fromLatin1(`${text}\0`), address);
  return address;
}
const makeDirectory = (name: string): number => call("__syscall_mkdirat", -100, put(path, name), 0o755);
const changeTo = (name: string): number => call("__syscall_chdir", put(path, name));
const rename = (from: string, to: string): number =>
  call("__syscall_renameat", -100, put(path, from), -100, put(other, to));

function cwd(): string | number {
  const length = call("__syscall_getcwd", buffer, 4096);
  return length < 0 ? length : Buffer.from(world.memory.subarray(buffer, buffer + length - 1)).toString();
}

test("a directory that was walked to is named without a list of its neighbours", () => {
  for (let i = 0; i < 50; i++) makeDirectory(`/tmp/${i}`);
  makeDirectory("/tmp/25/below");
  const list = vi.spyOn(MemoryDirectory.prototype, "list");
  changeTo("/tmp/25/below");
  expect(cwd()).toBe("/tmp/25/below");
  expect(list).not.toHaveBeenCalled();
  list.mockRestore();
});

test("names are as they are now, whatever they were", () => {
  makeDirectory("/tmp/a");
  makeDirectory("/tmp/a/b");
  changeTo("/tmp/a/b");
  expect(cwd()).toBe("/tmp/a/b");
  rename("/tmp/a", "/tmp/c");
  expect(cwd()).toBe("/tmp/c/b");
  makeDirectory("/tmp/a");
  expect(cwd()).toBe("/tmp/c/b");
  rename("/tmp/c/b", "/tmp/a/moved");
  expect(cwd()).toBe("/tmp/a/moved");
  call("__syscall_unlinkat", -100, put(path, "/tmp/a/moved"), 0x200);
  expect(cwd()).toBe(-errno.ENOENT);
  makeDirectory("/tmp/a/moved");
  expect(cwd()).toBe(-errno.ENOENT);
  changeTo("/tmp");
  expect(cwd()).toBe("/tmp");
});
