// What a mode allows: one that nobody knows is no reason to change anything.
import { expect, test } from "vitest";
import { allowanceWords } from "../../../filesystems/allowance.ts";
import type { HostDirectoryMode } from "../../../filesystems/host-folder.ts";
import { FolderRights } from "./folder-rights.ts";

const rightsOf = (mode: string): FolderRights =>
  new FolderRights({
    fd: undefined,
    mode: mode as HostDirectoryMode,
    match: undefined,
    growth: allowanceWords(1),
    names: allowanceWords(1),
  });

test.each(["read", "readonly", "READ", "undefined"])("%s makes and moves nothing", (mode) => {
  const rights = rightsOf(mode);
  expect(() => rights.demandMaking("a", "file")).toThrow(expect.objectContaining({ name: "EROFS" }));
  expect(() => rights.demandMoving()).toThrow(expect.objectContaining({ name: "EROFS" }));
  expect(rights.makes).toBe(false);
});

test("write makes and moves, create-only makes", () => {
  for (const mode of ["write", "create-only"]) rightsOf(mode).demandMaking("a", "file");
  rightsOf("write").demandMoving();
  expect(() => rightsOf("create-only").demandMoving()).toThrow(expect.objectContaining({ name: "EPERM" }));
});
