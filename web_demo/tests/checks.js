/**
 * What is checked alike in Node and in browsers' workers: networks alone, and the golden replay.
 *
 * A classic script, as litert.js and core.js are, whose names `AsmnetLiteRt` and `core` it uses.
 */
"use strict";

var checks = {
  /**
   * A network's answers.
   *
   * @param {{file: Uint8Array, inputs: Uint8Array, size: number, names: string[], litert: string}}
   *     inputs one after another, of `size` bytes each
   * @returns {Promise<Float32Array>} the outputs of that names, input by input
   */
  async infer({ file, inputs, size, names, litert, loader }) {
    const outputs = [...core.detectorOutputs(new Int8Array(file.buffer))].map((tensor) => ({
      name: tensor.name(), signatureName: tensor.signatureName(), type: tensor.type(),
      scale: tensor.scale(), zeroPoint: tensor.zeroPoint(),
    }));
    const runtime = await AsmnetLiteRt.load(litert, loader);
    const network = await runtime.network(file, outputs, "it");
    const answers = [];
    for (let at = 0; at < inputs.length; at += size) {
      network.runLevels(inputs.subarray(at, at + size));
      for (const name of names) {
        const { type } = outputs.find((output) => output.name === name);
        const length = network.raw(name).length / (type === "FLOAT32" ? 4 : 1);
        const values = new Float32Array(length);
        network.output(name, values);
        answers.push(...values);
      }
    }
    return new Float32Array(answers);
  },

  /**
   * Follow a recorded clip as FaceTrackerTest.java does, the networks' answers recorded too.
   *
   * @returns {{frames: number, faces: number, worst: number, problem: string}} worst in pixels
   */
  replay({ clip, index, data, model, detector, tensors }) {
    const types = { u1: Uint8Array, i4: Int32Array, f4: Float32Array, f8: Float64Array };
    const vector = (name) => {
      const [kind, shape, start] = index[name];
      const Type = types[kind];
      const count = shape.reduce((a, b) => a * b, 1);
      return new Type(data.buffer.slice(
        data.byteOffset + start, data.byteOffset + start + count * Type.BYTES_PER_ELEMENT));
    };
    const problems = [];
    const recorded = (means, tolerance, fill) => {
      const network = {
        runs: 0,
        runValues(input) {
          const mean = input.reduce((sum, value) => sum + value, 0) / input.length;
          if (Math.abs(mean - means[network.runs]) > tolerance) {
            problems.push(`input of run ${network.runs} has mean ${mean}, not ${means[network.runs]}`);
          }
          network.runs++;
        },
        runLevels: (input) => network.runValues(input),
        output(name, values) {
          fill(name, values, network.runs - 1);
          return true;
        },
      };
      return network;
    };
    const [points, poses] = [vector(`${clip}/landmarks`), vector(`${clip}/pose`)];
    const landmarks = recorded(vector(`${clip}/means`), 0.1, (name, values, run) => {
      const all = name === tensors.landmarks ? points : poses;
      values.set(all.subarray(run * values.length, (run + 1) * values.length));
    });
    const [candidates, logits, regressors] = ["candidates", "logits", "regressors"].map(
      (name) => vector(`${clip}/detector/${name}`));
    const faces = recorded(vector(`${clip}/detector/means`), 0.1 / 127.5, (name, values, run) => {
      const scores = name === "classificators";
      values.fill(scores ? -100 : 0);
      for (let i = 0; i < logits.length; i++) {
        if (candidates[2 * i] === run) {
          values.set(scores ? [logits[i]] : regressors.subarray(16 * i, 16 * i + 16),
            candidates[2 * i + 1] * (scores ? 1 : 16));
        }
      }
    });
    const signed = (file) => new Int8Array(file.buffer, file.byteOffset, file.length);
    const tracker = core.read(signed(model), "model")
      .tracker(landmarks, signed(detector), faces, null, null, 2, core.fieldOfView());
    const [times, ids, expected, positions, eyes, mouths, events] = ["times", "ids", "points",
      "positions", "eyes", "mouths", "events"].map((name) => vector(`${clip}/${name}`));
    const near = (what, found, all, at, tolerance) => found.forEach((value, i) => {
      if (!(Math.abs(value - all[at + i]) < tolerance)) {
        problems.push(`${what} is ${found}, not ${all.slice(at, at + found.length)}`);
      }
    });
    const frames = vector("track/frames");
    const order = index[`${clip}/order`] ? vector(`${clip}/order`) : times.map((_, n) => n);
    const [, height, width] = index["track/frames"][1];
    const rgba = new Int8Array(4 * width * height);
    let face = 0;
    let worst = 0;
    const told = [];
    times.forEach((seconds, n) => {
      for (let i = 0; i < width * height; i++) {
        for (let c = 0; c < 3; c++) {
          rgba[4 * i + c] = frames[3 * (order[n] * width * height + i) + c];
        }
      }
      const record = JSON.parse(tracker.track(rgba, width, height, n, seconds, "clip"));
      for (const found of record.faces) {
        if (found.id !== ids[face]) {
          problems.push(`frame ${n}: face ${found.id}, not ${ids[face]}`);
        }
        found.landmarks.flat().forEach((value, i) => {
          worst = Math.max(worst, Math.abs(value - expected[136 * face + i]));
        });
        near(`position ${face}`, Object.values(found.position), positions, 3 * face, 0.2);
        near(`eyes ${face}`, Object.values(found.eyes), eyes, 2 * face, 2e-3);
        near(`mouth ${face}`, [found.mouth], mouths, face, 2e-3);
        told.push(...found.events.flatMap(({ kind, start, end }) => (
          [face, ["blink", "yawn"].indexOf(kind), start, end])));
        face++;
      }
    });
    if (face !== ids.length) {
      problems.push(`${face} faces, not ${ids.length}`);
    }
    near("events", told, events, 0, 1e-4);
    if (told.length !== events.length) {
      problems.push(`${told.length / 4} events, not ${events.length / 4}`);
    }
    return { frames: times.length, faces: face, worst, problem: problems[0] ?? "",
      runs: [landmarks.runs, faces.runs] };
  },
};
