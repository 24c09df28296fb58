/** Numbers as Go prints them. */

/** `%g`: the shortest text that reads back as the same number; powers of ten from 1e+06 and below 0.0001 with an exponent. */
export function goFloat(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  const [digits, exponent, sign] = shortest(value);
  if (exponent < -4 || exponent >= 6) return sign + scientific(digits, exponent);
  return sign + positional(digits, exponent);
}

/** `%f` without a given precision: never an exponent. */
export function goFloatPlain(value: number): string {
  if (!Number.isFinite(value)) return goFloat(value);
  const [digits, exponent, sign] = shortest(value);
  return sign + positional(digits, exponent);
}

/** The significant digits, and the power of ten of the first. */
function shortest(value: number): [digits: string, exponent: number, sign: string] {
  const sign = value < 0 || Object.is(value, -0) ? "-" : "";
  const [mantissa = "0", exponent = "0"] = Math.abs(value).toExponential().split("e");
  return [mantissa.replace(".", ""), Number(exponent), sign];
}

function scientific(digits: string, exponent: number): string {
  const fraction = digits.length > 1 ? `.${digits.slice(1)}` : "";
  const power = String(Math.abs(exponent)).padStart(2, "0");
  return `${digits[0]}${fraction}e${exponent < 0 ? "-" : "+"}${power}`;
}

function positional(digits: string, exponent: number): string {
  if (exponent < 0) return `0.${"0".repeat(-exponent - 1)}${digits}`;
  if (digits.length <= exponent + 1) return digits + "0".repeat(exponent + 1 - digits.length);
  return `${digits.slice(0, exponent + 1)}.${digits.slice(exponent + 1)}`;
}
