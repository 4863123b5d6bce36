/**
 * Where frames come from: a camera or a video, both shown by one hidden <video>.
 */
import { cameraProblem, ENDED, INSECURE, noVideo } from "./messages.js";

export class SourceError extends Error {}

export class Source {
  /** Name of the camera or file, as records have it. */
  name = "";
  isCamera = false;
  /** Whether mirroring is what people expect: of a camera that looks at them. */
  facesUser = false;
  /** Called with a sentence when a camera ends by itself. */
  onend = () => {};

  #stream = null;
  #address = null;
  #change = 0; // the latest wish, for one that took longer than the next

  constructor() {
    this.video = document.createElement("video");
    this.video.muted = true;
    this.video.playsInline = true;
    this.video.loop = true;
  }

  /** Show a camera: one of `cameras()`, or by default one that faces the user. */
  async camera(deviceId) {
    if (!navigator.mediaDevices?.getUserMedia) {
      throw new SourceError(INSECURE);
    }
    this.stop();
    const change = this.#change;
    const which = deviceId ? { deviceId: { exact: deviceId } } : { facingMode: "user" };
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: false,
        video: { ...which, width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 30 } } });
    } catch (error) {
      throw new SourceError(cameraProblem(error, Boolean(deviceId)));
    }
    if (change !== this.#change) {
      stream.getTracks().forEach((track) => track.stop());
      return;
    }
    const [track] = stream.getVideoTracks();
    track.onended = () => this.#stream === stream && this.onend(ENDED);
    this.#stream = stream;
    this.name = track.label || "camera";
    this.isCamera = true;
    this.facesUser = track.getSettings().facingMode !== "environment";
    this.video.srcObject = stream;
    await this.#play(this.name);
  }

  /** The cameras: their ids and names; names only after one was allowed. */
  async cameras() {
    const devices = await navigator.mediaDevices?.enumerateDevices?.() ?? [];
    return devices.filter((device) => device.kind === "videoinput" && device.deviceId)
      .map((device, n) => ({ id: device.deviceId, name: device.label || `camera ${n + 1}` }));
  }

  /** Whether a camera was lost, as when a phone slept. */
  get isLost() {
    return this.isCamera && this.#stream?.getVideoTracks()[0]?.readyState === "ended";
  }

  /** Play a video: its address or a File. */
  async play(video, name) {
    this.stop();
    this.name = name;
    this.#address = video instanceof Blob ? URL.createObjectURL(video) : null;
    this.video.src = this.#address ?? video;
    await this.#play(name);
  }

  async #play(name) {
    const change = this.#change;
    try {
      await this.video.play();
    } catch {
      if (change === this.#change) {
        throw new SourceError(noVideo(name));
      }
    }
  }

  /** End what is shown. */
  stop() {
    this.#change++;
    this.#stream?.getTracks().forEach((track) => track.stop());
    this.#stream = null;
    this.isCamera = this.facesUser = false;
    this.video.pause();
    this.video.srcObject = null;
    this.video.removeAttribute("src");
    this.video.load();
    if (this.#address) {
      URL.revokeObjectURL(this.#address);
      this.#address = null;
    }
  }
}

/**
 * Calls for each new frame that a video shows.
 *
 * @param {HTMLVideoElement} video
 * @param {(seconds: number, presented: number) => void} take its time, and how many were shown
 */
export function onEachFrame(video, take) {
  if (video.requestVideoFrameCallback) {
    const next = (now, { mediaTime, presentedFrames }) => {
      video.requestVideoFrameCallback(next);
      take(video.srcObject ? now / 1000 : mediaTime, presentedFrames);
    };
    video.requestVideoFrameCallback(next);
    return;
  }
  let last = -1;
  let count = 0;
  const look = (now) => {
    requestAnimationFrame(look);
    if (video.readyState >= 2 && video.currentTime !== last) {
      last = video.currentTime;
      take(video.srcObject ? now / 1000 : last, ++count);
    }
  };
  requestAnimationFrame(look);
}

/** The frame that a video shows, for the tracker and to paint; the caller closes it. */
export async function grab(video) {
  return globalThis.VideoFrame ? new VideoFrame(video) : createImageBitmap(video);
}
