/** The page: what its buttons do, and the way of a frame from the source to the screen. */
import { noPicture, noUse } from "./messages.js";
import { Recorder } from "./recorder.js";
import { Session } from "./session.js";
import { grab, onEachFrame, Source, SourceError } from "./sources.js";
import { View } from "./view.js";

const MODELS = {
  "68-112": "fast, 68 points",
  "68-160": "accurate, 68 points",
  "98-160": "accurate, 98 points",
};
const DEFAULT = "68-112";
const address = (model) => new URL(`asmnet/models/asmnet-spatial-${model}-int8.tflite`, location).href;

const byId = (id) => document.getElementById(id);
const [source, session, view, recorder] = [new Source(), new Session(), new View(), new Recorder()];
let busy = false;
let paused = false;
let mirror = false;
let again = null; // what failed last, to try again
let [frames, presented, dropped] = [0, 0, 0];
let model = address(DEFAULT);

// ---- a frame's way ----

onEachFrame(source.video, async (seconds, shown) => {
  if (paused || !session.model) {
    presented = shown; // nobody misses these
    return;
  }
  if (busy) {
    return;
  }
  busy = true;
  const arrived = performance.now();
  dropped = frames > 0 ? shown - presented - 1 : 0;
  presented = shown;
  let frame;
  try {
    frame = await grab(source.video);
    const answer = await session.track(frame, seconds, source.name, mirror);
    if (answer && !paused) {
      view.paint(frame, answer, mirror);
      const record = { ...answer.record, frame: frames++ };
      if (source.isCamera) {
        Object.assign(record, { latency_ms: round(performance.now() - arrived), dropped });
      }
      keep(record);
      const recorded = recorder.running ? { recorded: recorder.lines } : {};
      view.figures(record, answer.times, { dropped, ...recorded }, mirror);
      view.status(state());
    }
  } catch (error) {
    setPaused(true); // or the same would be said of each frame
    fail(error, () => setPaused(false));
  } finally {
    frame?.close();
    busy = false;
  }
});

const round = (milliseconds) => Math.round(10 * milliseconds) / 10;

function state() {
  const slow = source.isCamera && view.mean("total") > 33 && !model.toString().includes(DEFAULT);
  return `${source.name}, ${session.model.name}${recorder.running ? ", recording" : ""}`
    + (slow ? "; slow here, try the fast model" : "");
}

function keep(record) {
  if (recorder.running && !recorder.add(record)) {
    setRecording(false);
    view.problem("The recording is full and was saved; press Record for another one.");
  }
}

// ---- what can be asked for ----

async function show(start, name) {
  view.problem("");
  view.status(`opening ${name} …`);
  again = () => show(start, name);
  try {
    await start();
    frames = 0;
    setPaused(false);
    setMirror(source.facesUser);
    await listCameras();
  } catch (error) {
    fail(error, again);
    view.status("choose a source");
  }
}

const camera = (id) => show(() => source.camera(id), "the camera");
const sample = () => show(() => source.play("faces.mp4", "faces.mp4"), "the sample clip");

async function open(file, name) {
  view.status(`loading ${name} …`);
  again = () => open(file, name);
  try {
    if (await session.open({ model: file, maxFaces: Number(byId("most").value) })) {
      model = file;
      const listed = Object.keys(MODELS).find((key) => address(key) === file);
      byId("own")?.remove();
      if (!listed) {
        const own = new Option(name, "own");
        own.id = "own";
        byId("model").add(own);
      }
      byId("model").value = listed ?? "own";
      view.status(`${session.model.name} is ready`);
    }
  } catch (error) {
    fail(error, file instanceof File ? null : again);
    view.status(session.model ? `${session.model.name} stays in use` : "no model");
  }
}

async function picture(file) {
  view.problem("");
  let bitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    fail(new SourceError(noPicture(file.name)), null);
    return;
  }
  source.stop();
  setMirror(false);
  const answer = await session.locate(bitmap, file.name, false);
  if (answer) {
    view.paint(bitmap, answer, false);
    view.figures(answer.record, null, {}, false);
    keep(answer.record);
    const count = answer.record.faces.length;
    view.status(`${file.name}: ${count === 1 ? "1 face" : `${count} faces`}`);
  }
  bitmap.close();
}

function take(file) {
  if (file.name.toLowerCase().endsWith(".tflite")) {
    return open(file, file.name);
  }
  if (file.type.startsWith("video/")) {
    return show(() => source.play(file, file.name), file.name);
  }
  if (file.type.startsWith("image/")) {
    return picture(file);
  }
  return fail(new SourceError(noUse(file.name)), null);
}

