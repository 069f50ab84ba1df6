// The widget of the LoRA Stack node. Its value is one JSON text with the rows; see lora_stack_rows.mjs.
import { app } from "../../../scripts/app.js";
import { baseOf } from "./lora_stack_base.mjs";
import { copyText } from "./lora_stack_dom.mjs";
import { copyTags, presetMenu, rowMenu, stackMenu } from "./lora_stack_menus.mjs";
import { pickLora } from "./lora_stack_picker.mjs";
import * as rowsOf from "./lora_stack_rows.mjs";
import { ask, forget, info, infoOf } from "./lora_stack_server.mjs";
import { createStackView } from "./lora_stack_view.mjs";
import { addStylesheet } from "./stylesheet.mjs";

const WIDGET_TYPE = "LORASMITH_LORA_STACK";
const MARGINS = 20; // ComfyUI's own, above and below a widget
const MIN_WIDTH = 440; // below it, a name and two strengths do not fit side by side
const CHECK_DELAY_MS = 120;
const widgets = new Set(); // of nodes in a graph

function createController(node) {
  let state = rowsOf.parse("");
  let answer = null; // what the server found about the rows
  let taken = null; // the rows before suggestions were taken
  let timer = null;
  let asked = 0;

  const view = createStackView({
    add: (anchor) =>
      pickLora(anchor, { many: true, used: new Set(state.rows.map((row) => row.lora)), choose: addLora }),
    pick: (id, anchor) => pickLora(anchor, { current: rowOf(id).lora, choose: (name) => setLora(id, name) }),
    change: (id, changes, how) => set(rowsOf.change(state.rows, id, changes), how),
    menu: (id, anchor) => rowMenu(anchor, rowOf(id), infoOf(rowOf(id).lora), editRow(id, anchor)),
    nudge: (id, by) => set(rowsOf.move(state.rows, id, state.rows.findIndex((row) => row.id === id) + by)),
    move: (id, to) => set(rowsOf.move(state.rows, id, to)),
    useNear: (id, name) => setLora(id, name),
    toggleAll: (on) => set(state.rows.map((row) => ({ ...row, on }))),
    take: (id) => takeSuggested([id]),
    takeAll: () => takeSuggested(state.rows.map((row) => row.id)),
    undo: () => {
      const before = taken;
      taken = null;
      set(before);
    },
    copy: (text, anchor) => guarded(async () => {
      await copyText(text);
      anchor.classList.add("done");
      setTimeout(() => anchor.classList.remove("done"), 1200);
    }),
    presets: (anchor) => guarded(() => presetMenu(anchor, editStack)),
    more: (anchor) => stackMenu(anchor, editStack),
    resized: fit,
  });

  const editRow = (id, anchor) => ({
    change: (changes) => set(rowsOf.change(state.rows, id, changes)),
    duplicate: () => set(rowsOf.duplicate(state.rows, id)),
    remove: () => set(state.rows.filter((row) => row.id !== id)),
    tag: () => guarded(() => copyTags(anchor, rowsOf.write({ ...state, rows: [{ ...rowOf(id), on: true }] }))),
  });

  const editStack = {
    state: () => state,
    guarded,
    rowsText: () => rowsOf.write(state),
    addRows: (rows) => set([...state.rows, ...rows.map((row) => ({ ...row, id: rowsOf.newId() }))]),
    replaceRows: (rows) => set(rows.map((row) => ({ ...row, id: rowsOf.newId() }))),
    setMissing: (missing) => {
      state = { ...state, missing };
      set(state.rows);
    },
    clear: () => set([]),
  };

  const rowOf = (id) => state.rows.find((row) => row.id === id);

  async function guarded(work) {
    view.showProblem("");
    try {
      await work();
    } catch (error) {
      view.showProblem(error.message);
    }
  }

  // A LoRA that was just chosen brings its first trigger word and the strength that its page recommends.
  function withFacts(row, facts) {
    return { ...row, words: facts?.words?.length ? [facts.words[0]] : [], model: facts?.preferred ?? row.model };
  }

  async function addLora(name) {
    const row = rowsOf.newRow(name);
    set([...state.rows, row]);
    const facts = await info(name).catch(() => null);
    if (rowOf(row.id)) set(rowsOf.change(state.rows, row.id, withFacts(rowOf(row.id), facts)));
    view.focusStrength(row.id);
  }

  async function setLora(id, name) {
    set(rowsOf.change(state.rows, id, { lora: name, words: [], blocks: "all" }));
    view.focusRow(id);
    const facts = await info(name).catch(() => null);
    if (rowOf(id)?.lora === name) set(rowsOf.change(state.rows, id, { words: withFacts(rowOf(id), facts).words }));
  }

  function takeSuggested(ids) {
    const before = state.rows;
    const found = answer?.suggested ?? {};
    const next = state.rows.map((row) => {
      const wanted = ids.includes(row.id) ? found[row.id] : undefined;
      if (wanted === undefined || row.locked) return row;
      const text = row.text === null ? null : rowsOf.round(row.model ? (row.text * wanted) / row.model : row.text);
      return { ...row, model: wanted, text };
    });
    set(next);
    taken = before;
    show();
  }

  // done: false while a drag goes on, when nothing but the page changes yet.
  function set(rows, { done = true } = {}) {
    state = { ...state, rows };
    taken = null;
    show();
    later();
    if (!done) return;
    fit();
    changed();
  }

  function changed() {
    node.graph?.setDirtyCanvas(true, true);
    app.canvas?.emitBeforeChange?.(); // the wheel ends with no click: ComfyUI's undo has to be told
    app.canvas?.emitAfterChange?.();
  }

  function later() {
    clearTimeout(timer);
    timer = setTimeout(refresh, CHECK_DELAY_MS);
  }

  async function refresh() {
    if (!node.graph) return;
    const number = ++asked;
    const names = [...new Set(state.rows.map((row) => row.lora).filter(Boolean))];
    try {
      await Promise.all(names.map(info));
      show();
      const found = names.length ? await ask("check", { rows: rowsOf.write(state), base: baseOf(node) }) : null;
      if (number !== asked) return;
      answer = found;
      view.showProblem(found?.problem ?? "");
    } catch (error) {
      if (number !== asked) return;
      answer = null;
      view.showProblem(error.message);
    }
    show();
  }

  // What was found, row by row; a finding about several rows is told once, at the last of them.
  function findings() {
    const order = new Map(state.rows.map((row, place) => [row.id, place]));
    const said = (answer?.findings ?? []).filter(({ code, rows }) =>
      rows.length && !["over_budget", "strong", "left_out"].includes(code));
    const last = ({ rows }) => rows.reduce((a, b) => ((order.get(a) ?? -1) > (order.get(b) ?? -1) ? a : b));
    return {
      verdict: answer?.verdict,
      compared: Object.keys(answer?.rows ?? {}).length,
      sentences: (answer?.findings ?? []).map(({ text }) => text),
      of: (id) => ({
        fits: answer?.fits?.[id],
        suggested: answer?.suggested?.[id],
        findings: rowOf(id)?.on ? said.filter((finding) => last(finding) === id) : [],
      }),
    };
  }

  function show() {
    view.show(state, infoOf, findings(), Boolean(taken));
  }

  function fit() {
    const wanted = node.computeSize();
    node.setSize([Math.max(node.size[0], wanted[0], MIN_WIDTH), wanted[1]]);
    node.graph?.setDirtyCanvas(true, true);
  }

  function setState(next) {
    state = next;
    taken = null;
    answer = null;
    show();
    later();
  }

  show();
  view.showProblem("");
  return {
    view,
    refresh: later,
    usualHeight: () => 180 + 62 * state.rows.length,
    getValue: () => rowsOf.write(state),
    forRun: () => rowsOf.writeForRun(state),
    setValue: (text) => setState(rowsOf.parse(text)),
    // A workflow from before there were rows: its three values become a row, its unused sockets go.
    readOld(said) {
      const linked = new Set(node.inputs.filter((input) => rowsOf.isOldInput(input.name) && input.link != null)
        .map((input) => input.name));
      const old = rowsOf.fromOldValues(said.widgets_values, linked);
      if (old) setState(old);
      for (let slot = node.inputs.length - 1; slot >= 0; slot--) {
        const { name, link } = node.inputs[slot];
        if (rowsOf.isOldInput(name) && link == null) node.removeInput(slot);
      }
      fit();
    },
  };
}

