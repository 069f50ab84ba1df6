// Words in the user's language: web/words/<area>.<language>.json, English where a language has no file.
const FALLBACK = "en";

async function read(area, language) {
  const answer = await fetch(new URL(`../words/${area}.${language}.json`, import.meta.url));
  return answer.ok ? answer.json() : null;
}

// "zh-TW" falls back to "zh", then to English.
export async function loadWords(area, locale) {
  const english = await read(area, FALLBACK);
  const language = String(locale ?? FALLBACK).split("-")[0];
  const own = language === FALLBACK ? null : await read(area, language);
  const table = { ...english, ...own };
  return (key, values = {}) => fill(table[key] ?? key, values);
}

// "{count} photos" with {count: 3} reads "3 photos".
export function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}
