// How small numbers are written.

const HIGH = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };
const raised = (power) => [...String(power)].map((digit) => HIGH[digit]).join("");

/** A power of ten as an axis shows it. */
export function power(value) {
  return value >= 0.009 ? String(Number(value.toPrecision(1))) : `10${raised(Math.round(Math.log10(value)))}`;
}

/** Three digits of a number that may be very small: 0.0124, 3.1 × 10⁻⁷. */
export function small(value) {
  if (value === 0) return "0";
  if (value >= 0.001) return value.toPrecision(3);
  const [digits, exponent] = value.toExponential(1).split("e");
  return `${digits} × 10${raised(Number(exponent))}`;
}
