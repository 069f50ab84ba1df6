// Photos from the user's computer into a folder of their own in ComfyUI's input folder.
import { api } from "../../../scripts/api.js";

const PICTURES = /\.(jpe?g|png|webp|heic|heif|avif|bmp|tiff?)$/i;
const TEXTS = /\.(txt|caption)$/i;

// "lorasmith/2026-11-22 14.05": sorts by time, and never meets another set.
export function newFolder(now = new Date()) {
  const two = (number) => String(number).padStart(2, "0");
  const day = `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
  return `lorasmith/${day} ${two(now.getHours())}.${two(now.getMinutes())}.${two(now.getSeconds())}`;
}

// Pictures, and captions that have a picture's name.
export function sortOut(files) {
  const stem = (file) => file.name.replace(/\.[^.]+$/, "");
  const pictures = [...files].filter((file) => file.type.startsWith("image/") || PICTURES.test(file.name));
  const known = new Set(pictures.map(stem));
  const captions = [...files].filter((file) => TEXTS.test(file.name) && known.has(stem(file)));
  return { pictures, captions };
}

async function send(file, folder) {
  const body = new FormData();
  body.append("image", file, file.name);
  body.append("subfolder", folder);
  body.append("type", "input");
  const answer = await api.fetchApi("/upload/image", { method: "POST", body });
  return answer.ok;
}

// One after the other; returns the names that did not arrive.
export async function upload(files, folder, onProgress) {
  const failed = [];
  for (const [index, file] of files.entries()) {
    onProgress(index + 1, files.length);
    const arrived = await send(file, folder).catch(() => false);
    if (!arrived) failed.push(file.name);
  }
  return failed;
}
