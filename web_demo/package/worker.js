/**
 * The worker: the networks and the tracker, one call at a time.
 *
 * A message {id, call, ...} is answered by {id, answer} or {id, error}, in order.  A classic worker,
 * because LiteRT.js needs importScripts.
 */
"use strict";

importScripts("litert.js");
self.exports = {}; // where the compiled core leaves its functions
importScripts("core.js");
const core = self.exports;
delete self.exports;

const signed = (bytes) => new Int8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const described = (tensor) => ({
  name: tensor.name(), signatureName: tensor.signatureName(), type: tensor.type(),
  scale: tensor.scale(), zeroPoint: tensor.zeroPoint(),
});
let loading = null;
let tracker = null;
let canvas = null;
let frames = 0;

const calls = {
  /** Begin to load LiteRT: {litert}, the address of its folder. */
  load({ litert, loader }) {
    loading = AsmnetLiteRt.load(litert, loader);
    loading.catch(() => {}); // open says it
  },

  /** Load the networks: {model, name, detector, turned, maxFaces, fov}; files as Uint8Array. */
  async open({ model, name, detector, turned = null, maxFaces, fov = core.fieldOfView() }) {
    // First the contract: LiteRT says less about a damaged file, or dies of it.
    const contract = core.read(signed(model), name);
    const outputs = [contract.outputs(), core.detectorOutputs(signed(detector)),
      turned && core.detectorOutputs(signed(turned))];
    const runtime = await loading;
    const network = (file, outputs, title) => file
      && runtime.network(file, outputs.map(described), title);
    tracker = contract.tracker(
      await network(model, outputs[0], name),
      signed(detector), await network(detector, outputs[1], "the face detector"),
      turned && signed(turned), await network(turned, outputs[2], "the face detector"),
      maxFaces, fov);
    tracker.tryOut();
    const [title, scheme, version, license] = tracker.about();
    return { name: title, scheme, version, license, edges: [...tracker.edges()],
      build: runtime.build };
  },

  /** The next frame of a video: {frame, seconds, source, mirror}. */
  track({ frame, seconds, source, mirror }) {
    const start = performance.now();
    const { data, width, height } = pixels(frame);
    const read = performance.now();
    const line = tracker.track(signed(data), width, height, frames++, seconds, source);
    const [detect, crop, network, smooth] = tracker.times();
    return { ...answer(line, mirror), times: {
      read: read - start, detect, crop, network, smooth, total: performance.now() - start } };
  },

  /** A picture: {frame, source, mirror}. */
  locate({ frame, source, mirror }) {
    const { data, width, height } = pixels(frame);
    return answer(tracker.locate(signed(data), width, height, source), mirror);
  },

  reset() {
    tracker.reset();
    frames = 0;
  },
};

function answer(line, mirror) {
  const strokes = [];
  tracker.draw({
    line: (...numbers) => strokes.push(["line", ...numbers]),
    dot: (...numbers) => strokes.push(["dot", ...numbers]),
    plate: (...numbers) => strokes.push(["plate", ...numbers]),
    text: (...numbers) => strokes.push(["text", ...numbers]),
  }, mirror);
  return { record: JSON.parse(line), strokes };
}

/** A frame's RGBA pixels, upright; the frame is closed. */
function pixels(frame) {
  if (frame.data) {
    return frame;
  }
  const width = frame.displayWidth ?? frame.width;
  const height = frame.displayHeight ?? frame.height;
  if (canvas?.width !== width || canvas?.height !== height) {
    canvas = new OffscreenCanvas(width, height);
  }
  const context = canvas.getContext("2d", { willReadFrequently: true, alpha: false });
  context.drawImage(frame, 0, 0, width, height);
  frame.close();
  return context.getImageData(0, 0, width, height);
}

let last = Promise.resolve();
self.onmessage = ({ data }) => {
  last = last.then(async () => {
    try {
      self.postMessage({ id: data.id, answer: await calls[data.call](data) });
    } catch (error) {
      data.frame?.close?.();
      // Anything but a sentence of the core or the adapter means that the networks cannot go on.
      const sentence = core.message(error) ?? error?.sentence ?? null;
      self.postMessage({ id: data.id, error: sentence ?? String(error?.message ?? error),
        fatal: sentence === null });
    }
  });
};
