// What a view makes of a question to the server: an answer, or an error's line, said as a sentence.

export const GONE = { error: "this model is no longer here: choose another" };
export const SILENT = { error: "the server did not answer: try again" };

/** What a question comes to; that nothing came back is an answer too: `none` where the server had none. */
export async function answerOf(ask, none = GONE) {
  try {
    return (await ask()) ?? none;
  } catch {
    return SILENT;
  }
}

/** An error's line as a sentence. */
export const sentenceOf = (line) =>
  line && `${line[0].toUpperCase()}${line.slice(1)}${/[.!?…]$/.test(line) ? "" : "."}`;
