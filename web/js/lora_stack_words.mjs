// The words of the LoRA Stack node.
import { loadWords } from "./words.mjs";

export const words = await loadWords("lora_stack");
