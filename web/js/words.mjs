// Words in the user's language: web/words/<area>.<language>.json, English where a language has no file.
import { app } from "../../../scripts/app.js";

const FALLBACK = "en";

// The language of the editor, such as "ru" or "zh-TW".
export const editorLocale = () => app.extensionManager?.setting?.get("Comfy.Locale") ?? FALLBACK;

async function read(area, language) {
  const answer = await fetch(new URL(`../words/${area}.${language}.json`, import.meta.url));
  return answer.ok ? answer.json() : null;
}

// Top-level: `export const words = await loadWords("sheet");`, so that widgets have their words at once.
// "zh-TW" falls back to "zh", then to English.
export async function loadWords(area, locale = editorLocale()) {
  const language = String(locale).split("-")[0];
  const [english, own] = await Promise.all([read(area, FALLBACK), language === FALLBACK ? null : read(area, language)]);
  const table = { ...english, ...own };
  const plurals = new Intl.PluralRules(own ? language : FALLBACK);
  return (key, values = {}) => fill(formOf(table[key] ?? key, values, plurals), values);
}

// A word may have forms, chosen by a number: {"by": "count", "one": "{count} photo", "other": "{count} photos"}.
export function formOf(word, values, plurals) {
  if (typeof word === "string") return word;
  return word[plurals.select(Number(values[word.by]))] ?? word.other;
}

// "{count} photos" with {count: 3} reads "3 photos".
export function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}
