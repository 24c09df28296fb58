/**
 * `$(NAME)` in commands, arguments and values. `$$` is a `$`; names that are not known stay as they are.
 * @see k8s.io/kubernetes/third_party/forked/golang/expansion
 */
export function expand(text: string, lookup: (name: string) => string | undefined): string {
  let result = "";
  for (let index = 0; index < text.length; index++) {
    const character = text[index];
    if (character !== "$" || index + 1 >= text.length) {
      result += character;
      continue;
    }
    const next = text[index + 1];
    if (next === "$") {
      result += "$";
      index++;
      continue;
    }
    const end = next === "(" ? text.indexOf(")", index + 2) : -1;
    if (end < 0) {
      result += character;
      continue;
    }
    const name = text.slice(index + 2, end);
    result += lookup(name) ?? `$(${name})`;
    index = end;
  }
  return result;
}
