// Starting the process behind a process wall.
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync } from "node:fs";
import type { ImageFiles } from "../../../host/images/image-cache.ts";
import { confinedCommand } from "./confinement.ts";
import { started } from "./started.ts";

export interface StartedProcess {
  readonly child: ChildProcess;
  /** Whether the process that runs the guest is the only child of this one. */
  readonly nested: boolean;
}

/** Its descriptors from the fourth on are `files`, which are closed here. Throws SandboxLostError. */
export function startProcess(files?: ImageFiles): StartedProcess {
  const inherited = files
    ? ([files.lean, files.code ?? "ignore", files.image, files.library, files.rest] as const)
    : [];
  try {
    return started("process", "--allow-child-process", () => {
      const { command, args, nested } = confinedCommand(inherited.length);
      const child = spawn(command, args, {
        env: {},
        cwd: "/",
        stdio: ["pipe", "pipe", "ignore", ...inherited],
        windowsHide: true,
      });
      return { child, nested };
    });
  } finally {
    for (const fd of inherited) if (fd !== "ignore") closeSync(fd);
  }
}
