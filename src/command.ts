#!/usr/bin/env node
// The entry of the command: small, so that the thread that most programs will run in starts while all other code is loaded.
import { loadOwnBundle } from "./platform/node/engine/own-bundle.ts";
import { commandScript } from "./platform/node/package-root.ts";
import { startWorkerEarly } from "./platform/node/walls/worker-start.ts";
import { willUseWorker } from "./surfaces/cli/likely-wall.ts";

if (willUseWorker()) startWorkerEarly();
const { main } = loadOwnBundle<typeof import("./command-main.ts")>(commandScript);
void main();
