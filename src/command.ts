#!/usr/bin/env node
// The entry of the command: small, so that the thread that most programs will run in starts while all other code is loaded.
import { loadBundle } from "./platform/node/bytecode.ts";
import { commandScript } from "./platform/node/package-files.ts";
import { startWorkerEarly } from "./platform/node/worker-start.ts";
import { willUseWorker } from "./surfaces/cli/likely-wall.ts";

if (willUseWorker()) startWorkerEarly();
const bundle = loadBundle(commandScript);
// At the end, when all that a run needs has been compiled.
if (!bundle.hadBytecode) process.once("exit", () => void bundle.keep());
await (bundle.exports as typeof import("./surfaces/cli/main.ts")).main();
