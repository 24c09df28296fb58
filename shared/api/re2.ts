/**
 * Regular expressions as Kubernetes has them: RE2's syntax, and time linear in the text whatever the pattern. JavaScript's own would let
 * one hostile pattern stop the server.
 */
import { RE2JS, RE2JSSyntaxException } from "re2js";
import { remembering } from "./memo.ts";

/** The pattern is no regular expression; the message is Go's. */
export class PatternError extends Error {
  override readonly name = "PatternError";
}

/** Patterns come from a cluster's definitions: there are few, and they are asked for again and again. */
const maxRemembered = 4096;
const compiled = remembering(make, maxRemembered);

function compile(pattern: string): RE2JS {
  const known = compiled(pattern);
  if (known instanceof PatternError) throw known;
  return known;
}

function make(pattern: string): RE2JS | PatternError {
  try {
    return RE2JS.compile(pattern);
  } catch (error) {
    if (!(error instanceof RE2JSSyntaxException)) throw error;
    return new PatternError(error.message, { cause: error });
  }
}

/** @throws {PatternError} */
export const checkPattern = (pattern: string): void => void compile(pattern);

/** Whether the pattern matches somewhere in the text. @throws {PatternError} */
export const matchesPattern = (pattern: string, text: string): boolean => compile(pattern).matcher(text).find();

/** What matches first; undefined where nothing does. @throws {PatternError} */
export const findPattern = (pattern: string, text: string): string | undefined => findAllPattern(pattern, text, 1)[0];

/** What matches, from left to right without overlaps. @param most at most so many; negative: all @throws {PatternError} */
export function findAllPattern(pattern: string, text: string, most: number): string[] {
  const matcher = compile(pattern).matcher(text);
  const found: string[] = [];
  while (found.length !== most && matcher.find()) found.push(matcher.group() ?? "");
  return found;
}
