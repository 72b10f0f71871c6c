// What a bench prints: one line for each series, and a passing line on a terminal while long work is under way.
import { summarise } from "./statistics.ts";

export function heading(text: string): void {
  passing("");
  console.log(`\n${text}`);
}

export function line(text: string): void {
  passing("");
  console.log(text);
}

/** `values` in `unit`: how many, their median, and from the least to the greatest. */
export function report(name: string, values: readonly number[], unit = "ms"): void {
  const { count, median, least, most } = summarise(values);
  const label = name.padEnd(50);
  const counted = `n=${String(count).padStart(3)}`;
  line(
    `${label} ${counted}  median ${number(median).padStart(8)} ${unit}  (${number(least)} to ${number(most)})`,
  );
}

export function number(value: number): string {
  return Math.abs(value) >= 1000 ? value.toFixed(0) : value.toFixed(value < 10 ? 3 : 1);
}

/** Replaces the last passing text; shown only where somebody watches. */
export function passing(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`);
}
