/** A blink or yawn, by the clock of `TrackRecord.t`. */
export interface FaceEvent {
  kind: "blink" | "yawn";
  /** Seconds. */
  start: number;
  /** Seconds: of the frame with which it ended. */
  end: number;
}

/** One face, as docs/output.md has it: pixels of the picture, degrees. */
export interface Face {
  /** The same number for the same face from frame to frame; -1 in single pictures. */
  id: number;
  /** Confidence, 0 to 1. */
  score: number | null;
  /** Left, top, right, bottom of the landmarks. */
  box: [number, number, number, number];
  /** x, y of each landmark, in the order of the model's scheme. */
  landmarks: [number, number][];
  /** yaw > 0: the nose points to the picture's left; pitch > 0: up; roll > 0: clockwise. */
  pose: { yaw: number; pitch: number; roll: number };
  /**
   * The head's place, mm from the camera: x to the picture's right, y down, z ahead. This and the
   * following are of `track` alone; single pictures lack them.
   */
  position?: { x: number; y: number; z: number };
  /** Openness of the subject's right and left eye, 0 to 1, relative to the person. */
  eyes?: { right: number; left: number };
  /** Openness of the mouth, 0 to 1. */
  mouth?: number;
  /** Those that ended with this frame. */
  events?: FaceEvent[];
}

/** The record of a frame, `asmnet-track/1`. */
export interface TrackRecord {
  schema: "asmnet-track/1";
  frame: number;
  /** Seconds. */
  t: number;
  source: string;
  /** Width and height in pixels. */
  size: [number, number];
  faces: Face[];
}

/** Something to draw in picture pixels; see `draw`. */
export type Stroke = ["line" | "dot" | "plate" | "text", ...(number | string)[]];

export interface Located {
  record: TrackRecord;
  strokes: Stroke[];
}

/** Milliseconds of the frame: reading its pixels, the tracker's stages, all together. */
export interface Times {
  read: number;
  detect: number;
  crop: number;
  network: number;
  smooth: number;
  total: number;
}

export interface Tracked extends Located {
  times: Times;
}

export interface Model {
  name: string;
  /** "ibug68" or "wflw98". */
  scheme: string;
  version: string;
  license: string;
  /** Pairs of indices of landmarks to join: from0, to0, from1, ... */
  edges: number[];
  /** The build of LiteRT that runs it. */
  build: string;
}

export type Picture =
  | HTMLVideoElement | VideoFrame | ImageBitmap | ImageData
  | HTMLImageElement | HTMLCanvasElement | OffscreenCanvas | Blob;

export interface Options {
  /** A file made by asmnet-export: its address, or what it holds. Default: asmnet-spatial-68-112. */
  model?: string | URL | Blob | ArrayBuffer | ArrayBufferView;
  /** So many faces at most, default 1; cost grows with the faces that are there. */
  maxFaces?: number;
  /**
   * The camera's field of view, degrees along the picture's longer side, 1 to 170, default 65;
   * distances in `position` depend on it.
   */
  fov?: number;
  /** Find turned faces too, by a second detector (0.1 MB more to load). Default: false. */
  turned?: boolean;
}

/** What went wrong, and how to mend it: one sentence, fit for showing. */
export class AsmnetError extends Error {}

export class Asmnet {
  private constructor();

  /** Load a model and the face detector into a worker. Rejects with AsmnetError. */
  static open(options?: Options): Promise<Asmnet>;

  readonly model: Model;

  /** Whether strokes are for the picture with left and right swapped; records never are. */
  mirror: boolean;

  /**
   * Faces in a video's next frame. Calls are served in order; await one before the next, or frames
   * pile up. A VideoFrame or ImageBitmap stays yours to close.
   *
   * @param seconds since any origin; a time before the last frame's starts a new video
   * @param name the record's `source`
   */
  track(source: Picture, seconds: number, name?: string): Promise<Tracked>;

  /** Faces in a single picture, each by itself: no tracking, no smoothing. */
  locate(picture: Picture, name?: string): Promise<Located>;

  /** Whether it serves no more calls: it was closed, or its worker stopped. */
  readonly closed: boolean;

  /** Forget all faces: the next frame is the first of another video. */
  reset(): Promise<void>;

  /** End the worker and free its memory; calls that still wait are rejected. */
  close(): void;
}

/** Draw landmarks, axes and angles on a canvas whose unit is the picture's pixel. */
export function draw(context: CanvasRenderingContext2D, strokes: Stroke[]): void;
