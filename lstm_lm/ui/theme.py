"""The page's look: gradio's plain theme in our colours, no font or file from elsewhere."""

from gradio import themes
from gradio.themes import Color

TEAL = Color(
    c50="#eef7f6",
    c100="#d5ecea",
    c200="#abd9d5",
    c300="#79c0bb",
    c400="#46a19c",
    c500="#23837f",
    c600="#0b6b6b",
    c700="#075556",
    c800="#054345",
    c900="#063a44",
    c950="#042429",
)

PAGE_CSS = """
:root { --lm-accent: #0b6b6b; --lm-accent-ink: #ffffff; --lm-mark: #b4540a;
  --lm-rises: #b8510f; --lm-falls: #1f4fae; } /* the ends of the picture's diverging palette */
.dark { --lm-accent: #54c7bb; --lm-accent-ink: #0d1214; --lm-mark: #f5a05c;
  --lm-rises: #ff9a4d; --lm-falls: #69a5ff; }
.gradio-container { width: 100% !important; max-width: 1290px !important; margin: 0 auto; }
.gradio-container main, .gradio-container main > .wrap { width: 100%; }
.gradio-container > main { padding-top: 10px !important; }
#top { align-items: flex-start; }
#top > #name { flex: 3 1 0; }
#hub-column { align-items: flex-end; }
#hub-field { padding: 0; width: min(100%, 380px); }
#name h1 { font-size: 23px; margin: 0; letter-spacing: -0.01em; }
#name p { margin: 0; color: var(--body-text-color-subdued); font-size: 14px; }
#views .tabitem { padding: 10px 0 0; border: 0; }
.dark #views button[role=tab][aria-selected=true] { color: var(--lm-accent); }
#views .html-container, #hub-field .html-container, #write-bench, #read-bench, #name, #tour,
#tour .html-container { padding: 0; }
.tour-here { outline: 2px solid var(--lm-mark) !important; outline-offset: 4px;
  border-radius: 8px; scroll-margin-top: 16px; }
/* So that all can be scrolled clear of the tour's card. */
.touring .gradio-container { padding-bottom: 60vh !important; }
.ask { align-items: flex-end; }
.ask .block { padding: 8px 12px !important; }
.ask textarea { font-family: var(--font-mono); font-size: 14px; }
.ask button { height: 44px; }
@media (max-width: 760px) {
  /* All tabs in two rows of a phone: else gradio hides the last ones behind a button. */
  #views .tab-wrapper, #views .tab-container { height: auto; }
  #views .tab-container { display: grid; grid-template-columns: repeat(4, minmax(0, 1fr)); gap: 0; }
  #views .tab-container button { padding: 0 2px; font-size: 14px; min-width: 0; height: 40px; }
  .ask { display: grid !important; grid-template-columns: 1fr 1fr; }
  .ask > :first-child { grid-column: 1 / -1; }
  #top { flex-direction: column; align-items: stretch; gap: 8px; }
  #top > * { flex: none !important; width: 100%; }
  #hub-column { order: 1; align-items: stretch; }
  #hub-field { width: 100%; }
}
@media (prefers-reduced-motion: reduce) {
  *, *::before, *::after {
    transition: none !important; animation: none !important; scroll-behavior: auto !important;
  }
}
"""


def theme() -> themes.Base:
    """Gradio's base theme with a teal that has enough contrast, and the system's own fonts."""
    sans = ("system-ui", "DejaVu Sans", "sans-serif")
    mono = ("ui-monospace", "DejaVu Sans Mono", "Menlo", "Consolas", "monospace")
    return themes.Base(
        primary_hue=TEAL, neutral_hue="stone", font=sans, font_mono=mono, radius_size="md"
    ).set(
        body_background_fill="#fbfaf8",
        body_background_fill_dark="#101416",
        block_background_fill="#ffffff",
        block_background_fill_dark="#181d20",
        body_text_color="#1c1b1a",
        body_text_color_dark="#eceae6",
        body_text_color_subdued="#5f5c58",
        body_text_color_subdued_dark="#a3a19c",
        border_color_primary="#e0ddd8",
        border_color_primary_dark="#31383c",
        input_background_fill="#f6f5f2",
        input_background_fill_dark="#0f1315",
        input_placeholder_color="#6b6863",
        input_placeholder_color_dark="#8d9396",
        button_secondary_background_fill="#ebe9e4",
        button_secondary_background_fill_dark="#2a3236",
        button_secondary_background_fill_hover="#dfdcd6",
        button_secondary_background_fill_hover_dark="#354045",
        link_text_color_dark="#54c7bb",
        color_accent="#0b6b6b",
        button_primary_background_fill="#0b6b6b",
        button_primary_background_fill_hover="#075556",
        button_primary_background_fill_dark="#54c7bb",
        button_primary_background_fill_hover_dark="#79d6cc",
        button_primary_text_color="#ffffff",
        button_primary_text_color_dark="#0d1214",
    )
