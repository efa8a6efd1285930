// From logits to the probabilities that the next token is drawn from, rung by rung: the arithmetic
// of lstm_lm/writing/sampling.py, which a test holds it against, so that settings can be tried at once.

const total = (values) => values.reduce((sum, value) => sum + value, 0);

/** Natural log of the softmax. */
export function logProbabilities(logits) {
  const largest = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  const shifted = Float64Array.from(logits, (logit) => logit - largest);
  const norm = Math.log(total(shifted.map(Math.exp)));
  return shifted.map((value) => value - norm);
}

/** Of a distribution, in bits. */
export const entropyBits = (p) => total(p.map((each) => (each > 0 ? -each * Math.log2(each) : 0)));

/**
 * Every rung.
 * @param logits Float32Array (V,).
 * @param settings {temperature, top_k, top_p, min_p}; null or 0 (top_p: 1) leaves all.
 * @returns logProbs, scaled, tempered, probabilities: Float64Array (V,); order: ids, likeliest
 *   first; left: {top_k, top_p, min_p}, how many of these each rule leaves; entropies in bits.
 */
export function ladder(logits, { temperature, top_k: topK, top_p: topP, min_p: minP }) {
  const size = logits.length;
  const largest = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  const scaled = new Float64Array(size).fill(-Infinity);
  if (temperature === 0) scaled[logits.indexOf(largest)] = 0;
  else logits.forEach((logit, id) => (scaled[id] = (logit - largest) / temperature));
  const logProbs = logProbabilities(logits);
  const tempered = logProbabilities(scaled).map(Math.exp);
  const order = Array.from(tempered.keys()).sort((a, b) => tempered[b] - tempered[a] || a - b);
  const left = { top_k: topK ? Math.min(size, topK) : size };
  left.top_p = left.top_k;
  if (topP !== null && topP < 1) {
    const considered = order.slice(0, left.top_k);
    const all = total(considered.map((id) => tempered[id]));
    let held = 0;
    const enough = considered.findIndex((id) => (held += tempered[id]) / all >= topP);
    left.top_p = enough < 0 ? left.top_k : enough + 1;
  }
  const floor = minP ? minP * tempered[order[0]] : 0;
  left.min_p = order.slice(0, left.top_p).filter((id) => tempered[id] >= floor).length;
  const probabilities = new Float64Array(size);
  const kept = order.slice(0, left.min_p);
  const mass = total(kept.map((id) => tempered[id]));
  for (const id of kept) probabilities[id] = tempered[id] / mass;
  return {
    logProbs, scaled, tempered, order, left, probabilities,
    entropy: entropyBits(logProbs.map(Math.exp)), drawnEntropy: entropyBits(probabilities),
  };
}
