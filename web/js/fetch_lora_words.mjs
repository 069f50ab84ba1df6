// The words of the Fetch LoRA node.
import { loadWords } from "./words.mjs";

export const words = await loadWords("fetch_lora");
