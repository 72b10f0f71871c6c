// What code that has broken out of WebAssembly finds in the process behind a process wall: no other process to signal, no socket to
// connect to, no network, no privilege. A script of the test's own stands in for such code.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { basename, dirname, join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { processScript } from "../src/platform/node/package-root.ts";
import { confinedCommand } from "../src/platform/node/walls/confinement.ts";

// Not in a temporary folder, which may be one of those that are hidden.
const folder = mkdtempSync(join(resolve(import.meta.dirname, ".."), "node_modules", ".sandboa-reach-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const { command, args, nested } = confinedCommand();

interface Reach {
  readonly pid: number;
  readonly signals: readonly string[];
  readonly sockets: readonly string[];
  readonly network: string;
}

const script = `
const { connect } = require("node:net");
const { pids, sockets } = JSON.parse(Buffer.from(process.argv[2], "hex"));
const signal = (pid) => { try { process.kill(pid, 0); return "reached"; } catch (error) { return error.code; } };
const dial = (...to) => new Promise((done) => {
  const socket = connect(...to, () => { done("connected"); socket.destroy(); }).on("error", (error) => done(error.code));
});
(async () => {
  console.log(JSON.stringify({
    pid: process.pid,
    signals: pids.map(signal),
    sockets: await Promise.all(sockets.map((path) => dial(path))),
    network: await dial(80, "192.0.2.1"),
  }));
})();
`;

/** The process wall's own command, with our script in the place of its script. */
function runConfined(asked: object): Reach {
  writeFileSync(join(folder, basename(processScript)), script);
  const own = args.map((word) => word.replaceAll(dirname(processScript), folder));
  const { stdout, stderr } = spawnSync(
    command,
    [...own, Buffer.from(JSON.stringify(asked)).toString("hex")],
    {
      env: {},
      cwd: "/",
      encoding: "utf8",
    },
  );
  expect(stdout, stderr).not.toBe("");
  return JSON.parse(stdout) as Reach;
}

const hidden = ["/run", "/tmp"].filter(
  (place) =>
    existsSync(place) && ![processScript, process.execPath].some((path) => path.startsWith(`${place}/`)),
);
const servers = new Map<string, ReturnType<typeof createServer>>();

beforeAll(async () => {
  for (const place of hidden) {
    const path = join(place, `sandboa-reach-${process.pid}.sock`);
    const server = createServer((socket) => socket.end());
    await new Promise<void>((done) => {
      server.on("error", () => done());
      server.listen(path, () => {
        servers.set(path, server);
        done();
      });
    });
  }
});
afterAll(() => {
  for (const server of servers.values()) server.close();
});

const say = (text: string): boolean => process.stderr.write(`process-reach: ${text}\n`);
if (!nested)
  say("not tried: this system lets its users make no namespaces of processes and mounts (docs/walls.md)");

describe.runIf(nested)("code that has broken out", () => {
  test("reaches no other process", () => {
    const { pid, signals } = runConfined({ pids: [process.pid, process.ppid], sockets: [] });
    expect(pid).toBe(1);
    expect(signals).toEqual(["ESRCH", "ESRCH"]);
  });

  test("reaches no socket of a service and no network", () => {
    const sockets = [...servers.keys()];
    if (sockets.length === 0)
      say(`this user can make no socket in ${hidden.join(" or ")}: only the network was tried`);
    const reach = runConfined({ pids: [], sockets });
    expect(reach.sockets).toEqual(sockets.map(() => "ENOENT"));
    expect(reach.network).toBe("ENETUNREACH");
  });
});
