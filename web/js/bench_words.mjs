// The words of the test bench.
import { loadWords } from "./words.mjs";

export const words = await loadWords("bench");
