// How numbers are written on the page: three digits after the point, a true minus sign.

export const number = (value, digits = 3) => value.toFixed(digits).replace("-", "−");

/** With its sign, as in a sum. */
export const signed = (value) => (value.toFixed(3).startsWith("-") ? number(value) : `+${number(value)}`);

/** A share of one as a whole percentage. */
export const percent = (share, digits = 0) => `${(100 * share).toFixed(digits)} %`;
