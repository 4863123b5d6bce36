/**
 * The adapter to LiteRT.js: all that is said to it is said here.
 *
 * Its public API refuses int8 tensors, so this talks to the layer below, whose types the package
 * declares in dist/index.d.ts as LiteRtWasm.  A classic script: the package's loader needs
 * importScripts, which module workers lack.
 */
var AsmnetLiteRt = (() => {
  "use strict";

  // The smallest modules that use an instruction of 128-bit SIMD (i8x16.splat, i8x16.popcnt) and of
  // relaxed SIMD (i8x16.relaxed_swizzle).
  const HEADER = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10];
  const SIMD = [10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11];
  const RELAXED = [15, 1, 13, 0, 65, 1, 253, 15, 65, 2, 253, 15, 253, 128, 2, 11];

  function validates(code) {
    return WebAssembly.validate(new Uint8Array([...HEADER, ...code]));
  }

  /** The name of the build that this engine runs; null without WebAssembly SIMD. */
  function build() {
    if (typeof WebAssembly !== "object" || !validates(SIMD)) {
      return null;
    }
    return validates(RELAXED) ? "litert_wasm_internal" : "litert_wasm_compat_internal";
  }

  /** An error whose message is fit for showing. */
  const sentence = (message) => Object.assign(new Error(message), { sentence: message });

  /**
   * Load LiteRT.
   *
   * @param {string} folder address of the folder with its files, with the slash
   * @param {object} [more] options of its loader, for tests
   */
  async function load(folder, more = {}) {
    const name = build();
    if (name === null) {
      throw sentence("this browser has no WebAssembly SIMD; use a current Chrome, Edge or Firefox, "
        + "or Safari 16.4 or later");
    }
    importScripts(`${folder}${name}.js`);
    const quiet = () => {};
    const wasm = await self.ModuleFactory({
      locateFile: (file) => folder + file, print: quiet, printErr: quiet, ...more,
    });
    const environment = wasm.LiteRtEnvironment.create(null);
    return {
      build: name,
      async network(file, outputs, title) {
        try {
          return await network(wasm, environment, file, outputs);
        } catch (error) {
          throw sentence(`${title} cannot be loaded (${error?.message ?? error}); it is damaged or `
            + "made for another interpreter: export it again");
        }
      },
    };
  }

  /** A vector of the module as an array; the vector is freed. */
  function array(vector) {
    const items = [];
    for (let i = 0; i < vector.size(); i++) {
      items.push(vector.get(i));
    }
    vector.delete();
    return items;
  }

  /**
   * A network in memory.
   *
   * @param {Uint8Array} file a .tflite file
   * @param {{name: string, signatureName: string, type: string, scale: number,
   *     zeroPoint: number}[]} outputs what LiteRT does not tell of them
   * @returns {Promise<{runLevels, runValues, output, raw}>} what org.asmnet.web.JsNetwork asks for
   */
  async function network(wasm, environment, file, outputs) {
    const place = wasm._malloc(file.length); // the model refers to it: never freed
    wasm.HEAPU8.set(file, place);
    const model = wasm.loadModel(environment, place, file.length);
    const compiled = await wasm.compileModel(environment, model, {
      environment, accelerator: "wasm", cpuOptions: { numThreads: 1 },
      gpuOptions: {}, webNNOptions: {},
    });
    const type = model.getInputTensorType(0, 0);
    const input = wasm.LiteRtTensorBuffer.createManaged(
      environment, wasm.LiteRtTensorBufferType.HOST_MEMORY, type, type.bytes());
    const size = type.bytes();
    const signature = model.getSignature(0);
    const order = array(signature.outputNames()).map(
      (name) => outputs.find((output) => output.signatureName === name));
    const { READ, WRITE } = wasm.LiteRtTensorBufferLockMode;
    const latest = new Map(); // output's name -> a copy of its bytes

    function run(array) {
      if (array.byteLength !== size) {
        throw new Error(`an input of ${array.byteLength} bytes instead of ${size}`);
      }
      // The memory may have grown, and its view with it: HEAPU8 is asked for anew each time.
      wasm.HEAPU8.set(
        new Uint8Array(array.buffer, array.byteOffset, array.byteLength), input.lock(WRITE));
      input.unlock();
      const answers = compiled.run(0, [input]);
      answers.forEach((answer, i) => {
        const length = answer.packedSize();
        const from = answer.lock(READ);
        const name = order[i]?.name;
        let copy = latest.get(name);
        if (copy?.length !== length) {
          latest.set(name, copy = new Uint8Array(length));
        }
        copy.set(wasm.HEAPU8.subarray(from, from + length));
        answer.unlock();
        answer.delete();
      });
    }

    return {
      runLevels: run,
      runValues: run,
      raw: (name) => latest.get(name),
      output(name, values) {
        const tensor = outputs.find((output) => output.name === name);
        const bytes = latest.get(name);
        const width = tensor?.type === "FLOAT32" ? 4 : 1;
        if (!bytes || bytes.length !== width * values.length) {
          return false;
        }
        if (tensor.type === "FLOAT32") {
          values.set(new Float32Array(bytes.buffer));
          return true;
        }
        const levels = tensor.type === "INT8" ? new Int8Array(bytes.buffer) : bytes;
        for (let i = 0; i < values.length; i++) {
          values[i] = (levels[i] - tensor.zeroPoint) * tensor.scale; // a float32 array rounds it
        }
        return true;
      },
    };
  }

  return { build, load };
})();
