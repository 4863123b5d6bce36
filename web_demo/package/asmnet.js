/**
 * Face landmarks and head pose in a web page: networks and tracker run in a worker of its own.
 *
 *     import { Asmnet, draw } from "./asmnet/asmnet.js";
 *     const asmnet = await Asmnet.open();
 *     const { record, strokes } = await asmnet.track(video, video.currentTime);
 *
 * The files beside this one are all that is ever asked for.  Types: asmnet.d.ts.
 */
export { draw } from "./overlay.js";

const beside = (path) => new URL(path, import.meta.url).href;
const MODEL = beside("models/asmnet-spatial-68-112-int8.tflite");
const DETECTOR = beside("models/face_detection_short_range.tflite");
const TURNED_DETECTOR = beside("models/face_detection_yunet.tflite");

/** What went wrong, and how to mend it: one sentence, fit for showing. */
export class AsmnetError extends Error {
  name = "AsmnetError";
}

export class Asmnet {
  #worker;
  #waiting = new Map(); // id -> {resolve, reject}
  #next = 0;
  #ended = null; // why no more calls are served

  /** Name, scheme, version, licence, and pairs of landmarks to join, of the model. */
  model;

  /** Whether strokes are for the picture with left and right swapped. */
  mirror = false;

  /** See asmnet.d.ts. */
  static async open({ model = MODEL, maxFaces = 1, fov, turned = false } = {}) {
    if (!Number.isInteger(maxFaces) || maxFaces < 1) {
      throw new AsmnetError(`${maxFaces} faces: give a whole number, 1 or more`);
    }
    const asmnet = new Asmnet();
    asmnet.#call("load", { litert: beside("litert/") }).catch(() => {}); // open says it
    try {
      const [file, detector, other] = await Promise.all(
        [read(model), read(DETECTOR), turned ? read(TURNED_DETECTOR) : null]);
      asmnet.model = await asmnet.#call("open", {
        model: file.bytes, name: file.name, detector: detector.bytes,
        turned: other?.bytes, maxFaces, fov,
      });
    } catch (error) {
      asmnet.close();
      throw error;
    }
    return asmnet;
  }

  /** @private use Asmnet.open */
  constructor() {
    this.#worker = new Worker(beside("worker.js"));
    this.#worker.onmessage = ({ data: { id, answer, error, fatal } }) => {
      const call = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) {
        call?.resolve(answer);
      } else if (fatal) {
        call?.reject(this.#end(`the networks stopped (${error}); open them again`));
      } else {
        call?.reject(new AsmnetError(error));
      }
    };
    this.#worker.onerror = (event) => {
      event.preventDefault?.();
      const why = event.message ? ` (${event.message})` : "";
      this.#end(`the worker cannot run${why}; serve the whole folder of asmnet.js, its files together`);
    };
  }

  #end(message) {
    const error = new AsmnetError(message);
    this.#ended ??= error;
    this.#worker.terminate();
    for (const call of this.#waiting.values()) {
      call.reject(error);
    }
    this.#waiting.clear();
    return error;
  }

  #call(call, parameters = {}, transfer = []) {
    if (this.#ended) {
      transfer.forEach((item) => item.close?.());
      return Promise.reject(this.#ended);
    }
    return new Promise((resolve, reject) => {
      const id = this.#next++;
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, call, ...parameters }, transfer);
    });
  }

  /** See asmnet.d.ts. */
  async track(source, seconds, name = "camera") {
    if (!Number.isFinite(seconds)) {
      throw new AsmnetError(`a frame's time must be a number of seconds, not ${seconds}`);
    }
    const [frame, transfer] = await toFrame(source);
    return this.#call("track", { frame, seconds, source: name, mirror: this.mirror }, transfer);
  }

  /** See asmnet.d.ts. */
  async locate(source, name = "picture") {
    const [frame, transfer] = await toFrame(source);
    return this.#call("locate", { frame, source: name, mirror: this.mirror }, transfer);
  }

  /** Whether it serves no more calls: it was closed, or its worker stopped. */
  get closed() {
    return this.#ended !== null;
  }

  /** Forget all faces: the next frame is the first of another video. */
  reset() {
    return this.#call("reset");
  }

  /** End the worker and free its memory; calls that still wait are rejected. */
  close() {
    this.#end("this Asmnet is closed; open another");
  }
}

/** A model's bytes and name, from an address, a File or Blob, or bytes. */
async function read(model) {
  if (model instanceof ArrayBuffer || ArrayBuffer.isView(model)) {
    const bytes = model instanceof ArrayBuffer ? new Uint8Array(model)
      : new Uint8Array(model.buffer, model.byteOffset, model.byteLength);
    return { bytes: bytes.slice(), name: "the model" };
  }
  if (model instanceof Blob) {
    const name = model.name ?? "the model";
    try {
      return { bytes: new Uint8Array(await model.arrayBuffer()), name };
    } catch {
      throw new AsmnetError(`${name} cannot be read; was it moved? choose it again`);
    }
  }
  const name = String(model).split(/[?#]/)[0].split("/").pop();
  let answer;
  try {
    answer = await fetch(model);
  } catch {
    throw new AsmnetError(`${name} cannot be fetched; check the connection and try again`);
  }
  if (!answer.ok) {
    throw new AsmnetError(`${name} cannot be fetched (the server says ${answer.status}); `
      + "check its address");
  }
  return { bytes: new Uint8Array(await answer.arrayBuffer()), name };
}

/** What a worker takes, and what of it is handed over; frames of the caller stay the caller's. */
async function toFrame(source) {
  if (source instanceof ImageData || source instanceof ImageBitmap
      || (globalThis.VideoFrame && source instanceof VideoFrame)) {
    return [source, []];
  }
  if (source instanceof HTMLVideoElement && (source.readyState < 2 || !source.videoWidth)) {
    throw new AsmnetError("the video shows no frame yet; wait for its event loadeddata");
  }
  try {
    const frame = globalThis.VideoFrame && source instanceof HTMLVideoElement
      ? new VideoFrame(source) : await createImageBitmap(source);
    return [frame, [frame]];
  } catch (error) {
    throw new AsmnetError(`there is no picture to be had (${error.message}); give a video, `
      + "VideoFrame, ImageBitmap, ImageData, canvas, img or Blob that shows one");
  }
}
