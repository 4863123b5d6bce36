/**
 * Draw what a tracker answered: landmarks, axes and angles, as everywhere in ASMNet.
 *
 * The strokes are in picture pixels, whose centres are at integers; a canvas' are at halves.
 */

/** @param {number} argb as the core writes colours */
const colour = (argb) =>
  `rgba(${argb >> 16 & 255}, ${argb >> 8 & 255}, ${argb & 255}, ${(argb >>> 24) / 255})`;

const pens = {
  line(context, x0, y0, x1, y1, width, argb) {
    context.strokeStyle = colour(argb);
    context.lineWidth = width;
    context.beginPath();
    context.moveTo(x0, y0);
    context.lineTo(x1, y1);
    context.stroke();
  },
  dot(context, x, y, radius, argb) {
    context.fillStyle = colour(argb);
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.fill();
  },
  plate(context, left, top, right, bottom, argb) {
    context.fillStyle = colour(argb);
    context.fillRect(left, top, right - left, bottom - top);
  },
  text(context, text, x, baseline, size, argb) {
    context.fillStyle = colour(argb);
    context.font = `${size}px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace`;
    context.fillText(text, x, baseline);
  },
};

/**
 * @param {CanvasRenderingContext2D} context whose unit is the picture's pixel
 * @param {Array[]} strokes of an answer
 */
export function draw(context, strokes) {
  context.save();
  context.translate(0.5, 0.5);
  context.lineCap = "round";
  for (const [kind, ...numbers] of strokes) {
    pens[kind](context, ...numbers);
  }
  context.restore();
}
