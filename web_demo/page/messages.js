/** What can go wrong with a source, in sentences that say what to do. */

/**
 * @param {unknown} error what getUserMedia rejected with
 * @param {boolean} chosen whether a certain camera was asked for
 */
export function cameraProblem(error, chosen) {
  // WebKit says so of any wish where there is no camera at all.
  const name = error?.name === "OverconstrainedError" && !chosen ? "NotFoundError" : error?.name;
  switch (name) {
    case "NotAllowedError":
    case "SecurityError":
      return "The camera was refused. Allow it for this page (the lock or camera sign beside the "
        + "address), then try again.";
    case "NotFoundError":
    case "DevicesNotFoundError":
      return "There is no camera. Plug one in and try again, or play the sample clip or a video file.";
    case "NotReadableError":
    case "TrackStartError":
    case "AbortError":
      return "The camera is taken by another program. Close that one and try again.";
    case "OverconstrainedError":
      return "The chosen camera is gone. Choose another one under Source.";
    default:
      return `The camera cannot be used (${error?.message ?? error}). Try again, or another browser.`;
  }
}

export const INSECURE = "Browsers give the camera to secure addresses only: open this page by "
  + "https:// or on localhost. The sample clip, videos and pictures work here too.";
export const ENDED = "The camera stopped: it was unplugged, or another program took it. Try again "
  + "when it is back.";
export const STUCK = "The networks stopped answering, and were started anew.";

/** @param {string} name of the file */
export const noVideo = (name) =>
  `${name} is no video that this browser plays; convert it to MP4 (H.264) or WebM.`;

/** @param {string} name of the file */
export const noPicture = (name) =>
  `${name} is no picture that this browser shows, or it is damaged; save it as JPEG or PNG.`;

/** @param {string} name of the file */
export const noUse = (name) =>
  `${name} is neither a video, a picture nor a model (.tflite); choose another file.`;
