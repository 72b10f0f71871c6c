// Run as a process of its own, in mount namespaces of its own or as another user, by host-tree-faults.test.ts: mounts things into the
// fixture's folder, or gives up rights, and prints what a tree over it then does.
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { allowanceWords } from "../../../filesystems/allowance.ts";
import { HostFault } from "../../../filesystems/host-fault.ts";
import { grantHostFolder } from "./host-folders.ts";
import { HostTree } from "./host-tree.ts";
import { listed, making, readAll, reading, refusal, writeAll, writing } from "./host-tree-fixture.ts";

const [command = "", home = ""] = process.argv.slice(2);
const root = join(home, "root");
const outside = join(home, "outside");
const mount = (...args: string[]): unknown => execFileSync("mount", args, { stdio: "inherit" });
const grant = (path = root): HostTree => {
  const ticket = grantHostFolder({
    path,
    mode: "write",
    match: undefined,
    growthBytes: 2 ** 30,
    maxFiles: 100,
  });
  return new HostTree({ ...ticket, growth: allowanceWords(2 ** 30) });
};

/** As refusal, and whether the embedder is told. */
function fault(action: () => unknown): string {
  try {
    action();
    return "ok";
  } catch (error) {
    return error instanceof HostFault
      ? `${error.name}, told`
      : refusal(() => {
          throw error;
        });
  }
}

function mounts(): unknown {
  for (const name of ["bound", "memory"]) fs.mkdirSync(join(root, name));
  const tree = grant();
  mount("--bind", outside, join(root, "bound"));
  mount("--bind", join(outside, "secret"), join(root, "hello.txt"));
  mount("-t", "tmpfs", "none", join(root, "memory"));
  mount("-t", "tmpfs", "none", join(root, "a", "b"));
  const places = ["bound", "memory", "hello.txt", "a/b"];
  return {
    listed: [listed(tree, ""), listed(tree, "a")],
    looked: places.map((path) => tree.stat(path) ?? null),
    inside: places.map((path) => tree.stat(`${path}/secret`) ?? null),
    opened: places.map((path) => refusal(() => tree.open(path, reading))),
    written: places.map((path) => refusal(() => writeAll(tree, `${path}/new`, "x"))),
    read: refusal(() => readAll(tree, "bound/secret")),
    lists: places.map((path) => refusal(() => tree.list(path))),
    made: places.map((path) => refusal(() => tree.makeDirectory(path, 0o755))),
    changed: places.map((path) => refusal(() => tree.change(path, { mode: 0o777 }))),
    removed: [refusal(() => tree.remove("hello.txt")), refusal(() => tree.removeDirectory("bound"))],
    renamed: [refusal(() => tree.rename("bound", "x")), refusal(() => tree.rename("hello.txt", "x"))],
    linked: refusal(() => tree.rename("a", "bound/a")),
    // A mount that was there before is the folder's own when it is what was granted.
    itself: (() => {
      const other = grant(join(root, "memory"));
      writeAll(other, "x", "in memory");
      return readAll(other, "x");
    })(),
    outside: fs.readdirSync(outside),
  };
}

function full(): unknown {
  mount("-t", "tmpfs", "-o", "size=256k", "none", root);
  const tree = grant();
  const file = tree.open("big", making);
  const piece = new Uint8Array(10_000).fill(7);
  let told = 0;
  const refused = fault(() => {
    for (;;) told += file.write(told, piece);
  });
  const kept = fs.readFileSync(join(root, "big"));
  const facts = {
    refused,
    whole: kept.length === told && kept.every((byte) => byte === 7) && told > 200_000,
    charged: 2 ** 30 - tree.room().freeBytes === told,
    synced: fault(() => file.sync()),
    again: fault(() => writeAll(tree, "other", "x".repeat(10_000))),
  };
  file.truncate(0);
  return { ...facts, after: fault(() => file.write(0, piece)) };
}

function readOnly(): unknown {
  mount("-t", "tmpfs", "none", root);
  fs.writeFileSync(join(root, "x"), "content");
  mount("-o", "remount,ro", root);
  const tree = grant();
  return [
    readAll(tree, "x"),
    fault(() => tree.open("x", writing)),
    fault(() => tree.makeDirectory("d", 0o755)),
  ];
}

/** Rights are taken away while a file is open: what is open stays so (POSIX), everything else is refused. */
function permissions(): unknown {
  const tree = grant();
  const open = tree.open("hello.txt", reading);
  process.stdout.write("granted\n");
  fs.readSync(0, new Uint8Array(1));
  return {
    open: Buffer.from(open.read(0, 9)).toString(),
    file: fault(() => tree.open("hello.txt", reading)),
    write: fault(() => tree.open("a/kept.txt", writing)),
    make: fault(() => tree.makeDirectory("a/new", 0o755)),
    list: fault(() => tree.list("a/b")),
    below: fault(() => tree.stat("a/b/deep.txt")),
    remove: fault(() => tree.remove("a/kept.txt")),
  };
}

const commands = new Map<string, () => unknown>(Object.entries({ mounts, full, readOnly, permissions }));
if (command === "permissions" && process.getuid?.() === 0) {
  process.setgid?.(65_534);
  process.setuid?.(65_534);
}
process.stdout.write(`${JSON.stringify(commands.get(command)?.())}\n`);
