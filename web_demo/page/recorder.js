/** JSON lines, the records of docs/output.md, kept until they are saved to a file. */

const MOST = 200e6; // characters; about three hours of one face

export class Recorder {
  #parts = [];
  #size = 0;
  /** Number of lines. */
  lines = 0;
  running = false;

  start() {
    this.#parts = [];
    this.#size = this.lines = 0;
    this.running = true;
  }

  /** Add a frame's record; false if there is no more room. */
  add(record) {
    const line = `${JSON.stringify(record)}\n`;
    this.#parts.push(line);
    this.#size += line.length;
    this.lines++;
    return this.#size < MOST;
  }

  /** Offer the file for saving. */
  save() {
    this.running = false;
    const address = URL.createObjectURL(new Blob(this.#parts, { type: "application/x-ndjson" }));
    const link = document.createElement("a");
    link.href = address;
    link.download = `asmnet-${new Date().toISOString().slice(0, 19).replaceAll(":", "-")}.jsonl`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
    this.#parts = [];
  }
}
