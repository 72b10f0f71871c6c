// How a process wall starts its process: Node's permission model, no core dumps, no files, bounded memory, and on Linux what a
// user without privileges can give up: the sight of other processes, the network, new privileges, living on without its parent.
import { spawnSync } from "node:child_process";
import { existsSync, realpathSync } from "node:fs";
import { dirname } from "node:path";
import { processScript } from "../package-root.ts";

interface ConfinedCommand {
  readonly command: string;
  readonly args: readonly string[];
  /** Whether the process that runs the guest is the only child of the one that is started. */
  readonly nested: boolean;
}

interface Confinement {
  /** Words of a shell before those of the command. */
  readonly prefix: string;
  readonly nested: boolean;
}

/** Megabytes of native stack, for deep C recursion in the guest, and what V8 may use of it. */
const stackMb = 72;
const engineStackMb = 64;
/** Megabytes of JavaScript heap: the kernel's own objects and what it holds for the guest. */
const heapMb = 512;
/** V8 collects garbage and compiles in as many threads beside a guest's own: four by default, which take a neighbour's processor. */
const helperThreads = 1;
/** Kilobytes of writable memory: all that a 32-bit guest can have, and a gigabyte for the engine. */
const dataKb = 5 * 2 ** 20;
const openFiles = 64;

/**
 * Read by a shell. What the embedder holds without close-on-exec is closed: its shell may have left it that. A limit that the system
 * refuses is left out; only with the larger stack is the engine told of it.
 */
const confining = `
for fd in /proc/self/fd/$SANDBOA_DIGITS; do fd=\${fd##*/}; [ "$fd" -gt $SANDBOA_LAST ] && eval "exec $fd>&-"; done
ulimit -c 0; ulimit -f 0; ulimit -n ${openFiles}; ulimit -d ${dataKb}
if ulimit -s ${stackMb * 1024}; then stack=--stack-size=${engineStackMb * 1024}; else stack=--stack-size=900; fi
node=$1; shift
exec $SANDBOA_PREFIX "$node" "$stack" "$@"
` as const;

/** Where services put the sockets that they listen at. */
const socketFolders = ["/run", "/tmp"];

let known: Confinement | undefined;

/** `descriptors`: how many the process is given besides the three usual ones. */
export function confinedCommand(descriptors = 0): ConfinedCommand {
  // Where links are not resolved (--preserve-symlinks) it may stand behind one; the process resolves them, and may read only what it is told.
  const script = realpathSync(processScript);
  const args = [
    `--v8-pool-size=${helperThreads}`,
    `--max-old-space-size=${heapMb}`,
    "--no-warnings",
    ...permissionFlags(script),
    script,
  ];
  if (process.platform !== "linux") return { command: process.execPath, args, nested: false };
  known ??= probe();
  // Other shells know descriptors of one digit only, and take a longer number for a command.
  const bash = existsSync("/bin/bash");
  const confined = confining
    .replace("$SANDBOA_PREFIX", known.prefix)
    .replace("$SANDBOA_DIGITS", bash ? "*" : "?")
    .replace("$SANDBOA_LAST", String(2 + descriptors))
    .replaceAll("; ulimit", " 2>/dev/null; ulimit");
  return {
    command: bash ? "/bin/bash" : "/bin/sh",
    // Where its input is a socket, as Node's pipes are, bash takes itself for a remote shell and reads the user's ~/.bashrc.
    args: [...(bash ? ["--norc"] : []), "-c", confined, "sandboa", process.execPath, ...args],
    nested: known.nested,
  };
}

/** What the system lets this user do, the most first. */
function probe(): Confinement {
  const deep = deepPrefix();
  if (works(deep)) return { prefix: deep, nested: true };
  const flat = ["unshare --user --net --ipc --uts", "setpriv --no-new-privs --pdeathsig KILL"];
  return { prefix: flat.filter(works).join(" "), nested: false };
}

function works(prefix: string): boolean {
  try {
    return spawnSync("/bin/sh", ["-c", `exec ${prefix} true`], { env: {}, stdio: "ignore" }).status === 0;
  } catch {
    // Node lets this process start none (--permission): the start itself will say so.
    return false;
  }
}

/**
 * As the flat one, and the process sees no other process, so that it can signal none, and empty folders where sockets would be. It is
 * root in a namespace of its own for as long as it takes to mount these, and has no capability left when the guest's code comes.
 */
function deepPrefix(): string {
  const needed = [processScript, process.execPath].map((path) => realpathSync(path));
  const mounts = socketFolders
    .filter((folder) => existsSync(folder) && !needed.some((path) => path.startsWith(`${folder}/`)))
    .map((folder) => `mount -n -t tmpfs -o ro,size=4k none ${folder} && `);
  const inner = `${mounts.join("")}exec unshare --pid --fork --kill-child setpriv --no-new-privs --bounding-set=-all --inh-caps=-all --pdeathsig KILL "$@"`;
  return `unshare --user --map-root-user --net --ipc --uts --mount setpriv --pdeathsig KILL /bin/sh -c '${inner}' sandboa`;
}

/** Node's permission model: the process may read its own script and nothing else. */
function permissionFlags(script: string): string[] {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const stable = major > 23 || (major === 23 && minor >= 5);
  return [stable ? "--permission" : "--experimental-permission", `--allow-fs-read=${dirname(script)}/*`];
}
