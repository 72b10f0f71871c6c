// Long steps, told to whoever waits for them.
import { optionalFunction } from "../../capabilities/option-fields.ts";
import { warn } from "../../platform/node/powers.ts";
import { hearFailure } from "../callbacks.ts";

/** Called at the beginning of each step, with what is done in words. What it throws is a warning of the process: others wait for the step as well. */
export type Progress = (step: string) => void;

/** Throws OptionError for what is no function. */
export function checkProgress(given: Progress | undefined): Progress | undefined {
  const tell = optionalFunction("onProgress", given);
  const failed = (error: unknown): void => warn("onProgress failed", error);
  return (
    tell &&
    ((step: string) => {
      try {
        hearFailure(tell(step), failed);
      } catch (error) {
        failed(error);
      }
    })
  );
}
