// Whether the screen's own picture or video is better now, where that is left to us. Decided once a second from what was
// measured in it, and from nothing else; each way takes several seconds that agree, so that neither flickers.
//
// The screen's own is sharp, and sends what changes and no more. Video is better where much changes on a line that is
// full, or before a browser that does not decode JPEGs so fast; at rest it is the worse one.

const BEHIND = 120; // milliseconds by which an answer comes later than the quickest did: it waits for pictures
const FAR_BEHIND = 1000; // whatever was the quickest: it may have been late, too
const NARROW = 1 << 20; // bytes a second that fill the line
const [SOME, MUCH] = [0.1, 1]; // whole screens that changed in a second, on a narrow line and on any other
const SMOOTH = 3; // seconds over which movement is seen: what fills a line comes by fits and starts
const SURE = 4; // seconds on end: a large window that opens on a narrow line is no film
const STILL = 0.01; // bytes a second for each pixel: video of what rests, where a cursor may blink
const AT_REST = 2; // seconds on end, and twice as many each time where video was soon wanted again
const [SOON, MOST_PATIENCE] = [30, 16]; // seconds
const TRIED = 15; // seconds on end in which there is no video yet, or fewer pictures than there were without it
const [FEW, WORSE] = [3, 0.7]; // pictures a second, than which there cannot be many fewer; and of what there were
const BARRED = 120; // seconds after that

export const BEGINNING = { picture: "screen", why: null, moved: 0, agreed: 0, worse: 0, patience: AT_REST, left: SOON, barred: 0, before: 0 };

/**
 * The choice for the next second. Measured are `lag` and `shortest` (milliseconds of an answer: now, and the quickest),
 * `moved` (whole screens that changed a second), `frames` and `bytes` (a second, of the screen's own picture), `pixels`
 * (of it), and `video`: {frames, bytes} a second, or null before there is any.
 */
export const next = (choice, measured) => (choice.picture === "video" ? afterVideo : afterScreen)(choice, measured);

/** There was no video, though there should have been. */
export const failed = (choice) => ({ ...choice, picture: "screen", why: "slower", moved: 0, agreed: 0, barred: BARRED });

function afterScreen(choice, measured) {
  const left = choice.left + 1;
  const barred = Math.max(0, choice.barred - 1);
  const moved = choice.moved + (measured.moved - choice.moved) / SMOOTH;
  const why = barred ? null : better({ ...measured, moved });
  const agreed = why ? choice.agreed + 1 : 0;
  if (agreed < SURE) return { ...choice, moved, agreed, left, barred };
  const patience = left < SOON ? Math.min(MOST_PATIENCE, 2 * choice.patience) : AT_REST;
  return { ...choice, picture: "video", why, agreed: 0, worse: 0, patience, before: measured.frames };
}

/** Why video would be; null where it would not. */
function better({ lag, shortest, moved, bytes }) {
  const behind = lag >= FAR_BEHIND || lag - shortest >= BEHIND;
  if (behind && bytes < NARROW && moved >= SOME) return "narrow";
  return behind && moved >= MUCH ? "moving" : null;
}

/** What waits in a full line is not at rest. */
function afterVideo(choice, { lag, shortest, pixels, video }) {
  const rests = video && video.bytes < STILL * pixels && lag - shortest < BEHIND;
  const agreed = rests ? choice.agreed + 1 : 0;
  const fewer = !video || (choice.before > FEW && video.frames < WORSE * choice.before);
  const worse = fewer && !rests ? choice.worse + 1 : 0;
  if (worse >= TRIED) return failed(choice);
  if (agreed < choice.patience) return { ...choice, agreed, worse };
  return { ...choice, picture: "screen", why: "rest", moved: 0, agreed: 0, left: 0 };
}
