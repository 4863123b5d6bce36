/** The tracker and its model: opened, exchanged, started anew when it gets stuck. */
import { Asmnet } from "./asmnet/asmnet.js";
import { STUCK } from "./messages.js";

const MOST_RESTARTS = 3; // of one model: more would not help
const PATIENCE = 10_000; // milliseconds without an answer, while the page is seen

export class Session {
  #asmnet = null;
  #options = null;
  #opening = null;
  #restarts = 0;

  /** Called with a sentence when the tracker had to be started anew. */
  onrestart = () => {};

  /** The model in use; null before one is open. */
  get model() {
    return this.#asmnet?.model ?? null;
  }

  /**
   * Use another model or number of faces.  If it cannot be had, the one before stays.
   *
   * @returns {Promise<boolean>} false if something else was asked for meanwhile
   */
  async open(options) {
    const opening = this.#opening = Asmnet.open(options);
    try {
      const asmnet = await opening;
      if (opening !== this.#opening) {
        asmnet.close();
        return false;
      }
      this.#asmnet?.close();
      if (options !== this.#options) {
        this.#restarts = 0;
      }
      [this.#asmnet, this.#options] = [asmnet, options];
      return true;
    } catch (error) {
      if (opening !== this.#opening) {
        return false;
      }
      throw error;
    }
  }

  /** As Asmnet.track; null without a model, or if it got stuck. */
  track(frame, seconds, name, mirror) {
    return this.#served((asmnet) => asmnet.track(frame, seconds, name), mirror);
  }

  /** As Asmnet.locate. */
  locate(picture, name, mirror) {
    return this.#served((asmnet) => asmnet.locate(picture, name), mirror);
  }

  async #served(call, mirror) {
    const asmnet = this.#asmnet;
    if (!asmnet) {
      return null;
    }
    asmnet.mirror = mirror;
    let timer;
    const stuck = new Promise((_, reject) => {
      timer = setTimeout(() => document.hidden || reject(new Error(STUCK)), PATIENCE);
    });
    try {
      return await Promise.race([call(asmnet), stuck]);
    } catch (error) {
      if (asmnet !== this.#asmnet) {
        return null; // another model was opened meanwhile
      }
      if (!asmnet.closed && error.message !== STUCK || this.#restarts >= MOST_RESTARTS) {
        throw error;
      }
      asmnet.close();
      this.#restarts++;
      await this.open(this.#options);
      this.onrestart(error.message);
      return null;
    } finally {
      clearTimeout(timer);
    }
  }
}