function refreshAll() {
  forget();
  for (const controller of widgets) controller.refresh();
}

app.registerExtension({
  name: "lorasmith.lora_stack",

  getCustomWidgets() {
    return {
      [WIDGET_TYPE](node, inputName) {
        const controller = createController(node);
        const { view } = controller;
        const widget = node.addDOMWidget(inputName, WIDGET_TYPE, view.element, {
          hideOnZoom: false,
          getValue: controller.getValue,
          setValue: controller.setValue,
          getMinHeight: () => view.wantedHeight() + MARGINS,
        });
        widget.serializeValue = controller.forRun;
        widgets.add(controller);
        const { onRemove } = widget;
        widget.onRemove = function () {
          widgets.delete(controller);
          view.removed();
          onRemove?.apply(this, arguments);
        };
        const { onConfigure, onConnectionsChange, onSerialize } = node;
        // Words under a row come and go by themselves: the height they need is no change of the workflow.
        node.onSerialize = function (said) {
          onSerialize?.apply(this, arguments);
          said.size = [said.size[0], controller.usualHeight()];
        };
        node.onConfigure = function (said) {
          onConfigure?.apply(this, arguments);
          controller.readOld(said);
        };
        node.onConnectionsChange = function () {
          onConnectionsChange?.apply(this, arguments);
          controller.refresh();
        };
        return { widget, minWidth: MIN_WIDTH, minHeight: 110 };
      },
    };
  },

  setup() {
    addStylesheet("lora_stack");
  },
  // The user pressed R, or a LoRA was saved: files may have come or gone.
  refreshComboInNodes: refreshAll,
});
