"""The page's look: gradio's plain theme in our colours, no font or file from elsewhere."""

import gradio as gr
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
.gradio-container { max-width: 1290px !important; margin: 0 auto; }
#top { align-items: flex-end; border-bottom: 1px solid var(--border-color-primary); padding-bottom: 10px; }
#name h1 { font-size: 24px; margin: 0; letter-spacing: -0.01em; }
#name p { margin: 2px 0 0; color: var(--body-text-color-subdued); font-size: 14px; }
.ask { align-items: flex-end; }
.ask textarea { font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; font-size: 14px; }
.ask button { height: 44px; }
@media (max-width: 760px) {
  .ask { display: grid !important; grid-template-columns: 1fr 1fr; }
  .ask > :first-child { grid-column: 1 / -1; }
  #top { align-items: stretch; }
}
@media (prefers-reduced-motion: reduce) { * { transition: none !important; animation: none !important; } }
"""


def theme() -> gr.themes.Base:
    """Gradio's base theme with a teal that has enough contrast, and the system's own fonts."""
    sans = ("system-ui", "DejaVu Sans", "sans-serif")
    mono = ("ui-monospace", "DejaVu Sans Mono", "Menlo", "Consolas", "monospace")
    return gr.themes.Base(
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
        button_primary_background_fill="#0b6b6b",
        button_primary_background_fill_hover="#075556",
        button_primary_background_fill_dark="#54c7bb",
        button_primary_background_fill_hover_dark="#79d6cc",
        button_primary_text_color="#ffffff",
        button_primary_text_color_dark="#0d1214",
    )
