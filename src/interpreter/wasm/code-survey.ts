// One walk over every instruction, to answer what the rewriter must know before it changes anything.
// Raw bytes are no substitute: the byte of an opcode also occurs inside constants and addresses.

import { type FunctionBody, firstInstruction, readBodies } from "./format/code-section.ts";
import { ImageFormatError } from "./format/image-format-error.ts";
import { dataDrop, instructionEnd, memoryInit, numberAt, opcode } from "./format/instruction.ts";

interface CodeSurvey {
  /** The bodies that mention `callee`, once per mention: calls, tail calls and `ref.func`. */
  readonly callers: readonly FunctionBody[];
  /** Whether `memory.init` or `data.drop` occurs: such code is invalid without a data section. */
  readonly usesDataSegments: boolean;
  /** Indices of globals that are written. */
  readonly writtenGlobals: ReadonlySet<number>;
}

/** Surveys a code section; throws ImageFormatError if an instruction is unknown or a body does not end where it says. */
export function surveyCode(section: Uint8Array, firstIndex: number, callee: number): CodeSurvey {
  const callers: FunctionBody[] = [];
  const writtenGlobals = new Set<number>();
  let usesDataSegments = false;
  for (const body of readBodies(section, firstIndex)) {
    const lastInstruction = body.end - 1;
    let at = firstInstruction(body);
    while (at < lastInstruction) {
      switch (section[at]) {
        case opcode.call:
        case opcode.returnCall:
        case opcode.refFunc:
          if (numberAt(section, at + 1) === callee) callers.push(body);
          break;
        case opcode.globalSet:
          writtenGlobals.add(numberAt(section, at + 1));
          break;
        case opcode.prefixMemory: {
          const number = numberAt(section, at + 1);
          if (number === memoryInit || number === dataDrop) usesDataSegments = true;
          break;
        }
      }
      at = instructionEnd(section, at);
    }
    if (at !== lastInstruction)
      throw new ImageFormatError(`function ${body.functionIndex} ends within an instruction`);
  }
  return { callers, usesDataSegments, writtenGlobals };
}
