// An option that is an object: unknown names in it are mistakes, and are named.
import { isRecord } from "../../errors/object-kinds.ts";
import { OptionError } from "../../errors/option-error.ts";

/** `value`, which must be an object; with `names`, one that has no other names. `option` is "" for the options themselves. */
export function optionRecord(option: string, value: unknown, names?: readonly string[]): object {
  if (!isRecord(value)) throw new OptionError(option || "options", value, "an object");
  for (const name of Object.keys(value)) {
    if (names && !names.includes(name)) {
      throw new OptionError(option ? `${option}.${name}` : name, "an unknown option", names.join(", "));
    }
  }
  return value;
}
