// The stops of the tour: what each says, what there is to do, and how one sees that it was done.
// Every number that is said is the model's, read from the workbench or asked of the server.

import { make } from "../../../web/elements.js";
import { number, percent } from "../../../web/numbers.js";
import { quoted, visible } from "../../../web/strip.js";
import { byHand, ends, hidden, isShut, look, onlyOne, placesOf } from "./doing.js";

const HOCHREITER = ["Hochreiter and Schmidhuber 1997, Long Short-Term Memory", "https://doi.org/10.1162/neco.1997.9.8.1735"];
const GERS = ["Gers, Schmidhuber and Cummins 2000, Learning to Forget", "https://doi.org/10.1162/089976600300015015"];
const BENGIO = ["Bengio, Simard and Frasconi 1994, Learning long-term dependencies is difficult", "https://doi.org/10.1109/72.279181"];
const KARPATHY = ["Karpathy, Johnson and Fei-Fei 2015, Visualizing and Understanding Recurrent Networks", "https://arxiv.org/abs/1506.02078"];
const HOLTZMAN = ["Holtzman and others 2020, The Curious Case of Neural Text Degeneration", "https://arxiv.org/abs/1904.09751"];
const VASWANI = ["Vaswani and others 2017, Attention Is All You Need", "https://arxiv.org/abs/1706.03762"];
const ALAIN = ["Alain and Bengio 2017, Understanding intermediate layers using linear classifier probes", "https://arxiv.org/abs/1610.01644"];
const HARD = ["Hard and others 2018, Federated Learning for Mobile Keyboard Prediction", "https://arxiv.org/abs/1811.03604"];

const QUOTED = 60; // characters of a branch that the card quotes
const OWN_WEIGHTS = "Each gate has weights W and a bias b of its own, learned in training; x is what was read, as numbers, h′ what all units showed at the step before.";

const signalShown = (bench) => bench.columns.signals[bench.view.signal].name;
const findingOf = (bench, signal) =>
  signalShown(bench) === signal ? bench.finding.now() : bench.finding.found?.[signal]?.[bench.view.layer];

/** Whether this signal is shown and, where its finding names a place, that place is pinned. */
function atFinding(bench, signal) {
  const finding = findingOf(bench, signal);
  if (signalShown(bench) !== signal || !finding) return false;
  const { pin } = bench.view;
  if (finding.step == null) return true;
  return pin?.step === finding.step && (finding.unit == null || pin.unit === finding.unit);
}

/** The numbers of the pinned step, once they are the ones that are shown. */
function numbersAt(bench) {
  const { numbers } = bench.inside;
  const { pin, layer } = bench.view;
  return pin && numbers?.step === pin.step && numbers.unit === pin.unit && numbers.layer === layer ? numbers : null;
}

/** The button of a view. */
export const tab = (name) => [...document.querySelectorAll("#views button[role=tab]")].find((each) => each.textContent.trim() === name);

/** How often a person has done the thing in a card of the Try view. */
const times = (card, what) => Number(document.querySelector(`#try .${card}`)?.dataset[what] ?? 0);

/** Where the numbers are of, as a sentence begins. */
const at = ({ step, unit }, { columns }) => `At step ${step + 1}, reading ${quoted(columns.tokens[step])}, unit ${unit}`;

/** How a branch goes on, beside the text that it left. */
function bothTexts(lane) {
  const of = ({ columns }) => columns.tokens.slice(lane.from, lane.from + QUOTED).map((token) => visible(token, false)).join("");
  return `As it was: ${of(lane.parent)} …\nNow: ${of(lane)} …`;
}

/** The stops that grow branches take them away again, and leave those that were there before. */
function prune(bench, { lanes }) {
  const { pin, cursor } = bench.view;
  const kept = bench.branches.lanes.filter((lane) => !lanes || lanes.has(lane));
  if (kept.length === bench.branches.lanes.length) return;
  bench.branches.keep(kept);
  const gone = ({ lane }) => lane !== bench.lane && !kept.includes(lane);
  if (cursor && gone(cursor)) bench.cursor.moveTo(null);
  if (pin && gone(pin)) bench.pin(Math.min(pin.step, bench.columns.end - 1), pin.unit, { lane: bench.lane, quiet: true });
}

