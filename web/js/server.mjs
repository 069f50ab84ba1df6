// What the pack asks of its own routes that change something: POST with JSON, and errors in the server's words.
import { api } from "../../../scripts/api.js";
import { loadWords } from "./words.mjs";

const words = await loadWords("server");

// The answer of /lorasmith/<path>; throws what went wrong, in words.
export async function post(path, body = {}) {
  const response = await api.fetchApi(`/lorasmith/${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.error ?? words("answered", { status: response.status }));
  return answer;
}
