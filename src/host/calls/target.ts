// What a guest's number can stand for.
import type {
  FunctionCapability,
  ObjectCapability,
} from "../../capabilities/functions/function-capability.ts";
import type { FunctionTarget } from "./function-target.ts";
import type { StreamTarget } from "./stream-target.ts";

export type Capability = FunctionCapability | ObjectCapability;

export interface ObjectTarget {
  readonly kind: "object";
  readonly number: number;
  readonly capability: ObjectCapability;
  readonly methods: readonly FunctionTarget[];
  readonly attributes: readonly FunctionTarget[];
}

export type Target = FunctionTarget | ObjectTarget | StreamTarget;
