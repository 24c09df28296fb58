/** `Warning:` headers (RFC 7234), as kubectl prints them. */

/** All texts of one answer together, and one of them once that is exceeded, in characters. */
const totalLimit = 4096;
const itemLimit = 256;

/** One header value per distinct text. */
export function warningHeaders(texts: readonly string[]): string[] {
  const distinct = [...new Set(texts)].filter((text) => text !== "");
  const tooLong = distinct.reduce((sum, text) => sum + text.length, 0) > totalLimit;
  const values: string[] = [];
  let total = 0;
  for (const text of distinct) {
    const shown = tooLong && text.length > itemLimit ? text.slice(0, itemLimit) : text;
    total += shown.length;
    if (total > totalLimit) break;
    values.push(`299 - ${quoted(shown)}`);
  }
  return values;
}

/** Header values are bytes: UTF-8 is passed as such, one character per byte. */
const quoted = (text: string): string =>
  Buffer.from(`"${text.replaceAll(/\p{Cc}+/gu, " ").replaceAll(/["\\]/g, "\\$&")}"`, "utf8").toString("latin1");
