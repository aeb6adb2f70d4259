// The `date` header, made once a second.

let date: string | undefined;

/** Gives the time of day as HTTP writes it: `Mon, 23 Nov 2026 17:00:00 GMT`. */
export function currentDate(): string {
  if (date === undefined) {
    const now = new Date();
    date = now.toUTCString();
    setTimeout(() => {
      date = undefined;
    }, 1000 - now.getMilliseconds()).unref();
  }
  return date;
}
