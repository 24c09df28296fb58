/**
 * The program that holds a Pod's namespaces open: it waits, and does nothing else. It is assembled here, because nothing may be
 * downloaded to run the first Pod: a static ELF file of less than 200 bytes. As process 1 of a shared process namespace it ignores
 * SIGCHLD, so that the kernel itself clears away orphans. It has no handler for SIGTERM, which process 1 therefore ignores: a
 * sandbox is removed by force, when its Pod's containers have ended.
 */

const headerBytes = 64 + 56;
const loadAddress = 0x40_0000n;

/** `e_machine` and the instructions, by the engine's name of the architecture. */
const programs: Readonly<Record<string, { readonly machine: number; readonly code: Buffer }>> = {
  amd64: {
    machine: 62,
    code: Buffer.from(
      [
        "31c0", // xor eax, eax
        "505050", // push rax: the action's mask, restorer and flags
        "6a01", // push 1: SIG_IGN
        "6a115f", // push 17; pop rdi: SIGCHLD
        "4889e6", // mov rsi, rsp
        "31d2", // xor edx, edx
        "6a08415a", // push 8; pop r10: size of the mask
        "6a0d58", // push 13; pop rax
        "0f05", // rt_sigaction(SIGCHLD, …)
        "6a2258", // push 34; pop rax
        "0f05", // pause()
        "ebf9", // again
      ].join(""),
      "hex",
    ),
  },
  arm64: {
    machine: 183,
    code: words(
      0xd2800020, // mov x0, #1: SIG_IGN
      0xa9be7fe0, // stp x0, xzr, [sp, #-32]!: the action's handler and flags
      0xa9017fff, // stp xzr, xzr, [sp, #16]
      0xd2800220, // mov x0, #17: SIGCHLD
      0x910003e1, // mov x1, sp
      0xaa1f03e2, // mov x2, xzr
      0xd2800103, // mov x3, #8: size of the mask
      0xd28010c8, // mov x8, #134
      0xd4000001, // rt_sigaction(SIGCHLD, …)
      0xaa1f03e0, // mov x0, xzr
      0xaa1f03e1, // mov x1, xzr
      0xaa1f03e2, // mov x2, xzr
      0xaa1f03e3, // mov x3, xzr
      0xd2800928, // mov x8, #73
      0xd4000001, // ppoll(0, 0, 0, 0)
      0x17fffffa, // again
    ),
  },
};

/** @returns an executable file; undefined for an architecture that it is not written for */
export function sandboxProgram(architecture: string): Buffer | undefined {
  const program = programs[architecture];
  return program && Buffer.concat([elfHeader(program.machine, program.code.length), program.code]);
}

/** Headers of a static 64-bit little-endian executable with one segment, which begins with these headers. */
function elfHeader(machine: number, codeBytes: number): Buffer {
  const header = Buffer.alloc(headerBytes);
  const size = BigInt(headerBytes + codeBytes);
  header.write("\x7fELF\x02\x01\x01", 0, "latin1");
  header.writeUInt16LE(2, 16); // an executable
  header.writeUInt16LE(machine, 18);
  header.writeUInt32LE(1, 20);
  header.writeBigUInt64LE(loadAddress + BigInt(headerBytes), 24); // entry point
  header.writeBigUInt64LE(64n, 32); // where the program headers are
  header.writeUInt16LE(64, 52);
  header.writeUInt16LE(56, 54);
  header.writeUInt16LE(1, 56);
  header.writeUInt32LE(1, 64); // loaded
  header.writeUInt32LE(5, 68); // readable and executable
  header.writeBigUInt64LE(loadAddress, 80);
  header.writeBigUInt64LE(loadAddress, 88);
  header.writeBigUInt64LE(size, 96);
  header.writeBigUInt64LE(size, 104);
  header.writeBigUInt64LE(0x1000n, 112);
  return header;
}

function words(...values: readonly number[]): Buffer {
  const code = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) code.writeUInt32LE(value, index * 4);
  return code;
}
