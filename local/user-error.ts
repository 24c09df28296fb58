/** Something that the person at the keyboard can put right. */

/** The message says what is wrong and what to do; it is shown without a stack, and the process ends with code 1. */
export class UserError extends Error {
  override readonly name = "UserError";
}
