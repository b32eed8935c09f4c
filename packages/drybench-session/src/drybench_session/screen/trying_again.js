// When a connection is tried again, and when never.

const PAUSES = [0, 0.5, 1, 2, 5]; // seconds
const FOR_GOOD = { first: 4000, last: 4099 };

/** After so many tries that led to nothing. */
export const pause = (tries) => PAUSES[Math.min(tries, PAUSES.length - 1)];

/** The server meant it: in use elsewhere, taken over, ended. Or what it sends makes no sense (0). */
export const isForGood = (code) => code === 0 || (code >= FOR_GOOD.first && code <= FOR_GOOD.last);