/**
 * Each stop: `name`, `words` (paragraphs), `task`, `target` (a selector in the Write view, or in the page),
 * `then(bench)` another target once something was done, `shows` what is scrolled to when all is,
 * `begin(memo, bench, server)` remembers (`memo.left`: the stop was left meanwhile) how things were, `done(bench, memo)`, `seen(bench, memo)` a sentence for
 * what came of it, `own(host, bench, memo, server)` elements of its own, `terms`, `sources`,
 * `leave(bench, memo)` what is put back when one goes on, `view` the view it is in if not Write, `left` whether the card stands on that side.
 */
export const STOPS = [
  {
    name: "One column a step",
    words: [
      "The model reads and writes one token at a time. Each step is a column of the picture; each row is a unit, a single memory cell.",
      "What you see is the cell state: what every unit holds in its memory after that step.",
    ],
    task: "Click a column of the picture.",
    target: ".scroller",
    begin: (memo, { view }) => Object.assign(memo, { step: view.pin?.step, unit: view.pin?.unit }),
    done: ({ view }, memo) => view.pin && (view.pin.step !== memo.step || view.pin.unit !== memo.unit),
    seen: ({ view, columns }) =>
      `At step ${view.pin.step + 1} the model reads ${quoted(columns.tokens[view.pin.step])}. A layer has ${columns.units} units; the line under the picture and the card below speak of unit ${view.pin.unit}.`,
    terms: {
      token: "The piece of text that is read at one step: here a character, in other models a part of a word.",
      unit: "One of the cells of a layer, with a memory and three gates of its own.",
      layer: "Units that read the same input at the same time.",
      "↵ ␣": "A line’s end and a space, made visible.",
    },
    sources: [HOCHREITER],
  },
  {
    name: "The memory is a conveyor",
    words: [
      "A plain recurrent network writes its whole memory anew at every step. An LSTM’s memory, the cell state c, is carried along: multiplied by one number and added to, and nothing else.",
      "c = f × c′ + i × g: what was there, times how much is kept, plus what is written.",
    ],
    task: "The tour has gone to a unit that keeps. Move three steps on with the arrow → in the card “Inside step …”, and watch the ledger.",
    target: ".inside",
    begin: async (memo, bench, server) => {
      const places = await placesOf(bench, server);
      if (memo.left) return;
      if (places && bench.view.pin) look(bench, "cell_state", places.keep.layer, places.keep.start, places.keep.unit);
      memo.step = bench.view.pin?.step ?? 0;
    },
    done: (bench, memo) => Math.abs((bench.view.pin?.step ?? memo.step) - memo.step) >= 3 && Boolean(numbersAt(bench)),
    seen: (bench) => {
      const { kept, written, c_before: before, signals, step, unit } = numbersAt(bench) ?? bench.inside.numbers;
      return `At step ${step + 1} unit ${unit} held ${number(before)}; ${number(kept)} of it was kept, ${number(written)} was written, and it holds ${number(signals.cell_state)} now.`;
    },
    terms: {
      "cell state": "c, the memory of a unit: a number that may grow beyond 1.",
      "c′": "The cell state that the step before left behind.",
    },
    sources: [HOCHREITER],
  },
  {
    name: "The forget gate keeps",
    words: [
      "f is between 0 and 1 and multiplies the memory: at 1 everything is kept, at 0 all is forgotten. Each unit works out its own from what it reads and from h′, what all units showed at the step before.",
    ],
    task: "Press “Forget gate”, then “show me where” beside the sentence above the picture.",
    target: ".opening, .switches",
    done: (bench) => atFinding(bench, "forget_gate"),
    seen: (bench) => `${findingOf(bench, "forget_gate").sentence} You are now at step ${bench.view.pin.step + 1}, ${quoted(bench.columns.tokens[bench.view.pin.step])}.`,
    terms: {
      "forget gate": "f = σ(W_if x + W_hf h′ + b_f): the share of the memory that is kept. The first LSTM had none; it came three years later.",
      "W, b, x, h′": OWN_WEIGHTS,
      "σ": "The sigmoid, which turns any number into one between 0 and 1.",
      "stands out": "Said of a finding that the same text, shifted in time against the model’s numbers on purpose, hardly ever matches: so it is not luck.",
    },
    sources: [GERS],
  },
  {
    name: "What if it were shut?",
    words: ["To see what a gate is for, take it away: hold it at 0, and let the model write again with the same random numbers. Each unit then forgets all that it held, at every step."],
    task: "Press “What if …”. It is set to the forget gate, of all units, at 0. Press “Write again”.",
    target: ".whatif",
    own: onlyOne,
    begin: (memo, { whatIf, branches }) => {
      memo.lanes = new Set(branches.lanes);
      whatIf.offer("forget_gate", 0);
    },
    done: ({ branches }, memo) => branches.lanes.some((lane) => isShut(lane) && !memo.lanes.has(lane)),
    seen: ({ branches }) => {
      const lane = branches.lanes.findLast(isShut);
      return `${lane.sentence}\n${bothTexts(lane)}`;
    },
    shows: ".plot",
    leave: prune,
    terms: { "log-probability, in nats": "How likely the model finds a text: the natural logarithm, so that 1 nat less is 2.7 times less likely." },
    sources: [GERS],
  },
  {
    name: "The input gate writes",
    words: [
      "The candidate g, between −1 and 1, is what could be written. The input gate i, between 0 and 1, says how much of it is. Their product is added to the memory.",
    ],
    task: "Press “Input gate”, then “show me where”. Then press the box “i input gate” in the card “Inside step …”: its sum opens.",
    target: ".opening, .switches",
    then: (bench) => atFinding(bench, "input_gate") && ".inside",
    done: (bench) => atFinding(bench, "input_gate") && bench.inside.open === "input_gate" && Boolean(numbersAt(bench)),
    seen: (bench) => {
      const { signals, sums } = numbersAt(bench) ?? bench.inside.numbers;
      const { total } = sums.find(({ signal }) => signal === "input_gate");
      return `${at(bench.inside.numbers, bench)}: its sum is ${number(total)}, and σ of that ${number(signals.input_gate)}: ${percent(signals.input_gate)} of the candidate, ${number(signals.candidate)}, goes into the memory.`;
    },
    terms: {
      "input gate": "i = σ(W_ii x + W_hi h′ + b_i): how much is written.",
      candidate: "g = tanh(W_ig x + W_hg h′ + b_g): what is written.",
      tanh: "Turns any number into one between −1 and 1.",
      "W, b, x, h′": OWN_WEIGHTS,
    },
    sources: [HOCHREITER],
  },
  {
    name: "The output gate shows",
    words: [
      "A memory need not be seen at every step. h = o × tanh(c) is what the rest of the model gets to see; o, between 0 and 1, opens or shuts that window, and the memory behind it stays.",
    ],
    task: "Go to the place where most is held and not shown, and look at o, c and h in the card “Inside step …”.",
    target: ".inside",
    own: hidden,
    done: (bench, memo) => memo.went && signalShown(bench) === "output_gate" && Boolean(numbersAt(bench)),
    seen: (bench) => {
      const numbers = numbersAt(bench) ?? bench.inside.numbers;
      const { signals } = numbers;
      return `${at(numbers, bench)} holds ${number(signals.cell_state)}, but its output gate is at ${number(signals.output_gate)}: ${percent(signals.output_gate)} of tanh(${number(signals.cell_state)}) is shown, and h is ${number(signals.hidden_state)}. What it holds stays.`;
    },
    terms: {
      "output gate": "o = σ(W_io x + W_ho h′ + b_o): how much of the memory is shown.",
      "W, b, x, h′": OWN_WEIGHTS,
      "hidden state": "h, what a unit shows: to its own layer at the next step, to the layer above, and to the decoder that names the next token.",
    },
    sources: [HOCHREITER],
  },
  {
    name: "One step by hand",
    words: ["You have all the parts. Here are the numbers of the step and unit that are pinned; the card “Inside step …” has them too."],
    task: "Work out the memory now: c = f × c′ + i × g.",
    target: ".inside",
    own: byHand,
    done: (_, memo) => memo.right,
    seen: (bench, memo) => `Yes: ${memo.right}. That is all an LSTM does, ${bench.columns.units * bench.columns.layers} times a step.`,
    terms: { "×": "Each unit by itself: one gate times one memory." },
    sources: [HOCHREITER],
  },
  {
    name: "A long memory",
    words: ["While its forget gate stays near 1, a unit keeps what it holds. This is the longest such stretch of this text, over all units that change at all."],
    task: "Go to where it begins, then to where it ends.",
    target: ".scroller",
    own: ends,
    done: (_, memo) => memo.found && memo.from && memo.to,
    seen: (_, { found }) => {
      const steps = found.stop - found.start;
      return `${steps} steps lie between, and ${percent(found.share)} of what unit ${found.unit} held, ${number(found.held)}, is still in its memory: ${number(found.share * found.held)}. Whatever else it holds by then was written on the way.`;
    },
    terms: { "long-term dependency": "Something that decides a token long before it comes: an opened bracket, who is speaking, how far the line has got." },
    sources: [BENGIO, HOCHREITER],
  },
  {
    name: "Why a plain RNN forgets",
    words: [
      "A plain RNN has no conveyor. What it read must pass through a matrix and a tanh at every step, and so must the gradient that would teach it to remember: it shrinks with each step, until nothing can be learned from what is far back.",
      "Along an LSTM’s memory the gradient is multiplied by the forget gate and by nothing else: where that stays near 1, it hardly shrinks. The model learns itself where to keep it there.",
    ],
    task: "Open the view “Memory”, and look how far back each of the two still reaches.",
    target: "#views [role=tablist]",
    left: true,
    done: () => tab("Memory").getAttribute("aria-selected") === "true" && Boolean(document.querySelector("#memory .finding[aria-busy=false]")),
    seen: () => {
      const reach = document.querySelector("#memory .evidence").textContent.match(/(LSTM|plain RNN): .*/)?.[0] ?? "";
      return `${document.querySelector("#memory .sentence").textContent} How far back the gradient reaches: ${reach}`;
    },
    terms: {
      RNN: "Recurrent neural network: one that reads a text step by step and hands what it remembers to the next step. An LSTM is one with gates.",
      "vanishing gradient": "The influence of a step on a later one, multiplied by a number below 1 at every step between.",
    },
    sources: [BENGIO],
  },
  {
    name: "What a unit has learned",
    words: [
      "Nobody told the model about lines, words or speakers. Yet some units follow them: their memory can be read like a gauge. The page computes the property from the text alone, and then asks which unit goes with it.",
    ],
    task: "Press “Cell state”, then “show me where”.",
    target: ".finding",
    done: (bench) => atFinding(bench, "cell_state"),
    seen: (bench) =>
      `${findingOf(bench, "cell_state").sentence} ${findingOf(bench, "cell_state").evidence} The view “Units” has the best unit for each property, and a page for every unit.`,
    terms: {
      "|r|": "How closely two lines go together, from 0 to 1 (Pearson’s correlation).",
      "average precision": "How well a unit’s largest values pick out the places that have a property: 1 is perfect.",
      detector: "A unit whose value goes with a property of the text, chosen on one half of it and scored on the other.",
    },
    sources: [KARPATHY],
  },
  {
    name: "From memory to text",
    words: [
      "From h the decoder gives every token a number, its logit. Divided by the temperature, raised to a power of e and made to sum to 1 (softmax), they are probabilities, and one token is drawn.",
      "A low temperature takes the likeliest; a high one takes risks.",
    ],
    task: "The tour has gone to the step at which this model was least sure. In “What else could have come next”, drag the temperature and watch the bars. Then press a token that was not taken.",
    target: ".ladder",
    left: true,
    begin: async (memo, bench, server) => {
      Object.assign(memo, { lanes: new Set(bench.branches.lanes), settings: bench.ladder.settings });
      memo.tick = () => {
        memo.dragged ||= bench.ladder.settings !== memo.settings;
      };
      const places = await placesOf(bench, server);
      if (memo.left || memo.dragged) return;
      if (places && bench.view.pin) look(bench, signalShown(bench), bench.view.layer, places.open, bench.view.unit);
    },
    done: ({ branches }, memo) => memo.dragged && branches.lanes.some((lane) => !memo.lanes.has(lane) && !("first" in lane)),
    seen: ({ branches }) => {
      const lane = branches.lanes.findLast((each) => !("first" in each));
      return `${lane.sentence}\n${bothTexts(lane)}`;
    },
    shows: ".plot",
    leave: prune,
    terms: {
      logit: "A number for each token that could come next; the larger, the likelier.",
      temperature: "What the logits are divided by. 0 always takes the likeliest.",
    },
    sources: [HOLTZMAN],
  },
  {
    name: "What LSTMs are for",
    words: [
      "A language model says how likely a text is: that is how keyboards complete words and how a recogniser chooses between what it may have heard. For large models Transformers have taken over: they look back at every earlier token at once and train on all positions together. An LSTM still needs one fixed-size state and one cheap step a token, however long the text: on small machines and for signals that never end that counts.",
    ],
    task: "Here is the view “Try”. Complete a word if you like, and change a word in “Which is likelier?”.",
    target: "#try .likelier",
    view: "Try",
    left: true,
    begin: (memo) => Object.assign(memo, { before: times("likelier", "compared") }),
    done: (_, memo) => times("likelier", "compared") > memo.before,
    seen: () => document.querySelector("#try .likelier .verdict").textContent,
    terms: { scoring: "Adding up the log-probability of every token of a text." },
    sources: [HARD, VASWANI],
  },
  {
    name: "Tell two authors apart",
    words: [
      "A trained model is also of use for what it was not trained for. What its units show over a text, averaged, is a list of numbers that says something of how it is written. A linear probe weighs these numbers, and so learns from a few examples to tell two authors apart.",
      "Whether it has learned anything is seen on examples that it has not seen, and against labels that were shuffled.",
    ],
    task: "In the view “Try”, take two authors or paste examples of your own, and press “Tell them apart”.",
    target: "#try .authors",
    view: "Try",
    begin: (memo) => Object.assign(memo, { before: times("authors", "trained") }),
    done: (_, memo) => times("authors", "trained") > memo.before,
    seen: () => document.querySelector("#try .results .verdict").textContent,
    terms: {
      "linear probe": "A weight for each unit and a sum: nothing more. What it tells was already there in the hidden state.",
      "cross-validation": "The examples are split in parts; each is told by a probe that was trained on the others.",
    },
    sources: [ALAIN],
  },
  {
    name: "Now train your own",
    words: [
      "What you take with you: the forget gate keeps, the input gate writes, the output gate shows; and the memory between them is only ever scaled and added to, which is why it lasts.",
      "Everything here works on a model of yours: its text, its units, its gates. In the folder of this project:",
    ],
    view: "Training",
    task: "",
    own: (host) => host.append(make("pre", "", "python train.py --text my-book.txt\npython app.py --model runs/my-book-char")),
    done: () => true,
    seen: () => "While it trains, the view “Training” shows its loss and what it writes at each evaluation.",
    terms: {},
    sources: [],
  },
];
