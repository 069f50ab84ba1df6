// What the LoRA Stack's menus offer: for a row, for the whole stack, presets, and blocks.
import { askText, button, copyText, make, menu, popup } from "./lora_stack_dom.mjs";
import { stem } from "./lora_stack_rows.mjs";
import { ask, list } from "./lora_stack_server.mjs";
import { words } from "./lora_stack_words.mjs";

// edit: change(changes), duplicate(), remove(), tag()
export function rowMenu(anchor, row, facts, edit) {
  const known = facts?.presets ?? [];
  const preset = (name, text) => ({
    text,
    checked: row.blocks === name,
    disabled: name !== "all" && !known.includes(name),
    note: name !== "all" && !known.includes(name) ? words("for_sdxl") : "",
    onClick: () => edit.change({ blocks: name }),
  });
  menu(anchor, [
    { text: words("duplicate"), symbol: "clone", onClick: edit.duplicate },
    {
      text: words("lock"),
      checked: row.locked,
      onClick: () => edit.change({ locked: !row.locked }),
    },
    {
      text: words("own_text"),
      checked: row.text !== null,
      onClick: () => edit.change({ text: row.text === null ? row.model : null }),
    },
    "line",
    preset("all", words("all_blocks")),
    preset("style", words("style_blocks")),
    preset("content", words("content_blocks")),
    {
      text: words("set_blocks"),
      checked: typeof row.blocks === "object",
      disabled: !facts?.blocks?.length,
      onClick: () => editBlocks(anchor, row, facts.blocks, edit.change),
    },
    "line",
    { text: words("copy_as"), symbol: "copy", disabled: !row.lora, onClick: edit.tag },
    { text: words("remove"), symbol: "trash", danger: true, onClick: edit.remove },
  ]);
}

// A factor for every block that the file has; 1 is as trained.
function editBlocks(anchor, row, blocks, change) {
  const factors = typeof row.blocks === "object" ? { ...row.blocks } : {};
  popup(anchor, "-blocks", (panel) => {
    make("div", "-ask-title", panel, words("blocks_of", { lora: stem(row.lora) }));
    const table = make("div", "-blocks-table", panel);
    const sliders = blocks.map((block) => {
      make("label", "-block-name", table, block.replaceAll("_", " "));
      const slider = make("input", "-block-slider", table);
      Object.assign(slider, { type: "range", min: 0, max: 2, step: 0.05, value: factors[block] ?? 1 });
      slider.setAttribute("aria-label", block);
      const shown = make("output", "-block-value", table, Number(slider.value).toFixed(2));
      slider.addEventListener("input", () => {
        shown.textContent = Number(slider.value).toFixed(2);
      });
      slider.addEventListener("change", () => set({ [block]: Number(slider.value) }));
      return { block, slider, shown };
    });
    function set(changes) {
      Object.assign(factors, changes);
      for (const { block, slider, shown } of sliders) {
        slider.value = factors[block] ?? 1;
        shown.textContent = Number(slider.value).toFixed(2);
      }
      const kept = Object.fromEntries(Object.entries(factors).filter(([, factor]) => factor !== 1));
      change({ blocks: Object.keys(kept).length ? kept : "all" });
    }
    const every = (value) => set(Object.fromEntries(blocks.map((block) => [block, value])));
    const line = make("div", "-ask-line", panel);
    button("-button", line, { text: words("all_1"), onClick: () => every(1) });
    button("-button", line, { text: words("all_0"), onClick: () => every(0) });
  });
}

// edit: state(), rowsText(), addRows(rows), replaceRows(rows), setMissing(how), clear()
export function stackMenu(anchor, edit) {
  const { rows, missing } = edit.state();
  menu(anchor, [
    { text: words("paste"), symbol: "file-import", onClick: () => pasteText(anchor, edit) },
    {
      text: words("copy_text"),
      symbol: "copy",
      disabled: !rows.length,
      onClick: () => edit.guarded(() => copyTags(anchor, edit.rowsText())),
    },
    "line",
    {
      text: words("skip_missing"),
      checked: missing === "skip",
      onClick: () => edit.setMissing(missing === "skip" ? "refuse" : "skip"),
    },
    "line",
    { text: words("remove_all"), symbol: "trash", danger: true, disabled: !rows.length, onClick: edit.clear },
  ]);
}

function pasteText(anchor, edit) {
  askText(anchor, {
    title: words("paste_title"),
    action: words("paste_do"),
    multiline: true,
    submit: async (text) => edit.addRows((await ask("from_text", { text })).rows),
  });
}

export async function copyTags(anchor, rows) {
  const { text } = await ask("to_text", { rows });
  askText(anchor, {
    title: words("copy_title"),
    value: text,
    action: words("copy"),
    multiline: true,
    readOnly: true,
    submit: (said) => copyText(said),
  });
}

export async function presetMenu(anchor, edit) {
  const { presets } = await list(true);
  const { rows } = edit.state();
  const load = async (name) => edit.replaceRows((await ask("presets", { action: "load", name })).rows);
  menu(anchor, [
    ...presets.map((name) => ({ text: name, symbol: "bookmark", onClick: () => edit.guarded(() => load(name)) })),
    ...(presets.length ? ["line"] : []),
    {
      text: words("save_rows"),
      symbol: "save",
      disabled: !rows.length,
      onClick: () => savePreset(anchor, edit, presets),
    },
    {
      text: words("delete_preset"),
      symbol: "trash",
      danger: true,
      disabled: !presets.length,
      onClick: () => menu(anchor, presets.map((name) => ({
        text: name,
        symbol: "trash",
        danger: true,
        onClick: () => edit.guarded(() => ask("presets", { action: "delete", name })),
      }))),
    },
  ]);
}

function savePreset(anchor, edit, presets) {
  askText(anchor, {
    title: words("preset_name"),
    action: words("save"),
    submit: (said, panel) => {
      const name = said.trim();
      const main = panel.querySelector("button");
      const replace = main.dataset.replace === name;
      if (presets.includes(name) && !replace) {
        main.dataset.replace = name;
        main.textContent = words("replace");
        throw new Error(words("preset_taken", { name }));
      }
      return ask("presets", { action: "save", name, rows: edit.rowsText(), replace });
    },
  });
}
