import { Asmnet, draw } from "./asmnet/asmnet.js";

const video = Object.assign(document.createElement("video"), { muted: true, playsInline: true });
video.srcObject = await navigator.mediaDevices.getUserMedia({ video: true });
await video.play();
const asmnet = await Asmnet.open({ maxFaces: 2 });
const context = canvas.getContext("2d");
Object.assign(canvas, { width: video.videoWidth, height: video.videoHeight });
for (;;) {
  const frame = await createImageBitmap(video);
  const { record, strokes } = await asmnet.track(frame, performance.now() / 1000);
  context.drawImage(frame, 0, 0);
  draw(context, strokes); // or use record.faces: landmarks, pose, id
}
