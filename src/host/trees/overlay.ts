// The overlay with its authority: what is below is resolved as for a sandbox.
import type { FileCapability } from "../../capabilities/capability.ts";
import { type LowerPower, Overlay, type OverlayOptions } from "../../capabilities/overlay.ts";
import { nowMs, warn } from "../../platform/node/powers.ts";
import { grantTree } from "./tree-grants.ts";

const power: LowerPower = {
  environment: { nowMs, fault: (error) => warn("a place below an overlay failed", error) },
  resolve: grantTree,
};

/**
 * Copy on write over a folder: guests change it freely and `lower` stays as it is, until `commit()`. It is a place to grant, to one sandbox
 * after the other or to several, and holds what was changed until it is committed or discarded. Grant `lower` for writing if it is to be
 * committed; the guests cannot write through it in any case. Throws OptionError for what cannot be a folder.
 */
export function overlay(lower: FileCapability, options: OverlayOptions): Overlay {
  return new Overlay(lower, options, power);
}
