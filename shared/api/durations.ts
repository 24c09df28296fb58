/** Spans of time as `kubectl get` shows them. */

const two = (big: number, bigUnit: string, small: number, smallUnit: string): string =>
  small === 0 ? `${big}${bigUnit}` : `${big}${bigUnit}${small}${smallUnit}`;

/**
 * A span in at most two units, coarser the longer it is: `45s`, `3m20s`, `5h`, `2d4h`, `400d`, `3y20d`.
 * @param ms milliseconds; clocks may disagree by up to two seconds, which counts as no time at all
 */
export function humanDuration(ms: number): string {
  const seconds = Math.trunc(ms / 1000);
  if (seconds < -1) return "<invalid>";
  if (seconds < 0) return "0s";
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.trunc(seconds / 60);
  if (minutes < 10) return two(minutes, "m", seconds % 60, "s");
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.trunc(minutes / 60);
  if (hours < 8) return two(hours, "h", minutes % 60, "m");
  if (hours < 48) return `${hours}h`;
  const days = Math.trunc(hours / 24);
  if (days < 8) return two(days, "d", hours % 24, "h");
  if (days < 2 * 365) return `${days}d`;
  const years = Math.trunc(days / 365);
  return years < 8 ? two(years, "y", days % 365, "d") : `${years}y`;
}

/** As much of a `Date` as a span of time needs. */
export type Moment = Pick<Date, "getTime">;

/** How long ago a time was; `<unknown>` where there is none. */
export const since = (time: string | undefined, now: Moment): string =>
  time ? humanDuration(now.getTime() - Date.parse(time)) : "<unknown>";
