/** Names of properties as expressions write them: what is no identifier is spelled out. */

const reserved: ReadonlySet<string> = new Set(
  "true false null in as break const continue else for function if import let loop package namespace return var void while".split(" "),
);
const spelled: Readonly<Record<string, string>> = { __: "__underscores__", ".": "__dot__", "-": "__dash__", "/": "__slash__" };
const plain: Readonly<Record<string, string>> = { underscores: "__", dot: ".", dash: "-", slash: "/" };

/** `a-b` as `a__dash__b`, `namespace` as `__namespace__`; undefined for names that cannot be written. */
export function escapeName(name: string): string | undefined {
  if (name === "" || /^[0-9]/.test(name) || /[^a-zA-Z0-9\-./_]/.test(name)) return undefined;
  if (reserved.has(name)) return `__${name}__`;
  return name.replaceAll(/__|[-./]/g, (part) => spelled[part] ?? part);
}

/** Words that are no identifiers but may stand behind a dot: there the short spelling is understood too. */
export const spellKeyword = (word: string): string | undefined => (reserved.has(word) ? `__${word}__` : undefined);

/** The property that an identifier means; undefined where it is spelled wrongly. */
export function unescapeName(identifier: string): string | undefined {
  let isWrong = false;
  const name = identifier.replaceAll(/__([^_]+)__/g, (whole, inner: string) => {
    const known = plain[inner];
    if (known !== undefined) return known;
    if (!reserved.has(inner) || whole.length !== identifier.length) isWrong = true;
    return inner;
  });
  return isWrong ? undefined : name;
}
