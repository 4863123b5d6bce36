/** What the page shows of a frame: the picture with its overlay, the table, the figures. */
import { draw } from "./asmnet/asmnet.js";

const byId = (id) => document.getElementById(id);
const signed = (degrees) => {
  const whole = Math.round(degrees);
  return `${whole < 0 ? "−" : "+"}${Math.abs(whole)}°`;
};
const percent = ({ right, left }) => `${Math.round(50 * (right + left))}%`;
const STAGES = ["read", "detect", "crop", "network", "smooth", "total"];

export class View {
  #canvas = byId("picture");
  #seen = []; // [when, times] of the last second
  #shown = 0;
  #spoken = 0;
  #blinks = new Map(); // by the face's number

  /** Paint a frame and what was found in it; faces lie over the very frame that they belong to. */
  paint(frame, { strokes }, mirror) {
    const width = frame.displayWidth ?? frame.width;
    const height = frame.displayHeight ?? frame.height;
    const canvas = this.#canvas;
    if (canvas.width !== width || canvas.height !== height) {
      Object.assign(canvas, { width, height });
    }
    const context = canvas.getContext("2d", { alpha: false });
    context.save();
    if (mirror) {
      context.setTransform(-1, 0, 0, 1, width, 0);
    }
    context.drawImage(frame, 0, 0, width, height);
    context.restore();
    draw(context, strokes);
    canvas.hidden = false;
    byId("welcome").hidden = true;
  }

  /**
   * Show numbers, four times a second: faster ones nobody reads.
   *
   * @param {object} record of the frame
   * @param {?object} times of its stages; null for a single picture
   * @param {object} counts to show besides, by name
   * @param {boolean} mirror show the angles as they are seen in the mirror
   */
  figures(record, times, counts, mirror) {
    const now = performance.now();
    this.#count(record);
    if (times) {
      this.#seen.push([now, times]);
      while (this.#seen[0][0] < now - 1000) {
        this.#seen.shift();
      }
      if (now - this.#shown < 250) {
        return;
      }
    }
    this.#shown = now;
    const turn = mirror ? -1 : 1;
    this.#faces(record.faces.map(({ pose: { yaw, pitch, roll }, ...face }) => (
      { ...face, pose: { yaw: turn * yaw, pitch, roll: turn * roll } })));
    const rows = times ? [["frames / s", this.#seen.length], ...Object.entries(counts),
      ...STAGES.map((stage) => [`${stage}, ms`, this.mean(stage).toFixed(1)])] : [];
    byId("figures").replaceChildren(...rows.map(([name, value]) => {
      const cell = document.createElement("div");
      const [term, number] = [document.createElement("dt"), document.createElement("dd")];
      [term.textContent, number.textContent] = [name, value];
      cell.append(term, number);
      return cell;
    }));
  }

  /** Mean milliseconds of a stage in the last second. */
  mean(stage) {
    return this.#seen.reduce((sum, [, times]) => sum + times[stage], 0) / this.#seen.length;
  }

  /** Frames of the last second. */
  get rate() {
    return this.#seen.length;
  }

  /** Blinks of each face that is there; who leaves is forgotten, and a new source is of others. */
  #count({ frame, faces }) {
    const before = frame === 0 ? new Map() : this.#blinks;
    this.#blinks = new Map(faces.map(({ id, events = [] }) => [id, (before.get(id) ?? 0)
      + events.filter(({ kind }) => kind === "blink").length]));
  }

  #faces(faces) {
    byId("faces").replaceChildren(...(faces.length ? faces : [null]).map((face) => {
      const row = document.createElement("tr");
      const cells = face ? [face.id < 0 ? "–" : face.id, signed(face.pose.yaw),
        signed(face.pose.pitch), signed(face.pose.roll), face.score?.toFixed(2) ?? "",
        ...face.eyes ? [Math.round(face.position.z / 10), percent(face.eyes),
          this.#blinks.get(face.id)] : []] : ["none"];
      row.append(...cells.map((text) => {
        const cell = document.createElement("td");
        cell.textContent = text;
        return cell;
      }));
      return row;
    }));
    // A screen reader hears of the picture when it asks, and of a change of number by the status.
    if (performance.now() - this.#spoken > 1000) {
      this.#spoken = performance.now();
      this.#canvas.setAttribute("aria-label", faces.length === 0 ? "no face in the picture"
        : faces.map(({ id, pose }) => `face ${id < 0 ? "" : id}: yaw ${signed(pose.yaw)}, pitch `
          + `${signed(pose.pitch)}, roll ${signed(pose.roll)}`).join("; "));
    }
  }

  /** @param {string} text short: what goes on */
  status(text) {
    const place = byId("status");
    if (place.textContent !== text) {
      place.textContent = text;
    }
  }

  /** @param {string} text a sentence, with what to do; "" takes it away */
  problem(text) {
    byId("problem").hidden = !text;
    byId("problem-text").textContent = text;
  }
}