/** Show what went wrong; `retry` is what its button tries again. */
function fail(error, retry) {
  again = retry;
  document.querySelector('[data-do="again"]').hidden = !retry;
  view.problem(capitalised(error.message));
  if (!(error instanceof SourceError) && error.name !== "AsmnetError") {
    console.error(error);
  }
}

/** As a sentence: but a file's name stays as it is. */
const capitalised = (text) => (/^[^ ]*\./.test(text) ? text
  : text.charAt(0).toUpperCase() + text.slice(1)) + (/[.!?]$/.test(text) ? "" : ".");

function setPaused(wish) {
  paused = wish;
  pressed("pause", paused);
  if (paused) {
    source.video.pause();
    view.status("paused");
  } else if (source.video.paused && source.name) {
    source.video.play().catch(() => {});
  }
}

function setMirror(wish) {
  mirror = wish;
  pressed("mirror", mirror);
}

function setRecording(wish) {
  if (wish) {
    recorder.start();
  } else if (recorder.running) {
    recorder.save();
    view.status(`${recorder.lines} lines saved`);
  }
  pressed("record", recorder.running);
}

const pressed = (name, state) =>
  document.querySelector(`[data-do="${name}"]`).setAttribute("aria-pressed", state);

async function listCameras() {
  const select = byId("source");
  const cameras = await source.cameras().catch(() => []);
  select.querySelectorAll("[data-camera]").forEach((option) => option.remove());
  for (const { id, name } of cameras.length > 1 || cameras[0]?.name !== "camera 1" ? cameras : []) {
    const option = new Option(name, id);
    option.dataset.camera = id;
    select.add(option);
  }
  const named = cameras.find(({ name }) => source.isCamera && name === source.name);
  select.value = named && [...select.options].some(({ value }) => value === named.id) ? named.id
    : source.isCamera ? "camera" : source.name === "faces.mp4" ? "sample" : "";
}

// ---- buttons, keys, files, sleep ----

const actions = {
  camera: () => camera(),
  sample,
  pause: () => setPaused(!paused),
  mirror: () => setMirror(!mirror),
  record: () => setRecording(!recorder.running),
  again() {
    view.problem("");
    again?.();
  },
  dismiss: () => view.problem(""),
};
document.addEventListener("click", ({ target }) => actions[target.dataset?.do]?.());
document.addEventListener("keydown", (event) => {
  const action = { " ": "pause", m: "mirror", r: "record" }[event.key];
  if (action && !event.ctrlKey && !event.metaKey && !event.altKey
      && !event.target.closest("button, select, input, a")) {
    event.preventDefault();
    actions[action]();
  }
});
byId("source").addEventListener("change", ({ target }) => (
  target.value === "sample" ? sample() : camera(target.value === "camera" ? null : target.value)));
byId("model").addEventListener("change", ({ target }) => (
  target.value === "own" ? null : open(address(target.value), `the model ${target.value}`)));
byId("most").addEventListener("change", () => open(model, model.name ?? "the model"));
byId("file").addEventListener("change", ({ target }) => {
  [...target.files].forEach(take);
  target.value = ""; // so that the same file can be chosen again
});
for (const name of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(name, (event) => {
    event.preventDefault();
    document.body.classList.toggle("dragging", name === "dragover");
    if (name === "drop") {
      [...event.dataTransfer.files].forEach(take);
    }
  });
}
source.onend = (sentence) => fail(new SourceError(sentence), () => camera());
session.onrestart = (sentence) => fail(new SourceError(sentence), null);
document.addEventListener("visibilitychange", async () => {
  if (document.hidden) {
    return;
  }
  if (source.isLost) {
    camera(); // phones end cameras of pages that sleep
  } else if (!paused && source.video.paused && source.name) {
    source.video.play().catch(() => {});
  }
  if (source.isCamera) {
    navigator.wakeLock?.request("screen").catch(() => {}); // a screen that dims ends the camera
  }
});
navigator.mediaDevices?.addEventListener?.("devicechange", listCameras);

byId("model").append(...Object.entries(MODELS).map(([value, text]) => new Option(text, value)));
await open(model, "the fast model");
// Then what it kept is at hand, and nothing is fetched twice.  Without it the page works online.
navigator.serviceWorker?.register("sw.js").catch(() => {});
